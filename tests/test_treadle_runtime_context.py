import json
import re
import subprocess
import sys

import pytest
from treadle_application import make_treadle_zip

import treadle
from treadle import runtime_context

CONTEXT = {
    "task_name": "classify",
    "subtask_index": 1,
    "parallelism": 4,
    "slot": "tm-1/1",
    "task_manager": "tm-1",
    "group": "tm",
    "node": "n1",
    "external_resources": {"gpu": [{"index": "0", "uuid": "GPU-a"}, {"index": "1", "uuid": "GPU-b"}], "rdma": []},
}


@pytest.fixture
def context(tmp_path, monkeypatch):
    file = tmp_path / "context.json"
    file.write_text(json.dumps(CONTEXT))
    monkeypatch.setenv("TREADLE_RUNTIME_CONTEXT", str(file))
    return treadle.get_runtime_context()


def test_a_slot_knows_where_it_is(context):
    assert (context.task_name, context.subtask_index, context.parallelism) == ("classify", 1, 4)
    assert (context.slot, context.task_manager, context.node) == ("tm-1/1", "tm-1", "n1")


def test_pyflink_names_work(context):
    assert context.get_task_name() == "classify"
    assert context.get_index_of_this_subtask() == 1
    assert context.get_number_of_parallel_subtasks() == 4


def test_infos_are_a_frozen_set_of_hashable_devices(context):
    infos = context.get_external_resource_infos("gpu")
    assert infos == frozenset(map(treadle.ExternalResourceInfo.of, CONTEXT["external_resources"]["gpu"]))
    assert isinstance(infos, frozenset)
    assert {info.get_property("index") for info in infos} == {"0", "1"}


@pytest.mark.parametrize("name", ["rdma", "GPU", "unknown"])
def test_no_devices_are_an_empty_set_as_in_flink(context, name):
    assert context.get_external_resource_infos(name) == frozenset()


def test_an_info_tells_its_properties():
    info = treadle.ExternalResourceInfo.of({"uuid": "GPU-a", "index": "0"})
    assert info.get_keys() == {"index", "uuid"}
    assert info.get_property("uuid") == "GPU-a"
    assert info.get_property("memory") is None
    assert info == treadle.ExternalResourceInfo.of({"index": "0", "uuid": "GPU-a"})


def test_there_is_no_context_outside_a_slot(monkeypatch):
    monkeypatch.delenv("TREADLE_RUNTIME_CONTEXT", raising=False)
    with pytest.raises(RuntimeError, match=r"not a slot.*open\(\) or map\(\).*submit run -- command"):
        treadle.get_runtime_context()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"task_name": "x"}', json.dumps(CONTEXT | {"subtask_index": "one"})])
def test_a_file_that_is_no_context_is_named(tmp_path, monkeypatch, text):
    file = tmp_path / "context.json"
    file.write_text(text)
    monkeypatch.setenv("TREADLE_RUNTIME_CONTEXT", str(file))
    with pytest.raises(ValueError, match=r"context\.json, which TREADLE_RUNTIME_CONTEXT names, is no runtime context"):
        treadle.get_runtime_context()


def test_an_assumed_context_ends_with_its_block(context):
    other = treadle.RuntimeContext("other", 0, 1, "local", "local", "here")
    with runtime_context.assumed(other):
        assert treadle.get_runtime_context() is other
    assert treadle.get_runtime_context() == context


def test_importing_treadle_from_its_archive_takes_the_standard_library_only(tmp_path):
    program = (
        "import sys; before = set(sys.modules); import treadle; "
        "print({name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    archive = make_treadle_zip(tmp_path / "treadle.zip")
    # -S: no site-packages, so that anything else could not be imported at all
    command = [sys.executable, "-S", "-c", program]
    done = subprocess.run(command, env={"PYTHONPATH": str(archive)}, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("{'treadle'}\n", "")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import treadle; treadle.map_batches(print, 'in', 'out')", "needs pyarrow, which .* -m pip install pyarrow"),
        ("import treadle; treadle.open_filesystem('in')", "open_filesystem needs pyarrow, which .* -m pip install pyarrow"),
        (
            "import runpy; runpy.run_module('treadle.dask_slot', run_name='__main__')",
            "needs distributed, which .* -m pip install distributed",
        ),
    ],
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(tmp_path, program, message):
    archive = make_treadle_zip(tmp_path / "treadle.zip")
    command = [sys.executable, "-S", "-c", program]
    done = subprocess.run(command, env={"PYTHONPATH": str(archive)}, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(message, done.stderr)


def test_dask_is_for_a_jobs_main_only(monkeypatch):
    monkeypatch.delenv("TREADLE_EVENTS", raising=False)
    with pytest.raises(RuntimeError, match="in the main of a submitted job only"):
        treadle.get_client()
