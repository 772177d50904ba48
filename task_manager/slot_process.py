"""Starts and ends the process of a slot."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from processes.tree import tree_of
from protocol.log_tail import tail_of
from protocol.process_output import keep_errors
from protocol.records import SlotResult
from task_manager import die_with_parent
from task_manager.slot_environment import SlotProcessSpec

logger = logging.getLogger(__name__)

_POLL_S = 0.02
_KILLED_S = 2.0
"""How long the end of a killed process is waited for: one that waits for a lost device in the kernel can't end."""

_LAST_WORDS_S = 1.0
"""How long what a process wrote to standard error at its end is waited for; a child that it left behind may hold that open."""


class SlotProcess:
    """A slot's process. Start it from the main thread: it is killed by the kernel when the thread that started it ends.

    It stays in the TaskManager's process group, which is the container's, so that YARN's signals reach it.
    """

    def __init__(self, slot_id: str, spec: SlotProcessSpec, lease_descriptors: Sequence[int]) -> None:
        """Starts the process; it inherits the device leases, so that they outlive a killed TaskManager for as long as it runs."""
        self.slot_id, self._log_file = slot_id, spec.log_file
        spec.context_file.write_text(json.dumps(spec.context))
        with spec.log_file.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", die_with_parent.__file__, str(os.getpid()), ",".join(map(str, spec.cpus)), *spec.command],
                env=dict(spec.environment),
                cwd=spec.context_file.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.PIPE,
                pass_fds=tuple(lease_descriptors),
            )
        assert self._process.stderr is not None
        self._errors = keep_errors(self._process.stderr, spec.log_file)

    @property
    def pid(self) -> int | None:
        """Returns the id of the process, None when it has ended: then the id may be another's."""
        return self._process.pid if self._process.poll() is None else None

    def say(self, words: str) -> None:
        """Adds a line to its log, which is where its end is explained."""
        with self._log_file.open("a", encoding="utf-8") as log:
            log.write(f"{words}\n")

    def report(self, emit: Callable[[SlotResult], None]) -> None:
        """Calls `emit` with the result once the process has ended, from a thread of its own."""
        threading.Thread(target=lambda: emit(self._result()), name=self.slot_id, daemon=True).start()

    def stop(self, grace_s: float) -> None:
        """Ends the process and its descendants: SIGTERM, and SIGKILL for those that still run after `grace_s` seconds."""
        if self._process.poll() is not None:
            return
        tree = tree_of(self._process.pid)
        for process in tree:
            process.send(signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while any(process.is_alive() for process in tree) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        for process in {*tree, *tree_of(self._process.pid)}:
            process.send(signal.SIGKILL)
        try:
            self._process.wait(_KILLED_S)
        except subprocess.TimeoutExpired:
            logger.warning("Slot %s has not ended within %g s of SIGKILL: a device may hold it", self.slot_id, _KILLED_S)

    def _result(self) -> SlotResult:
        code = self._process.wait()
        self._errors.join(_LAST_WORDS_S)
        exit_code = code if code >= 0 else 128 - code
        return SlotResult(self.slot_id, exit_code, tail_of(self._log_file, self._log_start) if exit_code else "")


def stop_all(processes: Iterable[SlotProcess], grace_s: float) -> None:
    """Ends processes side by side, as `SlotProcess.stop` does each."""
    threads = [threading.Thread(target=process.stop, args=(grace_s,), name=f"stop-{process.slot_id}") for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
