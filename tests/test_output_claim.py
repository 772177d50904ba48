"""A second attempt of an application goes on in its own output, and nobody else does."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import treadle
from treadle.fragment_error import FragmentError
from treadle.fragments import find_fragments
from treadle.output_claim import PREFIX, Claim, claim_output


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


@pytest.mark.parametrize("claimed", [False, True], ids=["before", "after"])
def test_wherever_an_attempt_dies_while_it_claims_the_next_one_goes_on(numbers, tmp_path, monkeypatch, claimed):
    """A claim is made in one step: its attempt can die right before it or right after."""
    attempt(monkeypatch, 1)
    (tmp_path / "out").mkdir()
    if claimed:
        fragments, _ = find_fragments([str(numbers)], None, 10)
        (tmp_path / "out" / Claim.of(fragments).name).touch()
    attempt(monkeypatch, 2)
    report = treadle.map_batches(Fails(), numbers, tmp_path / "out")
    assert (report.resumed, report.rows) == (0, 40)


@pytest.mark.parametrize("name", [PREFIX, f"{PREFIX}application_1_0001-0", f"{PREFIX}application_1_0002-0", "part-00000.parquet", "x"])
def test_what_this_application_did_not_begin_is_refused(numbers, tmp_path, monkeypatch, name):
    attempt(monkeypatch, 2)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).touch()
    with pytest.raises(FileExistsError, match=f"is not empty .it holds {name}"):
        treadle.map_batches(Fails(), numbers, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


@pytest.fixture(params=["local", pytest.param("hdfs", marks=pytest.mark.cluster)])
def output(request, tmp_path, monkeypatch):
    """A directory, local and on HDFS, that isn't there yet."""
    if request.param == "local":
        return str(tmp_path / "out")
    cluster = request.getfixturevalue("cluster")
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
    return f"{cluster.namenode_uri}/{tmp_path.name}/out"


def test_of_eight_applications_that_claim_at_once_no_two_have_the_output(output):
    begin = threading.Barrier(8)

    def claims(number):
        begin.wait()
        try:
            return claim_output(output, Claim(f"application_1_000{number}", "0"), ())
        except FileExistsError:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert [done for done in pool.map(claims, range(8)) if done is not None] in ([], [frozenset()])


def test_a_claim_is_taken_up_again_by_its_own_application_alone(output):
    own, other = Claim("application_1_0001", "0"), Claim("application_1_0002", "0")
    assert [claim_output(output, own, ()) for _ in range(3)] == [frozenset()] * 3
    for claim in (other, Claim("application_1_0001", "1"), None):
        with pytest.raises(FileExistsError, match="is not empty"):
            claim_output(output, claim, ())


def test_nothing_is_claimed_where_there_is_one_attempt(numbers, tmp_path):
    treadle.map_batches(Fails(), numbers, tmp_path / "out")
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(PREFIX)]
