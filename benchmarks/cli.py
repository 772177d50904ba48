"""`python -m benchmarks.cli`: how long `submit`'s verbs that only look take, beside a bare click program and `yarn application -status`.

One application runs on one mini cluster; the commands take turns, round by round, and the first round is not counted. Exit code 0 whatever
the figures are.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.contest import APPLICATION_ID, GPU, Arena, get, opened, until
from benchmarks.figures import figure, ratio, table

BARE, HELP, YARN = "a bare click program --help", "submit --help", "yarn application -status"
VERBS = ("status", "devices", "top --once", "list")
_SUBMIT = str(Path(sys.executable).parent / "submit")
_CLICK = "import click\n\n\n@click.command()\ndef bare():\n    pass\n\n\nbare()\n"

Seconds = Mapping[str, Sequence[float]]
"""Command's name → what each counted round of it took, in seconds."""


def commands(application: str, bare: Path) -> dict[str, list[str]]:
    """Returns what is measured; `bare` is the program to compare with."""
    ours = {f"submit {verb}": [_SUBMIT, *verb.split(), *([] if verb == "list" else [application])] for verb in VERBS}
    return {
        BARE: [sys.executable, str(bare), "--help"],
        HELP: [_SUBMIT, "--help"],
        **ours,
        YARN: ["yarn", "application", "-status", application],
    }


def measure(arena: Arena, wanted: Mapping[str, Sequence[str]], rounds: int, directory: Path) -> Seconds:
    """Returns the seconds of each, the uncounted first round left out; every second round goes in opposite order."""
    taken: dict[str, list[float]] = {name: [] for name in wanted}
    for number in range(rounds + 1):
        for name in wanted if number % 2 else reversed(list(wanted)):
            begin = time.perf_counter()
            arena.run(wanted[name], directory / "command.log")
            if number:
                taken[name].append(time.perf_counter() - begin)
    return taken


def report(taken: Seconds) -> str:
    """Returns the table and the ratios."""
    lines = table(["seconds", "time"], [[name, figure(values).text(2)] for name, values in taken.items()])
    ratios = [f"{HELP} / {BARE}: {ratio(taken[HELP], taken[BARE]).text(2)}"]
    ratios += [f"{YARN} / submit {verb}: {ratio(taken[YARN], taken[f'submit {verb}']).text(1)}" for verb in VERBS]
    return "\n\n".join([lines, "\n".join(ratios)])


def start(arena: Arena, directory: Path) -> str:
    """Starts an application of one TaskManager with a GPU that runs on, and returns its id once the slot holds the GPU."""
    devices = ["--resource", f"gpu=1:{GPU}", "-D", "external-resource.gpu.driver-factory.class=discovery-script"]
    said = arena.run([_SUBMIT, "run", "--detach", "--memory", "512m", *devices, "--", "sleep", "3600"], directory / "submit.log")
    application = str(APPLICATION_ID.findall(said)[0])
    page = f"{arena.cluster.resourcemanager_url}/proxy/{application}/pages/treadle/overview"

    def works() -> bool:
        try:
            return bool(get(page)["jobs-running"])
        except (OSError, ValueError):
            return False

    until(works, f"{application} runs")
    return application


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cli", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="counted rounds (default: %(default)s)")
    parser.add_argument("--work", type=Path, help="directory of the cluster and its logs (default: a temporary one, deleted at the end)")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    with opened(options.work) as (arena, directory):
        bare = directory / "bare.py"
        bare.write_text(_CLICK)
        application = start(arena, directory)
        taken = measure(arena, commands(application, bare), options.rounds, directory)
        arena.run([_SUBMIT, "kill", application], directory / "kill.log")
    print(f"one running application, median (min to max) of {options.rounds} rounds, load {os.getloadavg()[0]:.1f}\n")
    print(report(taken))


if __name__ == "__main__":
    main()
