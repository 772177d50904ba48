"""Who can use the coordination file: users who share it, and what is said where it can't be written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpu_node import Node

NOBODY = 65534


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    node.close()


def test_the_file_is_for_all_users(node: Node) -> None:
    node.run(*node.coordinated(1))
    assert node.file.stat().st_mode & 0o777 == 0o666


def test_a_coordination_file_in_a_missing_directory_is_an_error(node: Node, tmp_path: Path) -> None:
    node.file = tmp_path / "missing" / "file"
    run = node.run(*node.coordinated(1))
    assert (run.returncode, run.stdout) == (1, "")
    assert f"cannot use the coordination file {node.file}: its directory must exist" in run.stderr


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
