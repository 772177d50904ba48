"""Ends an application that takes longer than its user gave it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from client.errors import USAGE, ClientError
from conf.kinds import DURATION_MS

if TYPE_CHECKING:
    from client.console import Console
    from client.following.follow import Sight, Source

EXIT_CODE = 124
"""What `submit` then exits with, as timeout(1) does."""


def parse_timeout(text: str | None) -> float | None:
    """Returns the seconds of `--timeout`, None where there is none.

    Raises:
        ClientError: when it is no duration.
    """
    if text is None:
        return None
    try:
        return DURATION_MS.parse(text) / 1000
    except ValueError as error:
        raise ClientError(f"--timeout is {text!r}: {error}", f"write {DURATION_MS.accepted}", USAGE) from error


class Deadline:
    """`timeout_s` counts from now on; `passed` tells whether the application was killed for it."""

    def __init__(self, timeout_s: float, source: Source, console: Console) -> None:
        self._timeout_s, self._source, self._console = timeout_s, source, console
        self._at = time.monotonic() + timeout_s
        self.passed = False

    def see(self, sight: Sight) -> None:
        """Kills the application when its time is over; one that has its outcome already is let end.

        Raises:
            ClientError: when it can't be killed.
        """
        ended = sight.report.ended or (sight.application is not None and sight.application.outcome is not None)
        if not ended and not self.passed and time.monotonic() > self._at:
            self.passed = True
            self._console.line(f"killing {sight.report.id}: it has not ended within {self._timeout_s:g} s (--timeout)")
            self._source.kill()
