"""An application master that hangs or is lost, on real daemons."""

import os
import signal
from pathlib import Path

import pytest
from submitting import running
from test_failures_on_yarn import master_of, pids_of, registered
from test_on_yarn import GPU, SMALL, wait_for

pytestmark = pytest.mark.cluster


def task_managers_pids(cluster, app):
    return [pid for each in registered(cluster, app) for pid in pids_of(each["containerId"], "task_manager")]


def runs(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_task_managers_of_a_paused_application_master_end_in_time(cluster, tmp_path):
    beats = ["-D", "heartbeat.interval=1 s", "-D", "heartbeat.timeout=3 s"]
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
