"""What the application master's container uses, as YARN counts it: skein's JVM, our program, the job's main, and all that these started."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from processes.tree import ProcessTable
from processes.usage import UsageMeter
from yarn_am.events import MasterUsed


def watch(interval_s: float, emit: Callable[[MasterUsed], None]) -> None:
    """Tells it at once and every `interval_s` seconds, from a thread that ends with the process."""
    threading.Thread(target=_run, args=(interval_s, emit), name="usage", daemon=True).start()


def _run(interval_s: float, emit: Callable[[MasterUsed], None]) -> None:
    meter = UsageMeter()
    # a NodeManager gives each container a session, and counts the tree below its first process
    container = ProcessTable().first_in_session(os.getpid())
    while used := meter.read({"container": container}).get("container"):
        emit(MasterUsed(used.memory_mb, used.cpu_percent))
        time.sleep(interval_s)
