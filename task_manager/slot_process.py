"""Starts and ends the process of a slot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from protocol.log_tail import tail_of
from protocol.records import SlotResult
from task_manager import die_with_parent
from task_manager.slot_environment import SlotProcessSpec


class SlotProcess:
    """A slot's process. Start it from the main thread: it is killed by the kernel when the thread that started it ends.

    It stays in the TaskManager's process group, which is the container's, so that YARN's signals reach it.
    """

    def __init__(self, slot_id: str, spec: SlotProcessSpec, lease_descriptors: Sequence[int]) -> None:
        """Starts the process; it inherits the device leases, so that they outlive a killed TaskManager for as long as it runs."""
        self.slot_id, self._log_file = slot_id, spec.log_file
        spec.context_file.write_text(json.dumps(spec.context))
        with spec.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", die_with_parent.__file__, str(os.getpid()), *spec.command],
                env=dict(spec.environment),
                cwd=spec.context_file.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=tuple(lease_descriptors),
            )

    def report(self, emit: Callable[[SlotResult], None]) -> None:
        """Calls `emit` with the result once the process has ended, from a thread of its own."""
        threading.Thread(target=lambda: emit(self._result()), name=self.slot_id, daemon=True).start()

    def stop(self, grace_s: float) -> None:
        """Ends the process: SIGTERM, and SIGKILL when it still runs after `grace_s` seconds."""
        self._process.terminate()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _result(self) -> SlotResult:
        code = self._process.wait()
        exit_code = code if code >= 0 else 128 - code
        return SlotResult(self.slot_id, exit_code, tail_of(self._log_file) if exit_code else "")
