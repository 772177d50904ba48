"""The shipped discovery script and Flink's at one coordination file: Flink's replaces it while it holds the lock of the one that was."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver_process import FAKES
from gpu_node import Node, answer

from benchmarks.artifacts import cache


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    node.close()


def test_a_file_that_flink_wrote_is_honoured_and_kept(node: Node) -> None:
    other = node.living()
    node.file.write_text(f"0 {other}\n2 {other}\n")
    assert node.run(*node.coordinated(2)).stdout == "1,3\n"
    assert node.file.read_text() == f"0 {other}\n2 {other}\n1 {os.getpid()}\n3 {os.getpid()}\n"


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


REPLACE = """
exec 200<>"$1"
flock -x 200
sed -i '/^0 /d' "$1"
echo replaced
read -r line
echo "0 $2" >>"$1"
"""


def test_a_file_that_flinks_script_has_replaced_is_not_touched_before_that_is_done(node: Node) -> None:
    """Flink's script holds the lock of the file that was, and has not written yet into the one that is."""
    other = node.living()
    node.file.write_text(f"0 {node.dead()}\n")
    with subprocess.Popen(
        ["bash", "-c", REPLACE, "flink", str(node.file), str(other)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as flink:
        assert answer(flink) == "replaced"
        owner = node.start_owner(*node.coordinated(1))
        assert select.select([owner.stdout], [], [], 0.5)[0] == []
        flink.communicate("\n")
    assert answer(owner) == "0 1"
    assert node.file.read_text() == f"0 {other}\n1 {owner.pid}\n"


@pytest.fixture(params=["its protocol", "its own"])
def flinks_script(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "its protocol":
        return FAKES / "flink_discovery.py"
    plugin = cache() / "flink-2.3.0/plugins/external-resource-gpu"
    if not plugin.exists():
        pytest.skip(f"Flink is not at {plugin}: python -m benchmarks.startup --flink fetches it")
    script = Path(shutil.copytree(plugin, tmp_path / "flink")) / "nvidia-gpu-discovery.sh"
    script.chmod(0o755)  # the wheel does not keep the mode that Flink's distribution gives it
    return script


def test_flinks_script_and_ours_at_once_never_give_ours_away(node: Node, flinks_script: Path) -> None:
    """All devices were owned by the dead, so that Flink's script replaces the file each time; two of Flink's may get one device then."""
    node.file = node.file.with_name("coordination")  # Flink's script knows no blanks in a path
    node.show(8)
    node.file.write_text("".join(f"{index} {node.dead()}\n" for index in range(8)))
    flink = [node.start_owner(*node.coordinated(1), script=flinks_script) for _ in range(5)]
    ours = [node.start_owner(*node.coordinated(1)) for _ in range(5)]
    got_ours, got_flink = ([answer(owner) for owner in owners] for owners in (ours, flink))
    had = [index for code, _, index in (line.partition(" ") for line in got_ours) if code == "0"]
    assert len(had) >= 3, (got_ours, got_flink)
    assert len(had) == len(set(had)), got_ours
    assert not set(had) & {line.removeprefix("0 ") for line in got_flink}, (got_ours, got_flink)
    rows = dict(line.split() for line in node.file.read_text().splitlines())
    assert {rows[index] for index in had} <= {str(owner.pid) for owner in ours}
