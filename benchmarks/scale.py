"""`python -m benchmarks.scale`: what an application master costs with 1,000 TaskManagers, beside one that has a single one.

On a mini cluster with room for the application master alone: YARN goes on owing it the containers, and simulated TaskManagers
(`benchmarks.simulated`) register over skein's store from four processes. Exit code 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.contest import get, until
from benchmarks.figures import table
from benchmarks.proc import Cost, cost, find, listening_port
from minicluster.cluster import Cluster, running_cluster
from minicluster.spec import ClusterSpec

AM_MB, TASK_MANAGER_MB, NODE_MB = 1024, 512, 1280
"""A node has room for an application master, not for a TaskManager beside it."""

PROCESSES, HEARTBEAT_S = 4, 10
"""How many processes the simulated TaskManagers are in; `heartbeat.interval`'s default."""

ASKED = 100
"""How many times each page is asked for."""

PARTS = {"our program": "yarn_am", "skein's JVM": "com.anaconda.skein.ApplicationMaster"}


@dataclass(frozen=True)
class Master:
    """An application master under way: its processes by name, and its REST server."""

    application: str
    pids: dict[str, int]
    rest: str

    def costs(self) -> dict[str, Cost]:
        """Returns what each process has used so far."""
        return {name: cost(pid) for name, pid in self.pids.items()}


@dataclass(frozen=True)
class Result:
    """What it cost with so many TaskManagers.

    Seconds until all were registered; each process's memory, and its CPU seconds while they registered and per minute after that; of each
    page milliseconds at the median, the 99th percentile and the most, and its KiB.
    """

    task_managers: int
    registered_s: float
    memory_mb: dict[str, float]
    registering_cpu_s: dict[str, float]
    cpu_s_per_minute: dict[str, float]
    pages: dict[str, tuple[float, float, float, float]]


def measure(cluster: Cluster, directory: Path, task_managers: int, watch_s: float) -> Result:
    """Measures one application."""
    home = directory / f"home-{task_managers}"
    environment = {**os.environ, **cluster.environment(), "TREADLE_HOME": str(home)}
    with _application(cluster, environment, directory / f"submit-{task_managers}.log", task_managers) as master:
        before, begin = master.costs(), time.monotonic()
        with _simulated(cluster, master, home / "applications" / master.application, task_managers):
            until(lambda: get(f"{master.rest}/overview")["taskmanagers"] == task_managers, "all TaskManagers are registered")
            registered_s, registered = time.monotonic() - begin, master.costs()
            time.sleep(watch_s / 2)
            start, since = master.costs(), time.monotonic()
            time.sleep(watch_s)
            end, minutes = master.costs(), (time.monotonic() - since) / 60
            pages = {
                page: _latency(f"{master.rest}{page}")
                for page in ("/overview", "/application", "/application?follower=1", "/usage", "/metrics")
            }
    return Result(
        task_managers,
        registered_s,
        {name: each.memory_mb for name, each in end.items()},
        {name: registered[name].cpu_s - before[name].cpu_s for name in before},
        {name: (end[name].cpu_s - start[name].cpu_s) / minutes for name in end},
        pages,
    )


@contextmanager
def _application(cluster: Cluster, environment: dict[str, str], log: Path, task_managers: int) -> Iterator[Master]:
    submit = str(Path(sys.executable).parent / "submit")
    options = ["--taskmanagers", str(task_managers), "--memory", f"{TASK_MANAGER_MB}m", "-D", f"jobmanager.memory.process.size={AM_MB}m"]
    with log.open("w") as file:
        done = subprocess.run(
            [submit, "run", "--detach", *options, "--", "sleep", "100"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"{log.read_text()}\nthe application was not submitted")
    application = done.stdout.strip()
    try:
        until(lambda: _page(cluster, application), "the application master's page is there")
        pids = {name: find(application, word) for name, word in PARTS.items()}
        yield Master(application, pids, f"http://127.0.0.1:{listening_port(pids['our program'])}")
    finally:
        subprocess.run([submit, "kill", application], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


@contextmanager
def _simulated(cluster: Cluster, master: Master, credentials: Path, task_managers: int) -> Iterator[None]:
    report = get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps/{master.application}")["app"]
    address = report["amRPCAddress"]
    command = [sys.executable, "-m", "benchmarks.simulated", "--address", address, "--application", master.application]
    command += ["--credentials", str(credentials), "--interval", str(HEARTBEAT_S)]
    bounds = [task_managers * part // PROCESSES for part in range(PROCESSES + 1)]
    with ExitStack() as running:
        for first, after in pairwise(bounds):
            if after > first:
                process = running.enter_context(
                    subprocess.Popen([*command, "--first", str(first), "--count", str(after - first)], stdout=subprocess.DEVNULL)
                )
                running.callback(process.terminate)
        yield


def _latency(url: str) -> tuple[float, float, float, float]:
    """Asks again and again, with a pause between; returns median, 99th percentile and maximum in ms, and the answer's KiB."""
    times, size = [], 0
    for _ in range(ASKED):
        begin = time.monotonic()
        with urllib.request.urlopen(url, timeout=60) as answer:
            size = len(answer.read())
        times.append(1000 * (time.monotonic() - begin))
        time.sleep(0.05)
    times.sort()
    return times[len(times) // 2], times[len(times) * 99 // 100 - 1], times[-1], size / 1024


def _page(cluster: Cluster, application: str) -> Any:
    try:
        return get(f"{cluster.resourcemanager_url}/proxy/{application}/pages/treadle/overview")
    except (OSError, ValueError):
        return None


def report(one: Result, many: Result) -> str:
    """Returns the tables."""
    rows = [
        [
            f"{each.task_managers:,} TaskManagers, {name}",
            f"{each.memory_mb[name]:.0f}",
            f"{each.registering_cpu_s[name]:.1f}",
            f"{each.cpu_s_per_minute[name]:.2f}",
            f"{1024 * (each.memory_mb[name] - one.memory_mb[name]) / (each.task_managers - 1):.0f}" if each is not one else "",
            f"{1000 * (each.cpu_s_per_minute[name] - one.cpu_s_per_minute[name]) / (each.task_managers - 1):.1f}"
            if each is not one
            else "",
        ]
        for each in (one, many)
        for name in PARTS
    ]
    header = ["", "MiB", "CPU s to register", "CPU s a minute", "KiB more for each", "CPU ms a minute more for each"]
    pages = [
        [f"{each.task_managers:,} TaskManagers, {page}", f"{median:.1f}", f"{late:.1f}", f"{most:.1f}", f"{size:,.0f}"]
        for each in (one, many)
        for page, (median, late, most, size) in each.pages.items()
    ]
    return "\n\n".join(
        [
            f"registered: {many.task_managers:,} TaskManagers after {many.registered_s:.1f} s, a single one after {one.registered_s:.1f} s",
            table(header, rows),
            table(["milliseconds", "median", "99 %", "most", "KiB"], pages),
        ]
    )


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--taskmanagers", type=int, default=1000, metavar="N", help="how many at most (default: %(default)s)")
    parser.add_argument("--watch", type=float, default=60, metavar="S", help="seconds that CPU is measured for (default: %(default)s)")
    parser.add_argument("--work", type=Path, help="directory of the cluster and its logs (default: a temporary one, deleted at the end)")
    options = parser.parse_args()
    if options.taskmanagers <= 1:
        parser.error("--taskmanagers must be 2 or more")
    spec = ClusterSpec(gpus=(0,), memory_mb=NODE_MB)
    with tempfile.TemporaryDirectory(prefix="treadle-benchmark-", ignore_cleanup_errors=True) as scratch:
        directory = Path(scratch)
        with running_cluster(spec, options.work or directory / "cluster") as cluster:
            one, many = (measure(cluster, directory, count, options.watch) for count in (1, options.taskmanagers))
    print(f"signs of life every {HEARTBEAT_S} s, {ASKED} requests for each page, load {os.getloadavg()[0]:.1f}\n")
    print(report(one, many))


if __name__ == "__main__":
    main()
