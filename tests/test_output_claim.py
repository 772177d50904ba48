"""A second attempt of an application goes on in its own output, and nobody else does."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import treadle
from treadle.fragment_error import FragmentError
from treadle.output_claim import FILE


@pytest.fixture
def numbers(tmp_path):
    (tmp_path / "in").mkdir()
    for part in range(4):
        pq.write_table(pa.table({"x": range(10 * part, 10 * part + 10)}), tmp_path / "in" / f"{part}.parquet")
    pq.write_table(pa.table({"x": pa.array([], pa.int64())}), tmp_path / "in" / "4.parquet")
    return tmp_path / "in"


def attempt(monkeypatch, number, application="application_1_0001"):
    monkeypatch.setenv("TREADLE_ATTEMPTS", "2")
    monkeypatch.setenv("TREADLE_ATTEMPT", str(number))
    monkeypatch.setenv("TREADLE_APPLICATION", application)


class Fails(treadle.RichMapFunction):
    """Maps until it meets this number, and counts."""

    def __init__(self, at=None):
        self.at, self.rows = at, 0

    def map(self, batch):
        if self.at in batch["x"].to_pylist():
            raise ValueError("here")
        self.rows += batch.num_rows
        return batch


def test_a_second_attempt_maps_only_what_the_first_has_not(numbers, tmp_path, monkeypatch):
    attempt(monkeypatch, 1)
    with pytest.raises(FragmentError, match="here"):
        treadle.map_batches(Fails(at=25), numbers, tmp_path / "out")
    attempt(monkeypatch, 2)
    function = Fails()
    report = treadle.map_batches(function, numbers, tmp_path / "out")
    assert (report.fragments, report.resumed, report.rows, function.rows) == (5, 2, 40, 20)
    assert sorted(pq.read_table(tmp_path / "out")["x"].to_pylist()) == list(range(40))


def test_a_stage_that_was_whole_is_not_done_again(numbers, tmp_path, monkeypatch):
    attempt(monkeypatch, 1)
    treadle.map_batches(Fails(), numbers, tmp_path / "out")
    attempt(monkeypatch, 2)
    function = Fails()
    report = treadle.map_batches(function, numbers, tmp_path / "out")
    assert (report.fragments, report.resumed, report.rows, function.rows) == (5, 5, 40, 0)


def test_another_application_is_refused(numbers, tmp_path, monkeypatch):
    attempt(monkeypatch, 1)
    treadle.map_batches(Fails(), numbers, tmp_path / "out")
    attempt(monkeypatch, 1, "application_1_0002")
    with pytest.raises(FileExistsError, match="is not empty"):
        treadle.map_batches(Fails(), numbers, tmp_path / "out")


def test_another_input_is_refused(numbers, tmp_path, monkeypatch):
    attempt(monkeypatch, 1)
    treadle.map_batches(Fails(), numbers, tmp_path / "out")
    pq.write_table(pa.table({"x": [1]}), numbers / "0a.parquet")
    with pytest.raises(FileExistsError, match="is not empty"):
        treadle.map_batches(Fails(), numbers, tmp_path / "out")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"application": "a"}'])
def test_half_a_claim_is_none(numbers, tmp_path, monkeypatch, text):
    attempt(monkeypatch, 2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / FILE).write_text(text)
    with pytest.raises(FileExistsError, match="is not empty"):
        treadle.map_batches(Fails(), numbers, tmp_path / "out")


def test_nothing_is_claimed_where_there_is_one_attempt(numbers, tmp_path):
    treadle.map_batches(Fails(), numbers, tmp_path / "out")
    assert not (tmp_path / "out" / FILE).exists()
