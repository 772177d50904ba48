"""The real `submit`, run as a user would, and what it said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUBMIT = Path(sys.executable).parent / "submit"
# what a shell, JSON or YARN could spoil on its way
AWKWARD = "q\"uo`id`te $HOME $(id)\nnew'\\ ünïcode"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def application(self) -> str:
        return self.out.strip()


@contextmanager
def running(arguments: list[str], environment: Mapping[str, str], cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A `submit run` under way; when the block is left early it is interrupted, which kills what it follows."""
    process = subprocess.Popen(
        [str(SUBMIT), "run", *arguments],
        env={**os.environ, "TREADLE_HOME": str(cwd / "treadle-home"), **environment},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                time.sleep(0.5)  # two interrupts at once are one
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=60)


def submit(arguments: list[str], environment: Mapping[str, str], cwd: Path, timeout_s: float = 120) -> Said:
    """Runs it to its end, within the time given."""
    with running(arguments, environment, cwd) as process:
        out, err = process.communicate(timeout=timeout_s)
    return Said(process.returncode, out, err)
