"""`--master local[N]`: the same application master and TaskManagers, as processes of this machine; no Java, no YARN."""

from __future__ import annotations

import datetime
import json
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from client.application import directory as application_directory
from client.application.here import state_after
from client.application.master_rest import ask_master
from client.application.records import Application
from client.command_line.request import Request
from client.errors import ENVIRONMENT, ClientError
from client.following.follow import Sight
from client.hadoop.identity import hadoop_user
from client.history import directory as history_directory
from client.skein_driver import credentials
from client.submission.staging import stage
from client.submission.unpacking import placed
from client.yarn.cluster import ApplicationReport
from conf import options
from conf.errors import ConfigError, Problem
from protocol.launch import FILE, STOP_FILE
from protocol.records import StopRequest
from protocol.wire import to_bytes

logger = logging.getLogger(__name__)

LOG = "application.driver.log"
"""Name of the application master's output, as skein calls it on YARN."""

_LOOK_S = 0.05
_START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 15.0
"""How long the application master may take to its end, besides the grace periods of the job's script and of the slots."""

_TAIL_LINES = 15


class LocalApplication:
    """A running local application: something to follow, and to stop."""

    can_detach = False

    def __init__(self, directory: Path, process: subprocess.Popen[bytes], name: str, grace_s: float, user: str) -> None:
        self.id = directory.name
        self.tracking_url = ""
        self.directory = directory
        self.log = directory / LOG
        self._address_file = directory / application_directory.ADDRESS_FILE
        self._process = process
        self._name = name
        self._stop = StopRequest(user, socket.gethostname())
        self._end_timeout_s = _END_TIMEOUT_S + 2 * grace_s
        self._last: Application | None = None

    def wait_for_address(self) -> None:
        """Returns once the application master listens.

        Raises:
            ClientError: when it ended before, or took a minute.
        """
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not (address := self._address()):
            if self._process.poll() is not None:
                raise self._died()
            if time.monotonic() > deadline:
                raise ClientError(f"the application master did not listen within {_START_TIMEOUT_S:.0f} s", f"read {self.log}", ENVIRONMENT)
            time.sleep(_LOOK_S)
        self.tracking_url = address

    def look(self) -> Sight:
        """Returns what the application master says; once its process has ended, the last thing it said.

        Raises:
            ClientError: when it ended without saying how.
        """
        ended = self._process.poll() is not None
        self._last = ask_master(self.tracking_url) or self._last
        outcome = self._last.outcome if self._last else None
        if not ended:
            return Sight(ApplicationReport(self.id, self._name, "RUNNING", "UNDEFINED", "", self.tracking_url), self._last)
        if outcome is None:
            raise self._died()
        state = state_after(outcome.status)
        return Sight(ApplicationReport(self.id, self._name, state, outcome.status, outcome.to_diagnostics(), self.tracking_url), self._last)

    def kill(self) -> None:
        """Asks the application master to end, in its user's name; it takes its TaskManagers with it."""
        try:
            (self.directory / STOP_FILE).write_bytes(to_bytes(self._stop))
        except OSError as error:
            logger.debug("not told by whom it is stopped: %s", error)
        self._process.terminate()

    def stop(self) -> None:
        """Ends whatever still runs, by force when asking is not enough."""
        if self._process.poll() is None:
            self.kill()
        try:
            self._process.wait(self._end_timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _address(self) -> str:
        try:
            return str(json.loads((self._address_file).read_bytes())["rest"])
        except (FileNotFoundError, ValueError):  # not there yet, or half of it
            return ""

    def _died(self) -> ClientError:
        lines = (self.log).read_text(errors="replace").splitlines()
        tail = "\n".join(f"  | {line}" for line in lines[-_TAIL_LINES:])
        cause = f"the application master ended with exit code {self._process.returncode} and did not say why\n{tail}".rstrip()
        return ClientError(cause, f"read the whole log: {self.log}", 1)


def lacking(request: Request) -> list[Problem]:
    """Returns what of this machine's the request names, and isn't there: interpreters, but for one in an archive."""
    interpreters = {options.PYTHON.key: request.python, options.TREADLE_PYTHON.key: request.treadle_python}
    return [
        Problem(key, f"there is no interpreter {path}", "name one that exists on this machine")
        for key, path in interpreters.items()
        if path.startswith("/") and not os.access(path, os.X_OK)
    ]


@contextmanager
def run(request: Request, environ: Mapping[str, str]) -> Iterator[LocalApplication]:
    """Starts the request on this machine; when the context ends, so does the application.

    Raises:
        ConfigError: when an interpreter isn't there.
        ClientError: when it can't be started.
    """
    if problems := lacking(request):
        raise ConfigError(problems)
    directory = application_directory.create(environ, f"local-{datetime.datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}")
    credentials.mint(datetime.datetime.now(datetime.timezone.utc)).save(directory)
    history = history_directory.on_this_machine(environ) if request.settings.application.history_directory else None
    stage(directory, request.launch(history), request.script)
    with placed(directory, request.settings.shipped):
        settings = request.settings
        process = _start(request, directory, environ)
        name, grace_s = settings.application.name, settings.failures.termination_grace_s
        application = LocalApplication(directory, process, name, grace_s, hadoop_user(environ))
        try:
            application.wait_for_address()
            yield application
        finally:
            application.stop()


def _start(request: Request, directory: Path, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [request.treadle_python, "-I", "-m", "yarn_am", "--launch", FILE, "--local"]
    with (directory / LOG).open("wb") as log:
        # a session of its own, so that Ctrl-C in the terminal reaches only the one who asks what to do
        return subprocess.Popen(
            command, cwd=directory, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
