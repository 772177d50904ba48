"""External resources: Flink's rules for names, amounts, types, drivers, parameters. Where Flink warns and goes on, a problem."""

from __future__ import annotations

import logging

from conf.errors import Problem
from conf.kinds import NO_RESOURCES
from conf.options import AMOUNT_OF, DRIVER_OF, EXTERNAL_RESOURCES, YARN_TYPE_OF, param_prefix
from conf.reading import Reader
from conf.settings import ExternalResource

logger = logging.getLogger(__name__)


def read_external_resources(reader: Reader) -> tuple[ExternalResource, ...]:
    """The resources that `external-resources` lists, in its order (source of the rules: Flink's `ExternalResourceUtils`)."""
    resources = tuple(_read_resource(reader, name) for name in _read_names(reader))
    _check_types_differ(reader, resources)
    return resources


def _read_names(reader: Reader) -> list[str]:
    """Without the names that can't be meant: nothing that is said of them would help."""
    listed = reader.optional(EXTERNAL_RESOURCES) or ()
    names: list[str] = []
    for name in listed:
        if not name.strip():
            reader.refuse(EXTERNAL_RESOURCES, reader.entries[EXTERNAL_RESOURCES.key], "one of its names is blank")
        elif "," in name:
            reader.refuse(
                EXTERNAL_RESOURCES, reader.entries[EXTERNAL_RESOURCES.key], f"a comma does not separate, so {name!r} is a single name"
            )
        elif name in names:
            logger.warning("%s names %s twice: it counts once", EXTERNAL_RESOURCES.key, name)
        else:
            names.append(name)
    return names


def _read_resource(reader: Reader, name: str) -> ExternalResource:
    driver, yarn_type = reader.optional(DRIVER_OF.of(name)), reader.optional(YARN_TYPE_OF.of(name))
    before = len(reader.problems)
    amount = _read_amount(reader, name)
    type_refused = yarn_type is None and reader.entries.get(YARN_TYPE_OF.of(name).key) is not None
    if driver is None and yarn_type is None and not type_refused and len(reader.problems) == before:
        reader.problems.append(_without_effect(name))
    prefix = param_prefix(name)
    params = {key[len(prefix) :]: entry.value for key, entry in reader.entries.items() if key.startswith(prefix)}
    return ExternalResource(name, amount, driver, yarn_type, params)


def _read_amount(reader: Reader, name: str) -> int:
    option = AMOUNT_OF.of(name)
    if option.key in reader.entries:
        return reader.required(option)
    cause = f"{option.key} is not set, but {EXTERNAL_RESOURCES.key} lists {name!r} ({reader.origin(EXTERNAL_RESOURCES.key)})"
    remedy = f"set it to how many each TaskManager gets, {option.kind.accepted}, or take {name!r} out of the list"
    if name.lower() == NO_RESOURCES:
        remedy = f"write {NO_RESOURCES} in lower case, unquoted, as the whole value, to have no resources"
    reader.problems.append(Problem(option.key, cause, remedy))
    return option.kind.stand_in


def _without_effect(name: str) -> Problem:
    driver, yarn_type = DRIVER_OF.of(name).key, YARN_TYPE_OF.of(name).key
    return Problem(
        yarn_type,
        f"external resource {name!r} has no effect: neither {yarn_type} nor {driver} is set",
        f"set {yarn_type} to have it requested from YARN, {driver} to have it found on the node, or take {name!r} out of the list",
    )


def _check_types_differ(reader: Reader, resources: tuple[ExternalResource, ...]) -> None:
    """Flink keeps one of the two, which one by hash order."""
    first: dict[str, str] = {}
    for resource in resources:
        if resource.yarn_type is None:
            continue
        key = YARN_TYPE_OF.of(resource.name).key
        other = first.setdefault(resource.yarn_type, key)
        if other != key:
            cause = f"{other} and {key} are both {resource.yarn_type!r} ({reader.origin(other)}, {reader.origin(key)})"
            remedy = f"name each type once: one resource with the amount of both, or a type of its own for {resource.name!r}"
            reader.problems.append(Problem(key, cause, remedy))
