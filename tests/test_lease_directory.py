"""What may be wrong with the lease directory and its files, for whoever runs as whom; some of it needs root to be brought about."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.device import DriverError
from task_manager.leases import Leases

ROOT = Path(__file__).parent.parent
NOBODY = 65534
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user, whom permissions hold")

TAKE = """
import os, sys
from pathlib import Path
from drivers.device import DriverError
from task_manager.leases import Leases
os.setuid(int(sys.argv[1]))
try:
    print(Leases(Path(sys.argv[2]), "container_other").take(sys.argv[3]))
except DriverError as error:
    print(f"{error.cause}. {error.remedy}")
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A lease directory that other users can reach."""
    for parent in (tmp_path, *tmp_path.parents):
        if "pytest" in str(parent) and parent.stat().st_uid == os.getuid():
            parent.chmod(0o755)
    return tmp_path / "leases"


def taken_by(user: int, directory: Path, key: str = "GPU-0") -> str:
    """What `take` says to another user: None, the holder, or the error."""
    command = [sys.executable, "-c", TAKE, str(user), str(directory), key]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    return done.stdout.strip()


def refused(directory: Path) -> DriverError:
    with Leases(directory, "me") as leases, pytest.raises(DriverError, match=r"the device leases in .* can't be used") as caught:
        leases.take("GPU-0")
    return caught.value


def lease_once(directory: Path) -> Path:
    with Leases(directory, "container_before") as leases:
        assert leases.take("GPU-0") is None
    return directory / "GPU-0.lock"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), "symbolic links"),
        (lambda path: path.symlink_to("nowhere"), "symbolic links"),
        (Path.mkdir, "Is a directory"),
        (os.mkfifo, "Illegal seek"),
    ],
    ids=["link", "dangling link", "directory", "pipe"],
)
def test_what_is_no_file_at_a_locks_place_is_to_be_deleted(directory, make, words):
    directory.mkdir()
    make(directory / "GPU-0.lock")
    with Leases(directory, "holder") as holder:
        if words == "Illegal seek":  # a lock on a pipe works, but it can't say who holds it
            assert holder.take("GPU-0") is None
        error = refused(directory)
    assert words in error.cause
    assert f"delete {directory}/GPU-0.lock while no application runs" in error.remedy


def test_the_directory_may_be_a_link(directory):
    (directory.parent / "elsewhere").mkdir()
    directory.symlink_to(directory.parent / "elsewhere")
    assert lease_once(directory).exists()


def test_a_link_to_nowhere_is_no_directory(directory):
    directory.symlink_to("nowhere")
    assert "File exists" in refused(directory).cause
    assert "make it a directory that all users may write to (mode 1777), or set treadle.lease.directory" in refused(directory).remedy


@pytest.mark.parametrize("content", [b"", b"container_dead (pid 1, user nobody)\n", b"\xff\x00" * 4000], ids=["empty", "signed", "garbage"])
def test_a_file_from_before_is_used_again(directory, content):
    file = lease_once(directory)
    file.write_bytes(content)
    with Leases(directory, "container_now") as now, Leases(directory, "container_late") as late:
        assert now.take("GPU-0") is None
        assert late.take("GPU-0").startswith("container_now (pid")


@needs_root
def test_another_users_file_from_before_is_used_again(directory):
    lease_once(directory)
    assert taken_by(NOBODY, directory) == "None"


@needs_root
def test_another_users_private_file_is_named(directory):
    file = lease_once(directory)
    file.chmod(0o600)
    answer = taken_by(NOBODY, directory)
    assert f"can't be used: Permission denied ({file}). delete {file} while no application runs" in answer


@needs_root
def test_a_file_that_may_only_be_read_is_enough(directory):
    file = lease_once(directory)
    file.chmod(0o444)
    assert taken_by(NOBODY, directory) == "None"
    with Leases(directory, "root's") as mine:
        mine.take("GPU-0")
        assert taken_by(NOBODY, directory).startswith("root's (pid")


@needs_root
@pytest.mark.parametrize("mode", [0o755, 0o700], ids=["read-only", "private"])
def test_a_directory_that_others_may_not_write_to_is_refused(directory, mode):
    directory.mkdir(mode=mode)
    answer = taken_by(NOBODY, directory)
    assert "can't be used: Permission denied" in answer
    assert "make it a directory that all users may write to (mode 1777), or set treadle.lease.directory to another one" in answer


@needs_root
def test_a_file_of_before_in_a_read_only_directory_is_enough(directory):
    lease_once(directory)
    directory.chmod(0o755)
    assert taken_by(NOBODY, directory) == "None"


@pytest.fixture
def full(directory: Path) -> Iterator[Path]:
    """A lease directory with a file from before, on a file system that has no inode left."""
    directory.mkdir()
    options = "size=64k,nr_inodes=2,mode=1777"
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(directory)], capture_output=True, text=True, check=False)
    if mount.returncode:
        pytest.skip(f"no small file system can be mounted here: {mount.stderr.strip()}")
    try:
        (directory / "GPU-1.lock").touch()
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def test_a_full_directory_is_refused(full):
    error = refused(full)
    assert "No space left on device" in error.cause
    assert error.remedy == "free some space and inodes there, or set treadle.lease.directory to another one"


def test_in_a_full_directory_files_of_before_serve(full):
    with Leases(full, "me") as leases:
        assert leases.take("GPU-1") is None


def test_a_read_only_file_system_is_refused(full):
    subprocess.run(["mount", "-o", "remount,ro", str(full)], check=True)
    error = refused(full)
    assert "Read-only file system" in error.cause
    assert "all users may write to" in error.remedy
