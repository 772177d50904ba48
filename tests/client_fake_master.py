"""Stands in for Treadle's interpreter, and so for the application master: `client_fake_master.py BEHAVIOUR -I -m yarn_am …`.

It serves `/application` as the real one does, and ends as it is told.
"""

import json
import signal
import sys
import threading
import time
from pathlib import Path

from client_rest_server import serving

BEHAVIOUR, *ARGUMENTS = sys.argv[1:]


def told(state, outcome=None):
    slots = [{"id": "tm-0/slot-0", "devices": [{"resource": "gpu", "index": "0", "uuid": "GPU-a"}]}]
    task_managers = [{"id": "tm-0", "state": "REGISTERED", "node": "localhost", "slots": slots}]
    return {
        "id": "local",
        "name": "x",
        "state": state,
        "outcome": outcome,
        "requested": 1,
        "taskmanagers": task_managers,
        "jobs": [],
        "failures": [],
    }


def outcome(status, exit_code, diagnostics):
    return told("FINISHED", {"status": status, "exit_code": exit_code, "diagnostics": diagnostics})


def main() -> int:
    sys.stderr.write(f"arguments {json.dumps(ARGUMENTS)}\n")
    if BEHAVIOUR == "dies":
        sys.stderr.write("Traceback: no such thing\n")
        return 7
    seen = threading.Event()
    # waited for, not handled: an Event that is set in a handler deadlocks when the signal comes just as this thread begins to wait
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with serving() as server:
        end = outcome("KILLED", 3, "Stopped by SIGTERM") if BEHAVIOUR == "runs" else outcome("FAILED", 42, "the job ended with 42")

        def ending():
            seen.set()
            return 200, {}, end

        server.answers["/application"] = (200, {}, told("RUNNING")) if BEHAVIOUR in ("runs", "vanishes") else ending
        Path("am.json").write_text(json.dumps({"rest": server.url}))
        if BEHAVIOUR == "vanishes":
            while not server.requests:
                time.sleep(0.02)
            return 9
        if BEHAVIOUR == "runs":
            signal.sigtimedwait({signal.SIGTERM}, 30)
            server.answers["/application"] = ending
        seen.wait(2)  # as long as the real one waits for a follower
    return 0


sys.exit(main())
