"""What `map_batches` refuses before work begins, and what it says when the function fails."""

import pytest
from mapped_numbers import Recorder, double, names, on_a_laptop, write_numbers

import treadle


@pytest.fixture(autouse=True)
def laptop(monkeypatch):
    on_a_laptop(monkeypatch)


@pytest.fixture
def numbers(tmp_path):
    return write_numbers(tmp_path / "numbers")


@pytest.mark.parametrize("leftover", ["part-00000.parquet", "_SUCCESS", ".hidden"])
def test_an_output_that_holds_anything_is_refused_before_work_begins(numbers, tmp_path, leftover):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / leftover).touch()
    function = Recorder()
    with pytest.raises(FileExistsError, match=f"out is not empty .it holds {leftover}.; name another directory or delete"):
        treadle.map_batches(function, numbers, tmp_path / "out")
    assert function.calls == []


def test_an_output_that_is_a_file_is_refused(numbers, tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(FileExistsError, match="out is a file; name a new or empty directory"):
        treadle.map_batches(double, numbers, tmp_path / "out")


def test_a_missing_input_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the input .*nowhere does not exist"):
        treadle.map_batches(double, tmp_path / "nowhere", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_input_without_data_files_is_named(numbers, tmp_path):
    for path in numbers.iterdir():
        path.rename(path.with_name(f"_{path.name}"))
    with pytest.raises(FileNotFoundError, match="numbers holds no Parquet file"):
        treadle.map_batches(double, numbers, tmp_path / "out")


def test_an_input_that_is_no_parquet_is_named(numbers, tmp_path):
    (numbers / "0.parquet").write_text("hello")
    with pytest.raises(ValueError, match="numbers is no Parquet dataset"):
        treadle.map_batches(double, numbers, tmp_path / "out")


def test_an_unknown_column_is_named(numbers, tmp_path):
    with pytest.raises(ValueError, match=r"columns \['z'\] are not in the input; it has \['x', 'y'\]"):
        treadle.map_batches(double, numbers, tmp_path / "out", columns=["x", "z"])


@pytest.mark.parametrize(
    ("function", "message"), [(Recorder, r"the class Recorder; give it an instance: Recorder\("), (3, "was given 3; give it")]
)
def test_what_is_no_function_is_refused(numbers, tmp_path, function, message):
    with pytest.raises(TypeError, match=message):
        treadle.map_batches(function, numbers, tmp_path / "out")


def test_no_input_at_all_is_refused(tmp_path):
    with pytest.raises(ValueError, match="input is an empty list; give"):
        treadle.map_batches(double, [], tmp_path / "out")


def test_a_batch_has_at_least_one_row(numbers, tmp_path):
    with pytest.raises(ValueError, match="batch_size is 0; give"):
        treadle.map_batches(double, numbers, tmp_path / "out", batch_size=0)


def test_in_a_slot_it_is_refused(numbers, tmp_path, monkeypatch):
    monkeypatch.setenv("TREADLE_RUNTIME_CONTEXT", "context.json")
    with pytest.raises(RuntimeError, match="called in a slot, where every slot would do all of it"):
        treadle.map_batches(double, numbers, tmp_path / "out")


def test_what_the_function_raises_names_the_file_and_keeps_the_traceback(numbers, tmp_path):
    def fail_on_second_file(batch):
        if batch["x"][0].as_py() == 15:
            raise LookupError("no such digit")
        return batch

    with pytest.raises(
        treadle.FragmentError, match=r"1\.parquet could not be mapped in slot local.*: LookupError: no such digit"
    ) as caught:
        treadle.map_batches(fail_on_second_file, numbers, tmp_path / "out", batch_size=5)
    assert "in fail_on_second_file" in caught.value.detail
    assert caught.value.fragment.endswith("1.parquet")
    # the first file is whole, the second one left nothing, and nothing says that all is there
    assert names(tmp_path / "out") == ["part-00000.parquet"]


def test_the_function_is_closed_when_it_fails_and_not_when_it_never_opened(numbers, tmp_path):
    class FailsInMap(Recorder):
        def map(self, batch):
            raise ValueError("map")

    class FailsInOpen(Recorder):
        def open(self, context):
            raise ValueError("open")

    in_map, in_open = FailsInMap(), FailsInOpen()
    with pytest.raises(treadle.FragmentError, match="ValueError: map"):
        treadle.map_batches(in_map, numbers, tmp_path / "out1")
    with pytest.raises(treadle.FragmentError, match="ValueError: open"):
        treadle.map_batches(in_open, numbers, tmp_path / "out2")
    assert (in_map.calls, in_open.calls) == (["open", "close"], [])


def test_a_function_that_returns_something_else_is_told_what_was_expected(numbers, tmp_path):
    with pytest.raises(treadle.FragmentError, match=r"map returned list where a pyarrow\.RecordBatch was expected"):
        treadle.map_batches(lambda batch: batch.to_pylist(), numbers, tmp_path / "out")


def test_a_function_may_not_end_the_process(numbers, tmp_path):
    with pytest.raises(treadle.FragmentError, match="SystemExit: 3"):
        treadle.map_batches(lambda batch: exit(3), numbers, tmp_path / "out")  # noqa: PLR1722 - what a user may write
