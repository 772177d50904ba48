"""Why YARN says that an application master ended: its diagnostics, which speak of exit codes, as a cause and a remedy."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from protocol.outcome import Outcome, from_diagnostics

_EXITED = re.compile(r"AM Container for appattempt_\w+ exited with\s+exitCode: (?P<code>-?\d+)")
_TIMED_OUT = re.compile(r"ApplicationMaster for attempt appattempt_\w+ timed out")
_ATTEMPTS = re.compile(r"failed (?P<count>\d+) times")
_USED = re.compile(r"[\d.]+ \w?B of [\d.]+ \w?B (?:physical|virtual) memory used")
_DETAIL = re.compile(r"Diagnostics:\s*(?P<text>.*?)\s*(?:For more detailed output, check|\. Failing the application|$)", re.DOTALL)

_DETAIL_LINES = 5
"""As much of YARN's words is told where there is no remedy for just that cause; a Java stack trace or a process tree follows."""

_LOCALISATION, _VIRTUAL, _PHYSICAL = -1000, -103, -104

_CAUSES = {
    -100: "the node of the application master was lost, or shut down",
    -101: "the disks of the application master's node failed",
    -102: "the application master's container was preempted, for a queue that had less than its share",
    _VIRTUAL: "the application master used more virtual memory than its node allows",
    _PHYSICAL: "the application master used more memory than it asked for",
    -106: "the ResourceManager killed the application master, for one of them had started anew",
    _LOCALISATION: "the files of the application could not be brought to the node of its application master",
    137: "the application master was killed (SIGKILL): by its node's kernel, short of memory, or by somebody",
    143: "the application master was told to stop (SIGTERM), by somebody on its node",
}
"""YARN's `ContainerExitStatus`, or 128 and a signal; the rest ended by themselves."""

_REMEDIES = {
    _LOCALISATION: "submit it again; if that fails, too, look whether the node reaches HDFS and has space on its disks",
    _VIRTUAL: "raise jobmanager.memory.process.size, or have yarn.nodemanager.vmem-check-enabled set to false",
    _PHYSICAL: "raise jobmanager.memory.process.size: skein's JVM, the application master and the job's script share it",
}
"""What is better than to try again."""


@dataclass(frozen=True)
class MasterFailure:
    """One line each of cause and remedy, and what else YARN said, where that may help."""

    cause: str
    remedy: str
    detail: str = ""

    def text(self) -> str:
        """Returns all of it, a line each."""
        return "\n".join(filter(None, [self.cause, f"remedy: {self.remedy}", self.detail]))


def master_failure(diagnostics: str) -> MasterFailure | None:
    """Returns why the last application master ended, None where these are not YARN's words for that."""
    if _TIMED_OUT.search(diagnostics):
        cause = "the application master fell silent, so that YARN gave it up: its node is cut off, or its processes hang"
        return MasterFailure(cause, _again(diagnostics))
    exited = _EXITED.search(diagnostics)
    if not exited:
        return None
    code = int(exited["code"])
    if code not in _CAUSES:
        remedy = "`submit logs APP --all` shows what it wrote (application.master.log, application.driver.log)"
        return MasterFailure(f"the application master ended with exit code {code}", remedy, _detail(diagnostics))
    used = _USED.search(diagnostics) if code in (_VIRTUAL, _PHYSICAL) else None
    cause = f"{_CAUSES[code]} ({used[0]})" if used else _CAUSES[code]
    return MasterFailure(cause, _REMEDIES.get(code) or _again(diagnostics), _detail(diagnostics) if code == _LOCALISATION else "")


def outcome_of(final_status: str, diagnostics: str) -> Outcome:
    """Returns how an application ended, in its own words, or in those for what YARN tells of its application master."""
    outcome = from_diagnostics(final_status, diagnostics)
    failure = master_failure(diagnostics)
    return replace(outcome, diagnostics=failure.text()) if failure else outcome


def _again(diagnostics: str) -> str:
    """More than one attempt was not enough where YARN counts more."""
    match = _ATTEMPTS.search(diagnostics)
    if match and int(match["count"]) > 1:
        return "submit it again"
    return "submit it again; with -D yarn.application-attempts=2 YARN starts another application master by itself"


def _detail(diagnostics: str) -> str:
    match = _DETAIL.search(diagnostics)
    return "\n".join(match["text"].splitlines()[:_DETAIL_LINES]) if match else ""
