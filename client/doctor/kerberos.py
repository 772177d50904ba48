"""The Kerberos ticket of this user, read from the cache file: Java, and so skein's driver, reads no other kind of cache."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from client.doctor.finding import FAILURE, OK, WARNING, Finding

CHECK = "kerberos"

_VERSION_4 = 0x0504
_CONFIGURATION_REALM = "X-CACHECONF:"
_SOON = timedelta(hours=1)
_KINIT = "run `kinit`"


@dataclass(frozen=True)
class Ticket:
    """The ticket-granting ticket: whose it is, until when it is good (aware), and until when it can be renewed, None for never."""

    principal: str
    end: datetime
    renewable_until: datetime | None


def cache(environ: Mapping[str, str]) -> str:
    """Returns the name of the ticket cache where Java looks for it, with its kind (`FILE:…`)."""
    name = environ.get("KRB5CCNAME") or f"/tmp/krb5cc_{os.getuid()}"
    return name if ":" in name else f"FILE:{name}"


def examine(environ: Mapping[str, str], now: datetime) -> Finding:
    """Looks into the cache and judges what is there; `now` is aware."""
    kind, _, path = (name := cache(environ)).partition(":")
    if kind != "FILE":
        remedy = f"export KRB5CCNAME=FILE:/tmp/krb5cc_{os.getuid()} and run `kinit` again"
        return Finding(CHECK, FAILURE, f"the ticket cache is {name}, and Java reads none but FILE:", remedy)
    try:
        ticket = read(Path(path).read_bytes())
    except FileNotFoundError:
        return Finding(CHECK, FAILURE, f"no ticket: there is no {path}", f"{_KINIT}, and set KRB5CCNAME if that writes elsewhere (`klist`)")
    except (OSError, ValueError) as error:
        return Finding(CHECK, FAILURE, f"{path} can't be read: {error}", f"{_KINIT} again")
    return judge(ticket, now)


def judge(ticket: Ticket | None, now: datetime) -> Finding:
    """Judges how long the ticket lasts."""
    if ticket is None:
        return Finding(CHECK, FAILURE, "the cache holds no ticket-granting ticket", _KINIT)
    renewable = ticket.renewable_until is not None and ticket.renewable_until > now
    renew = "`kinit -R` renews it" if renewable else _KINIT
    left = ticket.end - now
    if left <= timedelta():
        return Finding(CHECK, FAILURE, f"the ticket of {ticket.principal} expired {_when(ticket.end)}", _KINIT)
    text = f"ticket of {ticket.principal} until {_when(ticket.end)}"
    if left < _SOON:
        return Finding(CHECK, WARNING, f"{text}, in {left.total_seconds() / 60:.0f} min", renew)
    return Finding(CHECK, OK, f"{text}, renewable until {_when(ticket.renewable_until)}" if ticket.renewable_until else text)


def _when(moment: datetime) -> str:
    return moment.astimezone().isoformat(sep=" ", timespec="minutes")


def read(data: bytes) -> Ticket | None:
    """Returns the latest ticket-granting ticket in a cache file, None when it holds none.

    The format is MIT's "Credential cache file format", version 4, the only one written since 1998.

    Raises:
        ValueError: when it is no such file.
    """
    try:
        found = list(_granting_tickets(_Reader(data)))
    except (struct.error, IndexError) as error:
        raise ValueError(f"no ticket cache: {error}") from error
    return max(found, key=lambda ticket: ticket.end, default=None)


def _granting_tickets(reader: _Reader) -> Iterator[Ticket]:
    if (version := reader.number("H")) != _VERSION_4:
        raise ValueError(f"it begins with {version:#06x} where a ticket cache has {_VERSION_4:#06x}")
    reader.skip(reader.number("H"))
    reader.principal()
    while not reader.at_end:
        client, server = reader.principal(), reader.principal()
        reader.number("H")
        reader.data()
        _, _, end, renew_until = (reader.number("I") for _ in range(4))
        reader.skip(5)
        for _ in range(2):
            for _ in range(reader.number("I")):
                reader.number("H")
                reader.data()
        reader.data()
        reader.data()
        if server.startswith("krbtgt/") and not server.endswith(f"@{_CONFIGURATION_REALM}"):
            yield Ticket(client, _moment(end), _moment(renew_until) if renew_until else None)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


class _Reader:
    """A position in the file; numbers are big-endian, texts have their length before them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def at_end(self) -> bool:
        return self._position >= len(self._data)

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from(f">{form}", self._data, self._position)
        self._position += struct.calcsize(form)
        return int(value)

    def skip(self, length: int) -> None:
        self._position += length

    def data(self) -> str:
        length = self.number("I")
        (value,) = struct.unpack_from(f"{length}s", self._data, self._position)
        self._position += length
        return bytes(value).decode(errors="replace")

    def principal(self) -> str:
        """Its type, its number of components, its realm and its components."""
        self.number("I")
        count = self.number("I")
        realm = self.data()
        return f"{'/'.join(self.data() for _ in range(count))}@{realm}"
