"""Storage that fails for a while is waited for; what no waiting changes is told at once."""

import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from treadle_application import Application

from treadle.outages import PAUSES_S, outlast

JOB = """
import pathlib, sys
import treadle, treadle.fragment_futures

directory, passes = pathlib.Path(sys.argv[1]), sys.argv[3] == "passes"

class Breaks(treadle.RichMapFunction):
    '''Takes the file "1" away while "0" is mapped, so that it can't be opened; "2" puts it back, or nobody does.'''
    def map(self, batch):
        mapped = batch["x"][0].as_py()
        print("MAPPED", mapped, flush=True)
        if mapped == 0:
            (directory / "1.parquet").rename(directory / "away")
            (directory / "1.parquet").symlink_to(directory / "1.parquet")
        if mapped == 2 and passes:
            (directory / "1.parquet").unlink()
            (directory / "away").rename(directory / "1.parquet")
        return batch

if not passes:
    treadle.fragment_futures.PAUSES_S = (0.1, 0.2)
treadle.map_batches(Breaks(), directory, sys.argv[2])
"""


class Flaky:
    """Fails so often, with this error, and then works."""

    def __init__(self, failures, error=None):
        self.left, self.error = failures, error or OSError("All DataNodes failed")

    def __call__(self):
        if self.left:
            self.left -= 1
            raise self.error
        return "done"


def test_storage_that_works_again_within_a_minute_is_waited_for():
    slept = []
    assert outlast(Flaky(len(PAUSES_S)), slept.append) == "done"
    assert slept == sorted(slept) == list(PAUSES_S)
    assert 60 <= sum(slept) <= 90


def test_storage_that_does_not_is_told_in_its_own_words():
    with pytest.raises(OSError, match="All DataNodes failed"):
        outlast(Flaky(len(PAUSES_S) + 1), lambda pause: None)


@pytest.mark.parametrize("lasting", [FileNotFoundError, FileExistsError, PermissionError, ValueError])
def test_what_does_not_pass_is_not_waited_for(lasting):
    slept = []
    with pytest.raises(lasting):
        outlast(Flaky(1, lasting("no")), slept.append)
    assert slept == []


@pytest.fixture
def started(tmp_path):
    """A job on one slot, and three files for it."""
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "in").mkdir()
    for number in range(3):
        pq.write_table(pa.table({"x": [number]}), tmp_path / "in" / f"{number}.parquet")
    with Application(tmp_path, parallelism=1) as application:
        yield application


def test_a_fragment_whose_input_fails_waits_in_no_slot_and_is_mapped_later(started, tmp_path):
    began = time.monotonic()
    assert started.run(tmp_path / "job.py", tmp_path / "in", tmp_path / "out", "passes") == (0, [0]), started.log("main")
    assert [line for line in started.log("slot-0").splitlines() if "MAPPED" in line] == ["MAPPED 0", "MAPPED 2", "MAPPED 1"]
    assert sorted(pq.read_table(tmp_path / "out")["x"].to_pylist()) == [0, 1, 2]
    assert started.log("main").count("1.parquet failed; it is mapped again in 1 s: ") == 1
    assert time.monotonic() - began > PAUSES_S[0]


def test_a_fragment_whose_input_stays_away_ends_the_job(started, tmp_path):
    assert started.run(tmp_path / "job.py", tmp_path / "in", tmp_path / "out", "lasts") == (1, [0])
    assert "1.parquet could not be mapped by any slot: OSError" in started.log("main")
    assert not (tmp_path / "out" / "_SUCCESS").exists()
