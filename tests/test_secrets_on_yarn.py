"""Where the secrets of a running application may be read: by its owner, and on no page, in no log, command line or history."""

import http.client
import json
import os
import stat
import urllib.error
import urllib.request
from pathlib import Path

import hdfs_native
import pytest
from attacked_application import SECRET, asked, command_line, tcp_listeners, victim_of
from test_clean_stop_on_yarn import processes
from test_on_yarn import get, report, wait_for

from protocol.launch import CERTIFICATE, KEY
from protocol.skein_import import import_skein

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def victim(cluster, tmp_path_factory):
    with victim_of(cluster, tmp_path_factory.mktemp("victim")) as victim:
        yield victim


def needles(victim):
    """What is to be found nowhere."""
    lines = (victim.record / KEY).read_text().splitlines()
    return [SECRET.encode(), lines[1].encode(), b"PRIVATE KEY"]


def holds(content, victim):
    return [needle for needle in needles(victim) if needle in content]


def page(url):
    """As YARN's proxy asks for it, in the name of a user."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Cookie": "proxy-user=mallory"}), timeout=60) as answer:
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
