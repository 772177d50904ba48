"""The shipped discovery script, run as the drivers run it, with a small nvidia-smi in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gpu_node import Node

from drivers.device import FoundDevice
from drivers.discovery_script import DiscoveryScriptDriver


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    node.close()


ANSWERED = [
    ("0", ""),
    ("1", "0\n"),
    ("2", "0,1\n"),
    ("4", "0,1,2,3\n"),
    ("02", "0,1\n"),
    ("09", None),
    ("2 null", "0,1\n"),
    ("2 --bogus x", "0,1\n"),
    ("5", None),
    ("-1", None),
    ("abc", None),
    ("1.5", None),
    ("99999999999999999999", None),
    ("2 --coordination-file", None),
]


@pytest.mark.parametrize(("arguments", "printed"), ANSWERED)
def test_the_first_indices_are_printed_or_it_fails(node: Node, arguments: str, printed: str | None) -> None:
    run = node.run(*arguments.split())
    assert (run.returncode, run.stdout) == ((1, "") if printed is None else (0, printed))


MESSAGES = [
    ("", "the amount must be a number of GPUs, 0 or more, not ''"),
    ("-1", "not '-1'"),
    ("abc", "usage: nvidia-gpu-discovery.sh <amount>"),
    ("5", "asked for 5 GPUs, nvidia-smi shows 4, of these 4 are free"),
    ("2 --bogus", "'--bogus' is not known and is ignored"),
    ("2 --coordination-file", "--coordination-file needs the path of a file"),
]


@pytest.mark.parametrize(("arguments", "message"), MESSAGES)
def test_what_is_wrong_is_said_on_stderr(node: Node, arguments: str, message: str) -> None:
    assert message in node.run(*arguments.split()).stderr


def test_nothing_is_asked_of_nvidia_smi_for_no_gpu(node: Node) -> None:
    node.smi.unlink()
    assert node.run("0").returncode == 0


def test_no_nvidia_smi(node: Node, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "bash").symlink_to("/bin/bash")
    run = node.run("1", PATH=str(tools))
    assert (run.returncode, run.stdout) == (1, "")
    assert "nvidia-smi is not on the PATH" in run.stderr


def test_a_failing_nvidia_smi_is_quoted(node: Node) -> None:
    node.install("#!/bin/sh\necho 'NVIDIA-SMI has failed because it could not talk to the driver'\nexit 9\n")
    run = node.run("1")
    assert (run.returncode, run.stdout) == (1, "")
    assert "nvidia-smi failed with 9: NVIDIA-SMI has failed because it could not talk to the driver" in run.stderr


@pytest.mark.parametrize("program", ["#!/bin/sh\n", "#!/bin/sh\necho No devices were found\n"])
def test_a_node_without_gpus(node: Node, program: str) -> None:
    node.install(program)
    run = node.run("1")
    assert (run.returncode, run.stdout) == (1, "")
    assert "asked for 1 GPUs, nvidia-smi shows 0" in run.stderr


def test_properties_are_told_to_those_who_want_them(node: Node) -> None:
    assert node.run("2", TREADLE_DISCOVERY_PROPERTIES="1").stdout == (
        "0,1\n"
        "0: uuid=GPU-0000;name=Tesla T4, old;memory=15360;pci_bus_id=00000000:10:00.0\n"
        "1: uuid=GPU-0001;name=Tesla T4, old;memory=15360;pci_bus_id=00000000:11:00.0\n"
    )


def test_properties_that_nvidia_smi_does_not_know_are_left_out(node: Node) -> None:
    node.install("#!/bin/sh\necho '0, GPU-a, [N/A], [Not Supported], GB10'\n")
    assert node.run("1", TREADLE_DISCOVERY_PROPERTIES="1").stdout == "0\n0: uuid=GPU-a;name=GB10\n"


def test_the_driver_runs_it_by_default(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", node.path)
    properties = {"name": "Tesla T4, old", "memory": "15360", "pci_bus_id": "00000000:10:00.0"}
    assert DiscoveryScriptDriver({}).discover(1) == [FoundDevice("0", "GPU-0000", properties, {"CUDA_VISIBLE_DEVICES": "GPU-0000"})]


def test_watching_lists_every_gpu_and_takes_none(node: Node) -> None:
    run = node.run(*node.coordinated(1), TREADLE_DISCOVERY_HEALTH="1")
    assert (run.returncode, run.stdout) == (0, "0,1,2,3\n")
    assert not node.file.exists()
