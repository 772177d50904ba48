"""One slot's share of a `map_batches`: the user's function, opened once, and the fragments it is given."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from treadle import runtime_context
from treadle.fragment_error import FragmentError
from treadle.fragments import Fragment, Reading
from treadle.map_report import FragmentResult
from treadle.part_files import PartFile
from treadle.rich_map_function import RichMapFunction
from treadle.runtime_context import RuntimeContext
from treadle.storage import open_filesystem

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")


@dataclass(frozen=True)
class MappedFragment:
    """A fragment whose output is written and not yet committed."""

    part: PartFile
    result: FragmentResult


class FragmentMapper:
    """Maps fragments in a thread of its own, so that the function is opened, called and closed in one and the same thread."""

    def __init__(self, function: RichMapFunction, context: RuntimeContext, reading: Reading, output: str) -> None:
        self._function, self._context, self._reading = function, context, reading
        self._filesystem, self._directory = open_filesystem(output)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="treadle-slot")
        self._opened = False
        self._stopped = threading.Event()

    def map(self, fragment: Fragment) -> MappedFragment:
        """Maps all batches of a fragment and returns its output for the caller to commit.

        Raises:
            FragmentError: when the function raises.
            OSError: when input or output can't be read or written.
        """
        return self._in_thread(partial(self._map, fragment))

    def close(self) -> None:
        """Ends a fragment under way after its current batch, and closes the function if it was opened."""
        self._stopped.set()
        try:
            self._in_thread(self._close)
        finally:
            self._thread.shutdown()

    def _in_thread(self, call: Callable[[], T]) -> T:
        return self._thread.submit(call).result()

    def _map(self, fragment: Fragment) -> MappedFragment:
        started = monotonic()
        part = PartFile(self._filesystem, self._directory, fragment.number)
        rows, first = 0, None
        try:
            self._call(fragment, self._open)
            for batch in self._reading.batches(fragment):
                part.write(self._call(fragment, partial(self._map_batch, batch)))
                rows += batch.num_rows
                first = first or monotonic() - started
        except BaseException:
            part.discard()
            raise
        return MappedFragment(part, FragmentResult(fragment.path, rows, monotonic() - started, first, self._context))

    def _call(self, fragment: Fragment, call: Callable[[], T]) -> T:
        """Calls user code, which may raise anything."""
        try:
            with runtime_context.assumed(self._context):
                return call()
        except (Exception, SystemExit) as error:
            context = self._context
            place = f"in slot {context.slot} of TaskManager {context.task_manager} on {context.node}"
            raise FragmentError(fragment.path, place, traceback.format_exc()) from error

    def _open(self) -> None:
        if not self._opened:
            self._function.open(self._context)
            self._opened = True

    def _map_batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow as pa

        if self._stopped.is_set():
            raise RuntimeError("the job was stopped")
        mapped = self._function.map(batch)
        if not isinstance(mapped, pa.RecordBatch):
            raise TypeError(f"map returned {type(mapped).__name__} where a pyarrow.RecordBatch was expected")
        return mapped

    def _close(self) -> None:
        if self._opened:
            self._opened = False
            with runtime_context.assumed(self._context):
                self._function.close()
