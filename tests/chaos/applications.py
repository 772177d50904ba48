"""One application at a time: submitted as a user would, followed to its end, and judged by what it told and what it left."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chaos.arena import Arena, patiently
from chaos.invariants import left_behind, wrong_output

LIMIT_S = 240.0
"""An application that has not ended by then hangs: undisturbed it takes a tenth of that."""

_SUBMITTED = re.compile(r"(?P<id>application_\d+_\d+) submitted")  # what else names one may be of an upload that failed
_FINAL = ("FINISHED", "FAILED", "KILLED")


@dataclass(frozen=True)
class End:
    """How a `submit run` ended: `application` is "" when YARN took none, `wrong` what should not be."""

    name: str
    application: str
    code: int
    seconds: float
    cause: str
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.application or 'not submitted'} ended with {self.code} after {self.seconds:.0f} s: {self.cause}"


def run(arena: Arena, name: str, whole: Mapping[str, str]) -> End:
    """Runs the job once, whose files should be `whole`; returns its end."""
    output, begin = f"{arena.mnist}/{name}", time.monotonic()
    with (arena.work / f"{name}.err").open("w") as log:
        process = subprocess.Popen(arena.command(name, output), env=arena.environment(), stdout=subprocess.PIPE, stderr=log, text=True)
    wrong: list[str] = []
    try:
        out, _ = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        wrong.append(f"no end within {LIMIT_S:g} s")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    seconds = time.monotonic() - begin
    told = (arena.work / f"{name}.err").read_text()
    submitted = _SUBMITTED.search(told)
    application = submitted["id"] if submitted else ""
    wrong += _end_it(arena, application, 0 if wrong else LIMIT_S) if application else []
    cause, unexplained = _cause(arena, application, process.returncode, out, told)
    files = arena.visible_files(output)
    wrong += unexplained
    wrong += wrong_output(files, whole, succeeded=process.returncode == 0)
    wrong += left_behind(arena, application) if application else []
    return End(name, application, process.returncode, seconds, cause, tuple(wrong))


def _told(arena: Arena, path: str) -> Any:
    def ask() -> Any:
        if (answer := arena.ask(path)) is None:
            raise ConnectionError(f"the ResourceManager does not tell {path}")
        return answer

    return patiently(ask, ConnectionError)


def _end_it(arena: Arena, application: str, limit_s: float) -> list[str]:
    """`submit` may have left an application that it could not follow any more: it gets a while to end by itself."""
    deadline = time.monotonic() + limit_s
    while (state := _report(arena, application)["state"]) not in _FINAL:
        if time.monotonic() > deadline:
            subprocess.run([arena.command("", "")[0], "kill", application], env=arena.environment(), check=False, capture_output=True)
            return [f"YARN shows it {state} {limit_s:g} s after its submit ended"]
        time.sleep(0.5)
    return []


def _report(arena: Arena, application: str) -> dict[str, Any]:
    report: dict[str, Any] = _told(arena, f"/ws/v1/cluster/apps/{application}")["app"]
    return report


def _cause(arena: Arena, application: str, code: int, out: str, told: str) -> tuple[str, list[str]]:
    """Returns the cause in a line, and what is wrong with how it was told: whoever looks must find one, in words that are not Python's."""
    result = json.loads(out) if out.strip().startswith("{") else {}
    wrong = [f"submit broke: {told[-2000:]}"] if "this should not happen" in told else []
    if code == 0:
        return "succeeded", wrong
    report = _report(application=application, arena=arena) if application else {}
    words = result.get("diagnostics") or (told.strip().splitlines() or [""])[-1]
    if not words:
        wrong.append(f"exit code {code}, and submit told no cause: {told[-500:]!r}")
    if report and not report["diagnostics"].strip():
        wrong.append(f"YARN shows {report['finalStatus']} without diagnostics")
    if report.get("finalStatus") == "SUCCEEDED":
        wrong.append(f"exit code {code}, but YARN shows SUCCEEDED")
    return words.strip().replace("\n", " | ")[:600], wrong
