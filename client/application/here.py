"""An application of this machine: what its master says while it lives, and what it left in its history when it has ended."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from client.application import directory as application_directory
from client.application.last_words import ended, last_marker, milliseconds
from client.application.master_rest import ask_master
from client.application.records import Application
from client.errors import ENVIRONMENT, REJECTED, ClientError
from client.yarn.application_details import ApplicationDetails, details
from protocol.history import SUMMARY, Summary, summary_of
from protocol.outcome import FAILED, KILLED, Outcome

logger = logging.getLogger(__name__)


def look(application: str, environ: Mapping[str, str]) -> tuple[ApplicationDetails, Application | None]:
    """Returns a local application, in YARN's terms and as its own master sees it; without a master that answers it has ended.

    Raises:
        ClientError: when there is none of this id (exit code 4), or its directory can't be read (5).
    """
    directory = application_directory.home(environ) / application
    if not directory.is_dir():
        remedy = "write the id that `submit run --master local` printed, or set TREADLE_HOME"
        raise ClientError(f"there is no {directory}", remedy, REJECTED)
    file = directory / application_directory.ADDRESS_FILE
    try:
        address = str(json.loads(file.read_bytes())["rest"])
    except FileNotFoundError:
        return details({"id": application, "state": "NEW"}), None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClientError(f"{file} can't be read: {error}", "start the application again", ENVIRONMENT) from error
    told = ask_master(address, follower=False)
    if told is None:
        return details(_remembered(application, environ)), None
    known = {"id": application, "name": told.name, "user": told.user, "startedTime": told.started, "trackingUrl": address}
    return details(known | _ended(told.outcome) if told.outcome else known | {"state": "RUNNING"}), told


def state_after(status: str) -> str:
    """Returns the state that is shown of a local application with this final status."""
    return status if status in (FAILED, KILLED) else "FINISHED"


def _remembered(application: str, environ: Mapping[str, str]) -> dict[str, object]:
    """What YARN would remember of it, from its history; a master that was killed by force wrote no end there."""
    left = _summary(application, environ)
    times = {"startedTime": milliseconds(left.started), "finishedTime": milliseconds(left.ended)}
    known = {"id": application, "name": left.name, "user": left.user, **times}
    if left.outcome is None:
        directory = application_directory.home(environ) / application
        said = f"its application master does not answer any more; its words are in {directory}"
        return known | {"state": "FINISHED", "diagnostics": said}
    return known | _ended(left.outcome)


def _ended(outcome: Outcome) -> dict[str, object]:
    return {"state": state_after(outcome.status), "finalStatus": outcome.status, "diagnostics": outcome.diagnostics}


def _summary(application: str, environ: Mapping[str, str]) -> Summary:
    """Returns an empty one where none is kept (`treadle.history.dir: none`), or can be read."""
    directory = application_directory.histories(environ) / application
    try:
        marker = last_marker(file.name for file in directory.iterdir())
        return ended(summary_of((directory / SUMMARY).read_bytes()), marker)
    except (OSError, ValueError) as error:
        logger.debug("how it ended can't be read: %s", error)
        return Summary()
