"""Skein on the edge node: what is asked of it (pure), and its driver, a JVM that lives for one submission.

The only module of the client that imports skein, and late: the import alone takes half a second.
"""

from __future__ import annotations

import datetime
import importlib
import logging
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from client import credentials, driver_log
from client.credentials import Credentials
from client.errors import ENVIRONMENT, REJECTED, ClientError
from client.staging import OVERLAY, StagedFiles
from conf.settings import Settings
from protocol.launch import FILE, TREADLE_ZIP

if TYPE_CHECKING:
    import skein

logger = logging.getLogger(__name__)

SERVICE = "taskmanager"
"""Skein's service that every TaskManager is a container of; the overlay knows it by `@@taskmanager` in the node label."""

_QUICK_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Halve the start of a short-lived JVM."""

_SUBMIT_TIMEOUT_S = 300.0
"""Skein's driver retries for ever where a ResourceManager refuses its user (skein#164); an upload to a slow HDFS takes long too."""


def application_spec(
    settings: Settings, treadle_python: str, files: StagedFiles, overlay: Path, security: Credentials
) -> skein.ApplicationSpec:
    """Returns what skein is asked for: its AM with our program as script, and the TaskManagers, which it asks YARN for at once.

    The files, absolute local paths, are what skein uploads. TaskManagers may fail: restarts, and what a failure means, are decided by
    `yarn_am`.
    """
    import skein

    shared = {FILE: _file(files.launch), TREADLE_ZIP: _file(files.treadle_zip)}
    own = {OVERLAY: _file(overlay)} | ({files.script.name: _file(files.script)} if files.script else {})
    application, task_manager = settings.application, settings.task_manager
    master = skein.Master(
        resources=skein.Resources(memory=application.memory_mb, vcores=application.vcores),
        script=_command(treadle_python, "yarn_am"),
        files=shared | own,
        env={"_JAVA_OPTIONS": " ".join(_QUICK_JVM)},
        security=_security(security),
    )
    service = skein.Service(
        instances=settings.task_manager.count,
        resources=skein.Resources(memory=task_manager.memory_mb, vcores=task_manager.vcores),
        script=_command(treadle_python, "task_manager"),
        files=dict(shared),
        node_label=f"@@{SERVICE}",
        allow_failures=True,
        max_restarts=0,
    )
    services = {SERVICE: service}
    return skein.ApplicationSpec(services, master, name=application.name, queue=application.queue, tags={"treadle"}, max_attempts=1)


def warm_up() -> None:
    """Imports skein, so that nobody waits for it later."""
    importlib.import_module("skein")


class Driver:
    """Skein's driver: a JVM on this machine that speaks YARN's and HDFS's protocols, and ends when closed."""

    def __init__(self, log: Path) -> None:
        """Starts it, its output in `log`, with TLS credentials of its own, so that skein's global pair is neither used nor made.

        Raises:
            ClientError: when it doesn't start.
        """
        self._log = log
        security = _security(credentials.mint(datetime.datetime.now(datetime.timezone.utc)))
        with self._errors("skein's driver does not start", ENVIRONMENT):
            self._client = _client_class()(security=security, log=str(log), java_options=list(_QUICK_JVM))

    def submit(self, spec: skein.ApplicationSpec) -> str:
        """Uploads the files, hands the application to YARN, and returns its id.

        Raises:
            ClientError: when YARN or HDFS refuses.
        """
        with self._errors("YARN did not take the application", REJECTED):
            # Client.submit has no deadline
            return str(self._client._call("submit", spec.to_protobuf(), timeout=_SUBMIT_TIMEOUT_S).id)

    def kill(self, application: str) -> None:
        """Has YARN kill an application.

        Raises:
            ClientError: when YARN refuses.
        """
        with self._errors(f"{application} could not be killed", ENVIRONMENT):
            self._client.kill_application(application)

    def close(self) -> None:
        """Ends the JVM and waits for that."""
        self._client.close()

    @contextmanager
    def _errors(self, what: str, exit_code: int) -> Iterator[None]:
        import subprocess

        from skein.exceptions import SkeinError

        try:
            yield
        except FileNotFoundError as error:
            raise _missing_program(error) from error
        except subprocess.CalledProcessError as error:
            cause = f"{what}: `{shlex.join(error.cmd)}` ended with exit code {error.returncode}"
            raise ClientError(
                cause, "run it in a shell and mend what it reports (JAVA_HOME and HADOOP_HOME, as a rule)", ENVIRONMENT
            ) from error
        except (SkeinError, ValueError) as error:
            said = driver_log.read(self._log)
            logger.debug("skein's driver wrote:\n%s", said)
            remedy = "with --verbose its log is shown; `yarn node -list` and `hdfs dfs -ls` tell whether cluster and file system are well"
            raise ClientError(f"{what}: {driver_log.meaningful_line(str(error), said)}", remedy, exit_code) from error


def _client_class() -> Any:
    import skein

    class Client(skein.Client):  # type: ignore[misc]  # upstream has no types
        """Skein's client without the AttributeError that its `__del__` prints when no driver could be started."""

        def __del__(self) -> None:
            if hasattr(self, "_proc"):
                self.close()

    return Client


def _missing_program(error: FileNotFoundError) -> ClientError:
    program = str(error.filename)
    if re.search(r"(^|/)java$", program):
        return ClientError(f"no Java here: {program} does not exist", "install a JDK (8, 11 or 17), or set JAVA_HOME to one", ENVIRONMENT)
    remedy = "put Hadoop's bin directory on PATH: its `yarn classpath --glob` tells where the client's jars are"
    return ClientError(f"no Hadoop client here: {program} is not on PATH", remedy, ENVIRONMENT)


def _command(python: str, module: str) -> str:
    return f"exec {shlex.quote(python)} -I -m {module} --launch {FILE}"


def _file(path: Path) -> skein.File:
    """The type is given because skein unpacks what is named .zip."""
    import skein

    return skein.File(source=f"file://{path}", type="FILE")


def _security(pair: Credentials) -> skein.Security:
    import skein

    return skein.Security(cert_bytes=pair.certificate, key_bytes=pair.key)
