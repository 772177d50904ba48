"""Keys of groups of TaskManagers that nothing reads: of a group that isn't listed, or not an option of a group."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from conf.entry import Entry
from conf.errors import Problem
from conf.groups import common_key
from conf.lists import one_line
from conf.option import RESOURCE_PREFIX
from conf.options import GROUP_OPTIONS, GROUP_PREFIX, GROUPS


def group_names(entries: Mapping[str, Entry]) -> tuple[str, ...] | None:
    """The names of `taskmanager.groups`; None when its value is refused, which is told where values are read."""
    entry = entries.get(GROUPS.key)
    try:
        return GROUPS.kind.parse(entry.value) if entry and entry.value.strip() else ()
    except ValueError:
        return None


def suffix(key: str) -> str:
    """What a group's key has after the group's name."""
    return key[len(GROUP_PREFIX) :].partition(".")[2]


def problem(key: str, entries: Mapping[str, Entry], names: Sequence[str]) -> Problem | None:
    """What is wrong with a group's key, resources aside; None when it is an option of a group."""
    name, rest = key[len(GROUP_PREFIX) :].partition(".")[0], suffix(key)
    if name not in names:
        listed = entries.get(GROUPS.key)
        what = f"{GROUPS.key} is {listed.value!r} ({listed.origin})" if listed else f"{GROUPS.key} is not set"
        remedy = f"write {GROUPS.key}: {one_line((*names, name))}, or take its keys out"
        return Problem(key, f"{key} ({entries[key].origin}) has no effect: {what}, without {name!r}", remedy)
    if common_key(rest):
        return None
    nearest = [known for known in GROUP_OPTIONS if known.startswith(f"{rest}.")] or difflib.get_close_matches(rest, GROUP_OPTIONS, n=1)
    accepted = f"one of {', '.join(GROUP_OPTIONS)}, {RESOURCE_PREFIX}<n>.… after {GROUP_PREFIX}{name}."
    remedy = f"write {GROUP_PREFIX}{name}.{nearest[0]}" if nearest else f"write {accepted}"
    return Problem(key, f"{key} is not an option of a group of TaskManagers ({entries[key].origin})", remedy)
