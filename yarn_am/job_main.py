"""The job's main: the user's script, run once, in the user's Python, beside the application master."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes.reaped import ReapedProcess
from protocol.launch import CERTIFICATE, KEY, Job
from protocol.log_tail import tail_of
from protocol.process_output import keep_errors
from protocol.user_code import UserCode
from yarn_am.events import MainEnded, Progress, Reported, SchedulerUp
from yarn_am.json_lines import follow

logger = logging.getLogger(__name__)

EVENTS_FILE = "events.jsonl"
_LAST_WORDS_S = 1.0
"""How long what the main wrote to standard error at its end is waited for; what could not be killed may hold that open."""


@dataclass(frozen=True)
class MainContext:
    """Where the main runs: its directory, its log file, the address others reach this host at; and what it is told of the application.

    That is the number of slots, the names of the groups, its id, and which of how many attempts of the application master this is.
    """

    directory: Path
    log_file: Path
    address: str
    parallelism: int
    groups: tuple[str, ...]
    application_id: str
    attempt: int
    attempts: int


def environment(base: Mapping[str, str], user: UserCode, context: MainContext) -> dict[str, str]:
    """Returns the main's environment: the user's plus what docs/architecture.md lists."""
    directory = context.directory.absolute()
    return user.environment(base, directory) | {
        "TREADLE_EVENTS": str(directory / EVENTS_FILE),
        "TREADLE_PARALLELISM": str(context.parallelism),
        "TREADLE_GROUPS": ";".join(context.groups),
        "TREADLE_APPLICATION": context.application_id,
        "TREADLE_ATTEMPT": str(context.attempt),
        "TREADLE_ATTEMPTS": str(context.attempts),
        "TREADLE_TLS_CERTIFICATE": str(directory / CERTIFICATE),
        "TREADLE_TLS_KEY": str(directory / KEY),
        "TREADLE_ADDRESS": context.address,
        "CUDA_VISIBLE_DEVICES": "",
    }


class JobMain:
    """Runs the main and tells of it through `emit`.

    Told to stop, it and what it has started have `grace_s` seconds between SIGTERM and SIGKILL; so has what it leaves behind at its end.
    """

    def __init__(self, job: Job, user: UserCode, context: MainContext, emit: Callable[[Any], None], grace_s: float) -> None:
        self._job, self._user, self._context, self._emit, self._grace_s = job, user, context, emit, grace_s
        self._process: ReapedProcess | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Starts the script, in the main thread; its output goes to the log file, its standard error once more to a file of its own."""
        command = [self._user.interpreter(self._context.directory), *self._job.argv]
        logger.info("Starting the job's main: %s", command)
        variables = environment(os.environ, self._user, self._context)
        with self._context.log_file.open("ab") as log:
            process = self._process = ReapedProcess(command, variables, self._context.directory, log, self._grace_s)
        errors = keep_errors(process.errors, self._context.log_file)
        threading.Thread(target=self._wait, args=(process,), daemon=True).start()
        threading.Thread(target=self._tell, args=(process, errors), daemon=True).start()

    def stop(self) -> None:
        """Ends the main and all that it has started, if something of it still runs."""
        if self._process is not None and not self._process.stop():
            logger.warning("The job's main has not ended after SIGKILL: a device may hold it")

    def _wait(self, process: ReapedProcess) -> None:
        process.wait()
        self._ended.set()

    def _tell(self, process: ReapedProcess, errors: threading.Thread) -> None:
        for event in _events(follow(self._context.directory / EVENTS_FILE, self._ended)):
            self._emit(event)
        code = process.wait()
        errors.join(_LAST_WORDS_S)
        self._emit(MainEnded(code, tail_of(self._context.log_file)))


def _events(lines: Iterator[dict[str, Any]]) -> Iterator[SchedulerUp | Progress | Reported]:
    for line in lines:
        try:
            if line["event"] == "scheduler":
                yield SchedulerUp(str(line["address"]))
            elif line["event"] == "progress":
                yield Progress(str(line["name"]), int(line["done"]), int(line["total"]), int(line["rows"]))
            elif line["event"] == "report":
                yield Reported(str(line["name"]), dict(line["report"]))
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            logger.warning("Ignored an event of the job: %.200r: %s", line, error)
