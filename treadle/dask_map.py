"""Fragments as Dask tasks: the part of `map_batches` in the job's main, and the part that travels to the slots."""

from __future__ import annotations

import logging
import threading
import traceback
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cloudpickle
import distributed

from treadle.dask_cluster import get_client, group_resource
from treadle.fragment_error import FragmentError
from treadle.fragment_futures import FragmentFutures
from treadle.fragment_mapper import FragmentMapper
from treadle.fragments import Fragment, Reading
from treadle.map_report import FragmentResult
from treadle.outages import may_pass, short
from treadle.rich_map_function import RichMapFunction
from treadle.runtime_context import get_runtime_context

logger = logging.getLogger(__name__)

_RETRIES = 2
"""How often a fragment is tried again at once, such as one whose file can't be decoded; where storage may work again, `treadle.outages`
says how often. Lost slots are Dask's to count: at the fourth that dies over one fragment it gives up
(`distributed.scheduler.allowed-failures`)."""

_REGISTRATIONS = 10
"""How often the function is offered to the slots while some of them are being lost."""

_UNDER_WAY = 17
"""How many fragments a slot may have under way: one is mapped, of the others the files are on their way to their names."""


def map_on_slots(
    function: RichMapFunction, fragments: Sequence[Fragment], reading: Reading, output: str, group: str | None
) -> Iterator[FragmentResult]:
    """Yields the result of each fragment as it comes, in any order; the function is closed in every slot before this ends.

    Only slots of `group` map, if it is given, also those that join later.

    Raises:
        FragmentError: for the first fragment that fails for good; the others are cancelled.
        RuntimeError: when the slots don't come up.
    """
    client = get_client()
    plugin = _SlotFunction(f"treadle-{uuid.uuid4().hex}", function, reading, output)
    _register(client, plugin)
    needs = {"resources": {group_resource(group): 1}} if group else {}
    submit = partial(client.map, _map_in_slot, plugin=plugin.name, pure=False, retries=_RETRIES, **needs)
    futures = FragmentFutures(submit)
    futures.start(fragments)
    try:
        for fragment, future in futures:
            result = _result(future, fragment.path)
            if isinstance(result, FragmentResult):
                yield result
            elif not futures.put_back(fragment, result.cause):
                raise FragmentError(fragment.path, "by any slot", result.detail)
    finally:
        client.cancel(futures.all())
        client.unregister_worker_plugin(plugin.name)


def _register(client: distributed.Client, plugin: _SlotFunction) -> None:
    """Brings the function to every slot. One that is lost meanwhile fails the call for all; the scheduler knows that it is gone by then."""
    for left in reversed(range(_REGISTRATIONS)):
        try:
            client.register_plugin(plugin)
            return
        except OSError as error:  # `distributed.CommClosedError` is one
            if not left:
                raise
            logger.warning("A slot was lost before it had the function: %s", error)


def _result(future: distributed.Future, path: str) -> FragmentResult | _StorageFailure:
    if future.status == "error":
        error, trace = future.exception(), future.traceback()
        raise FragmentError(path, "by any slot", "".join(traceback.format_exception(type(error), error, trace))) from error
    result = future.result()
    if isinstance(result, FragmentError):
        # afresh, without the slot's stack around it: the text holds the part that is the user's
        raise FragmentError(*result.args)
    assert isinstance(result, (FragmentResult, _StorageFailure))
    return result


@dataclass(frozen=True)
class _StorageFailure:
    """What kept a fragment's input or output from working, and may pass."""

    cause: str
    detail: str


def _map_in_slot(fragment: Fragment, plugin: str) -> FragmentResult | FragmentError | _StorageFailure:
    """Failures that are not to be tried again at once are values, since Dask does that with what it sees raised."""
    try:
        return distributed.get_worker().plugins[plugin].run(fragment)  # type: ignore[no-any-return]  # distributed is not typed for us
    except FragmentError as error:
        return error
    except OSError as error:
        if not may_pass(error):
            raise
        return _StorageFailure(short(error), traceback.format_exc())


class _SlotFunction(distributed.WorkerPlugin):  # type: ignore[misc]  # distributed is not typed for us
    """The function in a slot. A Dask plugin reaches slots that join later, too, and is torn down when a slot ends."""

    def __init__(self, name: str, function: RichMapFunction, reading: Reading, output: str) -> None:
        self.name = name
        self._pickled = cloudpickle.dumps(function)
        self._reading, self._output = reading, output
        self._mapper: FragmentMapper | None = None

    def setup(self, worker: Any) -> None:
        """Prepares what does not go into a pickle."""
        self._under_way = threading.BoundedSemaphore(_UNDER_WAY)
        self._unseceded = _Unseceded()

    async def teardown(self, worker: Any) -> None:
        """Closes the function, without holding up the event loop of the slot."""
        await worker.loop.run_in_executor(None, self._end)

    def _end(self) -> None:
        if self._mapper is not None:
            self._mapper.close()
        self._unseceded.end()

    def run(self, fragment: Fragment) -> FragmentResult:
        """Maps a fragment. While its file is committed, which on HDFS is half a second of waiting, the slot goes on with the next one."""
        with self._under_way:
            with self._unseceded:
                if self._mapper is None:
                    self._mapper = FragmentMapper(self._unpickled(fragment), get_runtime_context(), self._reading, self._output)
                mapped = self._mapper.map(fragment)
                distributed.secede()
            mapped.part.commit()
        return mapped.result

    def _unpickled(self, fragment: Fragment) -> RichMapFunction:
        try:
            return cloudpickle.loads(self._pickled)  # type: ignore[no-any-return]  # a pickle has no type
        except Exception as error:
            # whatever a pickle's classes raise; the usual one is a module beside the job's script, which the slot does not have
            slot = get_runtime_context().slot
            place = f"in slot {slot}, where the function can't be unpickled; a module beside the job's script goes there with --py-files"
            raise FragmentError(fragment.path, place, traceback.format_exc()) from error


class _Unseceded:
    """The fragments of a slot from their begin to `secede`.

    A Dask worker that closes joins its threads under the very lock that `secede` takes (`distributed.threadpoolexecutor`): a thread that
    came to that later would wait for ever, and the worker for it. Plugins are torn down before, so that this is where to wait.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._ended = False

    def __enter__(self) -> None:
        with self._changed:
            if self._ended:
                raise RuntimeError("the job was stopped")
            self._count += 1

    def __exit__(self, *raised: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def end(self) -> None:
        """Lets no fragment begin any more and returns when none is left."""
        with self._changed:
            self._ended = True
            self._changed.wait_for(lambda: not self._count)
