"""The JVM of skein's driver, started as skein's own client would, but with a configuration of ours ahead, and before skein is imported.

What it is given and how it answers is that of skein 0.8.2 (`skein.core._start_driver`): a TLS pair in its environment, a port of ours to
which it reports its own, and a class path in which the first `hdfs-site.xml` counts.
"""

from __future__ import annotations

import importlib.metadata
import logging
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from client.errors import ENVIRONMENT, REJECTED, ClientError
from client.hadoop import hdfs_remedies
from client.hadoop.configuration import HDFS_SITE, HadoopConfiguration
from client.hadoop.xml import Property, render
from client.skein_driver import driver_log
from client.skein_driver.credentials import Credentials

logger = logging.getLogger(__name__)

QUICK_JVM = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:+IgnoreUnrecognizedVMOptions",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-BytecodeVerificationRemote",
)
"""Halve the start of a short-lived JVM. The last, an option that Java 13 made diagnostic, has Hadoop's jars loaded without the proof
that a compiler wrote them; a Java that has dropped it ignores it."""

_CLOSING = "dfs.client.block.write.locateFollowingBlock"
_HDFS = {f"{_CLOSING}.initial.delay.ms": "20", f"{_CLOSING}.retries": "10"}
"""HDFS's client asks again after 0.4 s when a file that it closes is not yet reported by a DataNode, as is about every second of our
small ones, and doubles that 5 times, 12.4 s in all. These make it 20 ms at first, and 20.5 s in all (`DFSOutputStream.completeFile`)."""


_REMEDY = "with --verbose its log is shown; `yarn node -list` and `hdfs dfs -ls` tell whether cluster and file system are well"

_IMPERSONATE = "is not allowed to impersonate"
"""What Hadoop's `ImpersonationProvider` says of a proxy user."""
_MAY_NOT_IMPERSONATE = (
    "leave --proxy-user out, or have hadoop.proxyuser.<you>.hosts and .groups set in the core-site.xml of ResourceManager and NameNode"
)


def hdfs_site(hadoop: HadoopConfiguration) -> list[Property]:
    """Returns the cluster's properties with ours in place of any of the same name: a final one would win over ours."""
    theirs = [item for item in hadoop.files.get(HDFS_SITE, ()) if item.name not in _HDFS]
    return [*theirs, *(Property(name, value) for name, value in _HDFS.items())]


def command(environ: Mapping[str, str], jar: str) -> list[str]:
    """Returns what starts the driver."""
    native = Path(environ.get("HADOOP_HOME", "/nonexistent"), "lib/native")
    library_path = [f"-Djava.library.path={native}"] if native.is_dir() else []
    return [_java(environ), "-Dskein.log.level=INFO", *library_path, *QUICK_JVM, "com.anaconda.skein.Driver", "--jar", jar]


class DriverProcess:
    """A driver on its way up."""

    def __init__(self, log: Path, pair: Credentials, hadoop: HadoopConfiguration) -> None:
        """Starts it, its output in `log`, and returns while it comes up; with a pair given, skein's global one is neither used nor made.

        Raises:
            ClientError: when there is no Java, or no Hadoop client to tell the class path.
        """
        self.pair = pair
        self._log = log
        jar = str(importlib.metadata.distribution("skein").locate_file("skein/java/skein.jar"))
        with ExitStack() as resources:
            directory = resources.enter_context(tempfile.TemporaryDirectory(prefix="treadle-driver-"))
            Path(directory, HDFS_SITE).write_bytes(render(hdfs_site(hadoop)))
            self._callback = resources.enter_context(socket.create_server(("127.0.0.1", 0)))
            environ = {**hadoop.environ, "HADOOP_CONF_DIR": str(hadoop.conf_dir)}
            environ |= {
                "CLASSPATH": f"{directory}:{jar}:{_class_path(environ)}",
                "SKEIN_CERTIFICATE": pair.certificate.decode(),
                "SKEIN_KEY": pair.key.decode(),
                "SKEIN_CALLBACK_PORT": str(self._callback.getsockname()[1]),
            }
            output = resources.enter_context(log.open("wb"))
            self._process = resources.enter_context(_start(command(environ, jar), environ, output.fileno()))
            self._resources = resources.pop_all()
        threading.Thread(target=self._await_end, name="skein-driver").start()

    def address(self) -> str:
        """Waits until it is up, and returns where it listens.

        Raises:
            ClientError: when it ends before that.
        """
        try:
            connection, _ = self._callback.accept()
            with connection, connection.makefile("rb") as stream:
                return f"127.0.0.1:{int.from_bytes(stream.read(4), 'big')}"
        except OSError as error:
            raise self.error("skein's driver does not start", "", ENVIRONMENT) from error

    def error(self, what: str, message: str, exit_code: int, remedy: str = _REMEDY) -> ClientError:
        """Returns the error that says what happened, with the line of `message`, or else of the log, that tells why."""
        said = driver_log.read(self._log)
        logger.debug("skein's driver wrote:\n%s", said)
        told = driver_log.meaningful_line(message, said)
        return ClientError(f"{what}: {told}", _MAY_NOT_IMPERSONATE if _IMPERSONATE in told else remedy, exit_code)

    def not_submitted(self, message: str) -> ClientError:
        """Returns the error of a submission: the file system took no upload, or YARN not the application."""
        target = driver_log.uploading_to(driver_log.read(self._log))
        if target is None:
            return self.error("YARN did not take the application", message, REJECTED)
        remedy = hdfs_remedies.remedy("\n".join(driver_log.lines(message)), str(Path(urlsplit(target).path).parent))
        return self.error(f"the upload to {target} failed", message, ENVIRONMENT, remedy)

    def end(self) -> None:
        """Has it end, and doesn't wait for that; this program's end does."""
        self._process.terminate()

    def _await_end(self) -> None:
        with self._resources:
            self._process.wait()
            # wakes who waits in `address`
            self._callback.shutdown(socket.SHUT_RDWR)


def lacking(environ: Mapping[str, str]) -> list[ClientError]:
    """Returns what this machine has not and the driver needs: Hadoop's client, Java. Neither is run."""
    java = _java(environ)
    found = [] if shutil.which("yarn", path=environ.get("PATH")) else [_no_hadoop()]
    return found if shutil.which(java, path=environ.get("PATH")) else [*found, _no_java(java)]


def _no_hadoop() -> ClientError:
    remedy = "put Hadoop's bin directory on PATH: its `yarn classpath` tells where the client's jars are"
    return ClientError("no Hadoop client here: yarn is not on PATH", remedy, ENVIRONMENT)


def _no_java(program: str) -> ClientError:
    return ClientError(f"no Java here: {program} does not exist", "install a JDK (8, 11 or 17), or set JAVA_HOME to one", ENVIRONMENT)


def _java(environ: Mapping[str, str]) -> str:
    return f"{environ['JAVA_HOME']}/bin/java" if environ.get("JAVA_HOME") else "java"


def _class_path(environ: Mapping[str, str]) -> str:
    """Without --glob, which takes a JVM of its own: Java knows what `lib/*` means."""
    asked = ["yarn", "classpath"]
    try:
        return subprocess.run(asked, env=environ, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    except FileNotFoundError as error:
        raise _no_hadoop() from error
    except subprocess.CalledProcessError as error:
        cause = f"skein's driver does not start: `{shlex.join(asked)}` ended with exit code {error.returncode}"
        remedy = "run it in a shell and mend what it reports (JAVA_HOME and HADOOP_HOME, as a rule)"
        raise ClientError(cause, remedy, ENVIRONMENT) from error


def _start(arguments: list[str], environ: Mapping[str, str], output: int) -> subprocess.Popen[bytes]:
    """In a session of its own: a terminal's Ctrl-C is for us to deal with. Should we be killed, the end of its stdin is its own."""
    try:
        return subprocess.Popen(arguments, env=environ, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True)
    except FileNotFoundError as error:
        raise _no_java(arguments[0]) from error
