"""`top`, against a ResourceManager and an application master that answer from a table: once, and on a terminal."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from contextlib import contextmanager
from functools import partial

import pytest
from client_verbs import APPS, ID, app, resourcemanager, submitted
from submitting import SUBMIT

MASTER = f"/proxy/{ID}/pages/treadle/application"
REDRAW = "\x1b[H\x1b[2J"


def task_manager(number, slots):
    ids = [f"tm-{number}/slot-{slot}" for slot in range(slots)]
    devices = [{"resource": "gpu", "index": str(index), "uuid": f"GPU-{name}"} for index, name in enumerate(ids)]
    held = [{"id": name, "devices": [device]} for name, device in zip(ids, devices, strict=True)]
    return {"id": f"tm-{number}", "state": "REGISTERED", "node": "n1:1", "slots": held}


def told(task_managers, slots):
    return {"id": ID, "name": "job 1", "state": "RUNNING", "taskmanagers": [task_manager(each, slots) for each in range(task_managers)]}


@pytest.fixture
def server(tmp_path, monkeypatch):
    with resourcemanager(tmp_path, monkeypatch) as server:
        server.answer(MASTER, told(1, 2))
        yield server


@pytest.fixture
def submit(capsys):
    return partial(submitted, capsys)


def test_of_nothing_says_so(server, submit):
    server.answer(APPS, {"apps": None})
    assert submit("top", "--json")[1] == '{"applications": []}\n'
    assert "none of your applications runs" in submit("top")[1]


@pytest.mark.parametrize("arguments", [["--interval", "0"], ["--interval", "soon"]])
def test_a_wrong_interval_is_refused(server, submit, arguments):
    code, _, err = submit("top", *arguments)
    assert (code, "--interval" in err) == (2, True)


@pytest.mark.parametrize("arguments", [[], ["--once"], ["--json"]])
def test_of_an_application_that_has_ended_says_how_as_devices_does(server, submit, arguments):
    server.answer(f"{APPS}/{ID}", {"app": app(state="FINISHED", finalStatus="SUCCEEDED")})
    assert submit("top", ID, *arguments) == submit("devices", ID)
    assert "has ended and holds no devices: FINISHED, final status SUCCEEDED\n" in submit("top", ID, *arguments)[2]


class OnATerminal:
    """A `submit top` on a terminal, and what it has shown."""

    def __init__(self, process, terminal):
        self.process, self.seen, self._terminal = process, "", terminal

    def screens(self):
        """Whole ones: the last may be half drawn."""
        return self.seen.split(REDRAW)[1:-1]

    def wait(self, condition):
        deadline = time.monotonic() + 60
        while not condition(self):
            assert time.monotonic() < deadline, self.seen
            self.seen += os.read(self._terminal, 4096).decode()


@contextmanager
def on_a_terminal(*arguments, columns=80, lines=24):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [str(SUBMIT), "top", *arguments, "--interval", "0.5"]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment, text=True) as process:
        os.close(theirs)
        try:
            yield OnATerminal(process, ours)
        finally:
            process.kill()
            os.close(ours)


def test_a_terminal_is_redrawn_until_ctrl_c(server):
    with on_a_terminal(ID) as top:
        top.wait(lambda top: len(top.screens()) == 2)
        top.process.send_signal(signal.SIGINT)
        assert (top.process.wait(60), top.process.stderr.read()) == (0, "")
    assert [screen.count("tm-0/slot-1  n1") for screen in top.screens()] == [2, 2]


def test_a_screen_fits_its_terminal(server):
    server.answer(MASTER, told(6, 3))
    with on_a_terminal(ID, columns=60, lines=12) as top:
        top.wait(lambda top: top.screens())
    lines = top.screens()[0].splitlines()
    assert (len(lines), max(len(line) for line in lines) <= 60) == (11, True)
    assert re.match(r"\d{4}-", lines[0])
    assert lines[2].startswith(f"{ID}  job 1  RUNNING")
    # 3 lines of head, 25 of containers, 20 of devices
    assert lines[-1] == "… 38 more lines"


def test_a_resourcemanager_that_is_silent_for_a_moment_does_not_end_it(server):
    with on_a_terminal(ID) as top:
        top.wait(lambda top: top.screens())
        for silence in ((503, {}, "starting"), (404, {}, "recovering")):
            known, server.answers[f"{APPS}/{ID}"] = server.answers[f"{APPS}/{ID}"], silence
            top.wait(lambda top: "ResourceManager does not" in top.screens()[-1])
            assert len(top.screens()[-1].splitlines()) == 1
            server.answers[f"{APPS}/{ID}"] = known
            top.wait(lambda top: "tm-0/slot-1" in top.screens()[-1])
        assert top.process.poll() is None


def test_it_ends_with_the_application_that_it_shows(server):
    with on_a_terminal(ID) as top:
        top.wait(lambda top: top.screens())
        server.answer(f"{APPS}/{ID}", {"app": app(state="KILLED", finalStatus="KILLED")})
        assert top.process.wait(60) == 1
        assert f"error: {ID} has ended and holds no devices: KILLED, final status KILLED\n" in top.process.stderr.read()


def test_the_first_look_has_to_succeed(server):
    server.answers[f"{APPS}/{ID}"] = (503, {}, "starting")
    with on_a_terminal(ID) as top:
        assert top.process.wait(60) == 5
