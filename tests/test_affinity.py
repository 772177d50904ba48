"""CPUs of a slot: which they are, and that its process runs on them."""

import json
import logging
import os
import queue
import sys

import pytest

from drivers.device import FoundDevice
from task_manager.affinity import cpus_near, format_cpulist, parse_cpulist
from task_manager.slot_environment import SlotProcessSpec
from task_manager.slot_process import SlotProcess


@pytest.fixture
def nodes(tmp_path):
    """A machine of 8 CPUs: nodes 0 and 1 have four each, node 2 is memory alone, as that of a GPU is on Grace."""
    for node, cpus in enumerate(["0-3\n", "4,5,6-7\n", "\n"]):
        (tmp_path / f"node{node}").mkdir()
        (tmp_path / f"node{node}/cpulist").write_text(cpus)
    return tmp_path


def gpu(numa_node=None):
    return FoundDevice("0", "GPU-0", {"numa_node": numa_node} if numa_node is not None else {})


@pytest.mark.parametrize(
    ("numa_nodes", "allowed", "cpus", "said"),
    [
        (["0"], range(8), {0, 1, 2, 3}, "bound to CPUs 0-3 of NUMA node 0"),
        (["1"], range(8), {4, 5, 6, 7}, "bound to CPUs 4-7 of NUMA node 1"),
        (["1", "0"], range(8), set(range(8)), "bound to CPUs 0-7 of NUMA node 0 and 1"),
        (["1", None], range(8), {4, 5, 6, 7}, "bound to CPUs 4-7 of NUMA node 1"),
        (["0"], [1, 3, 5], {1, 3}, "bound to CPUs 1,3 of NUMA node 0"),
        (["0"], [5, 6], set(), "not bound to CPUs: the container may use none of NUMA node 0"),
        (["2"], range(8), set(), "not bound to CPUs: the container may use none of NUMA node 2"),
        (["3"], range(8), set(), "not bound to CPUs: those of NUMA node 3 can't be read"),
        (["../1"], range(8), set(), "not bound to CPUs: no NUMA node is known of its devices"),
        ([None], range(8), set(), "not bound to CPUs: no NUMA node is known of its devices"),
        ([], range(8), set(), "not bound to CPUs: no NUMA node is known of its devices"),
    ],
)
def test_a_slot_runs_near_its_devices_or_is_left_alone(nodes, caplog, numa_nodes, allowed, cpus, said):
    caplog.set_level(logging.INFO)
    assert cpus_near([gpu(node) for node in numa_nodes], allowed, "tm-0/slot-0", nodes) == cpus
    (line,) = caplog.messages
    assert line.startswith("Slot tm-0/slot-0 is ")
    assert said in line


def test_a_list_of_cpus_that_is_none_leaves_the_slot_alone(nodes, caplog):
    caplog.set_level(logging.INFO)
    (nodes / "node0/cpulist").write_text("all\n")
    assert cpus_near([gpu("0")], range(8), "tm-0/slot-0", nodes) == set()
    assert "can't be read" in caplog.text


@pytest.mark.parametrize("text", ["", "0", "0-1", "0,2", "0-3,8-11", "1-2,5,7-9"])
def test_lists_of_cpus_are_the_kernels(text):
    assert format_cpulist(parse_cpulist(text)) == text


def run(tmp_path, cpus):
    """What a slot's process says of its CPUs, or its log."""
    command = (sys.executable, "-c", "import json, os; print(json.dumps(sorted(os.sched_getaffinity(0))))")
    spec = SlotProcessSpec(command, os.environ, {}, tmp_path / "slot-0.json", tmp_path / "slot-0.log", cpus)
    ended = queue.SimpleQueue()
    SlotProcess("tm-0/slot-0", spec, (), 1.0).report(ended.put)
    ended.get(timeout=30)
    return spec.log_file.read_text().splitlines()


def test_the_process_of_a_slot_runs_on_its_cpus_only(tmp_path):
    (cpu, *_) = os.sched_getaffinity(0)
    assert run(tmp_path, (cpu,)) == [f"[{cpu}]"]


def test_the_process_of_a_slot_without_cpus_of_its_own_has_all(tmp_path):
    assert json.loads(run(tmp_path, ())[0]) == sorted(os.sched_getaffinity(0))


def test_cpus_that_are_gone_stop_nothing(tmp_path):
    said, cpus = run(tmp_path, (4000,))
    assert said == "not bound to the CPUs 4000: Invalid argument"
    assert json.loads(cpus) == sorted(os.sched_getaffinity(0))
