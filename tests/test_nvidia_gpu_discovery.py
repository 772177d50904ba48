"""The shipped discovery script, run as the drivers run it, with a small nvidia-smi in front of it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.device import DriverError, FoundDevice
from drivers.discovery_script import SHIPPED_SCRIPT, DiscoveryScriptDriver

NVIDIA_SMI = """#!/usr/bin/env bash
# shows the GPUs that the file "gpus" beside it lists: <index>, <uuid>, <MiB>, <PCI bus id>, <name>
case $* in
  '--query-gpu=index --format=csv,noheader,nounits') cut -d, -f1 "${0%/*}/gpus" ;;
  '--query-gpu=index,uuid,memory.total,pci.bus_id,name --format=csv,noheader,nounits') cat "${0%/*}/gpus" ;;
  *) echo "not understood: $*"; exit 2 ;;
esac
"""

# what takes part in coordination in another process: it says what it got, and lives until its input ends
OWNER = """
import subprocess, sys
run = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
print(run.returncode, run.stdout.strip(), flush=True)
sys.stdin.read()
"""


class Node:
    """A node's nvidia-smi, its coordination file, and the TaskManagers on it."""

    def __init__(self, directory: Path) -> None:
        self.smi = directory / "nvidia-smi"
        self.file = directory / "gpu coordination"
        self.path = f"{directory}:{os.environ['PATH']}"
        self._gpus = directory / "gpus"
        self._owners: list[subprocess.Popen[str]] = []
        self.install(NVIDIA_SMI)
        self.show(4)

    def install(self, program: str) -> None:
        self.smi.write_text(program)
        self.smi.chmod(0o755)

    def show(self, count: int) -> None:
        self._gpus.write_text("".join(f"{i}, GPU-{i:04d}, 15360, 00000000:{16 + i:02X}:00.0, Tesla T4, old\n" for i in range(count)))

    def coordinated(self, amount: int) -> list[str]:
        return [str(amount), "--enable-coordination-mode", "--coordination-file", str(self.file)]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs the script with this process as its owner."""
        env = {"PATH": self.path} | environment
        return subprocess.run([SHIPPED_SCRIPT, *arguments], env=env, capture_output=True, text=True, check=False, timeout=60)

    def start_owner(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts another TaskManager, which runs the script once and lives on."""
        command = [sys.executable, "-c", OWNER, str(SHIPPED_SCRIPT), *arguments]
        owner = subprocess.Popen(command, env={"PATH": self.path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._owners.append(owner)
        return owner

    def other_gets(self, amount: int) -> str:
        return answer(self.start_owner(*self.coordinated(amount)))

    def dead(self) -> int:
        """Returns the pid of a TaskManager that is no more."""
        owner = subprocess.Popen(["true"])
        owner.wait()
        return owner.pid

    def living(self) -> int:
        """Returns the pid of another TaskManager."""
        return self.start_owner("0").pid

    def close(self) -> None:
        for owner in self._owners:
            owner.communicate(timeout=60)


def answer(owner: subprocess.Popen[str]) -> str:
    assert owner.stdout is not None
    return owner.stdout.readline().strip()


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
    assert [node.other_gets(1), node.other_gets(2), node.other_gets(2), node.other_gets(1)] == ["0 0", "0 1,2", "1", "0 3"]


def test_owners_that_come_at_once_get_different_devices(node: Node) -> None:
    owners = [node.start_owner(*node.coordinated(1)) for _ in range(6)]
    assert sorted(answer(owner) for owner in owners) == ["0 0", "0 1", "0 2", "0 3", "1", "1"]
    assert len(node.file.read_text().splitlines()) == 4


def test_the_short_switch_coordinates_too(node: Node) -> None:
    assert node.other_gets(1) == "0 0"
    run = node.run("1", "--enable-coordination", "--coordination-file", str(node.file))
    assert run.stdout == "1\n"
    assert "--enable-coordination is taken for --enable-coordination-mode" in run.stderr


def test_without_the_switch_the_file_is_left_alone(node: Node) -> None:
    assert node.run("1", "--coordination-file", str(node.file)).stdout == "0\n"
    assert not node.file.exists()


def test_the_file_is_for_all_users(node: Node) -> None:
    node.run(*node.coordinated(1))
    assert node.file.stat().st_mode & 0o777 == 0o666


def test_a_file_that_flink_wrote_is_honoured_and_kept(node: Node) -> None:
    other = node.living()
    node.file.write_text(f"0 {other}\n2 {other}\n")
    assert node.run(*node.coordinated(2)).stdout == "1,3\n"
    assert node.file.read_text() == f"0 {other}\n2 {other}\n1 {os.getpid()}\n3 {os.getpid()}\n"


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
    assert node.other_gets(1) == "1"


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
    assert node.run(*node.coordinated(1)).returncode == 1


def test_a_file_that_shrinks_is_cut(node: Node) -> None:
    node.file.write_text("a malformed row that is much longer than all that is written afterwards\n" * 9)
    node.run(*node.coordinated(1))
    assert node.file.read_text() == f"0 {os.getpid()}\n"


def test_when_too_few_are_free_nothing_is_taken(node: Node) -> None:
    before = f"0 {node.living()}\n1 {node.dead()}\n"
    node.file.write_text(before)
    run = node.run(*node.coordinated(4))
    assert (run.returncode, run.stdout, node.file.read_text()) == (1, "", before)
    assert "asked for 4 GPUs, nvidia-smi shows 4, of these 3 are free" in run.stderr


def test_a_coordination_file_in_a_missing_directory_is_an_error(node: Node, tmp_path: Path) -> None:
    node.file = tmp_path / "missing" / "file"
    run = node.run(*node.coordinated(1))
    assert (run.returncode, run.stdout) == (1, "")
    assert f"cannot use the coordination file {node.file}: its directory must exist" in run.stderr


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


def test_a_file_that_flinks_script_replaces_under_its_lock_is_read_anew(node: Node) -> None:
    other = node.living()
    node.file.write_text(f"0 {node.dead()}\n1 {other}\n")
    reclaim = f"echo held; read -r line; sed -i '/^0 /d' '{node.file}'; echo '0 {other}' >>'{node.file}'"
    with subprocess.Popen(
        ["flock", "-x", str(node.file), "sh", "-c", reclaim], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as flink:
        assert answer(flink) == "held"
        owner = node.start_owner(*node.coordinated(1))
        assert select.select([owner.stdout], [], [], 0.5)[0] == []
        flink.communicate("\n")
    assert answer(owner) == "0 2"
    assert node.file.read_text() == f"1 {other}\n0 {other}\n2 {owner.pid}\n"
