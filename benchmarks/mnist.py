"""`python -m benchmarks.mnist`: images per second of the MNIST job on YARN, per slot, beside the same NumPy code in one plain process.

On one mini cluster, in turn, round by round; the first round is not counted. The job reads Parquet from HDFS and writes its predictions
there, the plain process has the same files on the local disk; both use BLAS on one thread. Exit code 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import treadle
from benchmarks.contest import CONTAINERS, GPU, Arena, opened
from benchmarks.figures import figure, ratio, table

_EXAMPLE = Path(__file__).parent.parent / "examples" / "mnist"
_SUBMIT = Path(sys.executable).parent / "submit"

_IMAGES = 10_000
_DEVICES = ("--resource", f"gpu=1:{GPU}", "-D", "external-resource.gpu.driver-factory.class=discovery-script")


@dataclass(frozen=True)
class Run:
    """What one classification did: images per second and slot, seconds to the first batch, accuracy."""

    per_slot: float
    first_batch: float
    accuracy: float


class Classification:
    """The same script, as a job on YARN or as a plain process."""

    def __init__(self, arena: Arena, directory: Path, repeat: int) -> None:
        self._arena, self._directory, self._repeat, self._number = arena, directory, repeat, 0
        self._on_hdfs, self._local = f"{arena.cluster.namenode_uri}/mnist", str(directory / "mnist")

    def prepare(self) -> None:
        """Writes the digits to HDFS and to the local disk, and trains a model beside each."""
        for place in (self._on_hdfs, self._local):
            self._python("prepare.py", "--output", place)
            self._python("train.py", "--input", place, "--model", f"{place}/model.npz")

    def on_yarn(self) -> Run:
        """Runs it in as many slots as there are containers."""
        return self._run([str(_SUBMIT), "run", "--taskmanagers", str(CONTAINERS), *_DEVICES], self._on_hdfs)

    def alone(self) -> Run:
        """Runs it in one process, with nothing of a cluster around it."""
        return self._run([sys.executable], self._local)

    def _run(self, command: Sequence[str], place: str) -> Run:
        self._number += 1
        output = f"{place}/predicted-{self._number}"
        words = ["--input", f"{place}/test", "--model", f"{place}/model.npz", "--output", output, "--repeat", str(self._repeat)]
        self._arena.run([*command, str(_EXAMPLE / "classify.py"), *words], self._directory / "classify.log")
        filesystem, path = treadle.open_filesystem(f"{output}/_summary.json")
        with filesystem.open_input_stream(path) as file:
            return run_of(file.read())

    def _python(self, script: str, *arguments: str) -> None:
        self._arena.run([sys.executable, str(_EXAMPLE / script), *arguments], self._directory / "prepare.log")


def run_of(summary: str | bytes) -> Run:
    """Returns what a job's `_summary.json` says."""
    tree = json.loads(summary)
    return Run(tree["images_per_second"] / len(tree["slots"]), tree["seconds_to_first_batch"], tree["accuracy"])


def report(on_yarn: Sequence[Run], alone: Sequence[Run]) -> str:
    """Returns the table and the ratio."""
    rows = [
        [name, figure([run.per_slot for run in runs]).text(0), figure([run.first_batch for run in runs]).text(2), f"{runs[0].accuracy:.2%}"]
        for name, runs in (("job on YARN", on_yarn), ("plain process", alone))
    ]
    speed = ratio([run.per_slot for run in on_yarn], [run.per_slot for run in alone])
    shown = table(["", "images/s and slot", "first batch, s", "accuracy"], rows)
    return f"{shown}\n\na slot's speed / the plain process's: {speed.text(2)}"


def measure(classification: Classification, arena: Arena, rounds: int) -> tuple[list[Run], list[Run]]:
    """Returns the counted runs on YARN and alone."""
    on_yarn, alone = [], []
    for _ in range(rounds + 1):
        arena.wait_until_idle()
        on_yarn.append(classification.on_yarn())
        arena.wait_until_idle()
        alone.append(classification.alone())
        sys.stderr.write(f"{on_yarn[-1].per_slot:,.0f} and {alone[-1].per_slot:,.0f} images/s, load {os.getloadavg()[0]:.1f}\n")
    return on_yarn[1:], alone[1:]


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mnist", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="counted rounds (default: %(default)s)")
    parser.add_argument(
        "--repeat", type=int, default=5, metavar="N", help="classify the 10,000 images so many times (default: %(default)s)"
    )
    parser.add_argument("--work", type=Path, help="directory of the cluster and its logs (default: a temporary one, deleted at the end)")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with opened(options.work, one_thread) as (arena, directory):
        classification = Classification(arena, directory, options.repeat)
        classification.prepare()
        on_yarn, alone = measure(classification, arena, options.rounds)
    what = f"{options.repeat * _IMAGES:,} images, {CONTAINERS} slots, median (min to max) of {options.rounds} rounds"
    print(f"{what}, load {os.getloadavg()[0]:.1f}\n")
    print(report(on_yarn, alone))


if __name__ == "__main__":
    main()
