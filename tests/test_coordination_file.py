"""The shipped discovery script in coordination mode, which keeps the TaskManagers of a node apart, Flink's among them."""

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
from drivers.device import DriverError
from drivers.discovery_script import DiscoveryScriptDriver

NOBODY = 65534


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


@pytest.fixture
def everybodys(tmp_path: Path) -> Path:
    """A directory as /var/tmp, which other users can reach."""
    for parent in (tmp_path, *tmp_path.parents):
        if "pytest" in str(parent) and parent.stat().st_uid == os.getuid():
            parent.chmod(0o755)
    directory = tmp_path / "var tmp"
    directory.mkdir()
    directory.chmod(0o1777)
    return directory


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")


@needs_root
def test_two_users_share_the_file_whoever_made_it(node: Node, everybodys: Path) -> None:
    node.file = everybodys / "coordination"
    assert node.other_gets(1, user=NOBODY) == "0 0"
    assert node.other_gets(1) == "0 1"
    assert node.other_gets(1, user=NOBODY) == "0 2"
    assert len(node.file.read_text().splitlines()) == 3


@needs_root
def test_what_hinders_another_user_is_said(node: Node, everybodys: Path, capfd: pytest.CaptureFixture[str]) -> None:
    node.file = everybodys / "coordination"
    node.file.touch(0o644)
    assert node.other_gets(1, user=NOBODY) == "1"
    assert f"cannot use the coordination file {node.file}: its directory must exist, and it must be a file" in capfd.readouterr().err
    node.file.unlink()
    everybodys.chmod(0o755)
    assert node.other_gets(1, user=NOBODY) == "1"
    assert "that this user may read and write (Permission denied)" in capfd.readouterr().err


def test_a_full_file_system_is_said(node: Node, everybodys: Path) -> None:
    options = "size=64k,nr_inodes=2,mode=1777"
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(everybodys)], capture_output=True, text=True, check=False)
    if mount.returncode:
        pytest.skip(f"no small file system can be mounted here: {mount.stderr.strip()}")
    try:
        (everybodys / "other").touch()
        node.file = everybodys / "coordination"
        assert "(No space left on device)" in node.run(*node.coordinated(1)).stderr
        (everybodys / "other").rename(node.file)
        (everybodys / "coordination").write_bytes(b"x" * 65536)
        node.file.write_bytes(b"")
        assert node.run(*node.coordinated(1)).stdout == "0\n"
    finally:
        subprocess.run(["umount", str(everybodys)], check=True)
