"""Lines and one bar on stderr; stdout is for the result alone."""

from __future__ import annotations

import os
from typing import TextIO

from conf.errors import Problem

_CLEAR_LINE = "\r\x1b[K"


class Console:
    """Writes for a person; a bar only where there is a terminal to redraw it on. `verbose` lets tracebacks through."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar = ""
        self.interactive = stream.isatty()
        self.verbose = False

    def line(self, text: str) -> None:
        """Writes a line, above the bar if there is one."""
        bar, self._bar = self._bar, ""
        self._stream.write(f"{_CLEAR_LINE if bar else ''}{text}\n")
        self.bar(bar)
        self._stream.flush()

    def bar(self, text: str) -> None:
        """Draws the bar in place of the one before, cut to one row; an empty one takes it away. Does nothing without a terminal."""
        if not self.interactive or text == self._bar:
            return
        self._stream.write(f"{_CLEAR_LINE}{text[: self._room()]}")
        self._stream.flush()
        self._bar = text

    def _room(self) -> int | None:
        """Returns how many characters leave the cursor in their row, None where the terminal does not tell."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except OSError:
            return None
        return columns - 1 if columns else None

    def problem(self, problem: Problem) -> None:
        """Writes a problem of a configuration, with its key where the cause does not name it."""
        named = problem.key in problem.cause or "." not in problem.key
        self.error(problem.cause if named else f"{problem.cause} ({problem.key})", problem.remedy)

    def error(self, cause: str, remedy: str) -> None:
        """Writes one line of cause and one of remedy."""
        self.line(f"error: {cause}\nremedy: {remedy}")
