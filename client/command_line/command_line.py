"""What a command line of `submit run` asks for, and everything that is wrong with it, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from client.command_line import driver_names, neighbours, shipping
from client.command_line.flags import Flags, gather, parse_master
from client.command_line.request import Request, parse_job
from client.errors import ClientError
from client.following.deadline import parse_timeout
from client.hadoop import login
from conf import configuration, options
from conf.configuration import Checked
from conf.entry import Entry
from conf.errors import ConfigError, Problem
from conf.files import FileContent, read_file
from conf.settings import Login, Settings
from protocol.launch import Job

T = TypeVar("T")

LOCAL = "local"
"""The master that is this machine."""


@dataclass(frozen=True)
class CommandLine:
    """A command line, understood as far as it can be.

    Attributes:
        master: "yarn" or "local", None when that can't be known.
        checked: the configuration, its settings, and what is to be said of it.
        job: what to run, None when that can't be known.
        script: the local file of a job's main.
        problems: everything that is wrong, the configuration's problems among them.
        warnings: what is borne (a driver that is not installed, with `on-missing: warn`), the configuration's warnings among it.
    """

    master: str | None
    checked: Checked
    job: Job | None
    script: Path | None
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]

    @property
    def login(self) -> Login:
        """Returns in whose name this is to happen; while something is wrong, nobody logs in."""
        return Login() if self.problems or self.checked.settings is None else self.checked.settings.login

    def request(self) -> Request:
        """Returns what is to be run.

        Raises:
            ConfigError: with every problem.
        """
        settings, effective = self.checked.settings, self.checked.configuration
        if self.problems or self.job is None or settings is None:
            raise ConfigError(self.problems)
        return Request(self.job, self.script, settings, effective.flat(), effective.origins())


def understand(
    master: str, words: Sequence[str], flags: Flags, *, is_command: bool, detach: bool = False, timeout: str | None = None
) -> CommandLine:
    """Reads what follows `submit run`: `words` are the job's, the others what --master, --detach and --timeout say."""
    problems: list[Problem] = []
    kind, count = _tried("--master", problems, lambda: parse_master(master)) or (None, None)
    _tried("--timeout", problems, lambda: parse_timeout(timeout))
    problems += _contradictions(kind, detach=detach, timeout=timeout)
    job, script = _tried("job", problems, lambda: parse_job(words, is_command=is_command)) or (None, None)
    files = [read_file(path) for path in flags.paths]
    overrides, wrong = gather(flags, count, files)
    checked = configuration.check([_called_after(job), *files] if job else files, overrides, complete=not wrong)
    refused, borne = _drivers(checked.settings)
    problems += [*wrong, *checked.problems, *refused]
    if checked.settings is not None:
        problems += shipping.problems(checked.settings, script, local=kind == LOCAL)
        problems += login.problems(checked.settings.login, local=kind == LOCAL)
        borne += neighbours.unshipped(script, checked.settings.shipped) if script else ()
    return CommandLine(kind, checked, job, script, tuple(dict.fromkeys(problems)), (*checked.warnings, *borne))


def _called_after(job: Job) -> FileContent:
    """An application without a name is called as its job, as Spark does; what files and flags say is stronger."""
    return FileContent({options.NAME.key: Entry(Path(job.argv[0]).name, "the job's name")})


def _contradictions(master: str | None, *, detach: bool, timeout: str | None) -> Iterator[Problem]:
    if detach and master == LOCAL:
        remedy = "leave --detach out: a local application lives as long as submit"
        yield Problem("--detach", "--detach with --master local", remedy)
    if detach and timeout is not None:
        yield Problem("--timeout", "--timeout with --detach", "leave one of them out: it is submit that ends the application then")


def _drivers(settings: Settings | None) -> tuple[list[Problem], list[str]]:
    """Drivers that are not installed: those that are refused, and those that are borne."""
    if settings is None:
        return [], []
    unknown, tolerated = driver_names.problems(settings), driver_names.tolerated(settings)
    refused = [problem for problem in unknown if problem.key not in tolerated]
    return refused, [problem.cause for problem in unknown if problem.key in tolerated]


def _tried(key: str, problems: list[Problem], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ClientError as error:
        problems.append(Problem(key, error.cause, error.remedy))
        return None
