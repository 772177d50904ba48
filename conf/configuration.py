"""The effective configuration: defaults, then files, then overrides, each key with its origin; and the typed settings that come of it."""

from __future__ import annotations

import importlib.resources
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conf import options
from conf.entry import Entry
from conf.errors import ConfigError, Problem
from conf.external_resources import read_external_resources
from conf.files import read_defaults, read_file
from conf.reading import Reader
from conf.settings import ApplicationSettings, Settings, TaskManagerSettings
from conf.unread_keys import keys_in_use

__all__ = ["Configuration", "Entry", "from_flat", "load", "load_defaults"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Configuration:
    """The keys that take effect. Keys of others in a Flink file, and of resources not in use, are not among them."""

    entries: Mapping[str, Entry]

    def flat(self) -> dict[str, str]:
        """Key → text: what is shipped, and read again by `from_flat`."""
        return {key: entry.value for key, entry in self.entries.items()}

    def settings(self) -> Settings:
        """The typed settings.

        Raises:
            ConfigError: With every value that can't be met.
        """
        settings, problems = _read_settings(self.entries)
        if problems:
            raise ConfigError(problems)
        return settings


def load(files: Sequence[Path] = (), overrides: Sequence[tuple[str, str, str]] = ()) -> Configuration:
    """Defaults, then `files` in their order, then `overrides` (key, value, origin such as `-D` or `--queue`): the last one counts.

    Raises:
        ConfigError: With everything that is wrong: unreadable files alone; else unknown keys, and then values too.
    """
    layers = [load_defaults()]
    problems: list[Problem] = []
    for path in files:
        try:
            layers.append(read_file(path))
        except ConfigError as error:
            problems.extend(error.problems)
    problems.extend(
        Problem(origin, f"{origin} has {value!r} for a key without a name", "write key=value")
        for key, value, origin in overrides
        if not key.strip()
    )
    if problems:
        raise ConfigError(problems)
    layers.append({key.strip(): Entry(value, origin) for key, value, origin in overrides})
    return _merge(layers)


def load_defaults() -> dict[str, Entry]:
    """The entries of `conf/defaults.yaml`."""
    return read_defaults(importlib.resources.files("conf").joinpath("defaults.yaml").read_text(encoding="utf-8"))


def from_flat(mapping: Mapping[str, str]) -> Configuration:
    """The effective configuration as shipped by `submit`: no defaults are added, and its keys were checked there."""
    return Configuration({key: Entry(value, "shipped") for key, value in mapping.items()})


def _merge(layers: Sequence[Mapping[str, Entry]]) -> Configuration:
    entries: dict[str, Entry] = {}
    ranks: dict[str, int] = {}
    for rank, layer in enumerate(layers, start=1 - len(layers)):
        entries.update(layer)
        ranks.update(dict.fromkeys(layer, rank))
    used, problems = keys_in_use(entries, ranks)
    configuration = Configuration({key: entry for key, entry in entries.items() if key in used})
    if problems:
        raise ConfigError([*problems, *_read_settings(configuration.entries)[1]])
    return configuration


def _read_settings(entries: Mapping[str, Entry]) -> tuple[Settings, list[Problem]]:
    reader = Reader(entries)
    slots, count, parallelism = _read_slots(reader)
    task_manager = TaskManagerSettings(
        count=count,
        slots=slots,
        memory_mb=reader.required(options.MEMORY),
        vcores=_read_vcores(reader, slots),
        registration_timeout_s=reader.required(options.REGISTRATION_TIMEOUT) / 1000,
    )
    settings = Settings(
        application=_read_application(reader),
        task_manager=task_manager,
        external_resources=read_external_resources(reader),
        parallelism=parallelism,
        python=reader.optional(options.PYTHON),
        treadle_python=reader.optional(options.TREADLE_PYTHON),
        lease_directory=reader.required(options.LEASE_DIRECTORY),
    )
    return settings, reader.problems


def _read_application(reader: Reader) -> ApplicationSettings:
    return ApplicationSettings(
        name=reader.required(options.NAME),
        queue=reader.required(options.QUEUE),
        memory_mb=reader.required(options.AM_MEMORY),
        vcores=reader.required(options.AM_VCORES),
        heartbeat_ms=reader.required(options.HEARTBEAT),
    )


def _read_slots(reader: Reader) -> tuple[int, int, int]:
    """Slots of a TaskManager, TaskManagers, parallelism; what isn't set follows from the others."""
    before = len(reader.problems)
    slots = reader.required(options.SLOTS)
    count = reader.optional(options.TASK_MANAGERS)
    parallelism = reader.optional(options.PARALLELISM)
    if count is None:
        count = 1 if parallelism is None else -(-parallelism // slots)
    if parallelism is None:
        parallelism = count * slots
    if parallelism > count * slots and len(reader.problems) == before:
        cause = (
            f"{options.PARALLELISM.key} is {parallelism} ({reader.origin(options.PARALLELISM.key)}), but {count} TaskManagers "
            f"({options.TASK_MANAGERS.key}) of {slots} slots ({options.SLOTS.key}) have {count * slots}"
        )
        remedy = f"set {options.TASK_MANAGERS.key} to {-(-parallelism // slots)} or more, or leave it out"
        reader.problems.append(Problem(options.PARALLELISM.key, cause, remedy))
    return slots, count, parallelism


def _read_vcores(reader: Reader, slots: int) -> int:
    """Flink's rule (YarnWorkerResourceSpecFactory): cpu cores rounded up, else containers' vcores, else as many as slots."""
    cores = reader.optional(options.CPU_CORES)
    if cores is not None:
        vcores = math.ceil(cores)
        if vcores != cores:
            logger.info("%s is %s: rounded up to %d vcores", options.CPU_CORES.key, cores, vcores)
        return vcores
    vcores = reader.required(options.CONTAINER_VCORES)
    return vcores if vcores > 0 else slots
