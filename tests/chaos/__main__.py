"""`make chaos SEED=1 MINUTES=10`: prints the schedule, then what happens, then the figures; exit code 1 when anything was wrong."""

# ruff: noqa: T201 - a program, whose result goes to stdout

from __future__ import annotations

import argparse
import logging
import signal
import sys
import tempfile
from pathlib import Path

from chaos.arena import opened
from chaos.campaign import Campaign
from chaos.faults import FAULTS
from chaos.schedule import schedule


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the schedule follows from it alone (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=10, help="for how long strikes fall (default: %(default)s)")
    parser.add_argument("--faults", default=",".join(FAULTS), help="which ones, between commas (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=15, help="how often each application reads the test digits (default: %(default)s)")
    parser.add_argument("--work", type=Path, help="a new directory for the cluster and all logs (default: a temporary one, which stays)")
    options = parser.parse_args()
    faults = options.faults.split(",")
    if strange := set(faults) - FAULTS.keys():
        parser.error(f"--faults: no such fault: {', '.join(sorted(strange))}; there are {', '.join(FAULTS)}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    strikes = schedule(options.seed, options.minutes * 60, faults)
    print(f"schedule of seed {options.seed}:", *strikes, sep="\n")
    work = (options.work or Path(tempfile.mkdtemp(prefix="treadle-chaos-"))).absolute()
    work.mkdir(parents=True, exist_ok=True)
    print(f"logs in {work}", flush=True)
    with opened(work, options.repeat) as arena:
        findings = Campaign(arena, strikes).fight()
    print(findings.text())
    return 1 if findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
