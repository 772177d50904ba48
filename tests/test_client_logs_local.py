"""`submit logs` of a local application that has ended, whose files lie in its directory."""

import os
import subprocess
import sys

import pytest
from client_nodemanager import SAID
from client_verbs import submitted


@pytest.fixture
def local(tmp_path, monkeypatch):
    """A local application that has ended."""
    monkeypatch.setenv("TREADLE_HOME", str(tmp_path))
    directory = tmp_path / "applications" / "local-20260101-000000-1"
    (directory / "tm-0").mkdir(parents=True)
    (directory / "am.json").write_text('{"rest": "http://127.0.0.1:9"}')
    (directory / ".skein.pem").write_text("a secret")
    (directory / "application.driver.log").write_text("ours\n")
    (directory / "tm-0" / "taskmanager.log").write_bytes(SAID)
    (directory / "tm-0" / "slot-0.log").write_text("".join(f"line {i}\n" for i in range(100_000)))
    return directory.name


def test_a_local_application_is_read_from_its_directory(local, capsys):
    assert submitted(capsys, "logs", local, "--tail", "2", "--all") == (
        0,
        f"am | ours\ntm-0 | {SAID.decode()}tm-0/slot-0 | line 99998\ntm-0/slot-0 | line 99999\n",
        "",
    )


def test_to_follow_a_local_application_that_has_ended_is_to_read_it(local, capsys):
    assert submitted(capsys, "logs", local, "-f", "--tail", "1")[:2] == (0, "tm-0/slot-0 | line 99999\n")


def test_who_reads_has_read_enough(local):
    """`submit logs … | head -1`"""
    command = [sys.executable, "-m", "client", "logs", local]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)) as process:
        assert process.stdout.readline() == b"tm-0/slot-0 | line 0\n"
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (0, b"")
