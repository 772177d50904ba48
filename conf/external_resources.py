"""External resources: Flink's rules for names, amounts, types, drivers, parameters. Flink's warnings are problems unless told `warn`."""

from __future__ import annotations

from conf.errors import Problem
from conf.kinds import NO_RESOURCES
from conf.options import (
    AMOUNT_OF,
    ASSIGNMENT_OF,
    DISCOVERY_TIMEOUT_OF,
    DRIVER_OF,
    EXTERNAL_RESOURCES,
    ON_MISSING,
    ON_MISSING_OF,
    REGISTRATION_TIMEOUT,
    SLOTS_PER_DEVICE_OF,
    YARN_TYPE_OF,
    param_prefix,
)
from conf.reading import Reader
from conf.settings import ExternalResource
from conf.units import parse_integer


def read_external_resources(reader: Reader) -> tuple[ExternalResource, ...]:
    """The resources that `external-resources` lists, in its order (source of the rules: Flink's `ExternalResourceUtils`)."""
    read = [_read_resource(reader, name) for name in _read_names(reader)]
    resources = tuple(resource for resource in read if resource is not None)
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
            reader.warnings.append(f"{EXTERNAL_RESOURCES.key} names {name} twice: it counts once")
        else:
            names.append(name)
    return names


def _read_resource(reader: Reader, name: str) -> ExternalResource | None:
    """None where the amount is missing and that is to be a warning: Flink drops the resource then."""
    on_missing = _read_on_missing(reader, name)
    if on_missing == "warn" and (lack := _lacks_amount(reader, name)):
        reader.warnings.append(f"{lack}: external resource {name!r} is left out")
        return None
    driver, yarn_type = reader.optional(DRIVER_OF.of(name)), reader.optional(YARN_TYPE_OF.of(name))
    before = len(reader.problems)
    amount = _read_amount(reader, name)
    type_refused = yarn_type is None and reader.entries.get(YARN_TYPE_OF.of(name).key) is not None
    if driver is None and yarn_type is None and not type_refused and len(reader.problems) == before:
        _note(reader, _without_effect(name), on_missing)
    prefix = param_prefix(name)
    params = {key[len(prefix) :]: entry.value for key, entry in reader.entries.items() if key.startswith(prefix)}
    assignment, slots_per_device = _read_sharing(reader, name)
    return ExternalResource(
        name, amount, driver, yarn_type, params, assignment, slots_per_device, on_missing, _read_timeout_s(reader, name)
    )


def _read_on_missing(reader: Reader, name: str) -> str:
    own = reader.optional(ON_MISSING_OF.of(name))
    return own or reader.optional(ON_MISSING) or ON_MISSING.kind.stand_in


def _read_timeout_s(reader: Reader, name: str) -> float:
    """By default short enough for the driver to be named before its TaskManager counts as lost."""
    own = reader.optional(DISCOVERY_TIMEOUT_OF.of(name))
    return (own or (reader.optional(REGISTRATION_TIMEOUT) or REGISTRATION_TIMEOUT.kind.stand_in) / 2) / 1000


def _lacks_amount(reader: Reader, name: str) -> str | None:
    """Why there is no amount, in Flink's sense: not set, or a number below 1. Words are a mistake, as in Flink."""
    key = AMOUNT_OF.of(name).key
    entry = reader.entries.get(key)
    if entry is None:
        return f"{key} is not set"
    try:
        return f"{key} is {entry.value!r} ({entry.origin})" if parse_integer(entry.value.strip()) < 1 else None
    except ValueError:
        return None


def _note(reader: Reader, problem: Problem, on_missing: str) -> None:
    if on_missing == "warn":
        reader.warnings.append(problem.cause)
    else:
        reader.problems.append(problem)


def _read_sharing(reader: Reader, name: str) -> tuple[str, int]:
    option = SLOTS_PER_DEVICE_OF.of(name)
    assignment = reader.optional(ASSIGNMENT_OF.of(name)) or "slot"
    slots = reader.optional(option)
    if assignment == "task-manager" and slots is not None:
        cause = f"{option.key} is {slots} ({reader.origin(option.key)}), but {ASSIGNMENT_OF.of(name).key} is task-manager"
        remedy = f"leave {option.key} out (every slot sees all devices then), or set {ASSIGNMENT_OF.of(name).key} to slot"
        reader.problems.append(Problem(option.key, cause, remedy))
    return assignment, slots or 1


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
