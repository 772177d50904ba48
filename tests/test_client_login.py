"""--keytab, --principal and --proxy-user: a real ticket from a real KDC, in the environment for one command's length."""

import os
from pathlib import Path

import pytest
from kerberos_realm import USER, realm

from client.doctor.kerberos import read
from client.errors import ClientError
from client.hadoop.identity import hadoop_user
from client.hadoop.login import logged_in
from conf.settings import Login


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    with realm(tmp_path_factory.mktemp("realm")) as made:
        yield made


@pytest.fixture
def environ(kdc, tmp_path):
    """Of somebody who has a ticket of their own already, on a cluster with Kerberos."""
    site = "<configuration><property><name>hadoop.security.authentication</name><value>kerberos</value></property></configuration>"
    (tmp_path / "core-site.xml").write_text(site)
    (tmp_path / "yarn-site.xml").write_text("<configuration></configuration>")
    return {**os.environ, **kdc.environment, "HADOOP_CONF_DIR": str(tmp_path), "KRB5CCNAME": "FILE:/their/own"}


def test_the_ticket_of_a_keytab_is_there_for_as_long_as_it_is_needed(kdc, environ):
    before = dict(environ)
    with logged_in(Login(str(kdc.keytab), USER), environ):
        kind, _, path = environ["KRB5CCNAME"].partition(":")
        assert kind == "FILE"
        assert read(Path(path).read_bytes()).principal.startswith(f"{USER}@")
        assert Path(path).stat().st_mode & 0o077 == 0
    assert environ == before
    assert not Path(path).exists()


def test_a_principal_that_the_keytab_does_not_hold(kdc, environ):
    before = dict(environ)
    with (
        pytest.raises(ClientError, match=f"no ticket for nobody from {kdc.keytab}: kinit: ") as raised,
        logged_in(Login(str(kdc.keytab), "nobody"), environ),
    ):
        pass
    assert raised.value.exit_code == 5
    assert environ == before


def test_a_cluster_without_kerberos_has_no_use_for_a_keytab(kdc, environ, tmp_path):
    (tmp_path / "core-site.xml").write_text("<configuration></configuration>")
    with pytest.raises(ClientError, match="does not ask for tickets"), logged_in(Login(str(kdc.keytab), USER), environ):
        pass


def test_a_proxy_user_is_who_hadoop_sees():
    environ = {"HADOOP_USER_NAME": "ann"}
    with logged_in(Login(proxy_user="ben"), environ):
        assert hadoop_user(environ) == "ben"
    assert environ == {"HADOOP_USER_NAME": "ann"}
    with logged_in(Login(), environ):
        assert hadoop_user(environ) == "ann"
