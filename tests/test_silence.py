"""A TaskManager that falls silent is replaced, and the job goes on: real processes in local mode."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from submitting import running

WITHIN_S = 60.0
QUICK = {
    "heartbeat.interval": "200 ms",
    "heartbeat.timeout": "10 s",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.delay": "100 ms",
}
COMMAND = "cut -d ' ' -f 4 /proc/$PPID/stat > parent; while [ ! -e {go} ]; do sleep 0.1; done"


def wait_for(condition):
    deadline = time.monotonic() + WITHIN_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {WITHIN_S} s in vain"
        time.sleep(0.05)
    return value


def task_manager_of(directory: Path) -> int:
    """Waits until the slot says which TaskManager is the parent of its parent."""
    file = directory / "parent"
    return int(wait_for(lambda: file.exists() and file.read_text().strip()))


def test_a_stopped_task_manager_is_replaced_while_a_live_one_stays(tmp_path):
    options = [
        word for key, value in (QUICK | {"treadle.lease.directory": tmp_path / "leases"}).items() for word in ("-D", f"{key}={value}")
    ]
    command = ["sh", "-c", COMMAND.format(go=tmp_path / "go")]
    with running(["--master", "local[2]", *options, "--", *command], {}, tmp_path) as process:
        directory = wait_for(lambda: next((tmp_path / "treadle-home/applications").glob("*/tm-0"), None))
        stopped = task_manager_of(directory)
        task_manager_of(directory.parent / "tm-1")
        os.kill(stopped, signal.SIGSTOP)
        task_manager_of(directory.parent / "tm-2")
        (tmp_path / "go").touch()
        out, err = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0, err
    assert "tm-0 on localhost: gave no sign of life for 10 s (heartbeat.timeout)" in err
    assert "tm-1 on localhost: gave no sign" not in err
    assert not (directory.parent / "tm-3").exists()
    assert not Path(f"/proc/{stopped}").exists()
    assert out.startswith("local-")
