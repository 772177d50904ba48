"""What several runs of the same thing say: median, smallest and largest, and ratios taken round by round."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Median, minimum and maximum of some runs."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 1) -> str:
        """Returns `median (low to high)`."""
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"


def figure(values: Sequence[float]) -> Figure:
    """Returns the figure of at least one value."""
    return Figure(statistics.median(values), min(values), max(values))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """Returns ours / theirs, each round by itself, so that a machine that drifts from round to round matters less.

    Raises:
        ValueError: when one has more rounds than the other.
    """
    return figure([mine / other for mine, other in zip(ours, theirs, strict=True)])


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns the rows in aligned columns: the first to the left, the others to the right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )
