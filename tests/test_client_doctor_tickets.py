"""What `submit doctor` reads in a ticket cache, and what it makes of the ticket; the bytes are written as MIT does."""

import struct
from datetime import datetime, timedelta, timezone

import pytest

from client.doctor import kerberos
from client.doctor.finding import FAILURE, OK, WARNING

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)


def counted(text):
    return struct.pack(">I", len(text)) + text.encode()


def principal(realm, *components):
    return struct.pack(">II", 1, len(components)) + counted(realm) + b"".join(counted(component) for component in components)


def credential(server, end, renew_until=0):
    times = struct.pack(">IIII", 0, 0, int(end.timestamp()), int(renew_until.timestamp()) if renew_until else 0)
    address = struct.pack(">IH", 1, 2) + counted("127.0.0.1")
    key = struct.pack(">H", 18) + counted("k" * 32)
    return principal("R", "ann") + server + key + times + bytes(5) + address + struct.pack(">I", 0) + counted("ticket") + counted("")


def cache(*credentials):
    """A cache file as MIT writes it: version 4, one header field, the client, credentials."""
    header = struct.pack(">HHII", 1, 8, 0xFFFFFFFF, 0)
    return struct.pack(">HH", 0x0504, len(header)) + header + principal("R", "ann") + b"".join(credentials)


TGT = principal("R", "krbtgt", "R")
OTHER = principal("R", "HTTP", "rm")
NOTE = principal("X-CACHECONF:", "krb5_ccache_conf_data", "fast_avail")


def test_the_ticket_granting_ticket_is_found_among_others():
    later, week = NOW + timedelta(hours=10), NOW + timedelta(days=7)
    ticket = kerberos.read(cache(credential(NOTE, NOW), credential(OTHER, week), credential(TGT, later, week)))
    assert ticket == kerberos.Ticket("ann@R", later, week)


def test_a_cache_without_a_ticket_granting_ticket():
    found = kerberos.judge(kerberos.read(cache(credential(OTHER, NOW))), NOW)
    assert (found.status, found.remedy) == (FAILURE, "run `kinit`")


@pytest.mark.parametrize("content", [b"", b"\x05", b"no ticket cache", cache(credential(TGT, NOW))[:-20]])
def test_what_is_no_cache_is_said_to_be_none(content, tmp_path):
    (tmp_path / "tickets").write_bytes(content)
    found = kerberos.examine({"KRB5CCNAME": f"FILE:{tmp_path}/tickets"}, NOW)
    assert (found.status, "can't be read" in found.text) == (FAILURE, True)


@pytest.mark.parametrize(
    ("left", "renewable", "status", "remedy"),
    [
        (timedelta(hours=8), None, OK, ""),
        (timedelta(hours=8), timedelta(days=6), OK, ""),
        (timedelta(minutes=59), None, WARNING, "run `kinit`"),
        (timedelta(minutes=59), timedelta(days=6), WARNING, "`kinit -R` renews it"),
        (timedelta(0), timedelta(days=6), FAILURE, "run `kinit`"),
        (-timedelta(hours=1), None, FAILURE, "run `kinit`"),
    ],
)
def test_a_ticket_is_judged_by_the_time_it_has_left(left, renewable, status, remedy):
    found = kerberos.judge(kerberos.Ticket("ann@R", NOW + left, NOW + renewable if renewable else None), NOW)
    assert (found.status, found.remedy) == (status, remedy)
    assert "ann@R" in found.text


@pytest.mark.parametrize("name", ["KEYRING:persistent:0", "KCM:", "DIR:/run/user/0/krb5cc"])
def test_a_cache_that_java_does_not_read_fails(name):
    found = kerberos.examine({"KRB5CCNAME": name}, NOW)
    assert (found.status, name in found.text, "KRB5CCNAME=FILE:" in found.remedy) == (FAILURE, True, True)


def test_no_cache_at_all(tmp_path):
    found = kerberos.examine({"KRB5CCNAME": str(tmp_path / "none")}, NOW)
    assert (found.status, found.text) == (FAILURE, f"no ticket: there is no {tmp_path}/none")
