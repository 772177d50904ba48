"""The ticket cache that MIT's own kinit writes, where that is installed."""

from datetime import datetime, timedelta, timezone

import kerberos_realm
import pytest

from client.doctor import kerberos
from client.doctor.finding import FAILURE, OK, WARNING


@pytest.fixture(scope="module")
def realm(tmp_path_factory):
    with kerberos_realm.realm(tmp_path_factory.mktemp("realm")) as made:
        yield made


@pytest.mark.parametrize(
    ("options", "status", "renewal"),
    [(["-l", "2h", "-r", "2d"], OK, timedelta(days=2)), (["-l", "30m"], WARNING, None)],
    ids=["two hours, renewable", "half an hour"],
)
def test_a_ticket_of_a_real_kdc(realm, options, status, renewal):
    realm.kinit(*options)
    now = datetime.now(timezone.utc)
    found = kerberos.examine(realm.environment, now)
    ticket = kerberos.read(realm.cache.read_bytes())
    assert (found.status, ticket.principal) == (status, f"{kerberos_realm.USER}@{kerberos_realm.REALM}")
    if renewal:
        assert abs(ticket.renewable_until - now - renewal) < timedelta(minutes=1)
    else:
        assert ticket.renewable_until is None


def test_an_expired_ticket_of_a_real_kdc(realm):
    realm.kinit("-l", "1h")
    assert kerberos.examine(realm.environment, datetime.now(timezone.utc) + timedelta(hours=2)).status == FAILURE
