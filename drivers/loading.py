"""Runs in the TaskManager: makes a driver of the name that `external-resource.<name>.driver-factory.class` gives."""

from __future__ import annotations

import importlib.util
import pkgutil
import sys
import traceback
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from drivers.device import Driver, DriverError

GROUP = "treadle.drivers"
"""The entry-point group that drivers are registered under, the built-in ones too."""


def installed() -> tuple[str, ...]:
    """Returns the names of all installed drivers, sorted; none of them is imported."""
    return tuple(sorted(entry_points(group=GROUP).names))


def load(factory: str, params: Mapping[str, str]) -> Driver:
    """Makes the driver that `factory` names, with its own parameters.

    Args:
        factory: an installed name (Flink's `GPUDriverFactory` is one), `package.module:Class`, or `path/to/file.py:Class`, the path being
            absolute or relative to the working directory.
        params: `external-resource.<name>.param.*`, the prefix removed; all that a driver sees of the configuration (as in Flink).

    Raises:
        DriverError: the name is unknown, its module can't be imported, or the factory fails. Flink's `ExternalResourceUtils` logs a warning
            and goes on without the driver.
    """
    make = _factory(factory)
    try:
        driver = make(params)
    except DriverError:
        raise
    except Exception as error:
        raise _failure(
            f"driver factory {factory!r} failed", error, "Correct external-resource.<name>.param.*, see the driver's documentation."
        ) from error
    if not callable(getattr(driver, "discover", None)):
        raise DriverError(
            f"driver factory {factory!r} made a {type(driver).__name__}, which has no method discover(amount)",
            "Name a class or function that takes the parameters and returns a driver, see drivers/device.py.",
        )
    return cast(Driver, driver)


def _factory(name: str) -> Callable[[Mapping[str, str]], Any]:
    entry = next(iter(entry_points(group=GROUP, name=name)), None)
    if entry is None and ":" not in name:
        raise _unknown(name)
    try:
        return cast(Callable[[Mapping[str, str]], Any], _resolve(entry, name))
    except Exception as error:  # a module may raise anything while it is imported
        remedy = "Install what it needs into Treadle's environment on the nodes (treadle.python.executable), or correct the name."
        raise _failure(f"driver factory {name!r} can't be imported", error, remedy) from error


def _resolve(entry: EntryPoint | None, path: str) -> object:
    if entry:
        return entry.load()
    file, _, name = path.rpartition(":")
    return getattr(_module_of(Path(file)), name) if file.endswith(".py") else pkgutil.resolve_name(path)


def _module_of(file: Path) -> ModuleType:
    path = file.resolve(strict=True)
    name = f"driver file {path}"  # no import statement can mean it, so a file named drivers.py or json.py shadows nothing
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a class's module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _unknown(name: str) -> DriverError:
    names = {known.lower(): known for known in installed()}
    nearest = get_close_matches(name.strip().lower(), names, n=1)
    hint = f"Did you mean {names[nearest[0]]!r}? " if nearest else ""
    own = "package.module:Class or path/to/file.py:Class"
    remedy = f"{hint}Installed: {', '.join(names.values()) or 'none'}; or write {own} for one of your own."
    return DriverError(f"no driver factory {name!r} is installed", remedy)


def _failure(what: str, error: Exception, remedy: str) -> DriverError:
    return DriverError(f"{what}: {type(error).__name__}: {error}", remedy, "".join(traceback.format_exception(error)))
