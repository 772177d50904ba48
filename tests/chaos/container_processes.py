"""The processes in YARN containers on this machine, as the kernel shows them: the witness that neither Treadle nor YARN can talk to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minicluster.daemons import MARKER
from minicluster.processes import Process

_CONTAINER = re.compile(r"container_(?:e\d+_)?(?P<application>\d+_\d+)_\d+_\d+")  # an epoch once the ResourceManager was started again
_ROLES = {"treadle.dask_slot": "slot", "task_manager": "TaskManager", "yarn_am": "master", "com.anaconda.skein.ApplicationMaster": "AM"}


@dataclass(frozen=True)
class ContainerProcess:
    """One process: its container, what it is ("" for shells and the like), its words, and the devices it may use if it is a slot's."""

    process: Process
    container: str
    role: str
    words: str
    devices: frozenset[str]

    @property
    def application(self) -> str:
        """The application's id."""
        match = _CONTAINER.fullmatch(self.container)
        return f"application_{match['application']}" if match else ""

    def __str__(self) -> str:
        return f"{self.role or 'process'} {self.process.pid} of {self.container} ({self.words[:80]})"


def container_processes(identity: str) -> list[ContainerProcess]:
    """All of them on the cluster of this identity, in the order of containers and pids, which a seed's choice goes by."""
    return sorted(_found(identity), key=lambda each: (each.container, each.process.pid))


def _found(identity: str) -> Iterator[ContainerProcess]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables = dict(pair.partition("=")[::2] for pair in (entry / "environ").read_text(errors="replace").split("\0"))
            words = (entry / "cmdline").read_text(errors="replace").split("\0")
        except OSError:  # ended meanwhile, or another user's
            continue
        process = Process.of(int(entry.name))
        if process and variables.get(MARKER) == identity and "CONTAINER_ID" in variables:
            # a shell's one word may hold any of these, and a reaper has the words of its command
            is_itself = "bash" not in words[0] and not any(word.endswith("reaper.py") for word in words[1:4])
            role = next((role for word, role in _ROLES.items() if word in words[1:] and is_itself), "")
            devices = variables.get("CUDA_VISIBLE_DEVICES", "") if role == "slot" else ""
            yield ContainerProcess(process, variables["CONTAINER_ID"], role, " ".join(words), frozenset(filter(None, devices.split(","))))
