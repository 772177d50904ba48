"""When what is struck: a pure function of the seed, so that a run that failed can be repeated."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

EVERY_S = (3.0, 9.0)
"""Seconds between two strikes; the next one may come before the one before is over."""

HOLD_S = (1.0, 14.0)
"""How long a daemon is down or a process stands still: from a hiccup to longer than `heartbeat.timeout` and YARN's own time-outs."""


@dataclass(frozen=True)
class Strike:
    """At `at_s` seconds from the start the fault of this name strikes, for `hold_s` seconds if it is one that passes.

    `seed` chooses the victim among those that there are then.
    """

    at_s: float
    fault: str
    hold_s: float
    seed: int

    def __str__(self) -> str:
        return f"{self.at_s:7.1f} s  {self.fault} (holds {self.hold_s:g} s, seed {self.seed})"


def schedule(seed: int, seconds: float, faults: Sequence[str]) -> tuple[Strike, ...]:
    """Returns the strikes of so many seconds, in order."""
    dice = random.Random(seed)
    strikes = []
    at = dice.uniform(*EVERY_S)
    while at < seconds:
        strikes.append(Strike(round(at, 1), dice.choice(faults), round(dice.uniform(*HOLD_S), 1), dice.getrandbits(32)))
        at += dice.uniform(*EVERY_S)
    return tuple(strikes)
