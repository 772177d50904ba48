"""Keys that nothing reads: a slip of the pen is a problem; an option of Flink's own, or of a resource not in use, is left aside."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from conf import unread_group_keys
from conf.entry import Entry
from conf.errors import Problem
from conf.lists import one_line
from conf.option import RESOURCE_PREFIX
from conf.options import EXTERNAL_RESOURCES, GROUP_PREFIX, OPTIONS, PARAM, RESOURCE_OPTIONS
from conf.shipping import is_variable

logger = logging.getLogger(__name__)

REMOVED = frozenset(
    {"cluster.evenly-spread-out-slots", "cluster.fine-grained-resource-management.enabled", "yarn.maximum-failed-containers"}
)
"""Options that Flink no longer has and ignores without a word (2.3.0)."""

_OUR_PREFIX = "treadle."
_GROUPS_PREFIX = "taskmanager.groups."
_KEYS = frozenset(option.key for option in OPTIONS)
_SUFFIXES = tuple(option.suffix for option in RESOURCE_OPTIONS)

# `external.<n>.amount` stands in Flink's documentation, `taskmanager.resource.<n>` in the draft of the feature
_WRONG_PREFIX = re.compile(r"(external|external[-_.]?resources?|taskmanager\.resource)\.(?P<rest>.+)")

# so close that a letter or two differ: Flink has yarn.application.type beside yarn.application.name (0.86)
_SLIP = 0.92


@dataclass(frozen=True)
class KeysInUse:
    """Which keys are read.

    Attributes:
        read: these.
        misspelt: a problem for each key that is no option, whatever the others are.
        without_effect: a problem for each that is none, or is not read, because of what others say: lists of resources and of groups.
        warnings: keys that are left aside, and perhaps shouldn't be.
    """

    read: frozenset[str]
    misspelt: tuple[Problem, ...]
    without_effect: tuple[Problem, ...]
    warnings: tuple[str, ...]


def keys_in_use(entries: Mapping[str, Entry], ranks: Mapping[str, int]) -> KeysInUse:
    """The keys that are read, and a problem for each that was meant to be.

    `ranks` tells how strong the source of each key is: 0 for an override, -1 for the last file, and so on down to the defaults (which
    give `external-resources` too). Keys of a resource that `external-resources` doesn't list are a problem (Flink leaves them inert),
    unless the list was overridden so as to leave it out: it comes from a stronger source than they, or from the same one and is empty.
    """
    used = {key for key in entries if key in _KEYS or is_variable(key)}
    misspelt, warnings = _check_plain_keys(entries, ranks)
    problems: list[Problem] = []
    groups = unread_group_keys.group_names(entries)
    of_groups = [key for key in entries if key.startswith(GROUP_PREFIX)]
    lists = [EXTERNAL_RESOURCES.key, *(key for key in of_groups if unread_group_keys.suffix(key) == EXTERNAL_RESOURCES.key)]
    names = _listed_names(entries, lists)
    unlisted: dict[str, list[str]] = {}
    for key in (key for key in entries if key.startswith(RESOURCE_PREFIX)):
        owner = None if names is None else _owner(key, names)
        if names is None or (owner is not None and _is_resource_option(key, owner)):
            used.add(key)
        elif owner is not None:
            problems.append(_unknown_resource_option(key, entries[key], owner))
        else:
            unlisted.setdefault(_probable_name(key), []).append(key)
    problems += _check_unlisted(unlisted, entries, ranks, names or ())
    wrong = [found for key in of_groups if groups is not None and (found := _check_group_key(key, entries, groups))]
    read = frozenset(used | set(of_groups) - {found.key for found in wrong})
    return KeysInUse(read, tuple(misspelt), (*problems, *wrong), tuple(warnings))


def _check_group_key(key: str, entries: Mapping[str, Entry], groups: tuple[str, ...]) -> Problem | None:
    """None when it is read: a group's own value for an option of a TaskManager, or of a resource that the group has."""
    wrong = unread_group_keys.problem(key, entries, groups)
    rest = unread_group_keys.suffix(key)
    if wrong or not rest.startswith(RESOURCE_PREFIX):
        return wrong
    own = key.removesuffix(rest) + EXTERNAL_RESOURCES.key
    list_key = own if own in entries else EXTERNAL_RESOURCES.key
    names = _listed_names(entries, [list_key])
    if names is None:
        return None
    name = _owner(rest, names)
    if name is None:
        return _unlisted(_probable_name(rest), key, list_key, entries, names)
    return None if _is_resource_option(rest, name) else _unknown_resource_option(rest, entries[key], name, key)


def _check_unlisted(
    unlisted: Mapping[str, list[str]], entries: Mapping[str, Entry], ranks: Mapping[str, int], names: tuple[str, ...]
) -> list[Problem]:
    problems: list[Problem] = []
    of_list = ranks[EXTERNAL_RESOURCES.key]
    for name, keys in unlisted.items():
        meant = [key for key in keys if ranks[key] > of_list or (ranks[key] == of_list and names)]
        if meant:
            problems.append(_unlisted(name, meant[0], EXTERNAL_RESOURCES.key, entries, names))
        else:
            logger.info("external resource %s is not in use: %s leaves it out", name, EXTERNAL_RESOURCES.key)
    return problems


def _check_plain_keys(entries: Mapping[str, Entry], ranks: Mapping[str, int]) -> tuple[list[Problem], list[str]]:
    problems: list[Problem] = []
    warnings: list[str] = []
    foreign: list[str] = []
    for key, entry in entries.items():
        if key in _KEYS or is_variable(key) or key.startswith((RESOURCE_PREFIX, GROUP_PREFIX)):
            continue
        remedy = _remedy_for_slip(key)
        if remedy:
            problems.append(Problem(key, f"{key} is not an option ({entry.origin})", remedy))
        elif key in REMOVED:
            warnings.append(f"{key} ({entry.origin}) has no effect: Flink has removed this option")
        elif ranks[key] == 0:
            # typed for this very command, so perhaps misspelt beyond recognition
            warnings.append(f"{key} ({entry.origin}) is not read here; the nearest option is {_nearest(key, _KEYS, 0)}")
        else:
            foreign.append(key)
    if foreign:
        logger.info("Not read here, left aside: %s", ", ".join(foreign))
    return problems, warnings


def _remedy_for_slip(key: str) -> str | None:
    """What to write instead of a key that was meant to be one of ours, or None for a key of somebody else's."""
    wrong_prefix = _WRONG_PREFIX.fullmatch(key)
    if wrong_prefix:
        return f"write {RESOURCE_PREFIX}{wrong_prefix['rest']}"
    if key.startswith(_GROUPS_PREFIX):
        return f"write {GROUP_PREFIX}{key[len(_GROUPS_PREFIX) :]}"
    ours = key.startswith(_OUR_PREFIX)
    nearest = _nearest(key, _KEYS, 0.6 if ours else _SLIP)
    if nearest:
        return f"write {nearest}"
    known = ", ".join(sorted(known for known in _KEYS if known.startswith(_OUR_PREFIX)))
    return f"write one of {known}, or take the key out" if ours else None


def _nearest(word: str, known: Iterable[str], cutoff: float) -> str | None:
    by_lower = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[matches[0]] if matches else None


def _listed_names(entries: Mapping[str, Entry], keys: Iterable[str]) -> tuple[str, ...] | None:
    """The names that these lists of external resources hold; None when a value is refused, which is told where values are read."""
    try:
        listed = [EXTERNAL_RESOURCES.kind.parse(entries[key].value) for key in keys]
    except ValueError:
        return None
    return tuple(dict.fromkeys(name for names in listed for name in names))


def _owner(key: str, names: tuple[str, ...]) -> str | None:
    """The listed name that the key belongs to; the longest, for a name may hold dots."""
    rest = key[len(RESOURCE_PREFIX) :]
    return max((name for name in names if f"{rest}.".startswith(f"{name}.")), key=len, default=None)


def _is_resource_option(key: str, name: str) -> bool:
    suffix = key[len(RESOURCE_PREFIX) + len(name) + 1 :]
    return suffix in _SUFFIXES or (suffix.startswith(PARAM) and suffix != PARAM)


def _unknown_resource_option(key: str, entry: Entry, name: str, written: str = "") -> Problem:
    """`written` is the whole key where it is a group's own."""
    suffix = key[len(RESOURCE_PREFIX) + len(name) + 1 :]
    _, _, param = suffix.partition(".")
    nearest = _nearest(suffix, (*_SUFFIXES, PARAM + param) if param else _SUFFIXES, 0.6)
    before = (written or key).removesuffix(suffix)
    accepted = f"one of {', '.join(_SUFFIXES)}, {PARAM}<key> after {before}"
    remedy = f"write {before}{nearest}" if nearest else f"write {accepted}"
    return Problem(written or key, f"{written or key} is not an option of an external resource ({entry.origin})", remedy)


def _probable_name(key: str) -> str:
    """The name in a key whose name isn't known: what stands before a suffix that is."""
    rest = key[len(RESOURCE_PREFIX) :]
    for suffix in _SUFFIXES:
        if rest.endswith(f".{suffix}"):
            return rest[: -len(suffix) - 1]
    return rest.partition(f".{PARAM}")[0] if f".{PARAM}" in rest else rest.partition(".")[0]


def _unlisted(name: str, key: str, list_key: str, entries: Mapping[str, Entry], names: tuple[str, ...]) -> Problem:
    listed = entries[list_key]
    cause = f"{key} ({entries[key].origin}) has no effect: {list_key} is {listed.value!r} ({listed.origin}), without {name!r}"
    nearest = _nearest(name, names, 0.6)
    meant = f"rename {name!r} to {nearest!r}, " if nearest else ""
    return Problem(key, cause, f"{meant}write {list_key}: {one_line((*names, name))}, or take its keys out")
