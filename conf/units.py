"""Numbers, sizes and durations in Flink's notation. Each function raises ValueError with the reason when the text is not one."""

from __future__ import annotations

import re

LONG_MAX = 2**63 - 1
"""Java's greatest long: what Flink's and YARN's counts end at."""

INT_MAX = 2**31 - 1
"""Java's greatest int: what YARN's memory and vcores end at."""

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_WITH_UNIT = re.compile(r"(?P<number>[0-9]+)\s*(?P<unit>\D*)")

_BYTES = {
    unit: 1024**power
    for power, units in enumerate(
        (
            ("", "b", "bytes"),
            ("k", "kb", "kib", "kibibytes"),
            ("m", "mb", "mib", "mebibytes"),
            ("g", "gb", "gib", "gibibytes"),
            ("t", "tb", "tib", "tebibytes"),
        )
    )
    for unit in units
}

_NANOSECONDS = {
    unit: nanoseconds
    for nanoseconds, units in (
        (1, ("ns", "nano", "nanos", "nanosecond", "nanoseconds")),
        # the micro sign, and the Greek letter that looks the same
        (10**3, ("\u00b5s", "\u03bcs", "micro", "micros", "microsecond", "microseconds")),
        (10**6, ("", "ms", "milli", "millis", "millisecond", "milliseconds")),
        (10**9, ("s", "sec", "secs", "second", "seconds")),
        (60 * 10**9, ("min", "m", "minute", "minutes")),
        (3600 * 10**9, ("h", "hour", "hours")),
        (86400 * 10**9, ("d", "day", "days")),
    )
    for unit in units
}


def parse_integer(text: str) -> int:
    """A whole number as Java's `Long.parseLong` reads it: ASCII digits, a sign at most."""
    if not _INTEGER.fullmatch(text):
        raise ValueError("not a whole number")
    # by length first: Python refuses to convert thousands of digits
    if len(text.lstrip("+-0")) > len(str(LONG_MAX)) or not -LONG_MAX - 1 <= int(text) <= LONG_MAX:
        raise ValueError("greater than 64 bits hold")
    return int(text)


def parse_decimal(text: str) -> float:
    """A number with or without a fraction."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError("not a number")
    return float(text)


def parse_bytes(text: str) -> int:
    """A size in bytes: Flink's `MemorySize` (`4g`, `4 gb`, `4096m`; powers of 1024; bytes without a unit), and `4GiB` too."""
    return _with_unit(text, _BYTES, "a size", "b, k, m, g or t")


def parse_nanoseconds(text: str) -> int:
    """A duration in nanoseconds: Flink's `TimeUtils` (`500 ms`, `5 min`, `1d`; milliseconds without a unit)."""
    return _with_unit(text, _NANOSECONDS, "a duration", "ms, s, min, h or d")


def _with_unit(text: str, units: dict[str, int], what: str, known: str) -> int:
    match = _WITH_UNIT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not {what}")
    unit = match["unit"].lower()
    if unit not in units:
        raise ValueError(f"{match['unit']!r} is not a unit of {known}")
    value = parse_integer(match["number"]) * units[unit]
    if value > LONG_MAX:
        raise ValueError("greater than 64 bits hold")
    return value
