"""What a follower is shown of progress and slots: bars, lines, tables."""

import fcntl
import io
import os
import pty
import struct
import termios

import pytest
from test_client_follow import GPUS, Terminal, job, shown, task_manager, told

from client.application.records import application
from client.console import Console
from client.following.progress import table


def test_a_terminal_gets_a_bar_that_lines_go_above():
    steps = [told(jobs=[job(1, 4, 100)]), told(jobs=[job(2, 4, 200)], taskmanagers=GPUS[1:]), told(jobs=[job(4, 4, 400)])]
    _, text = shown(Terminal(), *steps)
    half = f"classify: 2/4 fragments, 200 rows [{'#' * 15}{'.' * 15}]"
    assert f"\r\x1b[K{half}" in text
    assert "\r\x1b[Ktm-2 registered on 127.0.0.12 with gpu 0 (GPU-c) (1/2 TaskManagers)\n" in text
    assert text.endswith("\r\x1b[Kclassify: 4/4 fragments, 400 rows\n")


@pytest.mark.parametrize(("columns", "shown"), [(20, "x" * 19), (0, "x" * 100), (200, "x" * 100)])
def test_a_bar_is_one_row_of_its_terminal(columns, shown):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(theirs, "w") as stream:
        Console(stream).bar("x" * 100)
        assert os.read(ours, 4096).decode() == f"\r\x1b[K{shown}"
    os.close(ours)


def test_without_a_terminal_there_is_a_line_at_each_tenth_and_no_escape():
    news, text = shown(io.StringIO(), *(told(jobs=[job(done, 40, done)]) for done in range(41)))
    assert [line for line in text.splitlines() if "fragments" in line] == [f"classify: {n}/40 fragments, {n} rows" for n in range(0, 41, 4)]
    assert "\x1b" not in text
    assert "\r" not in text
    assert news[:6] == [True, False, False, False, True, False]


def test_no_table_without_slots():
    assert table(application(told(taskmanagers=[task_manager(1)]))) == []


def test_what_was_replaced_counts_no_more():
    lost = GPUS[0] | {"state": "ENDED"}
    _, text = shown(io.StringIO(), told(taskmanagers=GPUS[:1]), told(taskmanagers=[lost, GPUS[1]]))
    assert [line.rpartition("(")[2] for line in text.splitlines() if "registered" in line] == ["1/2 TaskManagers)", "1/2 TaskManagers)"]
    assert [line.partition(" ")[0] for line in table(application(told(taskmanagers=[lost, GPUS[1]])))] == ["SLOT", "tm-2/slot-0"]


def test_a_slot_without_devices_says_so():
    tree = told(taskmanagers=[{"id": "tm-0", "node": "localhost", "slots": [{"id": "tm-0/slot-0", "devices": []}]}])
    assert table(application(tree))[1] == "tm-0/slot-0  localhost  no devices"
