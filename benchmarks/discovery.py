"""`python -m benchmarks.discovery`: discovery of 8 GPUs by NVML beside our discovery script.

Both find the same GPUs: NVML is tests/fakes/nvml.c, nvidia-smi is minicluster/nvidia-smi, which answer at once. So this is what the ways
themselves cost; the real ones take longer, nvidia-smi being a program that asks NVML. Exit code 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import figure, ratio, table
from drivers.loading import load

GPUS = 8
NVML, SCRIPT = "nvidia", "discovery-script"

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Discovery:
    """Milliseconds that a driver took for all GPUs: the first time in a fresh process, its import included, and each time after that."""

    first: float
    again: float


def measure(driver: str, repeat: int) -> Discovery:
    """Measures in this process, which has not asked the driver before."""
    begin = time.perf_counter()
    found = load(driver, {})
    devices = found.discover(GPUS)
    first = time.perf_counter()
    if len(devices) != GPUS:
        sys.exit(f"{driver} found {len(devices)} of {GPUS} GPUs")
    for _ in range(repeat):
        found.discover(GPUS)
    return Discovery((first - begin) * 1000, (time.perf_counter() - first) * 1000 / repeat)


def node(directory: Path) -> Mapping[str, str]:
    """Returns the environment of a node with 8 GPUs, made in `directory`."""
    source, library = _ROOT / "tests/fakes/nvml.c", directory / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    gpus = (("gpu", f"GPU-node-{i:04d}", "Fake A100", 40 * 2**30, f"00000000:{16 + i:02X}:00.0", 0, 1) for i in range(GPUS))
    (directory / "nvml.tsv").write_text("".join("\t".join(map(str, gpu)) + "\n" for gpu in gpus))
    shutil.copy(_ROOT / "minicluster/nvidia-smi", directory)
    (directory / "gpus").write_text(f"{GPUS} node\n")
    return {
        **os.environ,
        "LD_LIBRARY_PATH": str(directory),
        "FAKE_NVML": str(directory / "nvml.tsv"),
        "PATH": f"{directory}{os.pathsep}{os.environ['PATH']}",
    }


def run(driver: str, repeat: int, environment: Mapping[str, str]) -> Discovery:
    """Measures in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.discovery", "--repeat", str(repeat), "--measure", driver]
    done = subprocess.run(command, env=environment, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Discovery(**json.loads(done.stdout))


def report(by_nvml: Sequence[Discovery], by_script: Sequence[Discovery]) -> str:
    """Returns the table and the ratios."""
    runs = {NVML: by_nvml, SCRIPT: by_script}
    rows = [[name, figure([one.first for one in some]).text(), figure([one.again for one in some]).text()] for name, some in runs.items()]
    first = ratio([one.first for one in by_nvml], [one.first for one in by_script])
    again = ratio([one.again for one in by_nvml], [one.again for one in by_script])
    ratios = f"{NVML} / {SCRIPT}, first time: {first.text(2)}\n{NVML} / {SCRIPT}, again: {again.text(2)}"
    return "\n\n".join([table(["milliseconds", "first time", "again"], rows), ratios])


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.discovery", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="counted rounds (default: %(default)s)")
    parser.add_argument(
        "--repeat", type=int, default=10, metavar="N", help="discoveries of a process after its first (default: %(default)s)"
    )
    parser.add_argument("--measure", choices=[NVML, SCRIPT], help=argparse.SUPPRESS)  # what each round's processes run
    options = parser.parse_args()
    if options.rounds < 1 or options.repeat < 1:
        parser.error("--rounds and --repeat must be 1 or more")
    if options.measure:
        print(json.dumps(vars(measure(options.measure, options.repeat))))
        return
    with tempfile.TemporaryDirectory(prefix="treadle-benchmark-") as directory:
        environment = node(Path(directory))
        runs: dict[str, list[Discovery]] = {NVML: [], SCRIPT: []}
        for number in range(options.rounds + 1):
            for driver in (NVML, SCRIPT) if number % 2 else (SCRIPT, NVML):
                runs[driver].append(run(driver, options.repeat, environment))
    print(f"{GPUS} GPUs, median (min to max) of {options.rounds} rounds, load {os.getloadavg()[0]:.1f}\n")
    print(report(runs[NVML][1:], runs[SCRIPT][1:]))  # the first round is not counted


if __name__ == "__main__":
    main()
