"""What a TaskManager reads of its processes in /proc."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from processes.usage import UsageMeter

BUSY = "import sys\nb = bytearray(100 << 20)\nprint(1, flush=True)\nwhile True: pass"
IDLE = "import sys\nprint(1, flush=True)\nsys.stdin.read()"


@pytest.fixture
def start():
    """Starts a program, returns its process once it has said that it is up."""
    started = []

    def start(*command):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"1\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited 60 s in vain"
        time.sleep(0.05)


def test_memory_and_cpu_are_those_of_the_whole_tree(start):
    shell = start("sh", "-c", f"{sys.executable} -c '{BUSY}' & wait")
    idle = start(sys.executable, "-c", IDLE)
    meter = UsageMeter()
    meter.read({"busy": shell.pid, "idle": idle.pid})
    (child,) = map(int, subprocess.run(["pgrep", "-P", str(shell.pid)], capture_output=True, check=True).stdout.split())
    before = ticks(child)
    wait_for(lambda: ticks(child) - before >= 20)
    usage = meter.read({"busy": shell.pid, "idle": idle.pid})
    os.kill(child, 9)
    assert 100 <= usage["busy"].memory_mb < 200
    assert usage["idle"].memory_mb < 50
    assert 2 < usage["busy"].cpu_percent < 150
    assert usage["idle"].cpu_percent < 5
    assert 0 < usage["busy"].seconds < 60


def ticks(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


def test_the_first_reading_counts_from_the_start(start):
    process = start(sys.executable, "-c", BUSY)
    wait_for(lambda: ticks(process.pid) >= 20)
    assert UsageMeter().read({"it": process.pid})["it"].cpu_percent > 1


def test_cpu_of_children_that_have_ended_is_not_lost(start):
    """Many short ones, as a shell's loop has."""
    loop = "echo 1; while :; do dd if=/dev/zero of=/dev/null bs=1M count=500 2>/dev/null; done"
    shell = start("sh", "-c", loop)
    meter = UsageMeter()
    meter.read({"it": shell.pid})

    def busy():
        time.sleep(0.3)
        return meter.read({"it": shell.pid})["it"].cpu_percent > 2

    wait_for(busy)


def test_a_process_that_has_ended_is_left_out(start):
    process = start(sys.executable, "-c", IDLE)
    process.kill()
    process.wait()
    assert set(UsageMeter().read({"gone": process.pid, "here": os.getpid()})) == {"here"}
