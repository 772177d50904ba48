"""Java on this machine: skein's driver, which uploads and submits, is a JVM."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from client.doctor.finding import FAILURE, OK, WARNING, Finding

CHECK = "java"

_TIMEOUT_S = 30.0
_VERSION = re.compile(r'version "(?:1\.)?(?P<feature>\d+)[^"]*"')
_SUPPORTED = (8, 11, 17)
"""The versions that Hadoop's clients are released for ("Hadoop Java Versions" in Hadoop's wiki)."""

_REMEDY = "install a JDK (8, 11 or 17), or set JAVA_HOME to one"


@dataclass(frozen=True)
class Java:
    """The Java that would be started, why that one, and what `java -version` said; `error` when it could not be run."""

    program: str
    origin: str
    said: str
    error: str = ""


def look(environ: Mapping[str, str]) -> Java:
    """Returns the Java that skein's driver and Hadoop's scripts take: JAVA_HOME's, else the one on PATH."""
    home = environ.get("JAVA_HOME")
    program, origin = (f"{home}/bin/java", "JAVA_HOME") if home else (shutil.which("java", path=environ.get("PATH")) or "java", "PATH")
    try:
        ran = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=dict(environ))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Java(program, origin, "", getattr(error, "strerror", None) or f"no answer within {_TIMEOUT_S:.0f} s")
    return Java(program, origin, ran.stderr + ran.stdout, f"exit code {ran.returncode}" if ran.returncode else "")


def judge(java: Java) -> Finding:
    """Judges the version."""
    where = f"{java.program} (by {java.origin})"
    if java.error:
        return Finding(CHECK, FAILURE, f"{where} can't be run: {java.error}", _REMEDY)
    match = _VERSION.search(java.said)
    if match is None:
        return Finding(CHECK, WARNING, f"{where} tells no version: {' '.join(java.said.split())[:100]!r}", _REMEDY)
    feature = int(match["feature"])
    text = f"Java {feature}, {where}"
    if feature in _SUPPORTED:
        return Finding(CHECK, OK, text)
    if feature < min(_SUPPORTED):
        return Finding(CHECK, FAILURE, f"{text} is too old", _REMEDY)
    return Finding(CHECK, WARNING, f"{text} is none that Hadoop's clients are released for", "set JAVA_HOME to a JDK 8, 11 or 17")
