from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.lists import split_list


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", ()),
        ("   ", ()),
        ("gpu", ("gpu",)),
        ("gpu;fpga", ("gpu", "fpga")),
        (" gpu ; ;fpga; ", ("gpu", "", "fpga")),
        (";gpu", ("gpu",)),
        ("gpu;;fpga", ("gpu", "", "fpga")),
        ("gpu;gpu", ("gpu", "gpu")),
        ("gpu,fpga", ("gpu,fpga",)),
        ("'a;b';c", ("a;b", "c")),
        ('"a;b" ; c', ("a;b", "c")),
        ('\'it\'\'s\';"say ""hi"""', ("it's", 'say "hi"')),
        ("a'b;c", ("a'b", "c")),
        ("'';a", ("", "a")),
        ("[gpu, fpga]", ("gpu", "fpga")),
        ("[]", ()),
        ("- gpu\n- fpga", ("gpu", "fpga")),
        ("['a;b', 2]", ("a;b", "2")),
        ("[gpu", ("[gpu",)),
        ("[[gpu]]", ("[[gpu]]",)),
    ],
)
def test_a_list_is_split_as_flink_splits_it(text: str, items: tuple[str, ...]) -> None:
    assert split_list(text) == items


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("'gpu", "the quote at position 1 is not closed"),
        ("a;'b''", "the quote at position 3 is not closed"),
        ("'a' b;c", "text follows the closing quote at position 3"),
        ("'a'\"b\"", "text follows the closing quote"),
    ],
)
def test_wrong_quoting_is_refused_with_its_position(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        split_list(text)


def quoted(item: str, quote: str) -> str:
    return quote + item.replace(quote, quote * 2) + quote


@given(st.lists(st.tuples(st.text(), st.sampled_from("'\""))))
def test_quoted_items_come_back_as_they_were(items: list[tuple[str, str]]) -> None:
    text = " ; ".join(quoted(item, quote) for item, quote in items)
    assert split_list(text) == tuple(item for item, _ in items)


@given(st.lists(st.from_regex(r"[a-z]([a-z ._']*[a-z])?", fullmatch=True)), st.sampled_from(["", " ", "\t"]))
def test_plain_items_come_back_without_the_blanks_around_them(items: list[str], blank: str) -> None:
    assert split_list(f"{blank};{blank}".join(items)) == tuple(items)


@given(st.text(alphabet="ab'\";[]-, \n"))
def test_any_text_is_a_list_or_is_refused(text: str) -> None:
    try:
        items = split_list(text)
    except ValueError:
        assert "'" in text or '"' in text
        return
    assert all(isinstance(item, str) for item in items)
