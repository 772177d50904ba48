"""Histories of applications, as `submit history` shows them: what the application master left, and how YARN says it ended."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any

from client.application import lookup
from client.errors import ENVIRONMENT, USAGE, ClientError
from client.hadoop import namenode, rest
from client.hadoop.configuration import HadoopConfiguration
from client.hadoop.identity import hadoop_user
from client.history import directory as history_directory
from client.history.files import HistoryFiles, open_files
from client.yarn.application_details import ApplicationDetails
from client.yarn.master_failure import master_failure, outcome_of
from conf.configuration import load_defaults
from conf.options import HISTORY_DIRECTORY
from protocol.history import PAGE, SUMMARY, HistoryDirectory, Marker, Summary, events_file, marker_of, summary_of
from protocol.outcome import KILLED, Outcome

_PAGE_PARTS = {"overview", "application", "usage", "configuration"}

NO_WORD = "its application master ended without a word"


@dataclass(frozen=True)
class Past:
    """One application's history.

    Attributes:
        summary: what its application master wrote last, with the outcome that its marker tells where it wrote no more.
        yarn: what YARN knows of it, asked only where no end was written, or that of a kill; None where it was not asked, or can't tell.
        untold: why it can't.
        problem: why there is no summary, "" where there is one; what YARN knows of the application is shown all the same.
    """

    summary: Summary
    yarn: ApplicationDetails | None = None
    untold: str = ""
    problem: str = ""

    @property
    def status(self) -> str:
        """Returns the final status in one word; `RUNNING` while it runs, `LOST` where nobody knows."""
        if self.yarn is not None:
            return (self.yarn.final_status if self.yarn.final_status != "UNDEFINED" else self.yarn.state) if self.yarn.ended else "RUNNING"
        return self.summary.outcome.status if self.summary.outcome else "LOST"

    @property
    def exit_code(self) -> int | None:
        """Returns what `submit run` ended with, None where there was no end yet, or none is known."""
        if self.yarn is not None:
            return outcome_of(self.yarn.final_status, self.yarn.diagnostics).exit_code if self.yarn.ended else None
        return self.summary.outcome.exit_code if self.summary.outcome else None

    @property
    def told(self) -> str:
        """Returns how it ended, in words."""
        if self.yarn is None and self.summary.outcome is None:
            return f"{NO_WORD}, or runs, and {self.untold}; this was written {self.summary.written}"
        if self.yarn is not None and not self.yarn.ended:
            return f"it runs; this was written {self.summary.written}" if self.summary.written else "it runs, and has written nothing yet"
        own = self.summary.outcome.diagnostics if self.summary.outcome else NO_WORD
        if self.yarn is not None and (failure := master_failure(self.yarn.diagnostics)):
            return f"{failure.text()}\nits last words: {own}" if self.summary.outcome else failure.text()
        if self.yarn is None or self.yarn.diagnostics.startswith(own):
            return own
        return f"{own}\nYARN says: {self.yarn.diagnostics or self.yarn.final_status}"

    def tree(self) -> dict[str, Any]:
        """Returns it as JSON in the words of the other verbs; docs/using.md describes it."""
        renamed = {"task_managers": "taskmanagers", "ended": "finished"}
        summary = {renamed.get(name, name): value for name, value in asdict(self.summary).items()}
        end = {"final_status": self.status, "exit_code": self.exit_code, "diagnostics": self.told}
        return summary | end | {"problem": self.problem}


class Histories:
    """The histories of one directory."""

    def __init__(self, files: HistoryFiles, where: str, environ: Mapping[str, str]) -> None:
        self._files, self._where, self._environ = files, where, environ
        self._silent = ""

    def latest(self, limit: int) -> list[Past]:
        """Returns so many of them, that changed last first; none where the directory does not exist yet.

        Raises:
            ClientError: when the directory can't be read.
        """
        try:
            names = self._files.applications()
        except FileNotFoundError:
            return []
        return [self._past(name) for name in names[:limit]]

    def one(self, application: str) -> Past:
        """Returns one.

        Raises:
            ClientError: when there is none, or it can't be read.
        """
        past = self._past(application)
        if past.problem and past.yarn is None:
            raise ClientError(past.problem, self._remedy(), ENVIRONMENT)
        return past

    def events(self, past: Past) -> list[dict[str, Any]]:
        """Returns the event log of all attempts, in order; a line that is no JSON object is left out."""
        records = []
        for attempt in range(1, past.summary.attempt + 1):
            try:
                lines = self._files.read(past.summary.id, events_file(attempt)).splitlines()
            except FileNotFoundError:  # the attempt ended before it could write
                continue
            records += [tree for line in lines if isinstance(tree := _json(line), dict)]
        return records

    def page(self, past: Past) -> dict[str, Any] | None:
        """Returns what the application master's page showed last, None where it has left none that can be read."""
        try:
            tree = _json(self._files.read(past.summary.id, PAGE))
        except FileNotFoundError:  # killed before it could write
            return None
        return tree if isinstance(tree, dict) and tree.keys() >= _PAGE_PARTS else None

    def _past(self, application: str) -> Past:
        try:
            names = self._files.names(application)
        except FileNotFoundError:
            return Past(Summary(id=application), problem=f"there is no history of {application} in {self._where}")
        try:
            summary = summary_of(self._files.read(application, SUMMARY))
        except (FileNotFoundError, ValueError) as error:
            what = "is not there" if isinstance(error, FileNotFoundError) else f"can't be read: {error}"
            summary, problem = Summary(), f"{self._where}/{application}/{SUMMARY} {what}"
        else:
            problem = ""
        markers = sorted((found for name in names if (found := marker_of(name))), key=lambda marker: marker.attempt)
        ended = _ended(replace(summary, id=application), markers[-1] if markers else None)
        return self._with_yarn(Past(ended, problem="" if markers else problem))

    def _with_yarn(self, past: Past) -> Past:
        """A silent ResourceManager is asked once."""
        outcome = past.summary.outcome
        if outcome is not None and outcome.status != KILLED:
            return past
        if lookup.is_local(past.summary.id):
            return replace(past, untold="no YARN knows of it")
        if not self._silent:
            try:
                yarn = lookup.connect(self._environ).details(past.summary.id)
                return replace(past, yarn=yarn, summary=_as_yarn_knows(yarn) if past.problem else past.summary)
            except rest.RestError as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    return replace(past, untold="YARN does not know it any more")
                self._silent = f"the ResourceManager does not answer ({error.reason})"
        return replace(past, untold=self._silent)

    def _remedy(self) -> str:
        return f"`submit history list` shows what is in {self._where}; --dir names another directory (treadle.history.dir)"


def histories(environ: Mapping[str, str], directory: str | None, *, local: bool) -> Histories:
    """Returns the histories of `directory`, as `treadle.history.dir` would name it, which it is by default; or of this machine's.

    Raises:
        ClientError: when there is no such directory, or no HDFS.
    """
    configured = directory or load_defaults()[HISTORY_DIRECTORY.key].value
    try:
        place = _place(HISTORY_DIRECTORY.kind.parse(configured), environ, local=local)
    except ValueError as error:
        raise ClientError(f"--dir {configured}: {error}", f"write {HISTORY_DIRECTORY.kind.accepted}", USAGE) from error
    where = place.path if local else f"{place.url}{place.path}"
    return Histories(open_files(place), where, environ)


def histories_with(application: str, environ: Mapping[str, str], directory: str | None) -> Histories:
    """Returns the histories that an application's is among.

    Raises:
        ClientError: as `histories`, and when this can't be the id of one.
    """
    if not lookup.is_application_id(application):
        raise ClientError(f"{application!r} is not the id of an application", "`submit history list` shows them", USAGE)
    return histories(environ, directory, local=lookup.is_local(application))


def _place(configured: str, environ: Mapping[str, str], *, local: bool) -> HistoryDirectory:
    if local:
        place = history_directory.on_this_machine(configured, environ)
    else:
        hadoop = HadoopConfiguration.load(environ)
        namenode.check(hadoop)
        place = history_directory.on_hdfs(configured, hadoop, hadoop_user(environ))
    if place is None:
        raise ClientError(f"{configured!r} is no directory on HDFS here", "name one with --dir, such as hdfs://HOST:PORT/path", USAGE)
    return place


def _as_yarn_knows(yarn: ApplicationDetails) -> Summary:
    """The application master left no summary: YARN knows the little that it knows of any application."""
    ended = yarn.finished or None
    return Summary(id=yarn.id, name=yarn.name, user=yarn.user, queue=yarn.queue, started=yarn.started, ended=ended, state=yarn.state)


def _ended(summary: Summary, marker: Marker | None) -> Summary:
    """A marker says how an attempt ended that had no time for more."""
    if marker is None or marker.attempt < summary.attempt or summary.outcome is not None:
        return summary
    ended = datetime.datetime.fromtimestamp(marker.seconds, datetime.timezone.utc).isoformat(timespec="milliseconds")
    told = f"it had no time to say more; the rest was written {summary.written}" if summary.written else "it had no time to say more"
    return replace(summary, ended=ended, state="FINISHED", outcome=Outcome(marker.status, marker.exit_code, told))


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
