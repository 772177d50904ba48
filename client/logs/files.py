"""Which log file of which container is whose: the names that `submit logs` shows and takes, from what YARN keeps. Pure.

A task is `job` (the job's main), `am`, `am/master` (skein's part of it), `tm-0` (a TaskManager's own words), `tm-0/slot-1`, or
`<owner>/<file>` for anything else that lies in a container's log directory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_MASTER = {"job.log": "job", "job.err": "job", "application.driver.log": "am", "application.master.log": "am/master"}
_SLOT = re.compile(r"(?P<slot>slot-\d+)\.(log|err)")
_ERROR_STREAM = ".err"

_NEVER = frozenset({"launch_container.sh", "directory.info", "prelaunch.out"})
"""YARN's own: how it started the container, with the environment as it was. Nobody's output."""

_EMPTY_AS_A_RULE = "prelaunch.err"
"""What went wrong before a container's program was started."""

_IDENTITY = re.compile(r"\b(TaskManager|Registered) (?P<id>[\w.-]+-\d+) (starts|with \d+ slots)")


@dataclass(frozen=True)
class LogFile:
    """A file in a container's log directory, and how many bytes it holds now."""

    container: str
    name: str
    size: int


@dataclass(frozen=True)
class Task:
    """Whose output a file is: `own` the user's, the rest Treadle's, skein's and YARN's; `stderr` for a copy of standard error alone."""

    name: str
    own: bool
    stderr: bool


@dataclass(frozen=True)
class Selection:
    """What is asked for: these tasks and what is below them; with none, the user's own output, or `everything`."""

    tasks: tuple[str, ...] = ()
    everything: bool = False
    stderr: bool = False

    def takes(self, task: Task) -> bool:
        """Returns whether a task's file is asked for."""
        if task.stderr != self.stderr:  # a log holds both streams
            return False
        if self.tasks:
            return any(below(task.name, name) for name in self.tasks)
        return task.own or self.everything


def task(file: LogFile, owner: str) -> Task | None:
    """Returns whose output a file is, None for what is nobody's; `owner` is `am` or the TaskManager's id."""
    if file.name in _NEVER or (file.name == _EMPTY_AS_A_RULE and not file.size):
        return None
    if name := _MASTER.get(file.name):
        return Task(name, own=name == "job", stderr=file.name.endswith(_ERROR_STREAM))
    if file.name in ("taskmanager.log", f"{owner.rpartition('-')[0]}.log"):  # on YARN skein names it by the service, which is the group
        return Task(owner, own=False, stderr=False)
    if slot := _SLOT.fullmatch(file.name):
        return Task(f"{owner}/{slot['slot']}", own=True, stderr=file.name.endswith(_ERROR_STREAM))
    return Task(f"{owner}/{file.name}", own=False, stderr=False)


def below(task: str, name: str) -> bool:
    """Returns whether a task is the named one or part of it."""
    return task == name or task.startswith(f"{name}/")


def is_master(names: Iterable[str]) -> bool:
    """Returns whether a container with these files is the application master's."""
    return not _MASTER.keys().isdisjoint(names)


def may_identify(name: str) -> bool:
    """Returns whether a file may be the log in which a TaskManager says its id: it is named after its group."""
    return name.endswith(".log") and name not in _MASTER and not _SLOT.fullmatch(name)


def task_manager(words: str) -> str | None:
    """Returns the id of the TaskManager whose log begins with `words`."""
    found = _IDENTITY.search(words)
    return found["id"] if found else None


def nameless(container: str) -> str:
    """Returns a name for a container that ended before it said which TaskManager it is: `container-3` from YARN's number."""
    return f"container-{int(container.rpartition('_')[2])}" if container.rpartition("_")[2].isdigit() else container


def in_order(tasks: Mapping[LogFile, Task]) -> list[tuple[LogFile, Task]]:
    """Returns the files by task, the job's first, numbers as numbers; of one task the older container's first."""
    return sorted(tasks.items(), key=lambda item: (rank(item[1].name), item[0].container, item[0].name))


def rank(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Returns a task's place in that order."""
    group = 0 if name == "job" else 1 if name.partition("/")[0] == "am" else 2
    return group, [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
