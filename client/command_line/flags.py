"""What the flags of a command line set: keys of the configuration, each with the flag as its origin."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from client.command_line import shipping_flags
from client.command_line.shipping import is_in_archive
from client.errors import USAGE, ClientError
from conf import options
from conf.errors import ConfigError, Problem
from conf.failure_options import ALLOWED_FAILURES, FAIL_FAST, RESTART_ATTEMPTS, RESTART_TYPE
from conf.files import FileContent, read_file
from conf.login_options import KEYTAB, PRINCIPAL, PROXY_USER

T = TypeVar("T")

Override = tuple[str, str, str]
"""Key, value and origin, as `conf.configuration.load` takes them."""

_KEYS = {
    "name": options.NAME.key,
    "queue": options.QUEUE.key,
    "taskmanagers": options.TASK_MANAGERS.key,
    "slots": options.SLOTS.key,
    "memory": options.MEMORY.key,
    # goes before yarn.containers.vcores, so that the flag wins over whichever of the two a file sets
    "vcores": options.CPU_CORES.key,
    "restart_attempts": RESTART_ATTEMPTS.key,
    "allow_failures": ALLOWED_FAILURES.key,
    "fail_fast": FAIL_FAST.key,
    "keytab": KEYTAB.key,
    "principal": PRINCIPAL.key,
    "proxy_user": PROXY_USER.key,
}
"""Flag → the key that its value is given to."""

_RESOURCE = re.compile(r"(?P<name>[^=:]+)=(?P<amount>[^:]*)(:(?P<type>.+))?")

_WELL_KNOWN = {"gpu": {options.YARN_TYPE_OF: "yarn.io/gpu", options.DRIVER_OF: "nvidia"}, "fpga": {options.YARN_TYPE_OF: "yarn.io/fpga"}}
"""What a bare `--resource gpu=2` means where the configuration says nothing else (YARN's own names of its two plugins)."""

_MASTER = re.compile(r"(?P<kind>yarn|local)(\[(?P<count>[1-9]\d*)\])?")


@dataclass(frozen=True)
class Flags:
    """The flags that go into the configuration, as they were written; None or empty where they were not."""

    name: str | None = None
    queue: str | None = None
    taskmanagers: str | None = None
    slots: str | None = None
    memory: str | None = None
    vcores: str | None = None
    restart_attempts: str | None = None
    allow_failures: str | None = None
    fail_fast: str | None = None
    keytab: str | None = None
    principal: str | None = None
    proxy_user: str | None = None
    python: str | None = None
    shipped_files: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    py_files: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """Returns the properties files, in the order in which they count."""
        return [Path(file) for file in self.files]


def overrides(flags: Flags, local_count: int | None) -> list[Override]:
    """Returns what the flags set, weakest first; `local_count` is the N of --master local[N].

    Raises:
        ConfigError: with every flag that is not of its form, or contradicts another.
    """
    result, wrong = gather(flags, local_count, [read_file(path) for path in flags.paths])
    if wrong:
        raise ConfigError(wrong)
    return result


def gather(flags: Flags, local_count: int | None, files: Sequence[FileContent]) -> tuple[list[Override], list[Problem]]:
    """Returns the same, and what is wrong with which flag; what is wrong sets nothing. `files` are what `flags.paths` name."""
    wrong: list[Problem] = []
    local_count = _counted_once(local_count, flags.taskmanagers, wrong)
    result: list[Override] = []
    for text in flags.definitions:
        result += _attempt("-D", wrong, _assignment, text)
    result.extend((key, value, _named(flag)) for flag, key in _KEYS.items() if (value := getattr(flags, flag)) is not None)
    if flags.restart_attempts is not None:
        result.append((RESTART_TYPE.key, "fixed-delay", _named("restart_attempts")))
    if local_count is not None:
        result.append((options.TASK_MANAGERS.key, str(local_count), f"--master local[{local_count}]"))
    result.extend(shipping_flags.lists(flags.shipped_files, flags.archives, flags.py_files))
    result += [pair for text in flags.variables for pairs in _attempt("--env", wrong, shipping_flags.variable, text) for pair in pairs]
    known = {key: entry.value for file in files for key, entry in file.entries.items()} | {key: value for key, value, _ in result}
    if flags.python is not None:
        result += _attempt("--python", wrong, partial(_interpreter, shipping_flags.archive_names(known)), flags.python)
    return [*result, *_resources(flags.resources, known, wrong)], wrong


def _counted_once(local_count: int | None, given: str | None, wrong: list[Problem]) -> int | None:
    """The N of --master local[N], None beside a --taskmanagers that no master takes: that is refused as its key is."""
    if local_count is None or given is None:
        return local_count
    try:
        count = options.TASK_MANAGERS.kind.parse(given)
    except ValueError:
        return None
    if count != local_count:
        wrong.append(Problem("--taskmanagers", f"--master local[{local_count}] with --taskmanagers {given}", "give the number once"))
    return local_count


def _attempt(flag: str, wrong: list[Problem], read: Callable[[str], T], text: str) -> list[T]:
    """What the text says, alone in a list; nothing in it when that is wrong."""
    try:
        return [read(text)]
    except ClientError as error:
        wrong.append(Problem(flag, error.cause, error.remedy))
        return []


def parse_master(text: str) -> tuple[str, int | None]:
    """Returns "yarn" or "local", and the N of local[N] if it is given.

    Raises:
        ClientError: for anything else.
    """
    match = _MASTER.fullmatch(text)
    if match is None or (match["kind"] == "yarn" and match["count"]):
        raise ClientError(
            f"--master is {text!r}", "write yarn, local, or local[N] with N TaskManagers on this machine, such as local[2]", 2
        )
    return match["kind"], int(match["count"]) if match["count"] else None


def _named(flag: str) -> str:
    return f"--{flag.replace('_', '-')}"


def _assignment(text: str) -> Override:
    key, equals, value = text.partition("=")
    if not equals:
        raise ClientError(f"-D is {text!r}, which has no =", "write -D key=value", USAGE)
    return key, value, "-D"


def _interpreter(archives: Sequence[str], text: str) -> Override:
    """An absolute path, for nodes have another PATH; links in it stay as they are, they make a virtual environment.

    A path into an archive stays relative: it is there in a container's directory.
    """
    if is_in_archive(text, archives):
        return options.PYTHON.key, text, "--python"
    path = text if "/" in text else shutil.which(text)
    if path is None:
        raise ClientError(f"--python is {text!r}, which is not on PATH", "give the interpreter's path", USAGE)
    return options.PYTHON.key, str(Path(path).expanduser().absolute()), "--python"


def _resources(specs: Sequence[str], known: Mapping[str, str], wrong: list[Problem]) -> Iterator[Override]:
    """Those of --resource, added to the resources that `known`, files and other flags, name."""
    if not specs:
        return
    names = next(iter(_attempt(options.EXTERNAL_RESOURCES.key, wrong, _listed, known.get(options.EXTERNAL_RESOURCES.key, ""))), [])
    for match in (match for spec in specs for match in _attempt("--resource", wrong, _parse_resource, spec)):
        name = match["name"].strip()
        names.extend([name] if name not in names else [])
        yield from ((key, value, "--resource") for key, value in _resource(name, match["amount"], match["type"], known).items())
    yield options.EXTERNAL_RESOURCES.key, json.dumps(names), "--resource"


def _parse_resource(spec: str) -> re.Match[str]:
    match = _RESOURCE.fullmatch(spec)
    if match is None:
        remedy = "write name=amount or name=amount:type, such as gpu=2 or rdma=1:example.com/rdma"
        raise ClientError(f"--resource is {spec!r}", remedy, USAGE)
    return match


def _listed(text: str) -> list[str]:
    try:
        return list(options.EXTERNAL_RESOURCES.kind.parse(text)) if text.strip() else []
    except ValueError as error:
        key = options.EXTERNAL_RESOURCES.key
        raise ClientError(f"{key} is {text!r}: {error}", f"write {options.EXTERNAL_RESOURCES.kind.accepted}", USAGE) from error


def _resource(name: str, amount: str, yarn_type: str | None, known: Mapping[str, str]) -> dict[str, str]:
    keys = {options.AMOUNT_OF.of(name).key: amount}
    if yarn_type:
        keys[options.YARN_TYPE_OF.of(name).key] = yarn_type
    for option, value in _WELL_KNOWN.get(name, {}).items():
        key = option.of(name).key
        if key not in known:
            keys.setdefault(key, value)
    return keys
