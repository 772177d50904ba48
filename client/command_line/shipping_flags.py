"""What --files, --archives, --py-files and --env of a command line set: spark-submit's spellings of Flink's keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from client.errors import USAGE, ClientError
from conf.entry import Entry
from conf.reading import Reader
from conf.settings import ARCHIVE
from conf.shipping import read_shipped
from conf.shipping_options import MASTER_ENVIRONMENT, PYTHON_ARCHIVES, PYTHON_FILES, SHIP_FILES, TASK_MANAGER_ENVIRONMENT


def lists(files: Sequence[str], archives: Sequence[str], py_files: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yields key, value and flag for each list that was given; all words of one flag make one list."""
    if files:
        # as a YAML list, in which a path may hold Flink's separator
        yield SHIP_FILES.key, json.dumps([path.strip() for words in files for path in words.split(",")]), "--files"
    if archives:
        yield PYTHON_ARCHIVES.key, ",".join(archives), "--archives"
    if py_files:
        yield PYTHON_FILES.key, ",".join(py_files), "--py-files"


def variable(text: str) -> list[tuple[str, str, str]]:
    """Returns what sets the variable of `NAME=VALUE`, for the job's main and for the slots.

    Raises:
        ClientError: when it has no =, or no name before it.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ClientError(f"--env is {text!r}, which has no =", f'write --env {text}=VALUE, or --env {text}="${text}" for your own', USAGE)
    if not name:
        raise ClientError(f"--env is {text!r}, which names no variable", "write --env NAME=VALUE", USAGE)
    return [(prefix + name, value, "--env") for prefix in (MASTER_ENVIRONMENT, TASK_MANAGER_ENVIRONMENT)]


def archive_names(known: Mapping[str, str]) -> list[str]:
    """Returns the directories that archives of this configuration become."""
    shipped = read_shipped(Reader({key: Entry(value, "") for key, value in known.items()}))
    return [each.name for each in shipped if each.kind == ARCHIVE]
