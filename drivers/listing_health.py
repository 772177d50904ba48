"""Health of devices of which all that can be known is whether they are still listed."""

from __future__ import annotations

from collections.abc import Callable, Collection

from drivers.device import DriverError

LISTINGS = 2
"""How often in a row a device must be missing: a listing that was made in a bad moment is no reason to end a job."""


class ListingHealth:
    """Judges each device once by each listing; asked of one again, it makes a new listing, so that a round over all devices makes one.

    Args:
        list_uuids: makes a listing.
        words: what is wrong with a device that is missing.
    """

    def __init__(self, list_uuids: Callable[[], Collection[str]], words: str) -> None:
        self._list_uuids, self._words = list_uuids, words
        self._listed: Collection[str] | DriverError = ()
        self._judged: set[str] | None = None
        self._missing: dict[str, int] = {}

    def of(self, uuid: str) -> str | None:
        """Returns None for a device that is listed or has not been missing for long.

        Raises:
            DriverError: when the listing failed; that counts neither way.
        """
        if self._judged is None or uuid in self._judged:
            self._judged = set()
            try:
                self._listed = self._list_uuids()
            except DriverError as error:
                self._listed = error
        self._judged.add(uuid)
        if isinstance(self._listed, DriverError):
            raise self._listed
        self._missing[uuid] = 0 if uuid in self._listed else self._missing.get(uuid, 0) + 1
        return f"{self._words} ({self._missing[uuid]} times in a row)" if self._missing[uuid] >= LISTINGS else None
