"""Ways to stop an application on real daemons: its slots hear of it, and nothing of it is left."""

import getpass
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from submitting import SUBMIT, running, submit
from test_on_yarn import SMALL, get, report, wait_for

pytestmark = pytest.mark.cluster

SLOT = """\
import os, pathlib, signal, sys, time

def say(word):
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.environ['RANK']} {word}\\n")

def end(number, frame):
    say("told")
    time.sleep(float(sys.argv[2]))
    say("ended")
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
say("up")
while not (pathlib.Path(sys.argv[1]).parent / "fail").exists() or os.environ["RANK"] == "0":
    time.sleep(0.05)
sys.exit(7)
"""


def submit_kill(process, app, cluster, directory):
    assert "without its grace" not in kill([app], cluster, directory / "treadle-home")


def submit_kill_elsewhere(process, app, cluster, directory):
    assert "is killed by YARN, without its grace period: its key pair is not in" in kill([app], cluster, directory / "another-home")


def submit_kill_now(process, app, cluster, directory):
    assert "grace" not in kill(["--now", app], cluster, directory / "treadle-home")


def kill(arguments, cluster, home):
    environment = {**os.environ, **cluster.environment(), "TREADLE_HOME": str(home)}
    said = subprocess.run([str(SUBMIT), "kill", *arguments], env=environment, check=True, timeout=60, capture_output=True, text=True)
    assert "final status KILLED" in said.stderr
    return said.stderr


def wait_for_the_timeout(process, app, cluster, directory):
    """`--timeout` is counted from the submission, and leaves time for two slots to come up on a busy machine."""


OURS_S, YARNS_S = 3.0, 0.5
"""How long a slot takes to end: more than the 2 s of the NodeManagers here, which are told to kill only after our own grace; and less."""


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
    ("stop", "status", "code", "seconds"),
    [
        (submit_kill, "KILLED", 3, OURS_S),
        (submit_kill_elsewhere, "KILLED", 3, YARNS_S),
        (submit_kill_now, "KILLED", 3, YARNS_S),
        (yarn_kill, "KILLED", 3, YARNS_S),
        (interrupt, "KILLED", 3, OURS_S),
        (wait_for_the_timeout, "KILLED", 124, OURS_S),
        (fail_a_slot, "FAILED", 7, OURS_S),
        (kill_the_master, "FAILED", 1, YARNS_S),
    ],
)
def test_slots_are_told_and_get_time_and_nothing_is_left(cluster, tmp_path, stop, status, code, seconds):
    said = tmp_path / "said"
    (tmp_path / "slot.py").write_text(SLOT)
    command = [sys.executable, str(tmp_path / "slot.py"), str(said), str(seconds)]
    timeout = ["--timeout", "45 s"] if stop is wait_for_the_timeout else []
    with running([*SMALL, *timeout, "--taskmanagers", "2", "--", *command], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: said.exists() and said.read_text().count("up") == 2, "two slots that run")
        stop(process, app, cluster, tmp_path)
        _, err = process.communicate(timeout=90)
    assert (process.returncode, report(cluster, app)["finalStatus"]) == (code, status), err
    wait_for(lambda: not processes(app), "the end of every process of the application")
    assert "0 ended" in said.read_text().splitlines(), err
    assert not staging_directory_exists(cluster, app)


AWAY = 'setsid env -i CONTAINER_ID=$CONTAINER_ID sh -c \'trap "" TERM HUP; touch "$0"; while :; do sleep 0.1; done\' '
"""Starts what has left the container's process group, which is all that a NodeManager ends, and does not heed SIGTERM."""


def let_it_succeed(process, app, cluster, directory):
    (directory / "go").touch()


def kill_a_container(process, app, cluster, directory):
    """As a NodeManager does that finds it over its memory: the process group."""
    os.killpg(int(Path(f"/proc/{(directory / 'slot').read_text().strip()}/stat").read_text().rpartition(")")[2].split()[2]), signal.SIGKILL)
    (directory / "go").touch()


@pytest.mark.parametrize(
    ("stop", "status"),
    [
        (let_it_succeed, "SUCCEEDED"),
        (kill_a_container, "SUCCEEDED"),
        (submit_kill, "KILLED"),
        (yarn_kill, "KILLED"),
        (kill_the_master, "FAILED"),
    ],
)
def test_what_has_left_its_container_ends_with_it(cluster, tmp_path, stop, status):
    up, go = tmp_path / "up", tmp_path / "go"
    script = f"echo $$ >>{tmp_path / 'slot'}; {AWAY} {up} & while [ ! -e {go} ]; do sleep 0.1; done"
    options = ["-D", "restart-strategy.type=fixed-delay", "-D", "treadle.job.termination-grace=500 ms"]
    with running([*SMALL, *options, "--", "sh", "-c", script], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(up.exists, "what the slot has started")
        stop(process, app, cluster, tmp_path)
        _, err = process.communicate(timeout=90)
    assert report(cluster, app)["finalStatus"] == status, err
    wait_for(lambda: not processes(app), "the end of every process of the application")


def test_what_an_application_left_that_nobody_followed_goes_with_the_next_submission(cluster, tmp_path):
    said = submit([*SMALL, "--detach", "--", "sleep", "600"], cluster.environment(), tmp_path)
    lost = said.application
    assert said.err.splitlines()[-3:] == [f"  submit {verb} {lost}" for verb in ("logs -f", "status", "kill")]
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


@pytest.mark.parametrize("version", ["cluster", "cluster_314"])
def test_who_asked_is_told_no_other_attempt_follows_and_the_history_is_whole(version, request, tmp_path):
    cluster = request.getfixturevalue(version)
    up = tmp_path / "up"
    command = ["sh", "-c", f"touch {up}; exec sleep 1000"]
    with running([*SMALL, "-D", "yarn.application-attempts=2", "--", *command], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(up.exists, "a slot that runs")
        submit_kill(process, app, cluster, tmp_path)
        _, err = process.communicate(timeout=60)
    yarn = report(cluster, app)
    words = f"Stopped by {getpass.getuser()} on {socket.gethostname()}"
    assert (process.returncode, yarn["state"], yarn["finalStatus"]) == (3, "FINISHED", "KILLED")
    assert words in yarn["diagnostics"]
    assert words in err
    attempts = get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps/{app}/appattempts")["appAttempts"]["appAttempt"]
    assert len(attempts) == 1
    shown = subprocess.run(
        [str(SUBMIT), "history", "show", app, "--json"],
        env={**os.environ, **cluster.environment()},
        check=True,
        timeout=60,
        stdout=subprocess.PIPE,
    )
    assert words in shown.stdout.decode()


def staging_directory_exists(cluster, app):
    return run_hdfs(cluster, "-test", "-e", f".skein/{app}") == 0


def run_hdfs(cluster, *arguments):
    command = [str(cluster.layout.bin / "hdfs"), "dfs", *arguments]
    return subprocess.run(command, env={**os.environ, **cluster.environment()}, check=False, timeout=60).returncode
