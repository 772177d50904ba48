"""`python -m benchmarks.startup`: from the command to containers that are ready, beside YARN's own DistributedShell and a Flink session.

All on one mini cluster, in turn, round by round; the first round is not counted. Exit code 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.contest import CONTAINERS, GPU, Arena, Start, opened
from benchmarks.figures import figure, ratio, table
from benchmarks.peers.distributed_shell import DistributedShell
from benchmarks.peers.flink import FlinkSession
from benchmarks.submit_run import Treadle
from benchmarks.timeline import STAGES

Starts = Mapping[str, Sequence[Start]]
"""Contestant's name → its counted starts, in the order of rounds."""


class Contestant(Protocol):
    """Something that brings containers up on YARN."""

    name: str

    def start(self) -> Start:
        """Measures one start, and leaves nothing running."""


def measure(arena: Arena, contestants: Sequence[Contestant], rounds: int) -> Starts:
    """Returns the starts of each, the uncounted first round left out; every second round goes in opposite order."""
    starts: dict[str, list[Start]] = {contestant.name: [] for contestant in contestants}
    for number in range(rounds + 1):
        for contestant in contestants if number % 2 else reversed(contestants):
            arena.wait_until_idle()
            start = contestant.start()
            what = f"round {number}" if number else "warm-up"
            sys.stderr.write(
                f"{what}: {contestant.name} ready {start.ready:.1f} s, whole {start.whole:.1f} s, load {os.getloadavg()[0]:.1f}\n"
            )
            if number:
                starts[contestant.name].append(start)
    return starts


def report(starts: Starts) -> str:
    """Returns the table of stages and the ratios."""
    rows = [
        [
            name,
            *(figure([start.stages.get(stage, 0.0) for start in runs]).text() for stage in STAGES),
            figure([start.ready for start in runs]).text(),
            figure([start.whole for start in runs]).text(),
        ]
        for name, runs in starts.items()
    ]
    return "\n\n".join([table(["seconds", *STAGES, "ready", "whole"], rows), *_ratios(starts)])


def _ratios(starts: Starts) -> list[str]:
    ours = [start.ready for start in starts[Treadle.name]]
    others = {name: [start.whole for start in runs] for name, runs in starts.items() if name != Treadle.name}
    return ["\n".join(f"Treadle ready / {name} whole: {ratio(ours, theirs).text(2)}" for name, theirs in others.items())]


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="counted rounds (default: %(default)s)")
    parser.add_argument("--flink", action="store_true", help="a Flink session too (downloads 330 MB once; needs 8 GB of memory)")
    parser.add_argument("--work", type=Path, help="directory of the cluster and its logs (default: a temporary one, deleted at the end)")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    with opened(options.work) as (arena, directory):
        contestants: list[Contestant] = [Treadle(arena, directory), DistributedShell(arena, directory)]
        if options.flink:
            contestants.append(FlinkSession(arena, directory))
        starts = measure(arena, contestants, options.rounds)
    what = f"{CONTAINERS} containers with 1 {GPU} each, median (min to max) of {options.rounds} rounds"
    print(f"{what}, load {os.getloadavg()[0]:.1f}\n")
    print(report(starts))


if __name__ == "__main__":
    main()
