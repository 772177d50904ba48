"""One `submit run`, parsed: what is to run, with what configuration."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from client.command_line.shipping import name_problem
from client.errors import USAGE, ClientError
from conf.settings import Settings
from protocol.history import HistoryDirectory
from protocol.launch import Job, Launch
from protocol.records import VERSION


@dataclass(frozen=True)
class Request:
    """What to run.

    `script` is the local file of a job's main, None for a command; `configuration` is flat and effective, `origins` says where each key
    stands.
    """

    job: Job
    script: Path | None
    settings: Settings
    configuration: Mapping[str, str]
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def python(self) -> str:
        """Returns the interpreter of user code on the nodes: by default the one that runs this command."""
        return self.settings.python or sys.executable

    @property
    def treadle_python(self) -> str:
        """Returns the interpreter of Treadle's own environment on the nodes: by default the one that runs this command."""
        return self.settings.treadle_python or sys.executable

    def launch(self, history: HistoryDirectory | None = None) -> Launch:
        """Returns what the application master and the TaskManagers are told; the history goes to this directory, None for nowhere."""
        return Launch(VERSION, self.job, self.configuration, self.python, self.treadle_python, self.origins, history)


def parse_job(words: Sequence[str], *, is_command: bool) -> tuple[Job, Path | None]:
    """Returns the job that the words of a command line name, and its script's file if it has one.

    Raises:
        ClientError: when there is nothing to run, or the script is not a file that can be shipped.
    """
    if not words:
        raise ClientError("nothing to run", "give a script, `submit run job.py`, or a command, `submit run -- COMMAND …`", USAGE)
    if is_command:
        return Job("command", tuple(words)), None
    script, arguments = Path(words[0]), list(words[1:])
    if script.suffix != ".py":
        raise ClientError(
            f"{words[0]!r} is not a .py file", "name the job's .py file, or put -- before a command: `submit run -- COMMAND …`", 2
        )
    if not script.is_file():
        what = "is not a file" if script.exists() else "does not exist"
        raise ClientError(f"the job's script {words[0]} {what}", f"name an existing .py file (looked in {Path.cwd()})", USAGE)
    if reason := name_problem(script.name):
        raise ClientError(f"the job's script {reason[0]}", reason[1], USAGE)
    if arguments[:1] == ["--"]:
        del arguments[0]
    return Job("main", (script.name, *arguments)), script.absolute()
