"""The options that say what travels to the containers with a job: files, archives, modules, variables."""

from __future__ import annotations

from typing import Any

from conf.kinds import Kind
from conf.lists import split_list
from conf.option import Option

MASTER_ENVIRONMENT = "containerized.master.env."
"""What the key of a variable of the job's main begins with."""

TASK_MANAGER_ENVIRONMENT = "containerized.taskmanager.env."
"""What the key of a variable of the slots begins with."""

ENVIRONMENT_MEANING = {
    MASTER_ENVIRONMENT: "Variable `<NAME>` of the job's script, any text as it is; set in its process alone, so no shell ever sees it.",
    TASK_MANAGER_ENVIRONMENT: "The same of the processes in slots.",
}
"""Prefix → what it is for."""


def _split_at_commas(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(","))


# Flink's `asList` and, for Python's options, plain text split at commas (`PythonOptions`)
_BETWEEN_SEMICOLONS: Kind[tuple[str, ...]] = Kind("list", "paths or hdfs:// URIs between semicolons", split_list, ())
_BETWEEN_COMMAS: Kind[tuple[str, ...]] = Kind("list", "paths or hdfs:// URIs between commas", _split_at_commas, ())

SHIP_FILES = Option(
    "yarn.ship-files",
    _BETWEEN_SEMICOLONS,
    "Files that lie in the directory of each container, as `path` or `path#name`; local ones are uploaded, `hdfs://` ones used in place.",
)
SHIP_ARCHIVES = Option(
    "yarn.ship-archives",
    _BETWEEN_SEMICOLONS,
    "Archives (`.zip`, `.tar`, `.tar.gz`, `.tgz`) that are unpacked there, each into a directory of its name, `path` or `path#name`.",
)
PYTHON_ARCHIVES = Option("python.archives", _BETWEEN_COMMAS, "The same; what `--archives` sets.")
PYTHON_FILES = Option(
    "python.files",
    _BETWEEN_COMMAS,
    "`.py`, `.zip` and `.egg` files that the job's script and the slots can import from: they come first on `PYTHONPATH`.",
)

SHIPPING_OPTIONS: tuple[Option[Any], ...] = (SHIP_FILES, SHIP_ARCHIVES, PYTHON_ARCHIVES, PYTHON_FILES)
"""All of them that have a key of their own."""
