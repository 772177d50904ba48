"""Treadle from Python on the edge node, for scripts and notebooks: what the commands of `submit` do, under the same names.

    from client import api

    application = api.submit("job.py", "--epochs", "3", taskmanagers=2, resources={"gpu": 1})
    application.wait()
    print(application.logs(task="job"))

Whatever goes wrong is a `ClientError` or a `ConfigError`, with the same words as the command's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

from client import subjects
from client.application import devices_tree, lookup
from client.application import status as application_status
from client.application.records import Application as Told
from client.command_line.command_line import LOCAL, understand
from client.command_line.keywords import flags_of
from client.console import Console
from client.ending import killing
from client.ending.stopping import Stop
from client.errors import USAGE, ClientError
from client.following import following
from client.following.following import Followed, Subject
from client.hadoop.configuration import HadoopConfiguration
from client.hadoop.identity import hadoop_user
from client.history import histories as history_of_applications
from client.history import page as history_page
from client.logs import showing as application_logs
from client.logs.files import Selection
from client.logs.view import LogView, Wish
from client.submission import local as local_mode
from client.submission import staging_sweep, to_yarn
from client.yarn.application_details import STATES, ApplicationDetails
from conf.errors import ConfigError, Problem

__all__ = ["Application", "ClientError", "ConfigError", "Problem", "application", "applications", "history", "submit"]


class Application:
    """An application, on YARN or of this machine; shown with its state in a notebook."""

    def __init__(self, application_id: str, subject: Subject | None = None, owner: ExitStack | None = None) -> None:
        self.id = application_id
        self._subject, self._owner = subject, owner

    @property
    def details(self) -> ApplicationDetails:
        """Returns what is known of it: state, final status, queue, times, diagnostics.

        Raises:
            ClientError: when it is unknown, or nobody answers.
        """
        return lookup.look(self.id, os.environ)[0]

    @property
    def state(self) -> str:
        """Returns YARN's state of it, such as RUNNING."""
        return self.details.state

    def status(self) -> dict[str, Any]:
        """Returns what `submit status --json` writes.

        Raises:
            ClientError: when it is unknown, or nobody answers.
        """
        return application_status.of(self.id, os.environ).tree()

    def wait(self, timeout_s: float | None = None, *, quiet: bool = False) -> Followed:
        """Follows it to its end, with progress on standard error, and returns its outcome, its exit code and what it cost.

        Args:
            timeout_s: kill it when it has not ended by then, in seconds.
            quiet: show nothing.

        Raises:
            ClientError: for an application that `submit` of this process did not return, or when how it ended can't be found out.
        """
        if self._subject is None:
            raise ClientError(f"{self.id} was not submitted here", "look at its `state`, or wait where it was submitted", USAGE)
        with ExitStack() as at_end:
            at_end.callback(self._close)
            stream = at_end.enter_context(Path(os.devnull).open("w", encoding="utf-8")) if quiet else sys.stderr
            return following.follow(self._subject, timeout_s, Console(stream))

    def kill(self, *, now: bool = False) -> None:
        """Ends it, and waits until it has ended; with `now` without the time that its slots are given, on YARN.

        Raises:
            ClientError: when that fails.
        """
        if self._owner is not None:
            self._close()
            return
        killing.expect_on_yarn(self.id)
        manager = lookup.connect(os.environ)
        if killing.killable(manager, self.id).ended:
            return
        stop = Stop(manager, self.id, os.environ, lambda name: to_yarn.kill_by_driver(os.environ, name), Console(sys.stderr).line)
        stop.force() if now else stop.begin()
        ended = killing.await_end(manager, stop)
        staging_sweep.remove(HadoopConfiguration.load(os.environ), ended.user, self.id)

    def devices(self) -> dict[str, Any]:
        """Returns what `submit devices --json` writes.

        Raises:
            ClientError: when it has ended, or its application master does not answer.
        """
        return devices_tree.tree(self.id, self._told())

    def logs(self, task: str | Sequence[str] = (), *, tail: int | None = None, everything: bool = False, stderr: bool = False) -> str:
        """Returns what its processes wrote, each line with its task before it, as `submit logs` does.

        Raises:
            ClientError: when there is no such task, or the logs can't be had.
        """
        lines: list[str] = []
        wish = Wish(self.id, Selection((task,) if isinstance(task, str) else tuple(task), everything, stderr), tail)
        view = LogView(wish, lambda line: lines.append(f"{line.task} | {line.line}"), lambda: None)
        application_logs.show(wish, view, os.environ, Console(sys.stderr))
        return "\n".join(lines)

    def history(self, *, events: bool = False, directory: str | None = None) -> dict[str, Any]:
        """Returns what `submit history show --json` writes: how it ended, what it cost, its devices; `events` adds what happened.

        Raises:
            ClientError: when it left none, or it can't be read.
        """
        known = history_of_applications.histories_with(self.id, os.environ, directory)
        past = known.one(self.id)
        return past.tree() | ({"events": known.events(past)} if events else {})

    def history_page(self, *, directory: str | None = None) -> str:
        """Returns what `submit history page` writes, for `IPython.display.HTML` or a file.

        Raises:
            ClientError: as `history`.
        """
        return history_page.html_of(history_of_applications.histories_with(self.id, os.environ, directory), self.id)

    def _told(self) -> Told:
        known, told = lookup.look(self.id, os.environ)
        if known.ended or told is None:
            raise devices_tree.untold(known)
        return told

    def _close(self) -> None:
        if self._owner is not None:
            self._owner.close()

    def __repr__(self) -> str:
        """Returns its id alone: a representation asks no cluster."""
        return f"Application({self.id!r})"

    def _repr_html_(self) -> str:
        """Returns its state as a table, for a notebook."""
        try:
            told = asdict(self.details)
        except ClientError as error:
            return f"<code>{escape(self.id)}</code>: {escape(error.cause)}"
        shown = ("id", "name", "state", "final_status", "queue", "started", "finished", "diagnostics")
        rows = "".join(f"<tr><th>{name}</th><td>{escape(str(told[name]))}</td></tr>" for name in shown if told[name])
        return f"<table>{rows}</table>"


def submit(
    *words: str | os.PathLike[str],
    command: bool = False,
    master: str = "yarn",
    resources: Mapping[str, int | str] | None = None,
    conf: Mapping[str, object] | None = None,
    properties_files: Sequence[str | os.PathLike[str]] = (),
    **flags: object,
) -> Application:
    """Submits a script with its arguments, or with `command` a command for every slot, and returns as soon as YARN has taken it.

    Args:
        words: the script and its arguments, or the command.
        command: whether it is a command.
        master: `yarn`, or `local[N]`; a local application ends with this process, at the latest.
        resources: name → amount, or `amount:yarn type`, as --resource takes it: `{"gpu": 2}`.
        conf: any options of the configuration, as -D.
        properties_files: Flink's config.yaml or flink-conf.yaml.
        flags: the other flags of `submit run` that set options: `name`, `queue`, `taskmanagers`, `slots`, `memory`, `vcores`, `python`, …;
            `files`, `archives` and `py_files` take one path or several, `env` a mapping.

    Raises:
        ConfigError: with everything that is wrong, or that this cluster refuses.
        ClientError: when cluster, file system or Java don't do their part.
    """
    given = flags_of(flags, resources or {}, conf or {}, properties_files)
    line = understand(master, [os.fspath(word) for word in words], given, is_command=command)
    request = line.request()
    if line.master == LOCAL:
        owner = ExitStack()
        started = owner.enter_context(local_mode.run(request, os.environ))
        return Application(started.id, subjects.on_this_machine(started, request), owner)
    submitted = to_yarn.submit(request, os.environ, Console(sys.stderr))
    return Application(submitted.id, subjects.on_yarn(submitted, request))


def application(application_id: str) -> Application:
    """Returns an application by its id, whoever submitted it.

    Raises:
        ClientError: when it is unknown.
    """
    lookup.look(application_id, os.environ)
    return Application(application_id)


def applications(*, everybody: bool = False, ended: bool = False) -> list[Application]:
    """Returns Treadle's applications on the cluster, the latest first: one's own that have not ended, unless told otherwise.

    Raises:
        ClientError: when the ResourceManager does not answer.
    """
    states = STATES if ended else STATES[: STATES.index("FINISHED")]
    found = lookup.connect(os.environ).applications(states, None if everybody else hadoop_user(os.environ))
    return [Application(known.id) for known in found]


def history(limit: int = 20, *, local: bool = False, directory: str | None = None) -> list[dict[str, Any]]:
    """Returns what `submit history list --json` writes: applications that left a history, the latest first; `local` those of this machine.

    Raises:
        ClientError: when the directory can't be read.
    """
    return [past.tree() for past in history_of_applications.histories(os.environ, directory, local=local).latest(limit)]
