"""SPNEGO: with a token source of our own wherever the protocol is meant, and with MIT's KDC and the library where these are installed."""

import base64
import importlib.util
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import kerberos_realm
import pytest
from client_rest_server import serving

from client.hadoop.negotiate import NegotiateHandler

ASKS = {"WWW-Authenticate": "Negotiate"}


def opener(*hosts):
    """An opener whose tokens are of the host's name, and which notes for whom it was asked."""

    def token(host):
        hosts[0].append(host)
        return f"ticket for {host}".encode()

    return urllib.request.build_opener(urllib.request.ProxyHandler({}), NegotiateHandler(token))


@pytest.fixture
def server():
    """Answers those that show the right token, and asks the others for one; `seen` has each request's Authorization."""
    with serving() as server:
        server.seen = []

        def answer(headers):
            server.seen.append(headers["Authorization"])
            expected = base64.b64encode(b"ticket for 127.0.0.1").decode()
            return (200, {}, {"well": True}) if headers["Authorization"] == f"Negotiate {expected}" else (401, ASKS, {})

        server.answer_by_headers("/secret", answer)
        yield server


def test_a_token_is_shown_when_the_server_asks_for_one(server):
    hosts = []
    with opener(hosts).open(f"{server.url}/secret", timeout=60) as answer:
        assert json.load(answer) == {"well": True}
    assert hosts == ["127.0.0.1"]
    assert server.seen == [None, "Negotiate dGlja2V0IGZvciAxMjcuMC4wLjE="]


def test_no_token_is_made_for_a_server_that_does_not_ask(server):
    hosts = []
    server.answer("/open", {})
    opener(hosts).open(f"{server.url}/open", timeout=60).close()
    assert hosts == []


@pytest.mark.parametrize("headers", [{}, {"WWW-Authenticate": 'Basic realm="x"'}], ids=["nothing offered", "another scheme"])
def test_another_401_is_left_as_it_is(server, headers):
    server.answers["/basic"] = (401, headers, {})
    with pytest.raises(urllib.error.HTTPError, match="401"):
        opener([]).open(f"{server.url}/basic", timeout=60)
    assert len(server.requests) == 1


def test_a_token_that_is_refused_is_not_shown_again(server):
    server.answers["/never"] = (401, ASKS, {})
    hosts = []
    with pytest.raises(urllib.error.HTTPError, match="401"):
        opener(hosts).open(f"{server.url}/never", timeout=60)
    assert (hosts, len(server.requests)) == (["127.0.0.1"], 2)


def test_a_token_stays_with_the_host_it_is_for(server):
    with serving() as other:
        seen = []
        other.answer_by_headers("/", lambda headers: (seen.append(headers["Authorization"]), (200, {}, {}))[1])
        server.answer_by_headers(
            "/moved", lambda headers: (307, {"Location": f"{other.url}/"}, {}) if headers["Authorization"] else (401, ASKS, {})
        )
        opener([]).open(f"{server.url}/moved", timeout=60).close()
    assert seen == [None]


ASK = "import json, sys; from client.hadoop import rest; json.dump(rest.get_json(sys.argv[1]), sys.stdout)"
REPORTING = """import sys
from client.hadoop import rest
from client.errors import ClientError
try:
    rest.get_json(sys.argv[1])
except ClientError as error:
    print(error.exit_code, error.cause, error.remedy, sep="\\n")
"""


def asked(program, url, environment):
    environment = {**os.environ, **environment}
    ran = subprocess.run([sys.executable, "-c", program, url], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_missing_library_is_told_with_its_remedy(tmp_path):
    (tmp_path / "gssapi.py").write_text("raise ImportError('libgssapi_krb5.so.2: cannot open shared object file')")
    with serving() as server:
        server.answers["/"] = (401, ASKS, {})
        said = asked(REPORTING, f"{server.url}/", {"PYTHONPATH": str(tmp_path)}).splitlines()
    assert said[0] == "5"
    assert "127.0.0.1 wants Kerberos (SPNEGO)" in said[1]
    assert "cannot open shared object file" in said[1]
    assert "treadle-yarn[kerberos]" in said[2]


@pytest.fixture(scope="module")
def realm(tmp_path_factory):
    with kerberos_realm.realm(tmp_path_factory.mktemp("realm")) as made:
        yield made


@pytest.fixture
def gssapi():
    if importlib.util.find_spec("gssapi") is None:
        pytest.skip("the package gssapi is not installed: pip install 'treadle-yarn[kerberos]'")


ACCEPT = """import base64, sys, gssapi
name = gssapi.Name("HTTP@localhost", gssapi.NameType.hostbased_service)
context = gssapi.SecurityContext(creds=gssapi.Credentials(name=name, usage="accept"), usage="accept")
context.step(base64.b64decode(sys.argv[1]))
print(context.initiator_name)
"""


def test_a_server_of_the_realm_learns_who_asks(realm, gssapi):
    """The server's side is MIT's own, in a process with the service's key."""
    realm.kinit()
    with serving() as server:

        def answer(headers):
            scheme, _, token = (headers["Authorization"] or "").partition(" ")
            if scheme != "Negotiate":
                return (401, ASKS, {})
            return (200, {"Set-Cookie": "hadoop.auth=seen; Path=/"}, {"user": asked(ACCEPT, token, realm.environment).strip()})

        server.answer_by_headers("/", answer)
        url = server.url.replace("127.0.0.1", "localhost")
        assert json.loads(asked(ASK, f"{url}/", realm.environment)) == {"user": f"{kerberos_realm.USER}@{kerberos_realm.REALM}"}


def test_without_a_ticket_the_remedy_is_kinit(realm, gssapi):
    with serving() as server:
        server.answers["/"] = (401, ASKS, {})
        said = asked(REPORTING, f"{server.url}/", {**realm.environment, "KRB5CCNAME": "/nowhere/tickets"}).splitlines()
    assert said[0] == "5"
    assert "no Kerberos ticket for HTTP@127.0.0.1" in said[1]
    assert "run `kinit`" in said[2]
