"""What the application master measures of its own container: the session that its first process leads."""

import os
import queue
import subprocess
import sys

from treadle_application import wait_until

from yarn_am import master_usage

PROGRAM = """
import os, subprocess, sys, time
held = bytearray(100 << 20)
from yarn_am import master_usage
child = subprocess.Popen([sys.executable, "-c", "h = bytearray(100 << 20); import time; print(1, flush=True); time.sleep(60)"], stdout=-1)
child.stdout.readline()
master_usage.watch(0.1, lambda used: print(used.memory_mb, used.cpu_percent, flush=True))
time.sleep(60)
"""


def test_what_the_session_s_first_process_has_started_is_counted():
    """As on a node: a shell that leads, our program below it, and what that has started."""
    command = ["sh", "-c", f"{sys.executable} -c '{PROGRAM}'; true"]
    shell = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    try:
        first, second = shell.stdout.readline().split(), shell.stdout.readline().split()
    finally:
        os.killpg(shell.pid, 9)
        shell.communicate()
    assert 200 <= int(first[0]) < 400
    assert float(second[1]) < 100


def test_it_is_told_at_once():
    told = queue.SimpleQueue()
    master_usage.watch(1000, told.put)
    assert told.get(timeout=60).memory_mb > 0


def test_it_is_told_also_when_the_session_s_leader_has_ended(tmp_path):
    """As under a runner that parts from its shell, or in a container whose leader is out of sight."""
    told = tmp_path / "told"
    watch = f"master_usage.watch(1000, lambda used: open({str(told)!r}, 'w').close())"
    program = f"import time; from yarn_am import master_usage; {watch}; time.sleep(60)"
    leader = subprocess.Popen(["sh", "-c", f'{sys.executable} -c "{program}" & echo $!'], stdout=subprocess.PIPE, start_new_session=True)
    left = int(leader.stdout.readline())
    leader.wait()
    try:
        wait_until(told.exists, "the master's usage")
    finally:
        os.kill(left, 9)
        leader.communicate()
