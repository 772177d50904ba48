"""Whether what is to travel with a job can: everything that is wrong with it, before anything is uploaded."""

from __future__ import annotations

import os
import re
import tarfile
import zipfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from conf import options
from conf.errors import Problem
from conf.settings import ARCHIVE, PLAIN, PYTHON, Settings, Shipped
from protocol.launch import EXCLUDED_NODES_FILE, FILE, FINAL_STATUS_FILE, STOP_FILE, TAP_FILE, TREADLE_ZIP

ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
"""What YARN unpacks, told by the name alone (Hadoop's `FSDownload.unpack`)."""

_MODULE_SUFFIXES = (".py", ".zip", ".egg")
_LOCAL, _HDFS = ("", "file"), "hdfs"

_UNSAFE = frozenset("\"'`$\\/\n ")
"""Characters of a name that the NodeManager's launch script would give a meaning to."""

_OF_THE_MASTER = ("events.jsonl", "job.log", "job.err", "am.json", "store.sock", "application.driver.log", "taskmanager.log")
_OF_YARN = ("launch_container.sh", "container_tokens", "tmp")
_TAKEN = frozenset({FILE, TREADLE_ZIP, TAP_FILE, EXCLUDED_NODES_FILE, FINAL_STATUS_FILE, STOP_FILE, *_OF_THE_MASTER, *_OF_YARN})
_TAKEN_FORMS = re.compile(r"\.skein\..*|slot-\d+\.(json|log|err)|default_container_executor.*")


def name_problem(name: str) -> tuple[str, str] | None:
    """Returns why nothing of this name can lie in a container's directory, and the remedy; None when it can."""
    if name in ("", ".", "..") or _UNSAFE & set(name):
        return f"can't be shipped as {name!r}", "name it with letters, digits, `_`, `-` and `.`"
    if name in _TAKEN or _TAKEN_FORMS.fullmatch(name):
        return f"can't be shipped as {name!r}, a name of Treadle's or YARN's own in a container's directory", "give it another name"
    if name.endswith(".jar"):
        return f"can't be shipped as {name!r}: jars there are on the class path of the application master", "give it another name"
    return None


def problems(settings: Settings, script: Path | None, *, local: bool) -> list[Problem]:
    """Returns what is wrong with what the settings ship beside the job's `script`; `local` is for `--master local`."""
    found = [problem for shipped in settings.shipped for problem in _of_one(shipped, local=local)]
    found += _clashes(settings, script, local=local)
    archives = [shipped.name for shipped in settings.shipped if shipped.kind == ARCHIVE]
    return [*found, *_without_interpreter(settings.python, archives)]


def is_in_archive(python: str, archives: Collection[str]) -> bool:
    """Returns whether the interpreter's path leads into an archive of one of these names: `./env/bin/python`, `env/bin/python`."""
    path = Path(python)
    return not path.is_absolute() and len(path.parts) > 1 and path.parts[0] in archives


def local_path(source: str) -> Path | None:
    """Returns where a source lies on this machine, None for one that is elsewhere."""
    if "://" not in source and not source.startswith("file:"):
        return Path(source).expanduser().absolute()
    parts = urlsplit(source)
    return Path(parts.path) if parts.scheme in _LOCAL else None


def _of_one(shipped: Shipped, *, local: bool) -> Iterator[Problem]:
    """At most one of its name, and one of what it is."""
    if reason := name_problem(shipped.name):
        yield _problem(shipped, reason[0], f"{reason[1]}: {shipped.source}#NAME")
    path = local_path(shipped.source)
    reason = _unreadable(shipped, path) if path else _unreachable(shipped.source, local=local)
    if reason := reason or _of_another_kind(shipped) or (_damaged(shipped, path) if path else None):
        yield _problem(shipped, *reason)


def _unreadable(shipped: Shipped, path: Path) -> tuple[str, str] | None:
    if not path.exists():
        return "does not exist", "name an existing file" if shipped.source == str(
            path
        ) else f"name an existing file (looked in {Path.cwd()})"
    if path.is_dir() and shipped.kind == PYTHON:
        return "is a directory", f"zip it: cd {path.parent} && zip -r {path.name}.zip {path.name}"
    if path.is_dir():
        return "is a directory", f"pack it: tar czf {path.name}.tgz -C {path} . and ship that with --archives {path.name}.tgz#{path.name}"
    if not path.is_file():
        return "is not a file", "name a file"
    return None if os.access(path, os.R_OK) else ("can't be read", "give yourself the right to read it")


def _of_another_kind(shipped: Shipped) -> tuple[str, str] | None:
    if shipped.kind == PYTHON and not shipped.name.endswith(_MODULE_SUFFIXES):
        remedy = "zip a package (its directory at the top), or ship an environment: --archives env.tgz#env"
        return "is no .py, .zip or .egg file", remedy
    if shipped.kind == ARCHIVE and not shipped.source.lower().endswith(ARCHIVE_SUFFIXES):
        return "is no archive that YARN unpacks", f"make it one of {', '.join(ARCHIVE_SUFFIXES)}; a file goes by --files"
    return None


def _damaged(shipped: Shipped, path: Path) -> tuple[str, str] | None:
    """By the first bytes only, or the last ones of a .zip: an archive can be large."""
    name = (path.name if shipped.kind == ARCHIVE else shipped.name).lower()
    if shipped.kind == PLAIN or name.endswith(".py"):
        return None
    sound = zipfile.is_zipfile(path) if name.endswith((".zip", ".egg")) else tarfile.is_tarfile(path)
    return None if sound else ("is not the archive that its name says", "make it anew: it may be cut off, or of another format")


def _unreachable(source: str, *, local: bool) -> tuple[str, str] | None:
    """Skein loses the query and the fragment of a URI, and writes its host in lower case."""
    parts = urlsplit(source)
    if parts.scheme != _HDFS:
        return f"is of the scheme {parts.scheme}:", "copy it to this machine or to HDFS: a path or an hdfs:// URI is shipped"
    if local:
        return "is on HDFS, which --master local does not use", f"copy it to this machine: hdfs dfs -get {source}"
    if parts.query or parts.netloc != parts.netloc.lower() or "@" in parts.netloc:
        return "has capitals, @ or ? where skein loses them", "leave the host out where it is the default file system: hdfs:///path"
    return None


def _clashes(settings: Settings, script: Path | None, *, local: bool) -> Iterator[Problem]:
    owners = {script.name: f"the job's script {script.name}"} if script else {}
    if local:  # there the TaskManagers' directories are in that of the application
        owners |= {f"{group.name}-{i}": "a TaskManager's directory" for group in settings.groups for i in range(group.count)}
    for each in settings.shipped:
        if each.name in owners:
            remedy = f"name it once, or give it another name: {each.source}#NAME"
            yield _problem(each, f"has the same name {each.name!r} as {owners[each.name]}", remedy)
        owners.setdefault(each.name, f"{each.source} of {_where(each)}")


def _without_interpreter(python: str | None, archives: Sequence[str]) -> Iterator[Problem]:
    if python is None or "/" not in python or python.startswith("/") or is_in_archive(python, archives):
        return
    key = options.PYTHON.key
    name = Path(python).parts[0]
    cause = f"{key} is {python!r}, relative to a container's directory, and no archive is shipped as {name!r}"
    yield Problem(key, cause, f"ship one with --archives FILE.tgz#{name}, or give an absolute path")


def _problem(shipped: Shipped, cause: str, remedy: str) -> Problem:
    key = shipped.origin if shipped.origin.startswith("--") else shipped.key
    return Problem(key, f"{shipped.source} of {_where(shipped)} {cause}", remedy)


def _where(shipped: Shipped) -> str:
    return shipped.origin if shipped.origin.startswith("--") else f"{shipped.key} ({shipped.origin})"
