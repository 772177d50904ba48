"""A dry run's result for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from client.table import aligned


def lines(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yields what would be asked for, with what configuration, and what would be shipped, as far as it is known."""
    if tree["requests"]:
        yield from aligned([("REQUEST", "GROUP", "COUNT", "MEMORY", "VCORES", "RESOURCES", "LABEL"), *map(_request, tree["requests"])])
        yield ""
    if tree["external_resources"]:
        resources = (row for name, each in tree["external_resources"].items() for row in _resources(name, each))
        yield from aligned([("RESOURCE", "AMOUNT", "TYPE", "DRIVER"), *resources])
        yield ""
    if tree["files"]:
        yield from aligned(
            [("FILE", "BYTES"), *((each["name"], "-" if each["size"] is None else f"{each['size']:,}") for each in tree["files"])]
        )
        yield ""
    rows = [(key, each["value"], each["origin"]) for key, each in tree["configuration"].items()]
    yield from aligned([("KEY", "VALUE", "ORIGIN"), *rows])


def _resources(name: str, common: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for where, each in {"": common, **{f" ({group})": own for group, own in common.get("groups", {}).items()}}.items():
        yield f"{name}{where}", str(each["amount"]), each["type"] or "-", each["driver"] or "-"


def _request(ask: Mapping[str, Any]) -> tuple[str, ...]:
    resources = " ".join(f"{name}={amount}" for name, amount in ask["resources"].items()) or "-"
    count, vcores = str(ask["count"]), str(ask["vcores"])
    return (ask["role"], ask["group"] or "-", count, f"{ask['memory_mb']} MiB", vcores, resources, ask["label"] or "-")
