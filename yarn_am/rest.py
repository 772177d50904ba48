"""The application master's REST server: GET only, loopback only; YARN's proxy is what the world talks to.

It reads the state under the master's lock, in a thread of its own, and changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import tornado.httpserver
import tornado.web
from tornado.netutil import bind_sockets

from conf.settings import Settings
from yarn_am import usage_views, views
from yarn_am.about import About
from yarn_am.cluster_state import ClusterState
from yarn_am.documents import HEADERS, JSON, Document, page
from yarn_am.metrics import METRICS_TYPE, exposition

FOLLOWER_LATELY_S = 3.0
"""A follower that polled so many seconds ago is still there."""


BELOW_SKEIN = "/pages/treadle"
"""Where skein serves us below its own address. The overlay makes it part of the application's tracking URL, to which YARN's proxy
appends what it is asked for: who writes it too gets here with it once more."""


class _Handler(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def initialize(self, answer: Callable[..., Any]) -> None:
        self._respond = answer

    def get(self, *path: str) -> None:
        tree = self._respond(self, *path)
        if tree is None:
            raise tornado.web.HTTPError(404)
        if isinstance(tree, Document):
            self._send(tree)
        else:
            self._send(Document(JSON, json.dumps(tree).encode()))

    def _send(self, document: Document) -> None:
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
    """

    def __init__(self, state: ClusterState, lock: threading.Lock, settings: Settings, about: About) -> None:
        self._state, self._lock, self._settings, self._about = state, lock, settings, about
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
        routes: dict[str, Callable[..., Any]] = {
            r"/overview": lambda _: views.overview(self._state),
            r"/taskmanagers": lambda _: {"taskmanagers": views.task_managers(self._state, self._settings, self._about)},
            r"/taskmanagers/([^/]+)": lambda _, name: self._task_manager(name),
            r"/taskmanagers/([^/]+)/usage": lambda _, name: self._usage_of(name),
            r"/usage": lambda _: usage_views.history(self._state, time.monotonic()),
            r"/jobs": lambda _: {"jobs": views.jobs(self._state)},
            r"/application": self._application_view,
            r"/jobmanager/config": lambda _: self._about.configuration_view(),
            r"/application.json": self._everything,
            r"/metrics": self._metrics,
        }
        routes |= {f"/{re.escape(path)}": lambda _, file=file: file for path, file in page().items()}
        return tornado.web.Application(
            [(f"(?:{BELOW_SKEIN})?{path}", _Handler, {"answer": self._locked(answer)}) for path, answer in routes.items()],
            log_function=lambda _: None,
        )

    def _locked(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        def locked(*arguments: Any) -> Any:
            with self._lock:
                return answer(*arguments)

        return locked

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

    def _everything(self, _handler: tornado.web.RequestHandler) -> Document:
        tree = views.everything(self._state, self._settings, self._about, time.monotonic())
        return Document(JSON, json.dumps(tree, indent=1).encode(), f"{self._about.application_id}.json")

    def _metrics(self, _handler: tornado.web.RequestHandler) -> Document:
        return Document(METRICS_TYPE, exposition(self._state, time.monotonic()))
