"""What a slot knows of itself: Flink's `RuntimeContext` and `ExternalResourceInfo`, in Python."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VARIABLE = "TREADLE_RUNTIME_CONTEXT"
"""Environment variable that names a slot's runtime-context file (docs/architecture.md)."""


@dataclass(frozen=True)
class ExternalResourceInfo:
    """One device, as Flink's `ExternalResourceInfo`: text properties by key. Equal and hashed by all of them.

    `index` is what Flink gives and counts from 0 within a container that isolates devices; `uuid` names the device on its node. A slot sees
    its own devices only, so CUDA counts them from 0 in the order of `CUDA_VISIBLE_DEVICES`, whatever their `index`.
    """

    properties: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, properties: Mapping[str, str]) -> ExternalResourceInfo:
        """Returns the info with these properties."""
        return cls(tuple(sorted(properties.items())))

    def get_property(self, key: str) -> str | None:
        """Returns the property, or None when the device has no such property (Flink: an empty Optional)."""
        return dict(self.properties).get(key)

    def get_keys(self) -> frozenset[str]:
        """Returns the keys of all properties."""
        return frozenset(key for key, _ in self.properties)


@dataclass(frozen=True)
class RuntimeContext:
    """Which part of which task this slot is, where it runs and which devices are its own; `group` is its TaskManager's."""

    task_name: str
    subtask_index: int
    parallelism: int
    slot: str
    task_manager: str
    node: str
    external_resources: Mapping[str, frozenset[ExternalResourceInfo]] = field(default_factory=dict)
    group: str = ""

    def get_external_resource_infos(self, name: str) -> frozenset[ExternalResourceInfo]:
        """Returns this slot's devices of the external resource `name`; none for an unknown name, as Flink's static provider does."""
        return self.external_resources.get(name, frozenset())

    def get_task_name(self) -> str:
        """Returns the task's name, under PyFlink's name for it."""
        return self.task_name

    def get_index_of_this_subtask(self) -> int:
        """Returns the subtask's index, counted from 0, under PyFlink's name for it."""
        return self.subtask_index

    def get_number_of_parallel_subtasks(self) -> int:
        """Returns the parallelism, under PyFlink's name for it."""
        return self.parallelism


_assumed: ContextVar[RuntimeContext | None] = ContextVar("treadle_runtime_context", default=None)


def get_runtime_context() -> RuntimeContext:
    """Returns the context of the slot that calls.

    Raises:
        RuntimeError: when the caller is not in a slot.
        ValueError: when the runtime-context file is not what docs/architecture.md says.
    """
    assumed = _assumed.get()
    if assumed is not None:
        return assumed
    path = os.environ.get(VARIABLE)
    if path is None:
        raise RuntimeError(
            "there is no runtime context here: this process is not a slot. Call get_runtime_context() in the open() or map() of a "
            "RichMapFunction, in a function given to map_batches, or in a program started by `submit run -- command`."
        )
    return _read(path)


@contextmanager
def assumed(context: RuntimeContext) -> Iterator[None]:
    """Makes `context` the current one for the block: what `map_batches` does where there is no cluster."""
    token = _assumed.set(context)
    try:
        yield
    finally:
        _assumed.reset(token)


@functools.cache
def _read(path: str) -> RuntimeContext:
    text = Path(path).read_text(encoding="utf-8")
    try:
        return _parse(json.loads(text))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}, which {VARIABLE} names, is no runtime context ({type(error).__name__}: {error}): {text[:200]!r}"
        ) from error


def _parse(tree: dict[str, Any]) -> RuntimeContext:
    resources = {name: frozenset(map(ExternalResourceInfo.of, infos)) for name, infos in tree["external_resources"].items()}
    return RuntimeContext(
        task_name=str(tree["task_name"]),
        subtask_index=int(tree["subtask_index"]),
        parallelism=int(tree["parallelism"]),
        slot=str(tree["slot"]),
        task_manager=str(tree["task_manager"]),
        node=str(tree["node"]),
        external_resources=resources,
        group=str(tree["group"]),
    )
