"""The application master's REST server: GET only, loopback only; YARN's proxy is what the world talks to.

It reads the state under the master's lock, in a thread of its own, and changes nothing; what it read is encoded without the lock.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tornado.httpserver
import tornado.web
from tornado.netutil import bind_sockets

from conf.settings import Settings
from yarn_am import usage_views, views
from yarn_am.about import About
from yarn_am.cluster_state import ClusterState
from yarn_am.documents import HEADERS, Document, download_of, json_of, page
from yarn_am.event_log import EventLog
from yarn_am.metrics import exposition, metrics

FOLLOWER_LATELY_S = 3.0
"""A follower that polled so many seconds ago is still there."""


EVENTS = 200
"""So many events are in an answer that was asked for no other number."""

BELOW_SKEIN = "/pages/treadle"
"""Where skein serves us below its own address. The overlay makes it part of the application's tracking URL, to which YARN's proxy
appends what it is asked for: who writes it too gets here with it once more."""


@dataclass(frozen=True)
class _Route:
    """How a path is answered: `read` takes the request and the path's groups, under the lock; `write` what that returned."""

    read: Callable[..., Any]
    write: Callable[[Any], Document] = json_of


class _Handler(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def initialize(self, route: _Route, lock: threading.Lock) -> None:
        self._route, self._lock = route, lock

    def get(self, *path: str) -> None:
        with self._lock:
            read = self._route.read(self, *path)
        if read is None:
            raise tornado.web.HTTPError(404)
        document = self._route.write(read)
        self.set_header("Content-Type", document.content_type)
        if document.file_name:
            self.set_header("Content-Disposition", f'attachment; filename="{document.file_name}"')
        self.write(document.body)

    def write_error(self, status_code: int, **_: Any) -> None:
        self.finish({"errors": [f"{status_code}: {self._reason}"]})


class RestServer:
    """Serves `docs/architecture.md`'s table.

    Args:
        state: what is shown.
        lock: held while it is read.
        settings: the effective configuration.
        about: what there is to know beside the state.
        log: what happened.
    """

    def __init__(self, state: ClusterState, lock: threading.Lock, settings: Settings, about: About, log: EventLog) -> None:
        self._state, self._lock, self._settings, self._about, self._log = state, lock, settings, about, log
        self._last_follower = float("-inf")
        self._outcome_seen = threading.Event()
        self._sockets = bind_sockets(0, "127.0.0.1")
        self._loop = asyncio.new_event_loop()

    @property
    def url(self) -> str:
        """Returns the server's address, without a slash at its end."""
        return f"http://127.0.0.1:{self._sockets[0].getsockname()[1]}"

    def start(self) -> None:
        """Serves from a thread that ends with the process."""
        threading.Thread(target=self._serve, name="rest", daemon=True).start()

    def wait_for_followers(self, timeout_s: float) -> None:
        """Waits until a follower that polled lately has seen the outcome, at most `timeout_s` seconds."""
        if time.monotonic() - self._last_follower < FOLLOWER_LATELY_S:
            self._outcome_seen.wait(timeout_s)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        tornado.httpserver.HTTPServer(self._application()).add_sockets(self._sockets)
        self._loop.run_forever()

    def _application(self) -> tornado.web.Application:
        routes = {
            r"/overview": _Route(lambda _: views.overview(self._state)),
            r"/taskmanagers": _Route(lambda _: {"taskmanagers": views.task_managers(self._state, self._settings, self._about)}),
            r"/taskmanagers/([^/]+)": _Route(lambda _, name: self._task_manager(name)),
            r"/taskmanagers/([^/]+)/usage": _Route(lambda _, name: self._usage_of(name)),
            r"/usage": _Route(lambda _: usage_views.history(self._state, time.monotonic())),
            r"/jobs": _Route(lambda _: {"jobs": views.jobs(self._state)}),
            r"/application": _Route(self._application_view),
            r"/events": _Route(self._events),
            r"/jobmanager/config": _Route(lambda _: self._about.configuration_view()),
            r"/application.json": _Route(self._everything, lambda tree: download_of(tree, self._about.application_id)),
            r"/metrics": _Route(lambda _: metrics(self._state, time.monotonic()), exposition),
        }
        routes |= {f"/{re.escape(path)}": _Route(lambda _, file=file: file, lambda file: file) for path, file in page().items()}
        return tornado.web.Application(
            [(f"(?:{BELOW_SKEIN})?{path}", _Handler, {"route": route, "lock": self._lock}) for path, route in routes.items()],
            log_function=lambda _: None,
        )

    def _task_manager(self, name: str) -> Any:
        return next((tree for tree in views.task_managers(self._state, self._settings, self._about) if tree["id"] == name), None)

    def _usage_of(self, name: str) -> Any:
        known = self._state.task_managers.get(name)
        return usage_views.of_task_manager(known, time.monotonic()) if known and known.registration else None

    def _application_view(self, handler: tornado.web.RequestHandler) -> Any:
        tree = views.application(self._state, self._settings, self._about, time.monotonic())
        if handler.get_query_argument("follower", ""):
            self._last_follower = time.monotonic()
            if tree["outcome"]:
                self._outcome_seen.set()
        return tree

    def _events(self, handler: tornado.web.RequestHandler) -> Any:
        records = self._log.latest(_number(handler, "limit", EVENTS), _number(handler, "after", 0))
        return {"attempt": self._log.attempt, "count": self._log.count, "events": records}

    def _everything(self, _handler: tornado.web.RequestHandler) -> Any:
        tree = views.everything(self._state, self._settings, self._about, time.monotonic())
        return tree | {"events": self._log.records()}


def _number(handler: tornado.web.RequestHandler, name: str, default: int) -> int:
    text = handler.get_query_argument(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise tornado.web.HTTPError(400, reason=f"{name}={text!a}: write a whole number, 0 or more")
    return int(text)
