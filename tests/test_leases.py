"""Leases among real processes."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.device import DriverError
from task_manager.leases import Leases

ROOT = Path(__file__).parent.parent

TAKER = """
import sys
from pathlib import Path
from task_manager.leases import Leases
leases = Leases(Path(sys.argv[1]), f"container_{sys.argv[2]}")
wanted, devices = int(sys.argv[3]), sys.argv[4].split(",")
own = []
for device in devices:
    if len(own) < wanted and leases.take(device) is None:
        own.append(device)
print(",".join(own), flush=True)
sys.stdin.read()
"""


def taker(directory, name, wanted, devices):
    return subprocess.Popen(
        [sys.executable, "-c", TAKER, str(directory), name, str(wanted), ",".join(devices)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def end(process, kill=False):
    if kill:
        process.kill()
    process.communicate(timeout=60)


@pytest.fixture
def leases(tmp_path):
    with Leases(tmp_path / "leases", "container_me") as own:
        yield own


def test_a_device_is_leased_once(tmp_path, leases):
    assert leases.take("GPU-0") is None
    assert leases.take("GPU-0") == "another resource of container_me"
    with Leases(tmp_path / "leases", "container_other") as other:
        assert other.take("GPU-0").startswith(f"container_me (pid {os.getpid()}, user ")
        assert other.take("GPU-1") is None


def test_closing_gives_it_up(tmp_path):
    with Leases(tmp_path, "a") as first:
        assert first.take("GPU-0") is None
    with Leases(tmp_path, "b") as second:
        assert second.take("GPU-0") is None


def test_a_killed_holder_gives_it_up(tmp_path):
    holder = taker(tmp_path, "1", 1, ["GPU-0"])
    assert holder.stdout.readline() == "GPU-0\n"
    with Leases(tmp_path, "me") as own:
        assert own.take("GPU-0").startswith("container_1")
        end(holder, kill=True)
        assert own.take("GPU-0") is None


def test_a_slot_that_inherited_it_keeps_it(tmp_path):
    leases = Leases(tmp_path, "task_manager")
    assert leases.take("GPU-0") is None
    slot = subprocess.Popen(["sleep", "1000"], pass_fds=leases.descriptors())
    leases.close()
    with Leases(tmp_path, "other") as other:
        assert other.take("GPU-0").startswith("task_manager")
        slot.kill()
        slot.wait()
        assert other.take("GPU-0") is None


def test_directory_and_files_are_everybodys_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        with Leases(tmp_path / "a" / "leases", "me") as leases:
            leases.take("yarn.io/gpu-0")
    finally:
        os.umask(before)
    (file,) = (tmp_path / "a" / "leases").iterdir()
    assert file.name == "yarn.io%2Fgpu-0.lock"
    assert stat.S_IMODE(file.stat().st_mode) == 0o666
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o1777


@pytest.mark.parametrize("where", ["a file", "a file/below"])
def test_a_directory_that_cant_be_is_a_clear_error(tmp_path, where):
    (tmp_path / "a file").touch()
    with (
        Leases(tmp_path / where, "me") as leases,
        pytest.raises(DriverError, match=r"can't be used: (File exists|Not a directory)") as caught,
    ):
        leases.take("GPU-0")
    assert "treadle.lease.directory" in caught.value.remedy


def test_a_name_that_no_file_can_have_is_a_clear_error(leases):
    with pytest.raises(DriverError, match="can't be used: File name too long"):
        leases.take("GPU-" + "0" * 300)


def test_a_lock_file_that_was_tidied_away_is_made_anew(tmp_path):
    with Leases(tmp_path, "me") as own:
        own.take("GPU-0")
    (tmp_path / "GPU-0.lock").unlink()
    with Leases(tmp_path, "me") as own, Leases(tmp_path, "other") as other:
        assert own.take("GPU-0") is None
        assert other.take("GPU-0").startswith("me")
    assert [path.name for path in tmp_path.iterdir()] == ["GPU-0.lock"]


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
def test_a_user_without_a_name_can_lease(tmp_path):
    directory = tmp_path / "leases"
    Leases(directory, "root's").take("GPU-1")
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    program = TAKER.replace("leases = ", "import os; os.setuid(54321); leases = ", 1)
    command = [sys.executable, "-c", program, str(directory), "1", "1", "GPU-0"]
    nameless = subprocess.Popen(command, env={"PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert nameless.stdout.readline() == "GPU-0\n"
    end(nameless)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
def test_another_users_lease_is_respected_in_a_sticky_directory(tmp_path):
    for directory in (tmp_path, *tmp_path.parents):
        if directory.stat().st_uid == 0 and directory != Path("/") and "pytest" in str(directory):
            directory.chmod(0o755)
    mine = Leases(tmp_path / "leases", "root's")
    assert mine.take("GPU-0") is None
    assert mine.take("GPU-1") is None
    program = TAKER.replace("leases = ", "import os; os.setuid(65534); leases = ", 1)
    command = [sys.executable, "-c", program, str(tmp_path / "leases"), "2", "2", "GPU-0,GPU-2"]
    other = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "GPU-2\n"
    assert mine.take("GPU-2").startswith("container_2")
    mine.close()
    end(other)


def test_those_who_want_a_turn_get_it_one_after_the_other(tmp_path):
    with Leases(tmp_path, "container_stopped") as stopped, Leases(tmp_path, "me") as own:
        with stopped.turn(), pytest.raises(DriverError, match=r"container_stopped \(pid .* has been taking leases in .* 0\.05 s") as caught:
            own.turn(limit_s=0.05).__enter__()
        assert "end that process" in caught.value.remedy
        with own.turn():
            assert own.take("GPU-0") is None
