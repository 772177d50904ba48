"""The files of a cluster that are neither Hadoop's configuration nor its data: shims and fake devices."""

from __future__ import annotations

import shlex
import shutil
from importlib.resources import files
from pathlib import Path

from minicluster.java import DAEMON_FLAGS, Java
from minicluster.layout import Layout, Node

_PACKAGE = Path(str(files("minicluster")))
_EXECUTABLE = 0o755


def write_shims(directory: Path, conf: Path, lib: Path, java: Java) -> None:
    """Write `yarn`, `hadoop` and `hdfs` into `directory`, for this configuration and these jars (docker-compose's image has them too)."""
    text = (_PACKAGE / "shim.sh").read_text(encoding="utf-8")
    for name, value in (("CONF", str(conf)), ("LIB", str(lib)), ("JAVA", shlex.join([str(java.binary), *DAEMON_FLAGS]))):
        text = text.replace(f"@{name}@", value)
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("yarn", "hadoop", "hdfs"):
        (directory / name).write_text(text, encoding="utf-8")
        (directory / name).chmod(_EXECUTABLE)


def write_fake_devices(layout: Layout, node: Node, identity: str) -> None:
    """Give a node an `nvidia-smi` of its own; the state file beside it says how many GPUs it shows.

    A node without GPUs gets the directory alone, so that its containers find no `nvidia-smi`.
    """
    directory = layout.fake(node.name)
    directory.mkdir(parents=True)
    if not node.gpus:
        return
    write_gpu_state(directory, node.gpus, node.name, identity)
    shutil.copyfile(_PACKAGE / "nvidia-smi", directory / "nvidia-smi")
    (directory / "nvidia-smi").chmod(_EXECUTABLE)


def write_gpu_state(directory: Path, count: int, node: str, identity: str) -> None:
    """Say how many GPUs a node's `nvidia-smi` shows, also while it runs; YARN reads the count only when the NodeManager starts."""
    scratch = directory / ".gpus"
    scratch.write_text(f"{count} {node} {identity}\n", encoding="utf-8")
    scratch.replace(directory / "gpus")
