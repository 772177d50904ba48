"""What somebody can do to a running application who is on its cluster and has not its key: read what anybody may, and nothing else."""

import datetime
import json
import os
import socket
import ssl
import subprocess
from urllib.parse import urlsplit

import pytest
from attacked_application import SECRET, asked, command_line, tcp_listeners, victim_of
from submitting import SUBMIT, running
from test_clean_stop_on_yarn import processes
from test_on_yarn import SMALL, get, report

from client.skein_driver.credentials import mint
from protocol.launch import CERTIFICATE, KEY
from protocol.skein_import import import_skein

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def victim(cluster, tmp_path_factory):
    with victim_of(cluster, tmp_path_factory.mktemp("victim")) as victim:
        yield victim


def self_made(directory):
    """A pair in the right form that nobody was told of."""
    mint(datetime.datetime.now(datetime.timezone.utc)).save(directory)
    return directory


@pytest.fixture(scope="module")
def strangers(cluster, tmp_path_factory):
    """Directories with key pairs: a self-made one, and the valid one of another application of the same cluster and user."""
    directory = tmp_path_factory.mktemp("stranger")
    with running([*SMALL, "--detach", "--", "sleep", "1000"], cluster.environment(), directory) as process:
        other, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    (directory / "made").mkdir()
    yield [self_made(directory / "made"), directory / "treadle-home" / "applications" / other.strip()]
    environment = {**os.environ, **cluster.environment(), "TREADLE_HOME": str(directory / "treadle-home")}
    subprocess.run([str(SUBMIT), "kill", other.strip()], env=environment, check=True, timeout=60, capture_output=True)


def goes_on(victim):
    assert get(f"{victim.page}/application")["state"] == "RUNNING"
    assert victim.process.poll() is None


def test_skeins_store_is_closed_to_other_key_pairs(victim, strangers):
    skein = import_skein()
    address = report(victim.cluster, victim.id)["amRPCAddress"]
    attacks = [
        lambda client: dict(client.kv.get_range()),
        lambda client: client.kv.put("stop", b'{"user":"mallory","host":"h"}'),
        lambda client: client.kv.put("taskmanagers/tm-0", b"{}"),
        lambda client: client.add_container("tm"),
        lambda client: client.shutdown("FAILED"),
    ]
    for directory in strangers:
        pair = skein.Security(cert_file=str(directory / CERTIFICATE), key_file=str(directory / KEY))
        for attack in attacks:
            with skein.ApplicationClient(address, victim.id, pair) as client, pytest.raises(ConnectionError):
                attack(client)
    goes_on(victim)


def test_skeins_port_talks_to_nobody_without_a_certificate(victim):
    host, _, port = report(victim.cluster, victim.id)["amRPCAddress"].rpartition(":")
    assert_shut((host, int(port)))
    goes_on(victim)


def assert_shut(address):
    """TLS without a certificate of our own, then no TLS at all: an end without an answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, ConnectionError)):
        spoken_to(address, context)
    with socket.create_connection(address, timeout=60) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not b"".join(iter(lambda: received(plain), b"")).startswith(b"HTTP/1.1 200")


def spoken_to(address, context):
    with socket.create_connection(address, timeout=60) as plain, context.wrap_socket(plain) as tls:
        tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        if not tls.recv(1):
            raise ConnectionResetError("closed")


def received(plain):
    try:
        return plain.recv(4096)
    except ConnectionError:
        return b""


@pytest.mark.filterwarnings("ignore")
def test_dasks_scheduler_and_workers_take_nobody_with_another_pair(victim, strangers):
    distributed = pytest.importorskip("distributed")
    scheduler = (victim.directory / "scheduler").read_text()
    for directory in strangers:
        certificate, key = str(directory / CERTIFICATE), str(directory / KEY)
        for ca in (certificate, str(victim.record / CERTIFICATE)):
            security = distributed.Security(require_encryption=True, tls_ca_file=ca, tls_client_cert=certificate, tls_client_key=key)
            with pytest.raises(OSError, match=r"SSL|TLS|certificate|Timed out"):
                distributed.Client(scheduler, security=security, timeout="5 s")
    for pid in processes(victim.id):
        for host, port in tcp_listeners(pid):
            if b"dask_slot" in command_line(pid) or b"job.py" in command_line(pid):
                assert_shut((host, port)) if host != "127.0.0.1" else assert_bare(port)
    goes_on(victim)


def assert_bare(port):
    """Dask starts an HTTP server whatever it is told; it has nothing to say but that."""
    paths = ("/", "/status", "/info/main/workers.html", "/json/identity.json", "/health", "/metrics", "/eventstream")
    assert {path: asked(port, "GET", path)[0] for path in paths} == dict.fromkeys(paths, 404)
    assert json.loads(asked(port, "GET", "/sitemap.json")[1]) == {"paths": ["/sitemap.json"]}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "CONNECT", "KILL"])
def test_the_rest_of_the_master_takes_nothing_but_get(victim, method):
    assert asked(victim.rest_port, method, "/application")[0] in (400, 405)
    url = urlsplit(victim.cluster.resourcemanager_url)
    if method in ("POST", "PUT", "DELETE", "PATCH"):
        assert asked(url.port, method, f"/proxy/{victim.id}/application", url.hostname)[0] in (404, 405, 501)
    goes_on(victim)


@pytest.mark.parametrize(
    "path",
    [
        "/../launch.json",
        "/launch.json",
        "/.skein.pem",
        "/%2e%2e/launch.json",
        "/..%2flaunch.json",
        "/pages/treadle/../../launch.json",
        "/pages/treadle/%2e%2e%2f%2e%2e%2flaunch.json",
        "//launch.json",
        "/taskmanagers/../../launch.json",
        "/taskmanagers/..%2f..%2flaunch.json",
        "/taskmanagers/tm-0/../../launch.json",
        "/page.css/../../launch.json",
        "/static/../launch.json",
        "/\\..\\launch.json",
        "/application%00.json",
        "/kv",
    ],
)
def test_the_rest_of_the_master_gives_no_file_away(victim, path):
    status, body = asked(victim.rest_port, "GET", path)
    assert (status, SECRET.encode() in body) == (404, False)


def test_the_rest_of_the_master_listens_on_loopback_alone(victim):
    pid = next(pid for pid in processes(victim.id) if b"yarn_am" in command_line(pid))
    assert [host for host, _ in tcp_listeners(pid)] == ["127.0.0.1"]


def test_after_all_that_the_job_still_comes_to_its_end(victim):
    (victim.directory / "gate").touch()
    victim.process.communicate(timeout=60)
    assert (victim.process.returncode, (victim.directory / "sum").read_text()) == (0, "6")
    assert not (victim.directory / "executed").exists()
