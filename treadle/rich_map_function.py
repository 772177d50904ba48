"""Flink's `RichMapFunction` over Arrow record batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from treadle.runtime_context import RuntimeContext

    BatchFunction = Callable[[pa.RecordBatch], pa.RecordBatch]


class RichMapFunction(ABC):
    """A function with a life: opened once in each slot, called for every batch, closed at the end, all in one and the same thread.

    The instance is pickled in the job's main and comes to life again in each slot: what can't be pickled or lies on a device (a model, a
    connection) belongs into `open`.
    """

    def open(self, context: RuntimeContext) -> None:  # noqa: B027 - optional, as in Flink's AbstractRichFunction
        """Called once per slot before the first batch; `context` tells which devices are the slot's."""

    @abstractmethod
    def map(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Returns the batch that takes the place of `batch`; every batch returned for one input file has the same schema."""

    def close(self) -> None:  # noqa: B027 - optional, as in Flink's AbstractRichFunction
        """Called once per slot after the last batch, if `open` succeeded."""


class PlainMapFunction(RichMapFunction):
    """A plain callable in the shape of a `RichMapFunction`."""

    def __init__(self, function: BatchFunction) -> None:
        self._function = function
        self.name: str = getattr(function, "__name__", type(function).__name__)

    def map(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Calls the function."""
        return self._function(batch)


def as_rich(function: RichMapFunction | BatchFunction) -> RichMapFunction:
    """Returns `function` as a `RichMapFunction`.

    Raises:
        TypeError: for what is neither, and for a class where its instance is meant.
    """
    if isinstance(function, RichMapFunction):
        return function
    if isinstance(function, type):
        raise TypeError(f"map_batches was given the class {function.__name__}; give it an instance: {function.__name__}(…)")
    if not callable(function):
        raise TypeError(f"map_batches was given {function!r}; give it a RichMapFunction or a callable from record batch to record batch")
    return PlainMapFunction(function)
