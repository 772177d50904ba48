"""What a check says: one line, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

OK, WARNING, FAILURE, SKIPPED = "ok", "warning", "failure", "skipped"
"""A failure keeps applications from running; a warning may; what is skipped could not, or need not, be looked at."""


@dataclass(frozen=True)
class Finding:
    """The result of one check; `remedy` is empty where there is nothing to do."""

    check: str
    status: str
    text: str
    remedy: str = ""


def healthy(findings: Iterable[Finding]) -> bool:
    """Returns whether nothing failed."""
    return all(finding.status != FAILURE for finding in findings)
