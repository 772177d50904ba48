"""What there is to follow of an application that was just submitted."""

from __future__ import annotations

from functools import partial

from client.command_line.request import Request
from client.following import job_output
from client.following.following import Subject
from client.logs.directory import LogDirectory
from client.submission.local import LocalApplication
from client.submission.to_yarn import Submitted


def on_yarn(submitted: Submitted, request: Request) -> Subject:
    """Returns an application that YARN has taken; a command has no main whose output could be shown."""
    output = partial(job_output.on_yarn, submitted.manager, submitted.id) if request.script else None
    return Subject(submitted.id, submitted.source, output, partial(submitted.manager.waiting, submitted.id), submitted.clean_up)


def on_this_machine(application: LocalApplication, request: Request) -> Subject:
    """Returns a local application."""
    return Subject(application.id, application, partial(LogDirectory, application.directory) if request.script else None)
