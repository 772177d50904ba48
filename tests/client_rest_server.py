"""A real HTTP server on loopback that answers from a table and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], Any]


class RestServer:
    """`answers` maps a path (without its query) to status, headers and tree, or to a function that returns them at each request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, Answer | Callable[[], Answer]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self._by_headers: dict[str, Callable[[Message], Answer]] = {}

    def answer(self, path: str, tree: Any) -> None:
        self.answers[path] = (200, {}, tree)

    def answer_by_headers(self, path: str, answer: Callable[[Message], Answer]) -> None:
        self._by_headers[path] = answer

    def respond(self, method: str, path: str, body: bytes, headers: Message) -> Answer:
        self.requests.append((method, path, json.loads(body) if body else None))
        if answer := self._by_headers.get(path.partition("?")[0]):
            return answer(headers)
        found = self.answers.get(path.partition("?")[0], (404, {}, {"RemoteException": {"message": f"{path} not found"}}))
        return found() if callable(found) else found


@contextmanager
def serving() -> Iterator[RestServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_PUT(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            status, headers, tree = rest.respond(self.command, self.path, body, self.headers)
            content = tree.encode() if isinstance(tree, str) else json.dumps(tree).encode()
            self.send_response_only(status)
            for name, value in ({"Content-Length": str(len(content)), "Date": self.date_time_string()} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests read what was asked from `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # whoever closes it waits for the answers that are under way
    rest = RestServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield rest
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
