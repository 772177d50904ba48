"""Rows of the coordination file that go at the end of their owner, on request of its driver."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver_process import FAKES
from gpu_node import Node

from drivers.discovery_script import DiscoveryScriptDriver


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    node.close()


def test_own_rows_are_removed_on_request_and_no_others(node: Node) -> None:
    node.show(11)
    other, own = node.living(), os.getpid()
    node.file.write_text(f"0 {own}\n10 {own}\n2 {other}\n1 {own}\n")
    run = node.run("0", *node.coordinated(0)[1:], "--release", "0,2,7")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert node.file.read_text() == f"10 {own}\n2 {other}\n1 {own}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("0 --release 0", "--release goes with --enable-coordination-mode"),
        ("0 --enable-coordination-mode --release", "--release needs indices joined by commas, not ''"),
        ("0 --enable-coordination-mode --release 0,,1", "--release needs indices joined by commas, not '0,,1'"),
    ],
)
def test_a_release_that_is_not_understood(node: Node, arguments: str, message: str) -> None:
    run = node.run(*arguments.split())
    assert run.returncode == 1
    assert message in run.stderr


def test_a_release_makes_no_file(node: Node) -> None:
    assert node.run(*node.coordinated(0), "--release", "0").returncode == 0
    assert not node.file.exists()


@pytest.mark.parametrize("flinks", [False, True], ids=["our script", "Flink's script"])
def test_the_driver_removes_its_rows_at_the_end(node: Node, monkeypatch: pytest.MonkeyPatch, flinks: bool) -> None:
    monkeypatch.setenv("PATH", node.path)
    other = node.living()
    node.file.write_text(f"1 {other}\n")
    script = {"discovery-script.path": str(FAKES / "flink_discovery.py")} if flinks else {}
    driver = DiscoveryScriptDriver({"discovery-script.args": f"--enable-coordination-mode --coordination-file '{node.file}'", **script})
    assert [device.index for device in driver.discover(2)] == ["0", "2"]
    driver.release(["GPU-0000"])  # the other one was leased by somebody else, say: its row goes too
    assert node.file.read_text() == f"1 {other}\n"


def test_without_coordination_nothing_is_run_at_the_end(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", node.path)
    driver = DiscoveryScriptDriver({"discovery-script.args": f"--coordination-file '{node.file}'"})
    driver.discover(1)
    driver.release(["GPU-0000"])
    assert not node.file.exists()
