"""Configuration files: Flink's `config.yaml` (2.x) and `flink-conf.yaml` (1.x), told apart by name, as Flink does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from conf.entry import Entry
from conf.errors import ConfigError, Problem
from conf.flink_yaml import Line, duplicate, read_yaml

logger = logging.getLogger(__name__)

LEGACY_NAME = "flink-conf.yaml"
"""The file of Flink 1.x: `key: value` lines that are not quite YAML."""


def read_file(path: Path) -> dict[str, Entry]:
    """Read one file; each entry's origin is `<file>:<line>`.

    Raises:
        ConfigError: With everything that is wrong in the file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError([Problem(str(path), f"{path} can't be read: {reason}", "name a readable file of `key: value` lines")]) from error
    if path.name == LEGACY_NAME:
        return _last_wins(_read_legacy(text, str(path)), str(path))
    return _each_once(read_yaml(text, str(path)), str(path))


def read_defaults(text: str) -> dict[str, Entry]:
    """Read our own defaults."""
    return {line.key: Entry(line.text, "default") for line in read_yaml(text, "defaults.yaml")}


def _read_legacy(text: str, name: str) -> list[Line]:
    """Flink 1.x, `GlobalConfiguration.loadYAMLResource`: a comment starts at any `#`; key and value part at the first `: `."""
    lines: list[Line] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.split("#", 1)[0].strip()
        key, _, value = (part.strip() for part in content.partition(": "))
        if key and value:
            lines.append(Line(key, value, number))
        elif content:
            where = f"{name}:{number}"
            cause = f"{where} is not `key: value` but {content!r}"
            problems.append(Problem(where, cause, "write key, colon, blank, value; or take the line out"))
    if problems:
        raise ConfigError(problems)
    return lines


def _each_once(lines: list[Line], name: str) -> dict[str, Entry]:
    duplicates = [duplicate(line.key, name, first, line.number) for line, first in _repeated(lines)]
    if duplicates:
        raise ConfigError(duplicates)
    return _entries(lines, name)


def _last_wins(lines: list[Line], name: str) -> dict[str, Entry]:
    for line, first in _repeated(lines):
        logger.warning("%s stands twice in %s: line %d counts, not line %d", line.key, name, line.number, first)
    return _entries(lines, name)


def _entries(lines: list[Line], name: str) -> dict[str, Entry]:
    return {line.key: Entry(line.text, f"{name}:{line.number}") for line in lines}


def _repeated(lines: list[Line]) -> Iterator[tuple[Line, int]]:
    """Each line whose key has stood before, with the number of the line before."""
    seen: dict[str, int] = {}
    for line in lines:
        if line.key in seen:
            yield line, seen[line.key]
        seen[line.key] = line.number
