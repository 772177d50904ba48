"""The frame that Hadoop puts around a container's log file, in `yarn logs` and in the NodeManager's REST alike.

Hadoop's `LogToolUtils.outputContainerLog` of 3.1 to 3.5 writes it. The content's length is told, so no content is taken for a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

CHUNK = 1 << 16
"""How many bytes are read at once."""

_MOST_LINE = 1 << 16
_CONTAINER, _NAME, _LENGTH, _CONTENTS = b"Container: ", b"LogType:", b"LogLength:", b"LogContents:"


class Stream(Protocol):
    """What a response and a pipe have in common."""

    def readline(self, limit: int = -1, /) -> bytes:
        """Returns the next line, at most `limit` bytes of it."""

    def read(self, size: int = -1, /) -> bytes:
        """Returns at most `size` bytes, none at the end."""


@dataclass(frozen=True)
class Frame:
    """The head of one file: its container, its name, and how many bytes the file has, which may be more than follow."""

    container: str
    name: str
    length: int


def next_frame(stream: Stream) -> Frame | None:
    """Reads up to the next content and returns its head, None at the end; lines that belong to no frame are passed over."""
    told: dict[bytes, str] = {}
    while line := stream.readline(_MOST_LINE):
        for key in (_CONTAINER, _NAME, _LENGTH):
            if line.startswith(key):
                told[key] = line[len(key) :].decode(errors="replace").strip()
        if line.startswith(_CONTENTS) and told.keys() >= {_CONTAINER, _NAME, _LENGTH}:
            return Frame(told[_CONTAINER].partition(" ")[0], told[_NAME], int(told[_LENGTH]))
    return None


def content(stream: Stream, length: int) -> Iterator[bytes]:
    """Yields the next `length` bytes in pieces, fewer only when the stream ends."""
    while length > 0 and (piece := stream.read(min(CHUNK, length))):
        length -= len(piece)
        yield piece
