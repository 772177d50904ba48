"""`map_batches`: a function over Parquet datasets, on the slots of the application or in this process."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from treadle import events, runtime_context
from treadle.fragment_mapper import FragmentMapper
from treadle.fragments import Fragment, Reading, find_fragments
from treadle.libraries import needed
from treadle.map_report import FragmentResult, MapReport, slot_reports
from treadle.outages import outlast
from treadle.output_claim import Claim, claim_output, rows_done
from treadle.part_files import finish_output
from treadle.rich_map_function import PlainMapFunction, RichMapFunction, as_rich
from treadle.runtime_context import RuntimeContext
from treadle.storage import absolute_uri

if TYPE_CHECKING:
    from treadle.rich_map_function import BatchFunction

DEFAULT_BATCH_SIZE = 8192
"""Rows; large enough that a batch of small rows outweighs the call, small enough that one of images fits a device."""


def map_batches(
    function: RichMapFunction | BatchFunction,
    input: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    name: str | None = None,
    group: str | None = None,
) -> MapReport:
    """Maps every record batch of Parquet datasets and writes a dataset.

    In the main of a submitted job the application's slots do the work: each input file is one Dask task, and a file whose slot is lost is
    mapped again by another one. A second attempt of the application (`yarn.application-attempts`) maps only what the first has not.

    In a plain `python job.py`, without an application, everything runs in this process, one file after the other, with a context that has
    no devices.

    Args:
        function: a `RichMapFunction`, opened and closed once per slot, or a callable from record batch to record batch.
        input: URI or path of a Parquet dataset or file, or several; names that begin with `_` or `.` are not data.
        output: URI or path of a directory that is new or empty. Input file n becomes `part-0000n.parquet`, seen under that name only when
            it is whole; one without rows leaves no file; `_SUCCESS` says that all are there.
        columns: the columns to read, all by default.
        batch_size: rows per batch at most.
        name: how progress and report call it; the function's own name by default.
        group: the group of TaskManagers (`taskmanager.groups`) whose slots do the work; any slot by default.

    Raises:
        FileExistsError: when the output holds anything, before work begins.
        FileNotFoundError: when an input is missing or has no file, before work begins.
        ValueError: when an input is no Parquet or lacks a column, or the application has no such group, before work begins.
        FragmentError: when the function raises; it names the file and holds the traceback.
        RuntimeError: when it is called in a slot, or the slots don't come up.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; give the rows per batch, at least 1")
    if runtime_context.VARIABLE in os.environ:
        raise RuntimeError(
            "map_batches was called in a slot, where every slot would do all of it; call it in a job's main: submit run job.py"
        )
    rich = as_rich(function)
    inputs = [input] if isinstance(input, (str, os.PathLike)) else list(input)
    job = _Job(name or _name_of(rich), rich, [absolute_uri(uri) for uri in inputs], absolute_uri(output), group)
    if not job.inputs:
        raise ValueError("input is an empty list; give the URI or path of a Parquet dataset, or several")
    events.check_group(group)
    return _run(job, columns, batch_size)


@dataclass(frozen=True)
class _Job:
    name: str
    function: RichMapFunction
    inputs: Sequence[str]
    output: str
    group: str | None


def _run(job: _Job, columns: Sequence[str] | None, batch_size: int) -> MapReport:
    started = monotonic()
    if events.in_job_main():
        # slots start as soon as the scheduler is announced: let them, while the input is listed here
        from treadle.dask_cluster import announce_scheduler

        announce_scheduler()
    with needed("pyarrow", "map_batches"):
        fragments, reading = outlast(partial(find_fragments, job.inputs, columns, batch_size))
    done = claim_output(job.output, Claim.of(fragments), fragments)
    todo = [fragment for fragment in fragments if fragment.number not in done]
    before = _Before(len(done), outlast(partial(rows_done, job.output, done)) if done else 0)
    results, first = _collect(job.name, _mapped(job, todo, reading), len(fragments), started, before)
    outlast(partial(finish_output, job.output))
    report = MapReport(
        name=job.name,
        output=job.output,
        fragments=len(results) + before.fragments,
        resumed=before.fragments,
        rows=sum(result.rows for result in results) + before.rows,
        seconds=monotonic() - started,
        seconds_to_first_batch=first,
        slots=slot_reports(results),
    )
    events.tell("report", name=job.name, report=report.to_plain())
    return report


@dataclass(frozen=True)
class _Before:
    """What an earlier attempt of the application has done."""

    fragments: int
    rows: int


def _collect(
    name: str, results: Iterable[FragmentResult], total: int, started: float, before: _Before
) -> tuple[list[FragmentResult], float | None]:
    """Tells the progress; returns the results, and the seconds to the first batch by this host's clock alone."""
    done: list[FragmentResult] = []
    firsts = []
    events.tell("progress", name=name, done=before.fragments, total=total, rows=before.rows)
    for result in results:
        done.append(result)
        if result.seconds_to_first_batch is not None:
            firsts.append(monotonic() - started - result.seconds + result.seconds_to_first_batch)
        rows = before.rows + sum(each.rows for each in done)
        events.tell("progress", name=name, done=before.fragments + len(done), total=total, rows=rows)
    return done, min(firsts, default=None)


def _mapped(job: _Job, fragments: Sequence[Fragment], reading: Reading) -> Iterator[FragmentResult]:
    if events.in_job_main():
        from treadle.dask_map import map_on_slots

        return map_on_slots(job.function, fragments, reading, job.output, job.group)
    return _map_here(job, fragments, reading)


def _map_here(job: _Job, fragments: Sequence[Fragment], reading: Reading) -> Iterator[FragmentResult]:
    context = RuntimeContext(job.name, 0, 1, slot="local", task_manager="local", node=socket.gethostname())
    mapper = FragmentMapper(job.function, context, reading, job.output)
    try:
        for fragment in fragments:
            mapped = mapper.map(fragment)
            mapped.part.commit()
            yield mapped.result
    finally:
        mapper.close()


def _name_of(function: RichMapFunction) -> str:
    if isinstance(function, PlainMapFunction):
        return function.name
    return type(function).__name__
