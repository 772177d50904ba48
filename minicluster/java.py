"""Which Java runs the daemons, and with which flags."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from minicluster.errors import ClusterError

# 3.5.0 asks for 17; servers of 3.1.4 run on 17 with the flags below but not where Subject.getSubject is gone (HADOOP-19212)
_OLDEST = 17
_NEWEST_FOR_OLD_HADOOP = 22

# what Hadoop's own scripts open since 3.4.2 (HADOOP-19310), and two that 3.1.4 needs besides
_OPENED = (
    "java.io",
    "java.lang",
    "java.lang.invoke",
    "java.lang.reflect",
    "java.math",
    "java.net",
    "java.text",
    "java.util",
    "java.util.concurrent",
    "java.util.zip",
    "sun.nio.ch",
    "sun.security.util",
    "sun.security.x509",
)
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
DAEMON_FLAGS = (
    *QUICK_START,
    "-XX:-UsePerfData",
    "-XX:+IgnoreUnrecognizedVMOptions",
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
)


@dataclass(frozen=True)
class Java:
    """A Java installation: its home and its feature release (17, 21, …)."""

    home: Path
    release: int

    @property
    def binary(self) -> Path:
        """The launcher."""
        return self.home / "bin" / "java"


def find_java(hadoop: str, environment: Mapping[str, str] = os.environ) -> Java:
    """The Java of JAVA_HOME if that is new enough, else of `java` on PATH.

    Raises:
        ClusterError: there is none, or none that this Hadoop runs on.
    """
    home = environment.get("JAVA_HOME")
    candidates = [path for path in (f"{home}/bin/java" if home else None, shutil.which("java", path=environment.get("PATH"))) if path]
    found = [java for java in map(_inspect, candidates) if java]
    for java in found:
        if _runs(hadoop, java.release):
            return java
    wanted = "17 or newer" if _is_current(hadoop) else f"17 to {_NEWEST_FOR_OLD_HADOOP}"
    remedy = f"install a JDK of release {wanted} (Debian: apt install openjdk-17-jdk-headless), and set JAVA_HOME or put its java on PATH"
    if not found:
        raise ClusterError("no Java found: neither JAVA_HOME nor PATH leads to a java that starts", remedy)
    seen = ", ".join(f"{java.home} is Java {java.release}" for java in found)
    raise ClusterError(f"Hadoop {hadoop} needs Java {wanted}; {seen}", remedy)


def _is_current(hadoop: str) -> bool:
    return tuple(map(int, hadoop.split("."))) >= (3, 5, 0)


def _runs(hadoop: str, release: int) -> bool:
    return release >= _OLDEST and (_is_current(hadoop) or release <= _NEWEST_FOR_OLD_HADOOP)


def _inspect(binary: str) -> Java | None:
    try:
        shown = subprocess.run(
            [binary, "-XshowSettings:properties", "-version"], capture_output=True, text=True, timeout=60, check=False
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    home = re.search(r"^\s*java\.home = (.+)$", shown, re.MULTILINE)
    release = re.search(r"^\s*java\.specification\.version = (?:1\.)?(\d+)", shown, re.MULTILINE)
    return Java(Path(home[1]), int(release[1])) if home and release else None
