"""How an application ended by what its master left: its summary, or the marker of an end that left it no time for one. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import replace

from protocol.history import Marker, Summary, marker_of
from protocol.outcome import Outcome


def last_marker(names: Iterable[str]) -> Marker | None:
    """Returns the marker of the latest attempt that left one, of the names of all its files."""
    markers = [found for name in names if (found := marker_of(name))]
    return max(markers, key=lambda marker: marker.attempt, default=None)


def milliseconds(iso: str | None) -> int:
    """Returns a time of a summary since the epoch, 0 for one that is not known."""
    try:
        return round(datetime.datetime.fromisoformat(iso or "").timestamp() * 1000)
    except ValueError:
        return 0


def ended(summary: Summary, marker: Marker | None) -> Summary:
    """Returns the summary with the end that the marker tells, where the summary has none."""
    if marker is None or marker.attempt < summary.attempt or summary.outcome is not None:
        return summary
    at = datetime.datetime.fromtimestamp(marker.seconds, datetime.timezone.utc).isoformat(timespec="milliseconds")
    told = f"it had no time to say more; the rest was written {summary.written}" if summary.written else "it had no time to say more"
    return replace(summary, ended=at, state="FINISHED", outcome=Outcome(marker.status, marker.exit_code, told))
