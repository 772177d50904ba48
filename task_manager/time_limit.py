"""Calls somebody else's code, which may hang, within a time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class TimeLimitError(Exception):
    """A call has not ended in time. It is left alone, and what it answers later is dropped."""


def within(limit_s: float, name: str, call: Callable[[], T]) -> T:
    """Returns what `call` returns, or raises what it raises; it runs in a thread of that name.

    Raises:
        TimeLimitError: when it takes more than `limit_s` seconds.
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:
            answer.set_exception(error)

    # a daemon, so that a driver that hangs can't keep the TaskManager from ending
    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    thread.join(limit_s)
    if not answer.done():
        raise TimeLimitError(name)
    return answer.result()
