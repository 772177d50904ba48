"""What Ctrl-C means while an application is followed: the first offers to detach, a second kills."""

from __future__ import annotations

import enum
import sys
import time

from client.console import Console
from client.following.follow import Follower, Source
from protocol.outcome import Outcome

_SECOND_CHANCE_S = 3.0
"""How long a second Ctrl-C is awaited where nobody can be asked, in seconds."""


class _Decision(enum.Enum):
    DETACH = enum.auto()
    KILL = enum.auto()
    GO_ON = enum.auto()


def follow(follower: Follower, source: Source, application: str, console: Console) -> Outcome | None:
    """Follows to the end and returns the outcome, or None when the user left before that.

    Raises:
        ClientError: when how it ended can't be found out.
    """
    decision = _Decision.GO_ON
    while True:
        try:
            if decision is _Decision.KILL:
                console.line(f"killing {application}")
                source.kill()
            return follower.follow()
        except KeyboardInterrupt:
            if decision is _Decision.KILL:
                console.line(f"no longer waiting for {application} to end")
                return None
        decision = _decide(console, application) if source.can_detach else _Decision.KILL
        if decision is _Decision.DETACH:
            console.line(f"detached: {application} goes on; `submit kill {application}` ends it")
            return None


def _decide(console: Console, application: str) -> _Decision:
    """Returns what the user wants; a Ctrl-C in here means kill."""
    try:
        if console.interactive and sys.stdin.isatty():
            return _ask(console, application)
        console.line(f"interrupted: {application} goes on without this command; interrupt again within {_SECOND_CHANCE_S:.0f} s to kill it")
        time.sleep(_SECOND_CHANCE_S)
    except KeyboardInterrupt:
        return _Decision.KILL
    return _Decision.DETACH


def _ask(console: Console, application: str) -> _Decision:
    console.line(f"\n{application} is still there: (d)etach and let it go on, (k)ill it, or (f)ollow it further? Ctrl-C again kills it.")
    while True:
        answer = sys.stdin.readline()
        choice = answer.strip().lower()[:1]
        if not answer or choice == "d":
            return _Decision.DETACH
        if choice == "k":
            return _Decision.KILL
        if choice == "f":
            return _Decision.GO_ON
        console.line("d, k or f?")
