"""`python -m treadle.node_report`, which `submit doctor --probe` runs in a slot: tells in one line what its node looks like from there."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

BEGINS = "treadle-node-report "
"""What the line begins with; `client.doctor.probe` looks for it."""

_TIMEOUT_S = 30
_GPUS = "index,uuid,name,driver_version,memory.used,memory.total"
_PROCESSES = "gpu_uuid,pid,process_name,used_memory"


def report() -> dict[str, Any]:
    """Returns what there is, as a tree of texts."""
    context = json.loads(Path(os.environ["TREADLE_RUNTIME_CONTEXT"]).read_text())
    smi = shutil.which("nvidia-smi")
    gpus, processes = (_rows(smi, "gpu", _GPUS), _rows(smi, "compute-apps", _PROCESSES)) if smi else (([], ""), ([], ""))
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "node": context["node"],
        "system": platform.platform(),
        "devices": context["external_resources"],
        "device_files": sorted(str(path) for path in Path("/dev").glob("nvidia[0-9]*")),
        "smi": smi or "",
        "gpus": gpus[0],
        "processes": processes[0],
        "errors": [error for _, error in (gpus, processes) if error],
    }


def _rows(smi: str, kind: str, fields: str) -> tuple[list[dict[str, str]], str]:
    """Returns a row for each GPU or process, and what went wrong, if anything did."""
    command = [smi, f"--query-{kind}={fields}", "--format=csv,noheader,nounits"]
    try:
        ran = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], str(error)
    lines = [line for line in ran.stdout.decode(errors="replace").splitlines() if line.strip()]
    if ran.returncode:
        return [], " ".join([*lines, ran.stderr.decode(errors="replace")])[:300].strip() or f"exit code {ran.returncode}"
    names = fields.split(",")
    return [{name: cell.strip() for name, cell in zip(names, line.split(","), strict=False)} for line in lines], ""


if __name__ == "__main__":
    sys.stdout.write(f"{BEGINS}{json.dumps(report())}\n")
