"""`map_batches` where there is no cluster, and the parts of it that do not depend on where it runs."""

import threading

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import treadle
from treadle.fragment_mapper import FragmentMapper
from treadle.fragments import find_fragments

CONTEXT = treadle.RuntimeContext("job", 0, 1, "tm-0/0", "tm-0", "node0")


@pytest.fixture(autouse=True)
def laptop(monkeypatch):
    for name in ("TREADLE_EVENTS", "TREADLE_RUNTIME_CONTEXT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def numbers(tmp_path):
    """Three files: 0 to 9, 10 to 19, 20 to 29."""
    directory = tmp_path / "numbers"
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


@pytest.mark.parametrize("leftover", ["part-00000.parquet", "_SUCCESS", ".hidden"])
def test_an_output_that_holds_anything_is_refused_before_work_begins(numbers, tmp_path, leftover):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / leftover).touch()
    function = Recorder()
    with pytest.raises(FileExistsError, match=f"out is not empty .it holds {leftover}.; name another directory or delete"):
        treadle.map_batches(function, numbers, tmp_path / "out")
    assert function.calls == []


def test_an_output_that_is_a_file_is_refused(numbers, tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(FileExistsError, match="out is a file; name a new or empty directory"):
        treadle.map_batches(double, numbers, tmp_path / "out")


def test_a_missing_input_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the input .*nowhere does not exist"):
        treadle.map_batches(double, tmp_path / "nowhere", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_input_without_data_files_is_named(numbers, tmp_path):
    for path in numbers.iterdir():
        path.rename(path.with_name(f"_{path.name}"))
    with pytest.raises(FileNotFoundError, match="numbers holds no Parquet file"):
        treadle.map_batches(double, numbers, tmp_path / "out")


def test_an_input_that_is_no_parquet_is_named(numbers, tmp_path):
    (numbers / "0.parquet").write_text("hello")
    with pytest.raises(ValueError, match="numbers is no Parquet dataset"):
        treadle.map_batches(double, numbers, tmp_path / "out")


def test_an_unknown_column_is_named(numbers, tmp_path):
    with pytest.raises(ValueError, match=r"columns \['z'\] are not in the input; it has \['x', 'y'\]"):
        treadle.map_batches(double, numbers, tmp_path / "out", columns=["x", "z"])


@pytest.mark.parametrize(
    ("function", "message"), [(Recorder, r"the class Recorder; give it an instance: Recorder\("), (3, "was given 3; give it")]
)
def test_what_is_no_function_is_refused(numbers, tmp_path, function, message):
    with pytest.raises(TypeError, match=message):
        treadle.map_batches(function, numbers, tmp_path / "out")


def test_no_input_at_all_is_refused(tmp_path):
    with pytest.raises(ValueError, match="input is an empty list; give"):
        treadle.map_batches(double, [], tmp_path / "out")


def test_a_batch_has_at_least_one_row(numbers, tmp_path):
    with pytest.raises(ValueError, match="batch_size is 0; give"):
        treadle.map_batches(double, numbers, tmp_path / "out", batch_size=0)


def test_in_a_slot_it_is_refused(numbers, tmp_path, monkeypatch):
    monkeypatch.setenv("TREADLE_RUNTIME_CONTEXT", "context.json")
    with pytest.raises(RuntimeError, match="called in a slot, where every slot would do all of it"):
        treadle.map_batches(double, numbers, tmp_path / "out")


def test_what_the_function_raises_names_the_file_and_keeps_the_traceback(numbers, tmp_path):
    def fail_on_second_file(batch):
        if batch["x"][0].as_py() == 15:
            raise LookupError("no such digit")
        return batch

    with pytest.raises(
        treadle.FragmentError, match=r"1\.parquet could not be mapped in slot local.*: LookupError: no such digit"
    ) as caught:
        treadle.map_batches(fail_on_second_file, numbers, tmp_path / "out", batch_size=5)
    assert "in fail_on_second_file" in caught.value.detail
    assert caught.value.fragment.endswith("1.parquet")
    # the first file is whole, the second one left nothing, and nothing says that all is there
    assert names(tmp_path / "out") == ["part-00000.parquet"]


def test_the_function_is_closed_when_it_fails_and_not_when_it_never_opened(numbers, tmp_path):
    class FailsInMap(Recorder):
        def map(self, batch):
            raise ValueError("map")

    class FailsInOpen(Recorder):
        def open(self, context):
            raise ValueError("open")

    in_map, in_open = FailsInMap(), FailsInOpen()
    with pytest.raises(treadle.FragmentError, match="ValueError: map"):
        treadle.map_batches(in_map, numbers, tmp_path / "out1")
    with pytest.raises(treadle.FragmentError, match="ValueError: open"):
        treadle.map_batches(in_open, numbers, tmp_path / "out2")
    assert (in_map.calls, in_open.calls) == (["open", "close"], [])


def test_a_function_that_returns_something_else_is_told_what_was_expected(numbers, tmp_path):
    with pytest.raises(treadle.FragmentError, match=r"map returned list where a pyarrow\.RecordBatch was expected"):
        treadle.map_batches(lambda batch: batch.to_pylist(), numbers, tmp_path / "out")


def test_a_function_may_not_end_the_process(numbers, tmp_path):
    with pytest.raises(treadle.FragmentError, match="SystemExit: 3"):
        treadle.map_batches(lambda batch: exit(3), numbers, tmp_path / "out")  # noqa: PLR1722 - what a user may write


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
