"""An application without a cluster: a job's main and Dask slots as plain processes, started as the AM and TaskManagers do it."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic, sleep

from client.skein_driver.credentials import mint
from protocol.launch import CERTIFICATE, KEY

ROOT = Path(__file__).parent.parent
DEADLINE_S = 120


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = monotonic() + DEADLINE_S
    while not condition():
        assert monotonic() < deadline, f"waited {DEADLINE_S} s for {what}"
        sleep(0.02)


def make_treadle_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for module in (ROOT / "treadle").glob("*.py"):
            archive.write(module, f"treadle/{module.name}")
    return path


class Application:
    """Use as a context manager: whatever it started has ended when the block is left."""

    def __init__(self, directory: Path, parallelism: int = 2, environment: Mapping[str, str] | None = None) -> None:
        self.directory, self.parallelism = directory, parallelism
        mint(datetime.datetime.now(datetime.timezone.utc)).save(directory)
        self._environment = {
            **os.environ,
            **(environment or {}),
            "PYTHONPATH": str(make_treadle_zip(directory / "treadle.zip")),
            "TREADLE_TLS_CERTIFICATE": str(directory / CERTIFICATE),
            "TREADLE_TLS_KEY": str(directory / KEY),
            "TREADLE_ADDRESS": "127.0.0.1",
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Application:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def start_main(self, script: Path, *arguments: object) -> subprocess.Popen[bytes]:
        variables = {"TREADLE_EVENTS": str(self.directory / "events.jsonl"), "TREADLE_PARALLELISM": str(self.parallelism)}
        variables["TREADLE_GROUPS"] = ";".join(f"group-{index}" for index in range(self.parallelism))
        return self._start("main", [str(script), *map(str, arguments)], variables)

    def start_slot(self, index: int, scheduler: str | None = None) -> subprocess.Popen[bytes]:
        context = {
            "task_name": "job",
            "subtask_index": index,
            "parallelism": self.parallelism,
            "slot": f"tm-{index}/0",
            "task_manager": f"tm-{index}",
            "group": f"group-{index}",
            "node": f"node{index}",
            "external_resources": {"gpu": [{"index": "0", "uuid": f"GPU-{index}"}]},
        }
        file = self.directory / f"context-{index}.json"
        file.write_text(json.dumps(context))
        variables = {"TREADLE_RUNTIME_CONTEXT": str(file), "TREADLE_SCHEDULER": scheduler or self.scheduler()}
        variables["TREADLE_SIGN_OF_LIFE"] = str(self.directory / f"alive-{index}")
        return self._start(f"slot-{index}", ["-m", "treadle.dask_slot"], variables)

    def run(self, script: Path, *arguments: object) -> tuple[int, list[int]]:
        """Runs a job to its end; returns the exit codes of the main and of the slots."""
        main = self.start_main(script, *arguments)
        slots = [self.start_slot(index) for index in range(self.parallelism)]
        return main.wait(DEADLINE_S), [slot.wait(DEADLINE_S) for slot in slots]

    def scheduler(self) -> str:
        wait_until(lambda: bool(self.events("scheduler")), f"the scheduler; the main says: {self.log('main')}")
        return str(self.events("scheduler")[0]["address"])

    def events(self, kind: str) -> list[dict[str, object]]:
        file = self.directory / "events.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def log(self, name: str) -> str:
        file = self.directory / f"{name}.log"
        return file.read_text() if file.exists() else ""

    def _start(self, name: str, command: list[str], variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
        directory = self.directory / f"{name}-{len(self._processes)}"
        directory.mkdir()
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-u", *command],
                cwd=directory,
                env=self._environment | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)
        return process
