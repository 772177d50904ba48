"""Where the words of a user's process go: all of them into one file in their order, and those of standard error alone into a second."""

from __future__ import annotations

import io
import logging
import threading
from pathlib import Path
from typing import IO

logger = logging.getLogger(__name__)

_CHUNK = 1 << 16


def errors_file(log_file: Path) -> Path:
    """Returns the file beside `log_file` that holds standard error alone."""
    return log_file.with_suffix(".err")


def keep_errors(errors: IO[bytes], log_file: Path) -> threading.Thread:
    """Copies a process's standard error into both files until its end, by the thread returned.

    The process has standard output open for appending, so that two can write into one file.
    """
    thread = threading.Thread(target=_copy, args=(errors, log_file), name=f"errors of {log_file.name}", daemon=True)
    thread.start()
    return thread


def _copy(errors: IO[bytes], log_file: Path) -> None:
    with errors, log_file.open("ab", buffering=0) as together, errors_file(log_file).open("ab", buffering=0) as alone:
        while piece := _next(errors):
            try:
                together.write(piece)
                alone.write(piece)
            except OSError:  # a full disk; who writes must not be held up
                logger.exception("Dropped %d bytes of %s", len(piece), log_file)


def _next(errors: IO[bytes]) -> bytes:
    assert isinstance(errors, io.BufferedReader)  # Popen's
    return errors.read1(_CHUNK)
