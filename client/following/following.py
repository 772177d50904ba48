"""One application from its submission to its end, with all that is looked after meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from client.console import Console
from client.following import interrupt
from client.following.deadline import EXIT_CODE, Deadline
from client.following.follow import Follower, Source, Watch
from client.following.job_output import JobOutput
from client.following.progress import Progress
from client.following.summary import Summary, Tally
from client.following.waiting_watch import WaitingWatch
from client.logs.source import Source as LogSource
from client.yarn.waiting_facts import WaitingFacts
from protocol.outcome import KILLED, SUCCEEDED, Outcome

_LEFT = 130
"""Exit code when the user left before the end."""


@dataclass(frozen=True)
class Followed:
    """How it ended, None when the user left before that; `exit_code` is what `submit` ends with."""

    outcome: Outcome | None
    summary: Summary
    exit_code: int


@dataclass(frozen=True)
class Subject:
    """What is followed.

    Attributes:
        application: its id.
        source: where it is looked at.
        output: finds the logs that hold what the job's main writes, None for a job without one.
        waiting: tells what bears on its wait for containers, None where there is no ResourceManager.
        clean_up: deletes what it has left, once it has ended.
    """

    application: str
    source: Source
    output: Callable[[], LogSource | None] | None = None
    waiting: Callable[[], WaitingFacts] | None = None
    clean_up: Callable[[], None] | None = None


def follow(subject: Subject, timeout_s: float | None, console: Console) -> Followed:
    """Follows to the end, or until the user leaves, and says how it went.

    Raises:
        ClientError: when how it ended can't be found out.
    """
    tally = Tally()
    deadline = None if timeout_s is None else Deadline(timeout_s, subject.source, console)
    follower = Follower(subject.source, Progress(console), [tally, *_watches(subject, console), *([deadline] if deadline else [])])
    outcome = interrupt.follow(follower, subject.source, subject.application, console)
    summary = tally.summary()
    if outcome is None:
        if deadline:
            console.line("nobody ends it at its --timeout any more")
        return Followed(None, summary, _LEFT)
    for line in summary.lines():
        console.line(line)
    if outcome.status != SUCCEEDED:
        console.line(f"logs: submit logs {subject.application}")
    if subject.clean_up is not None:
        subject.clean_up()
    timed_out = deadline is not None and deadline.passed and outcome.status == KILLED
    return Followed(outcome, summary, EXIT_CODE if timed_out else outcome.exit_code)


def _watches(subject: Subject, console: Console) -> list[Watch]:
    watches: list[Watch] = []
    if subject.output is not None:
        watches.append(JobOutput(subject.application, subject.output, console))
    if subject.waiting is not None:
        watches.append(WaitingWatch(subject.waiting, console))
    return watches
