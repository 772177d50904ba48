"""An application master that hangs or is lost, on real daemons."""

import os
import signal
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from submitting import SUBMIT, running
from test_failures_on_yarn import (
    ATTEMPTS,
    application,
    master_of,
    numbers,  # noqa: F401 - a fixture
    pids_of,
    registered,
    staging_of,
)
from test_on_yarn import GPU, SMALL, report, wait_for

from minicluster.cluster import Cluster

pytestmark = pytest.mark.cluster


def task_managers_pids(cluster, app):
    return [pid for each in registered(cluster, app) for pid in pids_of(each["containerId"], "task_manager")]


def runs(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_task_managers_of_a_paused_application_master_end_in_time(cluster, tmp_path):
    beats = ["-D", "heartbeat.interval=1 s", "-D", "heartbeat.timeout=10 s"]
    with running([*SMALL, *beats, "--taskmanagers", "2", *GPU, "--", "sleep", "600"], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: len(registered(cluster, app)) == 2, "two TaskManagers")
        pids = wait_for(lambda: task_managers_pids(cluster, app), "their processes")
        sleepers = wait_for(lambda: [pid for each in registered(cluster, app) for pid in pids_of(each["containerId"], "sleep")], "slots")
        java = pids_of(master_of(cluster, app), "ApplicationMaster")
        for pid in java:
            os.kill(pid, signal.SIGSTOP)
        try:
            wait_for(lambda: not any(map(runs, [*pids, *sleepers])), "the end of the TaskManagers")
        finally:
            for pid in java:
                os.kill(pid, signal.SIGCONT)


def node_of_master(cluster, app):
    host = report(cluster, app)["amHostHttpAddress"].rpartition(":")[0]
    return next(node.name for node in cluster.nodes if node.address == host)


@pytest.fixture
def node_back(cluster):
    """Brings back what a test ends."""
    yield
    for name in [name for name, runs in cluster.daemons().items() if not runs]:
        cluster.start(name)


def lose_master(cluster, app, lose):
    """Ends the node of the application master, and brings back what was ended before, so that there is always one to go on with."""
    attempt = master_of(cluster, app)
    ended = [name for name, runs in cluster.daemons().items() if not runs]
    lose(cluster, node_of_master(cluster, app))
    for name in ended:
        cluster.start(name)
    wait_for(lambda: master_of(cluster, app) != attempt, "the next attempt")


@pytest.mark.parametrize("lose", [Cluster.kill_node, Cluster.stop_node])
def test_a_job_goes_on_however_often_the_node_of_its_application_master_is_lost(cluster, numbers, tmp_path, node_back, lose):  # noqa: F811
    """YARN does not count these, so that two attempts are not the end; skein counts."""
    with running([*SMALL, *ATTEMPTS, "--taskmanagers", "2", *GPU, *numbers], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        for _ in range(2):
            wait_for(lambda: (application(cluster, app).get("jobs") or [{}])[0].get("progress"), "a job under way")
            lose_master(cluster, app, lose)
        wait_for(lambda: len(registered(cluster, app)) == 2, "TaskManagers of the third attempt")
        assert master_of(cluster, app).endswith("_03_000001")
        (tmp_path / "gate").touch()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert sorted(pq.read_table(tmp_path / "out")["n"].to_pylist()) == list(range(60))
    wait_for(lambda: not staging_of(cluster, app), "the staging directory to go")


GREEDY = """\
import pathlib, sys, time

while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.1)
held = b"x" * (1 << 30)
time.sleep(600)
"""


def kill_master(cluster, app, gate):
    for pid in pids_of(master_of(cluster, app), "ApplicationMaster"):
        os.kill(pid, signal.SIGKILL)


def lose_node(cluster, app, gate):
    cluster.kill_node(node_of_master(cluster, app))


def shut_node_down(cluster, app, gate):
    cluster.stop_node(node_of_master(cluster, app))


def use_memory(cluster, app, gate):
    gate.touch()


@pytest.mark.parametrize(
    ("end", "cause", "remedy"),
    [
        (kill_master, "the application master was killed (SIGKILL)", "-D yarn.application-attempts=2"),
        (lose_node, "the node of the application master was lost", "-D yarn.application-attempts=2"),
        (shut_node_down, "the node of the application master was lost, or shut down", "-D yarn.application-attempts=2"),
    ],
)
def test_what_ended_the_application_master_is_told_everywhere(cluster, tmp_path, node_back, end, cause, remedy):
    is_told_everywhere(cluster, tmp_path, end, cause, remedy)


def test_so_is_that_it_used_too_much_memory(cluster_314, tmp_path):
    """3.5.0 leaves that to cgroups, which DefaultContainerExecutor has none of (yarn.nodemanager.resource.memory.enforced)."""
    cause = "the application master used more memory than it asked for ("
    is_told_everywhere(cluster_314, tmp_path, use_memory, cause, "raise jobmanager.memory.process.size")


def is_told_everywhere(cluster, tmp_path, end, cause, remedy):
    (tmp_path / "job.py").write_text(GREEDY)
    with running([*SMALL, "job.py", str(tmp_path / "gate")], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: len(registered(cluster, app)) == 1, "the TaskManager")
        end(cluster, app, tmp_path / "gate")
        _, err = process.communicate(timeout=90)
    assert process.returncode == 1, err
    assert f"final status: FAILED\ncause: {cause}" in err
    assert f"\nremedy: {remedy}" in err or f"\nremedy: submit it again; with {remedy}" in err
    assert "AM Container for" not in err
    for verb in (["status"], ["history", "show"]):
        told = subprocess.run(
            [str(SUBMIT), *verb, app], env={**os.environ, **cluster.environment()}, capture_output=True, text=True, check=True, timeout=60
        ).stdout
        assert cause in told, told
        assert remedy in told, told
