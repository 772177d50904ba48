"""Numbers in three files, functions to map them with, and what is in a directory afterwards."""

import threading

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

import treadle


def on_a_laptop(monkeypatch):
    for name in ("TREADLE_EVENTS", "TREADLE_RUNTIME_CONTEXT"):
        monkeypatch.delenv(name, raising=False)


def write_numbers(directory):
    """Three files: 0 to 9, 10 to 19, 20 to 29."""
    directory.mkdir()
    for number in range(3):
        pq.write_table(pa.table({"x": range(number * 10, number * 10 + 10), "y": ["text"] * 10}), directory / f"{number}.parquet")
    return directory


def double(batch):
    return pa.record_batch({"x": pc.multiply(batch["x"], 2)})


def values(directory):
    return sorted(ds.dataset(directory).to_table()["x"].to_pylist())


def names(directory):
    return sorted(path.name for path in directory.iterdir())


class Recorder(treadle.RichMapFunction):
    def __init__(self):
        self.calls = []
        self.threads = set()

    def record(self, call):
        self.calls.append(call)
        self.threads.add(threading.get_ident())

    def open(self, context):
        assert treadle.get_runtime_context() is context
        self.record("open")

    def map(self, batch):
        self.record(("map", treadle.get_runtime_context().task_name))
        return batch

    def close(self):
        self.record("close")
