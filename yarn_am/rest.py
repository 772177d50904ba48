"""The application master's REST server: GET only, loopback only; YARN's proxy is what the world talks to.

It reads the state under the master's lock, in a thread of its own, and changes nothing.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import tornado.httpserver
import tornado.web
from tornado.netutil import bind_sockets

from conf.settings import Settings
from yarn_am import views
from yarn_am.cluster_state import ClusterState

FOLLOWER_LATELY_S = 3.0
"""A follower that polled so many seconds ago is still there."""


class _Handler(tornado.web.RequestHandler):
    def initialize(self, answer: Callable[..., Any]) -> None:
        self._respond = answer

    def get(self, *path: str) -> None:
        tree = self._respond(self, *path)
        if tree is None:
            raise tornado.web.HTTPError(404)
        self.write(tree)

    def write_error(self, status_code: int, **_: Any) -> None:
        self.finish({"errors": [f"{status_code}: {self._reason}"]})


class RestServer:
    """Serves `docs/architecture.md`'s table.

    Args:
        state: what is shown.
        lock: held while it is read.
        settings: the effective configuration.
        application_id: YARN's, or local mode's.
    """

    def __init__(self, state: ClusterState, lock: threading.Lock, settings: Settings, application_id: str) -> None:
        self._state, self._lock, self._settings, self._application_id = state, lock, settings, application_id
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
            r"/taskmanagers": lambda _: {"taskmanagers": views.task_managers(self._state, self._settings)},
            r"/taskmanagers/([^/]+)": lambda _, name: self._task_manager(name),
            r"/jobs": lambda _: {"jobs": views.jobs(self._state)},
            r"/application": self._application_view,
        }
        return tornado.web.Application(
            [(path, _Handler, {"answer": self._locked(answer)}) for path, answer in routes.items()], log_function=lambda _: None
        )

    def _locked(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        def locked(*arguments: Any) -> Any:
            with self._lock:
                return answer(*arguments)

        return locked

    def _task_manager(self, name: str) -> Any:
        return next((tree for tree in views.task_managers(self._state, self._settings) if tree["id"] == name), None)

    def _application_view(self, handler: tornado.web.RequestHandler) -> Any:
        tree = views.application(self._state, self._settings, self._application_id)
        if handler.get_query_argument("follower", ""):
            self._last_follower = time.monotonic()
            if tree["outcome"]:
                self._outcome_seen.set()
        return tree
