"""What somebody can do to a running application who is on its cluster and has not its key: read what anybody may, and nothing else."""

import datetime
import http.client
import json
import os
import socket
import ssl
import stat
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import hdfs_native
import pytest
from submitting import SUBMIT, running
from test_clean_stop_on_yarn import processes
from test_on_yarn import SMALL, get, report, wait_for

from benchmarks.proc import listening_port
from client.credentials import mint
from protocol.launch import CERTIFICATE, KEY
from protocol.skein_import import import_skein

pytestmark = pytest.mark.cluster

SECRET = "correct-horse-battery-staple"
"""Value of a secret variable and of a secret key, to be found nowhere."""

JOB = """\
import json, os, pathlib, time
import treadle

if __name__ == "__main__":
    said = pathlib.Path(os.environ["SAID"])
    client = treadle.get_client()
    slots = client.run(lambda: os.environ["TRICKY"])
    (said / "environment.json").write_text(json.dumps([os.environ["TRICKY"], *slots.values()]))
    (said / "scheduler").write_text(client.scheduler.address)
    (said / "up").touch()
    while not (said / "gate").exists():
        time.sleep(0.05)
    (said / "sum").write_text(str(client.submit(sum, [1, 2, 3]).result()))
"""

DRIVER = """\
import os
from drivers.device import FoundDevice

class Cards:
    def __init__(self, params):
        assert params["api-password"] == "correct-horse-battery-staple"

    def discover(self, amount):
        return [FoundDevice(index=str(os.getpid()), uuid=f"card-{os.getpid()}", visibility={})]
"""


class Victim:
    """A running application of one script and two slots."""

    def __init__(self, cluster, directory, process):
        self.cluster, self.directory, self.process = cluster, directory, process
        self.id = process.stdout.readline().strip()
        self.record = directory / "treadle-home" / "applications" / self.id
        self.tricky = tricky(directory)

    @property
    def page(self):
        return f"{self.cluster.resourcemanager_url}/proxy/{self.id}"

    @property
    def rest_port(self):
        return listening_port(next(pid for pid in processes(self.id) if b"yarn_am" in command_line(pid)))


def tricky(directory):
    commands = f"$(touch {directory}/executed) `touch {directory}/executed` ; touch {directory}/executed #"
    return (
        f"plain \"double\" 'single' \\\\ $HOME ${{HOME}} %PATH% {commands}\nsecond line\ttab \u00e9 * ~ !! &| touch {directory}/executed\n"
    )


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


@contextmanager
def victim_of(cluster, directory):
    (directory / "job.py").write_text(JOB)
    secrets = ["-D", f"external-resource.card.param.api-password={SECRET}", "--env", f"DATABASE_PASSWORD={SECRET}"]
    (directory / "cards.py").write_text(DRIVER)
    card = ["--resource", "card=1", "-D", f"external-resource.card.driver-factory.class={directory / 'cards.py'}:Cards"]
    card += ["-D", f"treadle.lease.directory={directory / 'leases'}"]
    told = ["--env", f"TRICKY={tricky(directory)}", "--env", f"SAID={directory}"]
    arguments = [*SMALL, *card, *secrets, *told, "--taskmanagers", "2", "job.py"]
    with running(arguments, cluster.environment(), directory) as process:
        victim = Victim(cluster, directory, process)
        wait_for(lambda: (directory / "up").exists() or process.poll() is not None, "a job that runs")
        assert process.poll() is None, process.stderr.read()
        yield victim


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
    with socket.create_connection(address, timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not b"".join(iter(lambda: received(plain), b"")).startswith(b"HTTP/1.1 200")


def spoken_to(address, context):
    with socket.create_connection(address, timeout=10) as plain, context.wrap_socket(plain) as tls:
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


def tcp_listeners(pid):
    """The addresses that a process listens at, by the kernel's tables; "" for all of them."""
    inodes = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    tables = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]]
    bound = [fields[1].split(":") for fields in tables if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes]
    return [(socket.inet_ntoa(bytes.fromhex(host[-8:])[::-1]) if int(host, 16) else "", int(port, 16)) for host, port in bound]


def asked(port, method, path, host="127.0.0.1"):
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.putrequest(method, path)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


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


def needles(victim):
    """What is to be found nowhere."""
    lines = (victim.record / KEY).read_text().splitlines()
    return [SECRET.encode(), lines[1].encode(), b"PRIVATE KEY"]


def holds(content, victim):
    return [needle for needle in needles(victim) if needle in content]


def page(url):
    """As YARN's proxy asks for it, in the name of a user."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Cookie": "proxy-user=mallory"}), timeout=10) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return b"" if error.code == 404 else error.read()


def containers_of(victim):
    """Container id → the address of its NodeManager's pages."""
    rest = f"{victim.cluster.resourcemanager_url}/ws/v1/cluster/apps/{victim.id}/appattempts"
    (attempt,) = get(rest)["appAttempts"]["appAttempt"]
    return {each["containerId"]: each["nodeHttpAddress"] for each in get(f"{rest}/{attempt['appAttemptId']}/containers")["container"]}


def pages_of_yarn(victim):
    containers = containers_of(victim)
    manager, user = victim.cluster.resourcemanager_url, report(victim.cluster, victim.id)["user"]
    logs = ("application.master.log", "application.driver.log", "job.log", "tm.log", "slot-0.log", "launch_container.sh", "directory.info")
    yield f"{manager}/ws/v1/cluster/apps/{victim.id}"
    yield f"{manager}/ws/v1/cluster/apps/{victim.id}/appattempts"
    yield f"{manager}/cluster/app/{victim.id}"
    for container, node in containers.items():
        yield f"{node}/ws/v1/node/containers/{container}"
        yield from (f"{node}/node/containerlogs/{container}/{user}/{log}?start=0" for log in logs)


def pages_of_the_master(victim):
    names = "overview taskmanagers jobs usage application application.json jobmanager/config metrics"
    yield from (f"{victim.page}/{name}" for name in ("", *names.split(), "taskmanagers/tm-0", "taskmanagers/tm-0/usage"))
    java = next(pid for pid in processes(victim.id) if command_line(pid).split(b"\0")[0].endswith(b"java"))
    yield from (f"http://{host or '127.0.0.1'}:{port}/kv" for host, port in tcp_listeners(java) if answers_http(host or "127.0.0.1", port))


def answers_http(host, port):
    try:
        return asked(port, "GET", "/kv", host)[0] > 0
    except (http.client.HTTPException, OSError):  # skein's gRPC
        return False


def test_no_page_shows_a_secret(victim):
    shown = {url: page(url) for url in (*pages_of_yarn(victim), *pages_of_the_master(victim))}
    assert {url: found for url, content in shown.items() if (found := holds(content, victim))} == {}
    told = b"".join(shown.values())
    for word in (b"DATABASE_PASSWORD", b"SKEIN_APPLICATION_ID", b"card.param.api-password", b"******"):
        assert word in told, f"nothing was looked at that has {word}"


def test_skeins_store_holds_no_secret_which_its_page_would_show(victim):
    """That page is broken on Java 17: the store is read with the application's own key, which the attacks above had not."""
    skein = import_skein()
    pair = skein.Security(cert_file=str(victim.record / CERTIFICATE), key_file=str(victim.record / KEY))
    with skein.ApplicationClient(report(victim.cluster, victim.id)["amRPCAddress"], victim.id, pair) as client:
        stored = {key: bytes(value) for key, value in client.kv.get_range().items()}
    assert {"ready", "job", "taskmanagers/tm-0"} <= stored.keys()
    assert {key: found for key, value in stored.items() if (found := holds(value, victim))} == {}


def test_no_command_line_shows_a_secret(victim):
    lines = [command_line(pid) for pid in (*processes(victim.id), victim.process.pid)]
    assert len(lines) > 5
    assert [line for line in lines[:-1] if holds(line, victim)] == []


def test_the_history_holds_no_secret_and_is_read_by_owner_and_group(victim):
    hdfs = hdfs_native.Client(victim.cluster.namenode_uri)
    directory = f"/user/{report(victim.cluster, victim.id)['user']}/.treadle/history/{victim.id}"
    wait_for(lambda: "summary.json" in [Path(each.path).name for each in listed(hdfs, directory)], "a history")
    files = listed(hdfs, directory)
    assert {each.permission for each in files if not Path(each.path).name.startswith(".")} == {0o640}
    assert hdfs.get_file_info(directory).permission == 0o750
    assert {each.path: found for each in files if (found := holds(hdfs.read(each.path).read(), victim))} == {}


def listed(hdfs, directory):
    try:
        return list(hdfs.list_status(directory))
    except FileNotFoundError:
        return []


def test_what_is_staged_is_read_by_its_owner_alone(victim):
    hdfs = hdfs_native.Client(victim.cluster.namenode_uri)
    directory = f"/user/{report(victim.cluster, victim.id)['user']}/.skein/{victim.id}"
    assert hdfs.get_file_info(directory).permission == 0o700
    files = {Path(each.path).name: each.permission for each in hdfs.list_status(directory, recursive=True) if not each.isdir}
    assert (files["launch.json"], files["job.py"]) == (0o600, 0o600)
    assert ".skein.pem" in files, "skein writes it 0644, in this directory of mode 0700"


def test_the_record_of_the_submission_is_its_owners_alone(victim):
    assert stat.S_IMODE(victim.record.stat().st_mode) == stat.S_IMODE(victim.record.parent.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in victim.record.iterdir()}
    assert (modes[CERTIFICATE], modes[KEY]) == (0o600, 0o600)


def test_on_the_nodes_secrets_lie_where_no_other_user_comes(victim):
    data = victim.cluster.layout.data
    files = [Path(folder, name) for node in victim.cluster.nodes for folder, _, names in os.walk(data / node.name) for name in names]
    secret = [file for file in files if victim.id in str(file) and holds(content_of(file), victim)]
    assert {file.name for file in secret} == {"launch.json", ".skein.pem"}
    assert [str(file) for file in secret if open_to_others(file, data)] == []
    slots = [file for file in files if file.name in ("slot-0.json", "containers.jsonl", "events.jsonl") and victim.id in str(file)]
    assert len(slots) == 4
    assert [str(file) for file in slots if open_to_others(file, data)] == []


def content_of(file):
    try:
        return file.read_bytes()
    except OSError:  # a link to what is not there, or a file that has gone meanwhile
        return b""


def open_to_others(file, below):
    """Whether another user gets to it and may read it: by its mode, and those of the directories down to it."""
    folders = [folder for folder in file.parents if folder.is_relative_to(below)]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders) and bool(file.stat().st_mode & stat.S_IROTH)


def test_variables_arrive_as_they_are_and_nothing_in_them_is_executed(victim):
    assert json.loads((victim.directory / "environment.json").read_text()) == [victim.tricky] * 3
    assert not (victim.directory / "executed").exists()


def test_after_all_that_the_job_still_comes_to_its_end(victim):
    (victim.directory / "gate").touch()
    victim.process.communicate(timeout=60)
    assert (victim.process.returncode, (victim.directory / "sum").read_text()) == (0, "6")
    assert not (victim.directory / "executed").exists()
