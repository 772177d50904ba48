"""The shipped discovery script in coordination mode, which keeps the TaskManagers of a node apart: who gets what, and which rows count."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpu_node import Node, answer

from drivers.device import DriverError
from drivers.discovery_script import DiscoveryScriptDriver


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    node.close()


def test_the_driver_is_the_owner_and_asks_again_for_more(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", node.path)
    driver = DiscoveryScriptDriver({"discovery-script.args": f"--enable-coordination --coordination-file '{node.file}'"})
    assert [device.index for device in driver.discover(1)] == ["0"]
    assert [device.index for device in driver.discover(3)] == ["0", "1", "2"]
    assert sorted(node.file.read_text().splitlines()) == [f"{index} {os.getpid()}" for index in range(3)]
    with pytest.raises(DriverError, match="exited with 1") as raised:
        driver.discover(5)
    assert "asked for 5 GPUs, nvidia-smi shows 4, of these 4 are free in" in raised.value.detail


def test_each_owner_gets_other_devices(node: Node) -> None:
    assert [node.other_gets(1), node.other_gets(2), node.other_gets(2), node.other_gets(1)] == ["0 0", "0 1,2", "75", "0 3"]


def test_owners_that_come_at_once_get_different_devices(node: Node) -> None:
    owners = [node.start_owner(*node.coordinated(1)) for _ in range(6)]
    assert sorted(answer(owner) for owner in owners) == ["0 0", "0 1", "0 2", "0 3", "75", "75"]
    assert len(node.file.read_text().splitlines()) == 4


def test_the_short_switch_coordinates_too(node: Node) -> None:
    assert node.other_gets(1) == "0 0"
    run = node.run("1", "--enable-coordination", "--coordination-file", str(node.file))
    assert run.stdout == "1\n"
    assert "--enable-coordination is taken for --enable-coordination-mode" in run.stderr


def test_without_the_switch_the_file_is_left_alone(node: Node) -> None:
    assert node.run("1", "--coordination-file", str(node.file)).stdout == "0\n"
    assert not node.file.exists()


def test_free_devices_come_before_those_of_dead_owners(node: Node) -> None:
    dead = node.dead()
    node.file.write_text(f"0 {dead}\n1 {dead}\n")
    assert node.run(*node.coordinated(3)).stdout == "2,3,0\n"
    assert node.file.read_text().startswith(f"1 {dead}\n2 ")


def test_own_devices_come_first(node: Node) -> None:
    node.file.write_text(f"2 {os.getpid()}\n")
    assert node.run(*node.coordinated(2)).stdout == "2,0\n"


def test_reclaiming_an_index_leaves_longer_ones_that_begin_with_it(node: Node) -> None:
    node.show(11)
    other, dead = node.living(), node.dead()
    rows = [f"{index} {other}" for index in range(1, 11)]
    node.file.write_text("\n".join([f"0 {dead}", *rows]) + "\n")
    assert node.run(*node.coordinated(1)).stdout == "0\n"
    assert node.file.read_text().splitlines() == [*rows, f"0 {os.getpid()}"]
    assert node.other_gets(1) == "75"


@pytest.mark.parametrize("row", ["0", "0 ", "0 x", "0 1 2", "nonsense", "0 0", "0 -1"])
def test_malformed_rows_block_nothing_and_are_dropped(node: Node, row: str) -> None:
    node.file.write_text(f"{row}\n\n1 {node.living()}\n")
    run = node.run(*node.coordinated(3))
    assert run.stdout == "0,2,3\n"
    assert f"the malformed row '{row.strip()}'" in run.stderr
    assert row not in node.file.read_text().splitlines()


def test_a_file_without_final_newline_is_read_whole_and_mended(node: Node) -> None:
    other = node.living()
    node.file.write_text(f"0 {other}")
    assert node.run(*node.coordinated(1)).stdout == "1\n"
    assert node.file.read_text() == f"0 {other}\n1 {os.getpid()}\n"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_rows_for_one_index_the_living_owner_counts(node: Node, order: tuple[int, int]) -> None:
    node.show(1)
    rows = [f"0 {node.dead()}\n", f"0 {node.living()}\n"]
    node.file.write_text(rows[order[0]] + rows[order[1]])
    assert node.run(*node.coordinated(1)).returncode == 75


def test_a_file_that_shrinks_is_cut(node: Node) -> None:
    node.file.write_text("a malformed row that is much longer than all that is written afterwards\n" * 9)
    node.run(*node.coordinated(1))
    assert node.file.read_text() == f"0 {os.getpid()}\n"


def test_when_too_few_are_free_nothing_is_taken(node: Node) -> None:
    before = f"0 {node.living()}\n1 {node.dead()}\n"
    node.file.write_text(before)
    run = node.run(*node.coordinated(4))
    assert (run.returncode, run.stdout, node.file.read_text()) == (75, "", before)
    assert "asked for 4 GPUs, nvidia-smi shows 4, of these 3 are free" in run.stderr


def test_the_lock_is_flocks_on_the_file_itself(node: Node) -> None:
    node.file.touch()
    held = ["flock", "-x", str(node.file), "sh", "-c", "echo held; read -r line"]
    with subprocess.Popen(held, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert answer(holder) == "held"
        owner = node.start_owner(*node.coordinated(1))
        assert owner.stdout is not None
        assert select.select([owner.stdout], [], [], 0.5)[0] == []
        assert node.file.read_text() == ""
        holder.communicate("\n")
    assert answer(owner) == "0 0"


def test_the_driver_knows_devices_that_others_hold_from_missing_ones(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", node.path)
    node.file.write_text(f"1 {node.living()}\n")
    driver = DiscoveryScriptDriver({"discovery-script.args": f"--enable-coordination-mode --coordination-file '{node.file}'"})
    with pytest.raises(DriverError, match="says that others use the devices"):
        driver.discover(4)
    assert driver.busy
    with pytest.raises(DriverError, match="exited with 1"):
        driver.discover(5)
    assert not driver.busy
