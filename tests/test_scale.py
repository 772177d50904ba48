"""What `benchmarks.scale` and `benchmarks.replacements` measure with, small."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks import proc, replacements, scale, simulated
from protocol.records import Registration
from protocol.usage import Heartbeat
from protocol.wire import from_bytes, to_bytes


def test_ever_new_task_managers_come_and_go():
    memory, seconds = replacements.measure(30, 10)
    assert [count for count, _ in memory] == [10, 20, 30]
    assert all(megabytes > 1 for _, megabytes in memory)
    assert seconds > 0


def test_what_a_simulated_task_manager_writes_can_be_read():
    one = simulated.registration(7, "container_7")
    assert from_bytes(Registration, to_bytes(one)) == one
    assert from_bytes(Heartbeat, to_bytes(simulated.heartbeat(one, 1))).number == 1


def test_a_process_is_asked_for_its_port_and_cost():
    with pytest.raises(LookupError, match="no process of application_1_1 runs yarn_am"):
        proc.find("application_1_1", "yarn_am")
    script = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == proc.listening_port(process.pid)
        process.communicate("\n", timeout=60)
    assert proc.cost(os.getpid()).memory_mb > 1


def test_the_table_shows_what_each_task_manager_adds():
    pages = {"/overview": (1.0, 2.0, 3.0, 4.0)}
    one = scale.Result(1, 0.5, dict.fromkeys(scale.PARTS, 40.0), dict.fromkeys(scale.PARTS, 0.0), dict.fromkeys(scale.PARTS, 1.0), pages)
    many = scale.Result(101, 9.5, dict.fromkeys(scale.PARTS, 50.0), dict.fromkeys(scale.PARTS, 2.0), dict.fromkeys(scale.PARTS, 3.0), pages)
    text = scale.report(one, many)
    assert "registered: 101 TaskManagers after 9.5 s, a single one after 0.5 s" in text
    assert any(line.split()[-2:] == ["102", "20.0"] for line in text.splitlines())
