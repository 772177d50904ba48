"""A real headless Chromium, told what to do over its DevTools protocol; tornado, which we have, speaks its websockets."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

DEADLINE_S = 60
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Tab:
    """One page; `complaints` is what the browser has against it: exceptions, console errors, what its policy refused."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: WebSocketClientConnection) -> None:
        self._loop, self._connection, self._number = loop, connection, 0
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        return self._loop.run_until_complete(asyncio.wait_for(self._call(method, parameters), DEADLINE_S))

    async def _call(self, method: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        await self._connection.write_message(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while message := await self._connection.read_message():
            told = json.loads(message)
            if told.get("id") == self._number:
                assert "error" not in told, told
                return told["result"]
            self._note(told)
        raise AssertionError("Chromium has closed the connection")

    def _note(self, told: Any) -> None:
        if told.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(told["params"]["exceptionDetails"]["exception"].get("description")))
        elif told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
            entry = told["params"]["entry"]
            self.complaints.append(f"{entry['text']} {entry.get('url', '')}")

    def close(self) -> None:
        self._loop.run_until_complete(asyncio.wait_for(self._close(), DEADLINE_S))

    async def _close(self) -> None:
        self._connection.close()
        while await self._connection.read_message() is not None:
            pass

    def open(self, url: str) -> None:
        """Returns once the page and what it loads are there; its script may still have to ask for what it shows."""
        self.call("Page.navigate", url=url)
        self.wait_for("location.href !== 'about:blank' && document.readyState === 'complete'")

    def ask(self, expression: str) -> Any:
        """The value of an expression of JavaScript."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """The value of an expression as soon as JavaScript takes it for true."""
        deadline = monotonic() + DEADLINE_S
        while not self.ask(f"Boolean({expression})"):
            assert monotonic() < deadline, f"waited {DEADLINE_S} s for {expression}; complaints {self.complaints}; {self.text()}"
            sleep(0.05)
        return self.ask(expression)

    def text(self) -> str:
        """What a reader sees."""
        return str(self.ask("document.body ? document.body.innerText : ''"))

    def resize(self, width: int, height: int = 900) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def prefer(self, scheme: str) -> None:
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def save_screenshot(self, file: Path) -> None:
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def chromium(directory: Path) -> Iterator[Tab]:
    """Starts Chromium with a profile in `directory`; it has ended when the block is left."""
    program = next((found for found in map(shutil.which, PROGRAMS) if found), None)
    if program is None:
        pytest.fail(f"no {' or '.join(PROGRAMS)} to show the page in: install one (apt-get install chromium)", pytrace=False)
    # --no-sandbox: containers of CI run as root and lack user namespaces; the only pages are our own
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions"]
    flags += ["--disable-background-networking", "--disable-component-update", "--no-proxy-server", f"--user-data-dir={directory}"]
    with (directory / "chromium.log").open("wb") as log:
        process = subprocess.Popen([program, *flags, "--remote-debugging-port=0", "about:blank"], stdout=log, stderr=log)
    loop = asyncio.new_event_loop()
    with ExitStack() as cleanup:
        cleanup.callback(loop.close)
        cleanup.callback(process.wait, DEADLINE_S)
        cleanup.callback(process.terminate)
        tab = Tab(loop, loop.run_until_complete(_connect(_port(process, directory))))
        cleanup.callback(tab.close)
        yield tab


def _port(process: subprocess.Popen[bytes], directory: Path) -> int:
    file, deadline = directory / "DevToolsActivePort", monotonic() + DEADLINE_S
    while not (file.is_file() and file.read_text().strip()):
        assert process.poll() is None, (directory / "chromium.log").read_text()
        assert monotonic() < deadline, "Chromium does not listen"
        sleep(0.05)
    return int(file.read_text().split()[0])


async def _connect(port: int) -> WebSocketClientConnection:
    answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json/list")
    (page,) = (each for each in json.loads(answer.body) if each["type"] == "page")
    return await websocket_connect(page["webSocketDebuggerUrl"], max_message_size=64 * 1024 * 1024)
