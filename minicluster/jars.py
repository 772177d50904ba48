"""Hadoop's jars, fetched by Maven the first time that a version is wanted."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

from conf.errors import ConfigError, Problem
from minicluster.cache import cache_directory, filled_once
from minicluster.errors import ClusterError
from minicluster.java import Java

logger = logging.getLogger(__name__)

_PACKAGE = Path(str(files("minicluster")))
_POM_SUFFIX = ".pom.xml"
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_COMPLAINT_LENGTH = 250


def known_versions() -> list[str]:
    """The Hadoop versions that a pom is shipped for, oldest first."""
    return sorted(path.name.removeprefix("hadoop-").removesuffix(_POM_SUFFIX) for path in _PACKAGE.glob(f"hadoop-*{_POM_SUFFIX}"))


def jar_directory(hadoop: str, java: Java) -> Path:
    """The directory with all jars of that version.

    Raises:
        ConfigError: no pom for that version.
        ClusterError: no Maven, or Maven can't reach its repository.
    """
    if hadoop not in known_versions():
        raise ConfigError([Problem("--hadoop", f"no Hadoop {hadoop} here", f"choose one of {', '.join(known_versions())}")])
    return filled_once(cache_directory(hadoop) / "lib", lambda target: _fetch(hadoop, java, target))


def _fetch(hadoop: str, java: Java, target: Path) -> None:
    maven = shutil.which("mvn")
    if not maven:
        raise ClusterError(
            f"there is no mvn on PATH, and Hadoop {hadoop}'s jars are not in {cache_directory(hadoop)} yet",
            "install Maven (Debian: apt install maven)",
        )
    logger.info("fetching Hadoop %s by Maven (about 100 MB, only this once)", hadoop)
    command = [maven, "-B", "-q", "-f", f"{_PACKAGE}/hadoop-{hadoop}{_POM_SUFFIX}", _GOAL, f"-DoutputDirectory={target}"]
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "JAVA_HOME": str(java.home)}, check=False)
    if run.returncode != 0:
        raise ClusterError(
            f"Maven could not fetch Hadoop {hadoop}'s jars: {_complaint(run.stdout) or f'exit code {run.returncode}'}",
            "check that Maven reaches its repository (a mirror is named in ~/.m2/settings.xml), and try again",
        )


def _complaint(output: str) -> str:
    """The end of Maven's first error line: it goes from the plugin that failed to why."""
    words = output.partition("[ERROR]")[2].partition("\n")[0].partition(" -> [Help")[0].strip()
    return words if len(words) <= _COMPLAINT_LENGTH else f"… {words[-_COMPLAINT_LENGTH:]}"
