"""Checks the names of drivers on the edge node: installed names are read, nothing is imported."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import entry_points

from conf.errors import Problem
from conf.options import DRIVER_OF
from conf.settings import Settings

GROUP = "treadle.drivers"
"""The entry-point group of `drivers.loading`, which only the TaskManager imports."""


def problems(settings: Settings) -> list[Problem]:
    """Returns a problem for each driver that no installed package has.

    A dotted path (`package.module:Class`) may exist on the nodes only, and an environment of the nodes' own may have more drivers than this
    one: neither is judged here.
    """
    if settings.treadle_python is not None:
        return []
    installed = sorted(entry_points(group=GROUP).names)
    found = [
        _unknown(resource.name, resource.driver, installed)
        for group in settings.groups
        for resource in group.external_resources
        if resource.driver is not None and resource.driver not in installed and ":" not in resource.driver
    ]
    return list(dict.fromkeys(found))


def tolerated(settings: Settings) -> set[str]:
    """Returns the keys of drivers that may be missing (`on-missing: warn`): a problem with one of them is a warning."""
    resources = (resource for group in settings.groups for resource in group.external_resources)
    return {DRIVER_OF.of(resource.name).key for resource in resources if resource.on_missing == "warn"}


def _unknown(resource: str, driver: str, installed: list[str]) -> Problem:
    key = DRIVER_OF.of(resource).key
    nearest = get_close_matches(driver, installed, n=1)
    hint = f"did you mean {nearest[0]}? " if nearest else ""
    return Problem(
        key, f"{key} is {driver!r}, which is not installed", f"{hint}installed: {', '.join(installed)}; or package.module:Class of your own"
    )
