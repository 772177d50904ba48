"""What the flags of a command line set: keys of the configuration, each with the flag as its origin."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from client.errors import USAGE, ClientError
from conf import options
from conf.files import read_file
from conf.kinds import NO_RESOURCES

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
    python: str | None = None
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
        ClientError: when a flag is not of its form, or two contradict each other.
        ConfigError: when a properties file can't be read.
    """
    if local_count is not None and flags.taskmanagers not in (None, str(local_count)):
        raise ClientError(f"--master local[{local_count}] with --taskmanagers {flags.taskmanagers}", "give the number once", USAGE)
    result = [_assignment(text) for text in flags.definitions]
    result.extend((key, value, f"--{flag}") for flag, key in _KEYS.items() if (value := getattr(flags, flag)) is not None)
    if local_count is not None:
        result.append((options.TASK_MANAGERS.key, str(local_count), f"--master local[{local_count}]"))
    if flags.python is not None:
        result.append((options.PYTHON.key, _interpreter(flags.python), "--python"))
    return [*result, *_resources(flags, result)]


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


def _assignment(text: str) -> Override:
    key, equals, value = text.partition("=")
    if not equals:
        raise ClientError(f"-D is {text!r}, which has no =", "write -D key=value", USAGE)
    return key, value, "-D"


def _interpreter(text: str) -> str:
    """An absolute path, for nodes have another PATH; links in it stay as they are, they make a virtual environment."""
    path = text if "/" in text else shutil.which(text)
    if path is None:
        raise ClientError(f"--python is {text!r}, which is not on PATH", "give the interpreter's path", USAGE)
    return str(Path(path).expanduser().absolute())


def _resources(flags: Flags, others: Sequence[Override]) -> Iterator[Override]:
    """Those of --resource, added to the resources that files and other flags name."""
    if not flags.resources:
        return
    known = {key: entry.value for path in flags.paths for key, entry in read_file(path).items()} | {key: value for key, value, _ in others}
    names = _listed(known)
    for spec in flags.resources:
        match = _RESOURCE.fullmatch(spec)
        if match is None:
            raise ClientError(
                f"--resource is {spec!r}", "write name=amount or name=amount:type, such as gpu=2 or rdma=1:example.com/rdma", 2
            )
        name = match["name"].strip()
        names.extend([name] if name not in names else [])
        yield from ((key, value, "--resource") for key, value in _resource(name, match["amount"], match["type"], known).items())
    yield options.EXTERNAL_RESOURCES.key, json.dumps(names), "--resource"


def _listed(known: Mapping[str, str]) -> list[str]:
    text = known.get(options.EXTERNAL_RESOURCES.key, NO_RESOURCES)
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
