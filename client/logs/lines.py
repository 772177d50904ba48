"""Lines out of log files that grow: each byte is read once, wherever it is read, and a line is given when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from client.logs.files import LogFile, Task
from client.logs.frame import CHUNK
from client.logs.source import Source

_MOST_LINE = 1 << 20
"""Bytes of a line after which it is given though no end is in sight."""


@dataclass(frozen=True)
class Line:
    """A line of a log, without its end, and where it is from."""

    container: str
    task: str
    file: str
    line: str


@dataclass
class _Place:
    """How far a file was read, in bytes, and the last line's beginning where its end has not come yet."""

    task: Task
    position: int = 0
    rest: bytes = b""


class LogLines:
    """Gives the lines of log files to `emit`. What a file held when it was read from one source is not read from another again."""

    def __init__(self, emit: Callable[[Line], None]) -> None:
        self._emit = emit
        self._places: dict[tuple[str, str], _Place] = {}

    def read_on(self, source: Source, file: LogFile, task: Task, tail: int | None = None) -> None:
        """Gives what was added to a file, or all of one that was begun anew; `tail` limits the first time to the last lines."""
        key = file.container, file.name
        if key not in self._places:
            self._places[key] = _Place(task, 0 if tail is None else tail_start(source, file, tail))
        place = self._places[key]
        if file.size < place.position:  # begun anew
            place.position, place.rest = 0, b""
        if file.size == place.position:
            return
        for piece in source.read(file, place.position):
            place.position += len(piece)
            *lines, place.rest = (place.rest + piece).split(b"\n")
            for line in lines:
                self._give(key, place, line)
            if len(place.rest) > _MOST_LINE:
                self._give(key, place, place.rest)
                place.rest = b""

    def finish(self, file: LogFile) -> None:
        """Gives a last line without an end."""
        key = file.container, file.name
        if (place := self._places.get(key)) and place.rest:
            self._give(key, place, place.rest)
            place.rest = b""

    def finish_all(self) -> None:
        """Gives every last line without an end."""
        for container, name in self._places:
            self.finish(LogFile(container, name, 0))

    def _give(self, key: tuple[str, str], place: _Place, line: bytes) -> None:
        """What a progress bar wrote over itself becomes lines of their own: a prefix would be overwritten."""
        parts = [part for part in line.decode(errors="replace").split("\r") if part]
        for part in parts or [""]:
            self._emit(Line(key[0], place.task.name, key[1], part))


def tail_start(source: Source, file: LogFile, lines: int) -> int:
    """Returns the byte at which the last `lines` lines of a file begin; reads it from the end on, in growing pieces."""
    window = CHUNK
    while True:
        start = max(0, file.size - window)
        text = b"".join(source.read(file, start))
        found = _last_lines(text, lines)
        if found is not None or start == 0:
            return start + (found or 0)
        window *= 4


def _last_lines(text: bytes, lines: int) -> int | None:
    """Returns where the last lines begin, None when that is before `text`."""
    if lines == 0:
        return len(text)
    begins = len(text) - 1 if text.endswith(b"\n") else len(text)
    for _ in range(lines):
        begins = text.rfind(b"\n", 0, begins)
        if begins < 0:
            return None
    return begins + 1
