import pytest

from yarn_am.excluded_nodes import write


def test_one_host_a_line_in_order_and_once(tmp_path):
    write(tmp_path / "excluded", ["b.example.com", "a", "b.example.com"])
    assert (tmp_path / "excluded").read_bytes() == b"a\nb.example.com\n"


def test_the_file_is_replaced_and_nothing_else_is_left(tmp_path):
    write(tmp_path / "excluded", {"a", "b"})
    with (tmp_path / "excluded").open() as before:
        write(tmp_path / "excluded", set())
        assert before.read() == "a\nb\n"  # another file: a reader under way sees no half of it
    assert (tmp_path / "excluded").read_text() == ""
    assert [path.name for path in tmp_path.iterdir()] == ["excluded"]


@pytest.mark.parametrize("host", ["", "*", "a b", "a\nb", "a\n"])
def test_what_is_no_host_name_leaves_the_file_as_it_was(tmp_path, host):
    write(tmp_path / "excluded", ["a"])
    with pytest.raises(ValueError, match="where a host name was expected"):
        write(tmp_path / "excluded", ["b", host])
    assert (tmp_path / "excluded").read_text() == "a\n"
