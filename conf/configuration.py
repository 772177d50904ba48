"""The effective configuration: defaults, then files, then overrides, each key with its origin; and the typed settings that come of it."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conf import options
from conf.entry import Entry
from conf.errors import ConfigError, Problem
from conf.failures import read_failures
from conf.files import read_defaults, read_file
from conf.groups import read_groups
from conf.reading import Reader
from conf.settings import ApplicationSettings, Settings
from conf.unread_keys import keys_in_use

__all__ = ["Configuration", "Entry", "from_flat", "load", "load_defaults"]


@dataclass(frozen=True)
class Configuration:
    """The keys that take effect. Keys of others in a Flink file, and of resources not in use, are not among them."""

    entries: Mapping[str, Entry]

    def flat(self) -> dict[str, str]:
        """Key → text: what is shipped, and read again by `from_flat`."""
        return {key: entry.value for key, entry in self.entries.items()}

    def origins(self) -> dict[str, str]:
        """Key → where it stands: what is shipped beside `flat`, for those who look."""
        return {key: entry.origin for key, entry in self.entries.items()}

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
    groups, parallelism = read_groups(reader)
    settings = Settings(
        application=_read_application(reader),
        groups=groups,
        registration_timeout_s=reader.required(options.REGISTRATION_TIMEOUT) / 1000,
        parallelism=parallelism,
        python=reader.optional(options.PYTHON),
        treadle_python=reader.optional(options.TREADLE_PYTHON),
        failures=read_failures(reader, sum(group.count for group in groups)),
        lease_directory=reader.required(options.LEASE_DIRECTORY),
        lease_timeout_s=reader.required(options.LEASE_TIMEOUT) / 1000,
        health_interval_s=reader.required(options.HEALTH_INTERVAL) / 1000,
        cpu_affinity=reader.required(options.CPU_AFFINITY),
    )
    return settings, list(dict.fromkeys(reader.problems))


def _read_application(reader: Reader) -> ApplicationSettings:
    return ApplicationSettings(
        name=reader.required(options.NAME),
        queue=reader.required(options.QUEUE),
        memory_mb=reader.required(options.AM_MEMORY),
        vcores=reader.required(options.AM_VCORES),
        heartbeat_ms=reader.required(options.HEARTBEAT),
        node_label=reader.optional(options.AM_NODE_LABEL),
        attempts=reader.required(options.ATTEMPTS),
    )
