"""Starts and ends the process of a slot."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Sequence

from processes.reaped import ReapedProcess
from protocol.log_tail import tail_of
from protocol.process_output import keep_errors
from protocol.records import SlotResult
from task_manager.slot_environment import SlotProcessSpec

logger = logging.getLogger(__name__)

_LAST_WORDS_S = 1.0
"""How long what a process wrote to standard error at its end is waited for; what could not be killed may hold that open."""


class SlotProcess:
    """A slot's process, which ends when all that it has started has. Start it from the main thread, see `ReapedProcess`."""

    def __init__(self, slot_id: str, spec: SlotProcessSpec, lease_descriptors: Sequence[int], grace_s: float) -> None:
        """Starts the process; it inherits the device leases, so that they outlive a killed TaskManager for as long as it runs."""
        self.slot_id, self._log_file = slot_id, spec.log_file
        spec.context_file.write_text(json.dumps(spec.context))
        with spec.log_file.open("ab") as log:
            self._log_start = log.tell()
            directory = spec.context_file.parent
            self._process = ReapedProcess(spec.command, spec.environment, directory, log, grace_s, spec.cpus, lease_descriptors)
        self._errors = keep_errors(self._process.errors, spec.log_file)

    @property
    def pid(self) -> int | None:
        """Returns the id of the process that all of the slot's descend from, None when it has ended."""
        return self._process.pid

    def say(self, words: str) -> None:
        """Adds a line to its log, which is where its end is explained."""
        with self._log_file.open("a", encoding="utf-8") as log:
            log.write(f"{words}\n")

    def report(self, emit: Callable[[SlotResult], None]) -> None:
        """Calls `emit` with the result once the process has ended, from a thread of its own."""
        threading.Thread(target=lambda: emit(self._result()), name=self.slot_id, daemon=True).start()

    def stop(self, *, at_once: bool = False) -> None:
        """Ends the process and all that it has started: SIGTERM, and SIGKILL for what runs after the grace period, or SIGKILL `at_once`."""
        if not self._process.stop(at_once=at_once):
            logger.warning("Slot %s has not ended after SIGKILL: a device may hold it", self.slot_id)

    def _result(self) -> SlotResult:
        exit_code = self._process.wait()
        self._errors.join(_LAST_WORDS_S)
        return SlotResult(self.slot_id, exit_code, tail_of(self._log_file, self._log_start) if exit_code else "")


def stop_all(processes: Iterable[SlotProcess]) -> None:
    """Ends processes side by side, as `SlotProcess.stop` does each."""
    threads = [threading.Thread(target=process.stop, name=f"stop-{process.slot_id}") for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
