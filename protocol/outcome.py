"""How an application ended, as one line of text that YARN can carry and a program can read back."""

from __future__ import annotations

import re
from dataclasses import dataclass

SUCCEEDED, FAILED, KILLED = "SUCCEEDED", "FAILED", "KILLED"
"""YARN's final application statuses."""

_TRAILER = re.compile(r"^(?P<text>.*) \[exit code (?P<code>\d+)\]\s*$", re.DOTALL)


@dataclass(frozen=True)
class Outcome:
    """Final status, the exit code that `submit` ends with, and diagnostics: cause, remedy, detail, separated by newlines."""

    status: str
    exit_code: int
    diagnostics: str

    def to_diagnostics(self) -> str:
        r"""Returns the text for YARN's diagnostics, the exit code at its end.

        Bytes of a command that are no UTF-8 are half surrogates in Python and nothing that YARN can be told: they are written `\udcff`.
        """
        return f"{self.diagnostics} [exit code {self.exit_code}]".encode(errors="backslashreplace").decode()


def from_diagnostics(status: str, text: str) -> Outcome:
    """Returns the outcome behind YARN's final status and diagnostics; 0, 1 or 3 by status when no exit code is written there."""
    match = _TRAILER.match(text)
    if match:
        return Outcome(status, int(match["code"]), match["text"])
    return Outcome(status, {SUCCEEDED: 0, KILLED: 3}.get(status, 1), text.strip())
