"""Running a short program to its end, where `tests/test_discovery_script_process.py` does not reach it."""

from __future__ import annotations

import os
import select
import subprocess

from drivers.script_process import _exit_of


def test_a_program_that_was_killed_and_reaped_first_has_exited_too() -> None:
    program = subprocess.Popen(["true"])
    program.wait()
    with os.fdopen(_exit_of(program.pid), "rb", 0) as exited:
        assert select.select([exited], [], [], 10)[0] == [exited]
        assert exited.read() == b""
