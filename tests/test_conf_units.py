from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.units import LONG_MAX, parse_bytes, parse_decimal, parse_integer, parse_nanoseconds

MIB, GIB = 1024**2, 1024**3


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4g", 4 * GIB),
        ("4G", 4 * GIB),
        ("4gb", 4 * GIB),
        ("4 gb", 4 * GIB),
        ("4GiB", 4 * GIB),
        ("4 gibibytes", 4 * GIB),
        ("4096m", 4 * GIB),
        ("1MiB", MIB),
        ("1 mebibytes", MIB),
        ("1kb", 1024),
        ("2KiB", 2048),
        ("1t", 1024 * GIB),
        ("1 tebibytes", 1024 * GIB),
        ("7b", 7),
        ("7 bytes", 7),
        ("1024", 1024),
        ("0", 0),
    ],
)
def test_a_size_is_read_as_flinks_memory_size(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a size"),
        ("g", "not a size"),
        ("-1g", "not a size"),
        ("1.5g", "not a size"),
        ("4 x", "'x' is not a unit of b, k, m, g or t"),
        ("4 giga bytes", "not a unit"),
        ("9223372036854775808", "greater than 64 bits"),
        ("8388608t", "greater than 64 bits"),
        ("\u0664g", "not a size"),
    ],
)
def test_what_is_not_a_size_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("500 ms", 500_000_000),
        ("500", 500_000_000),
        ("2 millis", 2_000_000),
        ("10 s", 10**10),
        ("10sec", 10**10),
        ("1 Second", 10**9),
        ("5 min", 300 * 10**9),
        ("5m", 300 * 10**9),
        ("2 hours", 7200 * 10**9),
        ("1d", 86400 * 10**9),
        ("3 \u00b5s", 3000),
        ("3 micros", 3000),
        ("9 ns", 9),
    ],
)
def test_a_duration_is_read_as_flinks_time_utils_does(text: str, nanoseconds: int) -> None:
    assert parse_nanoseconds(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "min", "-5 s", "1.5 s", "5 weeks", "PT5S", "99999999999 d"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration|not a unit|64 bits"):
        parse_nanoseconds(text)


@pytest.mark.parametrize("text", ["two", "1.5", "", " 2", "1_000", "0x10", "\u0662", "1e3", "--1"])
def test_a_worded_fractional_or_pythonic_number_is_not_a_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        parse_integer(text)


@pytest.mark.parametrize("text", [str(LONG_MAX + 1), str(-LONG_MAX - 2), "9" * 5000])
def test_a_whole_number_ends_where_javas_long_ends(text: str) -> None:
    with pytest.raises(ValueError, match="greater than 64 bits hold"):
        parse_integer(text)


@given(st.integers(-LONG_MAX - 1, LONG_MAX))
def test_every_long_is_read(number: int) -> None:
    assert parse_integer(str(number)) == number


@given(st.integers(0, 2**20), st.sampled_from(["", "k", "m", "g", "t"]), st.sampled_from(["", " ", "  "]), st.booleans())
def test_a_size_is_its_number_times_its_unit(number: int, unit: str, gap: str, upper: bool) -> None:
    text = f"{number}{gap}{unit.upper() if upper else unit}"
    assert parse_bytes(text) == number * 1024 ** ["", "k", "m", "g", "t"].index(unit)


@given(st.text())
def test_any_text_is_a_size_or_is_refused(text: str) -> None:
    try:
        size = parse_bytes(text)
    except ValueError:
        return
    assert 0 <= size <= LONG_MAX


@pytest.mark.parametrize("text", ["nan", "inf", "1e5", "1,5", "", "."])
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        parse_decimal(text)
