import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from client_rest_server import serving

ROOT = Path(__file__).parent.parent
ID = "application_1_0001"

# what `submit run` does once YARN has taken the application
FOLLOWER = f"""
import sys
from client.console import Console
from client.following.follow import Follower, YarnSource
from client.following.interrupt import follow
from client.following.progress import Progress
from client.yarn.resourcemanager import ResourceManager
from client.ending.stopping import Stop

console = Console(sys.stderr)
manager = ResourceManager([sys.argv[1]], "ann")
source = YarnSource(manager, "{ID}", Stop(manager, "{ID}", {{}}, sys.exit, console.line))
outcome = follow(Follower(source, Progress(console)), source, "{ID}", console)
sys.exit(130 if outcome is None else outcome.exit_code)
"""


@pytest.fixture
def yarn():
    """A ResourceManager whose application runs until it is killed, and then ends after three more looks."""
    with serving() as server:
        looks_after_kill = []

        def report():
            killed = any(method == "PUT" for method, _, _ in server.requests)
            looks_after_kill.extend([1] if killed else [])
            state, final = ("KILLED", "KILLED") if len(looks_after_kill) > 3 else ("RUNNING", "UNDEFINED")
            return 200, {}, {"app": {"id": ID, "state": state, "finalStatus": final, "diagnostics": "killed by ann"}}

        server.answers[f"/ws/v1/cluster/apps/{ID}"] = report
        server.answer(f"/ws/v1/cluster/apps/{ID}/state", {"state": "KILLED"})
        yield server


class Following:
    def __init__(self, url, terminal):
        self.ours, theirs = pty.openpty()
        stdin, stderr = (theirs, theirs) if terminal else (subprocess.DEVNULL, subprocess.PIPE)
        command = [sys.executable, "-c", FOLLOWER, url]
        self.process = subprocess.Popen(
            command, stdin=stdin, stderr=stderr, env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True
        )
        os.close(theirs)
        self.source = self.ours if terminal else self.process.stderr.fileno()
        self.said = ""

    def wait_for(self, text):
        """Reads on; what was read before does not count again."""
        start = len(self.said)
        while text not in self.said[start:]:
            try:
                data = os.read(self.source, 4096)
            except OSError:  # a terminal whose other side has closed
                data = b""
            if not data:
                pytest.fail(f"it ended without saying {text!r}:\n{self.said}")
            self.said += data.decode()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def answer(self, text):
        os.write(self.ours, text.encode())

    def end(self):
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
        os.close(self.ours)


@pytest.fixture
def follow(yarn):
    started = []

    def start(*, terminal):
        started.append(Following(yarn.url, terminal))
        started[-1].wait_for("is RUNNING")
        return started[-1]

    yield start
    for following in started:
        following.end()


def kills(yarn):
    return [request for request in yarn.requests if request[0] == "PUT"]


def test_without_a_terminal_one_interrupt_detaches(yarn, follow):
    following = follow(terminal=False)
    following.interrupt()
    following.wait_for(f"detached: {ID} goes on")
    assert (following.process.wait(60), kills(yarn)) == (130, [])


def test_without_a_terminal_the_second_interrupt_kills(yarn, follow):
    following = follow(terminal=False)
    following.interrupt()
    following.wait_for("interrupt again within 3 s to kill it")
    following.interrupt()
    following.wait_for("final status: KILLED")
    assert (following.process.wait(60), len(kills(yarn))) == (3, 1)


@pytest.mark.parametrize(
    ("answer", "said", "exit_code", "killed"),
    [("d\n", "detached:", 130, 0), ("\x04", "detached:", 130, 0), ("k\n", "final status: KILLED", 3, 1)],
)
def test_on_a_terminal_the_user_is_asked(yarn, follow, answer, said, exit_code, killed):
    following = follow(terminal=True)
    following.interrupt()
    following.wait_for("Ctrl-C again kills it.")
    following.answer(answer)
    following.wait_for(said)
    assert (following.process.wait(60), len(kills(yarn))) == (exit_code, killed)


def test_on_a_terminal_one_may_go_on_and_is_asked_again(yarn, follow):
    following = follow(terminal=True)
    following.interrupt()
    following.wait_for("Ctrl-C again kills it.")
    following.answer("what?\n")
    following.wait_for("d, k or f?")
    looks = len(yarn.requests)
    following.answer("f\n")
    deadline = time.monotonic() + 60
    while len(yarn.requests) == looks and time.monotonic() < deadline:
        time.sleep(0.02)
    following.interrupt()
    following.wait_for("Ctrl-C again kills it.")
    following.interrupt()
    following.wait_for("final status: KILLED")
    assert (following.process.wait(60), len(kills(yarn))) == (3, 1)


def test_a_third_interrupt_no_longer_waits_for_the_end(yarn, follow):
    yarn.answers[f"/ws/v1/cluster/apps/{ID}"] = (200, {}, {"app": {"id": ID, "state": "RUNNING"}})
    following = follow(terminal=False)
    following.interrupt()
    following.wait_for("interrupt again")
    following.interrupt()
    following.wait_for(f"killing {ID}")
    following.interrupt()
    following.wait_for(f"no longer waiting for {ID} to end")
    assert following.process.wait(60) == 130
