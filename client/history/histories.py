"""Histories of applications, as `submit history` shows them: what the application master left, and how YARN says it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any

from client.application import lookup
from client.application.last_words import ended, last_marker
from client.errors import ENVIRONMENT, REJECTED, USAGE, ClientError
from client.hadoop import namenode, rest
from client.hadoop.configuration import HadoopConfiguration
from client.hadoop.identity import hadoop_user
from client.history import directory as history_directory
from client.history.files import HistoryFiles, open_files
from client.yarn.application_details import ApplicationDetails
from client.yarn.master_failure import master_failure, outcome_of
from conf.configuration import load_defaults
from conf.options import HISTORY_DIRECTORY
from protocol.history import PAGE, SUMMARY, HistoryDirectory, Summary, events_file, summary_of
from protocol.outcome import KILLED

_PAGE_PARTS = {"overview", "application", "usage", "configuration"}

NO_WORD = "its application master ended without a word"


@dataclass(frozen=True)
class Past:
    """One application's history.

    Attributes:
        summary: what its application master wrote last, with the outcome that its marker tells where it wrote no more.
        seen: the application as YARN knows it, or as a local one is now; looked at only where no end was written, or that of a kill on
            YARN, and None where nothing is known.
        untold: why nothing is.
        problem: why there is no summary, "" where there is one; what is seen of the application is shown all the same.
        absent: whether there is no history of it at all.
    """

    summary: Summary
    seen: ApplicationDetails | None = None
    untold: str = ""
    problem: str = ""
    absent: bool = False

    @property
    def status(self) -> str:
        """Returns the final status in one word; `RUNNING` while it runs, `LOST` where nobody knows."""
        if self.seen is not None:
            return (self.seen.final_status if self.seen.final_status != "UNDEFINED" else self.seen.state) if self.seen.ended else "RUNNING"
        return self.summary.outcome.status if self.summary.outcome else "LOST"

    @property
    def exit_code(self) -> int | None:
        """Returns what `submit run` ended with, None where there was no end yet, or none is known."""
        if self.seen is not None:
            return outcome_of(self.seen.final_status, self.seen.diagnostics).exit_code if self.seen.ended else None
        return self.summary.outcome.exit_code if self.summary.outcome else None

    @property
    def told(self) -> str:
        """Returns how it ended, in words."""
        if self.seen is None and self.summary.outcome is None:
            doubt = f", or runs, and {self.untold}" if self.untold else ""
            return f"{NO_WORD}{doubt}; this was written {self.summary.written}"
        if self.seen is not None and not self.seen.ended:
            return f"it runs; this was written {self.summary.written}" if self.summary.written else "it runs, and has written nothing yet"
        own = self.summary.outcome.diagnostics if self.summary.outcome else NO_WORD
        if self.seen is not None and (failure := master_failure(self.seen.diagnostics)):
            return f"{failure.text()}\nits last words: {own}" if self.summary.outcome else failure.text()
        if self.seen is None or self.seen.diagnostics.startswith(own):
            return own
        return f"{own}\nYARN says: {self.seen.diagnostics or self.seen.final_status}"

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
            ClientError: when there is none (exit code 4), or it can't be read (5).
        """
        past = self._past(application)
        if past.problem and past.seen is None:
            raise ClientError(past.problem, self._remedy(application), REJECTED if past.absent else ENVIRONMENT)
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
            return Past(Summary(id=application), problem=f"there is no history of {application} in {self._where}", absent=True)
        try:
            summary = summary_of(self._files.read(application, SUMMARY))
        except (FileNotFoundError, ValueError) as error:
            what = "is not there" if isinstance(error, FileNotFoundError) else f"can't be read: {error}"
            summary, problem = Summary(), f"{self._where}/{application}/{SUMMARY} {what}"
        else:
            problem = ""
        marker = last_marker(names)
        past = Past(ended(replace(summary, id=application), marker), problem="" if marker else problem)
        outcome = past.summary.outcome
        if lookup.is_local(application):
            return past if outcome else self._seen_here(past)
        return past if outcome and outcome.status != KILLED else self._seen_by_yarn(past)

    def _seen_here(self, past: Past) -> Past:
        """A local application runs as long as its master answers."""
        try:
            seen, told = lookup.look(past.summary.id, self._environ)
        except ClientError as error:
            return replace(past, untold=error.cause)
        return past if told is None or seen.ended else _with(past, seen)

    def _seen_by_yarn(self, past: Past) -> Past:
        """A silent ResourceManager is asked once."""
        if not self._silent:
            try:
                return _with(past, lookup.connect(self._environ).details(past.summary.id))
            except rest.RestError as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    return replace(past, untold="YARN does not know it any more")
                self._silent = f"the ResourceManager does not answer ({error.reason})"
        return replace(past, untold=self._silent)

    def _remedy(self, application: str) -> str:
        if lookup.is_local(application):
            return f"`submit history list --local` shows what is in {self._where}; TREADLE_HOME names another directory"
        return f"`submit history list` shows what is in {self._where}; --dir names another directory (treadle.history.dir)"


def histories(environ: Mapping[str, str], directory: str | None, *, local: bool) -> Histories:
    """Returns the histories of `directory`, as `treadle.history.dir` would name it, which it is by default; or of this machine's.

    Raises:
        ClientError: when there can be no such directory (exit code 2), or no HDFS answers (5).
    """
    if local and directory:
        cause = f"--dir {directory} names a directory on HDFS, and local applications have their histories on this machine"
        raise ClientError(cause, "leave --dir out; TREADLE_HOME names the directory above them", USAGE)
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
    lookup.expect_id(application)
    return histories(environ, directory, local=lookup.is_local(application))


def _place(configured: str, environ: Mapping[str, str], *, local: bool) -> HistoryDirectory:
    if local:
        return history_directory.on_this_machine(environ)
    hadoop = HadoopConfiguration.load(environ)
    place = history_directory.on_hdfs(configured, hadoop, hadoop_user(environ))
    if place is None:
        cause = f"{configured!r} is no directory on HDFS here, where fs.defaultFS is {hadoop.default_filesystem()}"
        raise ClientError(cause, "name one with --dir, such as hdfs://HOST:PORT/path", USAGE)
    namenode.reach(hadoop, place.url, "start that HDFS, or name another directory with --dir (treadle.history.dir)")
    return place


def _with(past: Past, seen: ApplicationDetails) -> Past:
    """Where the application master left no summary there is the little that is known of any application."""
    known = Summary(
        id=seen.id,
        name=seen.name,
        user=seen.user,
        queue=seen.queue,
        started=seen.started,
        ended=seen.finished or None,
        state=seen.state,
    )
    return replace(past, seen=seen, summary=known if past.problem else past.summary)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
