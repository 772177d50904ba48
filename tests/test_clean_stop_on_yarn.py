"""Ways to stop an application on real daemons: its slots hear of it, and nothing of it is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from submitting import SUBMIT, running, submit
from test_on_yarn import SMALL, report, wait_for

pytestmark = pytest.mark.cluster

SLOT = """\
import os, pathlib, signal, sys, time

def say(word):
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.environ['RANK']} {word}\\n")

def end(number, frame):
    say("told")
    time.sleep(0.5)
    say("ended")
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
say("up")
while not (pathlib.Path(sys.argv[1]).parent / "fail").exists() or os.environ["RANK"] == "0":
    time.sleep(0.05)
sys.exit(7)
"""


def submit_kill(process, app, cluster, directory):
    subprocess.run([str(SUBMIT), "kill", app], env={**os.environ, **cluster.environment()}, check=True, timeout=60)


def yarn_kill(process, app, cluster, directory):
    command = [str(cluster.layout.bin / "yarn"), "application", "-kill", app]
    subprocess.run(command, env={**os.environ, **cluster.environment()}, check=True, timeout=60)


def interrupt(process, app, cluster, directory):
    process.send_signal(signal.SIGINT)
    while "interrupt again" not in (line := process.stderr.readline()):
        assert line, "it ended without offering to detach"
    process.send_signal(signal.SIGINT)


def fail_a_slot(process, app, cluster, directory):
    (directory / "fail").touch()


def kill_the_master(process, app, cluster, directory):
    for pid in processes(app, "_01_000001"):
        os.kill(pid, signal.SIGKILL)


def processes(app, container=""):
    """The processes of an application's containers, as their environments tell."""
    mark = f"CONTAINER_ID=container_{app.removeprefix('application_')}{container}".encode()
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if mark in environment_of(entry)]


def environment_of(entry):
    try:
        return (entry / "environ").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


@pytest.mark.parametrize(
    ("stop", "status", "code"),
    [
        (submit_kill, "KILLED", 3),
        (yarn_kill, "KILLED", 3),
        (interrupt, "KILLED", 3),
        (fail_a_slot, "FAILED", 7),
        (kill_the_master, "FAILED", 1),
    ],
)
def test_slots_are_told_and_get_time_and_nothing_is_left(cluster, tmp_path, stop, status, code):
    said = tmp_path / "said"
    (tmp_path / "slot.py").write_text(SLOT)
    command = [sys.executable, str(tmp_path / "slot.py"), str(said)]
    with running([*SMALL, "--taskmanagers", "2", "--", *command], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: said.exists() and said.read_text().count("up") == 2, "two slots that run")
        stop(process, app, cluster, tmp_path)
        _, err = process.communicate(timeout=90)
    assert (process.returncode, report(cluster, app)["finalStatus"]) == (code, status), err
    wait_for(lambda: not processes(app), "the end of every process of the application")
    assert "0 ended" in said.read_text().splitlines(), err
    assert not staging_directory_exists(cluster, app)


def test_what_an_application_left_that_nobody_followed_goes_with_the_next_submission(cluster, tmp_path):
    lost = submit([*SMALL, "--detach", "--", "sleep", "600"], cluster.environment(), tmp_path).application
    wait_for(lambda: processes(lost, "_01_000001"), "its application master")
    kill_the_master(None, lost, cluster, tmp_path)
    wait_for(lambda: report(cluster, lost)["state"] == "FAILED", "its end")
    assert staging_directory_exists(cluster, lost)
    unknown = f"{lost.rpartition('_')[0]}_9999"
    run_hdfs(cluster, "-mkdir", f".skein/{unknown}")
    with running([*SMALL, "--", "sleep", "600"], cluster.environment(), tmp_path) as process:
        kept = process.stdout.readline().strip()
        wait_for(lambda: report(cluster, kept)["state"] == "RUNNING", "another application")
        submit([*SMALL, "--", "true"], cluster.environment(), tmp_path)
        assert [staging_directory_exists(cluster, app) for app in (lost, unknown, kept)] == [False, True, True]
    run_hdfs(cluster, "-rm", "-r", f".skein/{unknown}")


def staging_directory_exists(cluster, app):
    return run_hdfs(cluster, "-test", "-e", f".skein/{app}") == 0


def run_hdfs(cluster, *arguments):
    command = [str(cluster.layout.bin / "hdfs"), "dfs", *arguments]
    return subprocess.run(command, env={**os.environ, **cluster.environment()}, check=False, timeout=60).returncode
