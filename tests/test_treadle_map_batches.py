"""`map_batches` where there is no cluster, and the parts of it that do not depend on where it runs."""

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from mapped_numbers import Recorder, double, names, on_a_laptop, values, write_numbers

import treadle
from treadle.fragment_mapper import FragmentMapper
from treadle.fragments import find_fragments

CONTEXT = treadle.RuntimeContext("job", 0, 1, "tm-0/0", "tm-0", "node0")


@pytest.fixture(autouse=True)
def laptop(monkeypatch):
    on_a_laptop(monkeypatch)


@pytest.fixture
def numbers(tmp_path):
    return write_numbers(tmp_path / "numbers")


def test_each_file_becomes_one_part(numbers, tmp_path):
    report = treadle.map_batches(double, numbers, tmp_path / "out")
    assert values(tmp_path / "out") == list(range(0, 60, 2))
    assert names(tmp_path / "out") == ["_SUCCESS", "part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    assert (report.name, report.fragments, report.rows) == ("double", 3, 30)
    assert 0 < report.seconds_to_first_batch <= report.seconds
    (slot,) = report.slots
    assert (slot.slot, slot.devices, slot.fragments, slot.rows) == ("local", (), 3, 30)
    assert 0 < slot.seconds_busy <= report.seconds


def test_parts_keep_the_order_of_their_files(numbers, tmp_path):
    treadle.map_batches(double, numbers, tmp_path / "out")
    assert pq.read_table(tmp_path / "out" / "part-00001.parquet")["x"].to_pylist() == list(range(20, 40, 2))


def test_a_rich_function_is_opened_and_closed_once_in_the_thread_that_maps(numbers, tmp_path):
    function = Recorder()
    treadle.map_batches(function, numbers, tmp_path / "out", batch_size=5)
    assert function.calls == ["open", *[("map", "Recorder")] * 6, "close"]
    assert len(function.threads) == 1


def test_uris_several_inputs_and_one_given_twice_are_read(numbers, tmp_path):
    single = numbers / "0.parquet"
    treadle.map_batches(double, [numbers.as_uri(), str(single)], (tmp_path / "out").as_uri())
    assert values(tmp_path / "out") == sorted([*range(0, 60, 2), *range(0, 20, 2)])


def test_a_relative_path_is_reported_as_an_absolute_one(numbers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = treadle.map_batches(double, "numbers", "out")
    assert report.output == str(tmp_path / "out")


def test_only_wanted_columns_are_read(numbers, tmp_path):
    seen = []

    def look(batch):
        seen.append((batch.schema.names, batch.num_rows))
        return batch

    treadle.map_batches(look, numbers, tmp_path / "out", columns=["y"], batch_size=6)
    assert seen == [(["y"], 6), (["y"], 4)] * 3


def test_directories_named_key_value_give_a_column(numbers, tmp_path):
    (tmp_path / "days" / "day=7").mkdir(parents=True)
    (numbers / "0.parquet").rename(tmp_path / "days" / "day=7" / "0.parquet")
    treadle.map_batches(lambda batch: batch, tmp_path / "days", tmp_path / "out")
    assert set(ds.dataset(tmp_path / "out").to_table()["day"].to_pylist()) == {7}


def test_a_file_without_rows_leaves_no_part(numbers, tmp_path):
    pq.write_table(pa.table({"x": pa.array([], pa.int64()), "y": pa.array([], pa.string())}), numbers / "1.parquet")
    report = treadle.map_batches(double, numbers, tmp_path / "out")
    assert names(tmp_path / "out") == ["_SUCCESS", "part-00000.parquet", "part-00002.parquet"]
    assert (report.fragments, report.rows) == (3, 20)


@pytest.fixture
def mapper_of(numbers, tmp_path):
    fragments, reading = find_fragments([str(numbers)], None, 100)
    (tmp_path / "out").mkdir()
    return fragments, lambda: FragmentMapper(treadle.rich_map_function.as_rich(double), CONTEXT, reading, str(tmp_path / "out"))


def test_a_fragment_mapped_in_two_slots_leaves_one_file(mapper_of, tmp_path):
    (fragment, *_), make = mapper_of
    lost, other = make(), make()
    late = lost.map(fragment)
    other.map(fragment).part.commit()
    late.part.commit()
    lost.close()
    other.close()
    assert names(tmp_path / "out") == ["part-00000.parquet"]
    assert values(tmp_path / "out") == list(range(0, 20, 2))


def test_an_uncommitted_file_is_no_data(mapper_of, tmp_path):
    (first, second, _), make = mapper_of
    mapper = make()
    mapper.map(first).part.commit()
    unfinished = mapper.map(second)
    assert len(names(tmp_path / "out")) == 2
    assert values(tmp_path / "out") == list(range(0, 20, 2))
    unfinished.part.discard()
    mapper.close()
    assert names(tmp_path / "out") == ["part-00000.parquet"]


def test_what_lost_slots_left_behind_is_gone_at_the_end(numbers, tmp_path):
    def leave_behind(batch):
        (tmp_path / "out" / ".part-00001.parquet.0123").touch()
        return batch

    treadle.map_batches(leave_behind, numbers, tmp_path / "out")
    assert names(tmp_path / "out") == ["_SUCCESS", "part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
