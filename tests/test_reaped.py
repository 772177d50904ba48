"""A user's command and all that it starts: nothing of it runs on, whatever it did to get away."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from processes.reaped import ReapedProcess
from processes.tree import ProcessTable, tree_of

ROOT = Path(__file__).parent.parent

AWAY = "setsid env -i PATH=$PATH sh -c 'trap \"\" TERM HUP; echo $$ >>pids; while :; do sleep 0.05; done' &"
"""A shell's words that start a process which leaves session, group and environment, and ignores what it is told."""


@pytest.fixture
def start(tmp_path):
    started = []

    def start(script, grace_s=0.5, **options):
        with (tmp_path / "out").open("ab") as out:
            started.append(ReapedProcess(["sh", "-c", script], os.environ, tmp_path, out, grace_s, **options))
        return started[-1]

    yield start
    for process in started:
        process.stop(at_once=True)
        process.errors.close()


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited 60 s in vain"
        time.sleep(0.01)


def pids(directory, count=1):
    def written():
        return (directory / "pids").read_text().split() if (directory / "pids").exists() else []

    wait_for(lambda: len(written()) == count)
    return [int(pid) for pid in written()]


def runs(pid):
    return any(process.is_alive() for process in tree_of(pid)[:1])


def is_free(lease):
    with lease.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_what_a_command_leaves_behind_ends_before_it_counts_as_ended(start, tmp_path):
    lease = tmp_path / "lease"
    with lease.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = start(
            f"sleep 1000 & echo $! >>pids; {AWAY} while [ $(wc -l <pids) -lt 2 ]; do :; done; exit 3", descriptors=[held.fileno()]
        )
    left = pids(tmp_path, 2)
    assert not is_free(lease)
    assert process.wait() == 3
    assert not any(map(runs, left))
    assert is_free(lease)
    assert process.pid is None


@pytest.mark.parametrize(("grace_s", "words"), [(30, "told\nended\n"), (0.3, "told\n")])
def test_it_has_the_grace_period_for_its_end(start, tmp_path, grace_s, words):
    child = "trap 'echo told >>said; sleep 1; echo ended >>said; exit' TERM; touch up; while :; do sleep 0.05; done"
    process = start(f"({child}) & while [ ! -e up ]; do sleep 0.01; done; kill -9 $$", grace_s)
    assert process.wait() == 137
    assert (tmp_path / "said").read_text() == words


def test_all_of_a_running_command_is_told_to_stop_and_then_killed(start, tmp_path):
    process = start(f"{AWAY} trap 'echo told >>said; exit 4' TERM; touch up; while :; do sleep 0.05; done")
    (left,) = pids(tmp_path)
    wait_for((tmp_path / "up").exists)
    assert process.stop()
    assert not runs(left)
    assert (process.wait(), (tmp_path / "said").read_text()) == (4, "told\n")


def test_at_once_nobody_has_a_grace_period(start, tmp_path):
    process = start(f"{AWAY} wait", grace_s=1000)
    (left,) = pids(tmp_path)
    assert process.stop(at_once=True)
    assert (process.wait(), runs(left)) == (137, False)


def test_what_a_command_left_behind_is_killed_when_there_is_no_more_time(start, tmp_path):
    process = start(f"{AWAY} while [ ! -s pids ]; do :; done; echo $$ >>pids", grace_s=1000)
    left, command = pids(tmp_path, 2)
    wait_for(lambda: not runs(command))
    assert process.stop(at_once=True)
    assert not runs(left)


def test_one_that_hears_nothing_itself_is_killed_with_all_that_it_keeps(start, tmp_path):
    process = start(f"{AWAY} wait", grace_s=0.1)
    (left,) = pids(tmp_path)
    os.kill(process.pid, signal.SIGSTOP)
    assert process.stop()
    assert not runs(left)


def test_orphans_that_end_are_no_zombies(start, tmp_path):
    process = start("for i in 1 2 3; do (sleep 0.1 & echo $! >>pids); done; exec sleep 1000")
    orphans = pids(tmp_path, 3)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans))
    assert len(tree_of(process.pid)) == 2


OWNER = """
import os, signal, sys
from pathlib import Path
from processes.reaped import ReapedProcess
signal.signal(signal.SIGTERM, lambda *_: None)
kept = ReapedProcess(["sh", "-c", sys.argv[1]], os.environ, Path.cwd(), sys.stdout.buffer, 1000)
kept.wait()
"""


@pytest.mark.parametrize("kill", [os.kill, os.killpg], ids=["alone", "with its process group, as YARN does"])
def test_nothing_outlives_a_killed_owner(tmp_path, kill):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, f"{AWAY} echo $$ >>pids; wait"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    left = pids(tmp_path, 2)
    reaper = ProcessTable().tree(owner.pid)[1].process
    kill(owner.pid, signal.SIGKILL)
    owner.wait()
    wait_for(lambda: not any(map(runs, left)))
    wait_for(lambda: not reaper.is_alive())


def test_a_command_hears_what_its_process_group_is_told(tmp_path):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, "trap 'echo told >>pids; exit 0' TERM; echo up >>pids; while :; do sleep 0.05; done"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    wait_for(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text())
    os.killpg(owner.pid, signal.SIGTERM)
    assert owner.wait() == 0
    assert (tmp_path / "pids").read_text() == "up\ntold\n"


def test_a_command_finds_signals_as_a_shell_leaves_them(start, tmp_path):
    process = start("grep -E 'SigBlk|SigIgn' /proc/self/status")
    assert process.wait() == 0
    # Python ignores two; whoever started the tests may have left others ignored
    (mine,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("SigIgn"))
    ignored = int(mine, 16) & ~sum(1 << number - 1 for number in (signal.SIGPIPE, signal.SIGXFSZ))
    assert (tmp_path / "out").read_text().split() == ["SigBlk:", "0" * 16, "SigIgn:", f"{ignored:016x}"]


def test_one_that_can_not_be_started_says_why(tmp_path):
    with (tmp_path / "out").open("ab") as out:
        process = ReapedProcess(["no-such-program"], os.environ, tmp_path, out, 1.0)
    with process.errors as errors:
        assert errors.read() == b"no-such-program can't be started: No such file or directory\n"
    assert process.wait() == 127
