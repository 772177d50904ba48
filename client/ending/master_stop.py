"""Asks the master of an application on YARN to end it, over skein's own connection: with the application's key pair, and without a JVM."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from client.skein_driver import credentials
from client.skein_driver.skein_driver import security_of
from protocol import keys
from protocol.records import Ending, StopRequest
from protocol.skein_import import import_skein
from protocol.wire import MalformedRecordError, from_bytes, to_bytes

_CALL_S = 2.0
"""Deadline of each call: where a firewall drops what it doesn't like, nobody answers at all."""

_ANSWER_S = 3.0
"""How long the master's answer is awaited: its loop takes a request at once, and it may be coming up still."""

_LOOK_S = 0.1


class UnansweredError(Exception):
    """The master could not be asked, or did not answer; says why."""


def ask(directory: Path, application: str, address: str, request: StopRequest) -> float:
    """Returns how many seconds the end may take at most, as the master says.

    Args:
        directory: holds the application's key pair.
        application: its id.
        address: `host:port` of skein's application master.
        request: what the master is told.

    Raises:
        UnansweredError: when it is not known to have taken the request.
    """
    try:
        pair = credentials.load(directory)
    except OSError as error:
        raise UnansweredError(f"its key pair is not in {directory}: it was submitted elsewhere, or by another user") from error
    skein = import_skein()
    with skein.ApplicationClient(address, application, security_of(pair)) as client:
        try:
            return _asked(client.kv, request)
        except (skein.exceptions.SkeinError, ValueError) as error:
            raise UnansweredError(f"its master does not answer at {address}: {error}") from error


def _asked(store: Any, request: StopRequest) -> float:
    operations = import_skein().kv
    store._apply_op(operations.put(keys.STOP, to_bytes(request)), _CALL_S)
    deadline = time.monotonic() + _ANSWER_S
    while (answer := store._apply_op(operations.get(keys.ENDING), _CALL_S)) is None:
        if time.monotonic() > deadline:
            raise UnansweredError(f"its master took the request and did nothing for {_ANSWER_S:g} s")
        time.sleep(_LOOK_S)
    try:
        return from_bytes(Ending, answer).seconds
    except MalformedRecordError as error:
        raise UnansweredError(f"its master answered what makes no sense: {error}") from error
