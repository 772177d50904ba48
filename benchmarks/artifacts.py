"""What the peers are made of, fetched once by Maven and pip and kept in `${TREADLE_CACHE:-~/.cache/treadle}`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"

# 3.5.0's own jar is not on Maven Central; 3.4.2's needs Jersey 1, which 3.5.0 no longer has
DISTRIBUTED_SHELL = (
    "org.apache.hadoop:hadoop-yarn-applications-distributedshell:3.4.2",
    "com.sun.jersey:jersey-client:1.19.4",
    "com.sun.jersey:jersey-core:1.19.4",
)
FLINK = "apache-flink-libraries==2.3.0"


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Returns the directory that everything is kept in."""
    return Path(environment.get("TREADLE_CACHE") or Path.home() / ".cache" / "treadle")


def distributed_shell() -> Path:
    """Returns DistributedShell as one jar: it ships the jar that holds it to its AM, which finds nothing besides."""
    target = cache() / "distributedshell-3.4.2.jar"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            jars = [_maven_copy(artifact, Path(scratch)) for artifact in DISTRIBUTED_SHELL]
            merged = merge(jars, Path(scratch) / "merged.jar")
            merged.replace(target)
    return target


def flink() -> Path:
    """Returns a directory with Flink's `lib` and `plugins`, out of the wheel that PyFlink takes them from (330 MB)."""
    target = cache() / "flink-2.3.0"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, FLINK])
            (wheel,) = Path(scratch).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                wanted = ("pyflink/lib/", "pyflink/plugins/external-resource-gpu/")
                archive.extractall(scratch, [name for name in archive.namelist() if name.startswith(wanted)])
            (Path(scratch) / "pyflink").rename(target)
    return target


def merge(jars: Sequence[Path], target: Path) -> Path:
    """Writes one jar with the files of all; where two have the same, the first one's."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        seen: set[str] = set()
        for jar in jars:
            with zipfile.ZipFile(jar) as archive:
                for entry in archive.infolist():
                    if entry.filename not in seen and not entry.is_dir():
                        seen.add(entry.filename)
                        out.writestr(entry.filename, archive.read(entry))
    return target


def _maven_copy(artifact: str, directory: Path) -> Path:
    _run(["mvn", "-B", "-q", _COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={directory}"])
    _, name, version = artifact.split(":")
    return directory / f"{name}-{version}.jar"


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, stdout=sys.stderr)
    except FileNotFoundError:
        sys.exit(f"there is no {command[0]} on PATH")
    except subprocess.CalledProcessError as error:
        sys.exit(f"`{' '.join(command)}` ended with exit code {error.returncode}; what it wrote is above")
