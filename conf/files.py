"""Configuration files: Flink's `config.yaml` (2.x) and `flink-conf.yaml` (1.x), told apart by name, as Flink does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from conf.entry import Entry
from conf.errors import Problem
from conf.flink_yaml import Line, duplicate, read_yaml

LEGACY_NAME = "flink-conf.yaml"
"""The file of Flink 1.x: `key: value` lines that are not quite YAML."""


@dataclass(frozen=True)
class FileContent:
    """What one file says: the entries of its good lines, what is wrong with the others, and what may be meant otherwise."""

    entries: Mapping[str, Entry]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def read_file(path: Path) -> FileContent:
    """Read one file; each entry's origin is `<file>:<line>`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        return FileContent({}, (Problem(str(path), f"{path} can't be read: {reason}", "name a readable file of `key: value` lines"),))
    name = str(path)
    if path.name == LEGACY_NAME:
        lines, problems = _read_legacy(text, name)
        return FileContent(_entries(lines, name), tuple(problems), tuple(_last_wins(lines, name)))
    lines, problems = read_yaml(text, name)
    problems += [duplicate(line.key, name, first, line.number) for line, first in _repeated(lines)]
    return FileContent(_entries(lines, name), tuple(problems))


def read_defaults(text: str) -> dict[str, Entry]:
    """Read our own defaults."""
    return {line.key: Entry(line.text, "default") for line in read_yaml(text, "defaults.yaml")[0]}


def _read_legacy(text: str, name: str) -> tuple[list[Line], list[Problem]]:
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
    return lines, problems


def _last_wins(lines: list[Line], name: str) -> Iterator[str]:
    for line, first in _repeated(lines):
        yield f"{line.key} stands twice in {name}: line {line.number} counts, not line {first}"


def _entries(lines: list[Line], name: str) -> dict[str, Entry]:
    return {line.key: Entry(line.text, f"{name}:{line.number}") for line in lines}


def _repeated(lines: list[Line]) -> Iterator[tuple[Line, int]]:
    """Each line whose key has stood before, with the number of the line before."""
    seen: dict[str, int] = {}
    for line in lines:
        if line.key in seen:
            yield line, seen[line.key]
        seen[line.key] = line.number
