"""The effective configuration: defaults, then files, then overrides, each key with its origin; and the typed settings that come of it."""

from __future__ import annotations

import importlib.resources
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conf import options
from conf.entry import Entry
from conf.errors import ConfigError, Problem
from conf.failures import read_failures
from conf.files import FileContent, read_defaults, read_file
from conf.groups import read_groups
from conf.kinds import NO_RESOURCES
from conf.login_options import KEYTAB, PRINCIPAL, PROXY_USER
from conf.reading import Reader
from conf.settings import ApplicationSettings, Login, Settings
from conf.shipping import read_shipped, read_variables
from conf.shipping_options import MASTER_ENVIRONMENT, TASK_MANAGER_ENVIRONMENT
from conf.unread_keys import keys_in_use

logger = logging.getLogger(__name__)

__all__ = ["Checked", "Configuration", "Entry", "check", "from_flat", "load", "load_defaults"]


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
        """The typed settings; what there is to warn of was told where the configuration was put together.

        Raises:
            ConfigError: With every value that can't be met.
        """
        settings, reader = _read_settings(self.entries)
        if reader.problems:
            raise ConfigError(list(dict.fromkeys(reader.problems)))
        return settings


@dataclass(frozen=True)
class Checked:
    """A configuration and what is to be said of it.

    Attributes:
        configuration: the keys that take effect.
        settings: None where a value is wrong, or a line or flag could not be read: there would be stand-ins among them. A key that
            nobody reads changes none of them.
        problems: everything that is wrong.
        warnings: what is read otherwise than it is written, or left out.
    """

    configuration: Configuration
    settings: Settings | None
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]


def check(files: Sequence[FileContent], overrides: Sequence[tuple[str, str, str]], *, complete: bool = True) -> Checked:
    """Puts defaults, then `files`, then `overrides` (key, value, origin such as `-D`) together: the last one counts; raises nothing.

    Where a line of a file or a flag can't be read (`complete` tells of flags), only what is wrong with a key or a value by itself is
    said: what is missing might make the rest right.
    """
    unread = [*(problem for file in files for problem in file.problems), *_nameless(overrides)]
    given = {key.strip(): Entry(value, origin) for key, value, origin in overrides if key.strip()}
    entries, ranks = _merge([load_defaults(), *(file.entries for file in files), given])
    keys = keys_in_use(entries, ranks)
    configuration = Configuration({key: entry for key, entry in entries.items() if key in keys.read})
    settings, reader = _read_settings(configuration.entries)
    known = complete and not unread
    following = [*keys.without_effect, *reader.problems] if known else reader.refused
    problems = tuple(dict.fromkeys([*unread, *keys.misspelt, *following]))
    warnings = [*(warning for file in files for warning in file.warnings), *keys.warnings, *reader.warnings]
    return Checked(configuration, settings if known and not reader.problems else None, problems, tuple(dict.fromkeys(warnings)))


def load(files: Sequence[Path] = (), overrides: Sequence[tuple[str, str, str]] = ()) -> Configuration:
    """As `check`, with warnings logged.

    Raises:
        ConfigError: With everything that is wrong.
    """
    checked = check([read_file(path) for path in files], overrides)
    for warning in checked.warnings:
        logger.warning("%s", warning)
    if checked.problems:
        raise ConfigError(checked.problems)
    return checked.configuration


def load_defaults() -> dict[str, Entry]:
    """The entries of `conf/defaults.yaml`."""
    return read_defaults(importlib.resources.files("conf").joinpath("defaults.yaml").read_text(encoding="utf-8"))


def from_flat(mapping: Mapping[str, str]) -> Configuration:
    """The effective configuration as shipped by `submit`: no defaults are added, and its keys were checked there."""
    return Configuration({key: Entry(value, "shipped") for key, value in mapping.items()})


def _nameless(overrides: Sequence[tuple[str, str, str]]) -> list[Problem]:
    return [
        Problem(origin, f"{origin} has {value!r} for a key without a name", "write key=value")
        for key, value, origin in overrides
        if not key.strip()
    ]


def _merge(layers: Sequence[Mapping[str, Entry]]) -> tuple[dict[str, Entry], dict[str, int]]:
    """The entries, and how strong the source of each is, as `keys_in_use` wants it."""
    entries: dict[str, Entry] = {}
    ranks: dict[str, int] = {}
    for rank, layer in enumerate(layers, start=1 - len(layers)):
        entries.update(layer)
        ranks.update(dict.fromkeys(layer, rank))
    return entries, ranks


def _read_settings(entries: Mapping[str, Entry]) -> tuple[Settings, Reader]:
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
        login=Login(reader.optional(KEYTAB), reader.optional(PRINCIPAL), reader.optional(PROXY_USER)),
        shipped=read_shipped(reader),
        master_variables=read_variables(reader, MASTER_ENVIRONMENT),
        slot_variables=read_variables(reader, TASK_MANAGER_ENVIRONMENT),
    )
    return settings, reader


def _read_application(reader: Reader) -> ApplicationSettings:
    return ApplicationSettings(
        name=reader.required(options.NAME),
        queue=reader.required(options.QUEUE),
        memory_mb=reader.required(options.AM_MEMORY),
        vcores=reader.required(options.AM_VCORES),
        heartbeat_ms=reader.required(options.HEARTBEAT),
        node_label=reader.optional(options.AM_NODE_LABEL),
        attempts=reader.required(options.ATTEMPTS),
        history_directory=None if (history := reader.required(options.HISTORY_DIRECTORY)) == NO_RESOURCES else history,
    )
