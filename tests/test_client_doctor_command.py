"""`submit doctor`, `config` and `completion` as a user calls them, with a ResourceManager that answers from a table."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from client_verbs import resourcemanager, submitted
from test_client_cluster import METRICS, NODE_35, SCHEDULER_35

CLUSTER = "/ws/v1/cluster"
ACCESS = f"{CLUSTER}/queues/default/access"


def access(allowed, diagnostics=""):
    return f"<rmQueueAclInfo><allowed>{allowed}</allowed><user>ann</user><diagnostics>{diagnostics}</diagnostics></rmQueueAclInfo>"


@pytest.fixture
def server(tmp_path, monkeypatch):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"17.0.9\"' >&2\n")
    java.chmod(0o755)
    (java.with_name("yarn")).symlink_to(java)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{java.parent}:{os.environ['PATH']}")
    with resourcemanager(tmp_path, monkeypatch) as server:
        (tmp_path / "core-site.xml").write_text(
            "<configuration><property><name>fs.defaultFS</name><value>s3a://bucket</value></property></configuration>"
        )
        server.answer(f"{CLUSTER}/info", {"clusterInfo": {"resourceManagerVersion": "3.5.0", "haState": "ACTIVE"}})
        server.answer(f"{CLUSTER}/nodes", {"nodes": {"node": [NODE_35]}})
        server.answer(f"{CLUSTER}/scheduler", {"scheduler": {"schedulerInfo": SCHEDULER_35}})
        server.answer(f"{CLUSTER}/metrics", METRICS)
        server.answer(ACCESS, access("true"))
        yield server


def findings(capsys, *arguments):
    code, out, _ = submitted(capsys, "doctor", "--json", *arguments)
    tree = json.loads(out)
    return code, tree["healthy"], {finding["check"]: finding for finding in tree["findings"]}


def test_a_cluster_without_a_fault_is_exit_code_0(server, capsys):
    code, healthy, found = findings(capsys)
    assert (code, healthy) == (0, True)
    assert {check: finding["status"] for check, finding in found.items()} == {
        "java": "ok",
        "hadoop configuration": "ok",
        "hadoop client": "ok",
        "overlay": "ok",
        "certificates": "ok",
        "drivers": "ok",
        "kerberos": "ok",
        "resourcemanager": "ok",
        "clock": "ok",
        "nodes": "ok",
        "queue": "ok",
        "right to submit": "ok",
        "containers": "ok",
        "hdfs write": "skipped",
    }


def test_lines_have_status_check_and_remedy(server, capsys):
    server.answer(ACCESS, access("false", "User=ann may not"))
    code, out, err = submitted(capsys, "doctor")
    assert (code, err) == (5, "")
    assert "ok       resourcemanager       " in out
    refused = out[out.index("failure  right to submit") :].splitlines()
    assert refused[0] == "failure  right to submit       ann may not submit to default: User=ann may not"
    assert refused[1].strip().startswith("remedy: ask for the right")


def test_a_queue_that_does_not_exist(server, capsys):
    code, healthy, found = findings(capsys, "--queue", "defualt")
    assert (code, healthy) == (5, False)
    assert (found["queue"]["status"], found["right to submit"]["status"]) == ("failure", "skipped")
    assert "did you mean" in found["queue"]["remedy"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_resourcemanager_that_does_not_tell_the_right(server, capsys, status):
    server.answers[ACCESS] = (status, {}, {"RemoteException": {"message": "cannot check"}})
    code, _, found = findings(capsys)
    assert (code, found["right to submit"]["status"]) == (0, "skipped")


def test_a_clock_that_differs_is_a_warning(server, capsys):
    info = {"clusterInfo": {"resourceManagerVersion": "3.5.0", "haState": "ACTIVE"}}
    late = format_datetime(datetime.now(timezone.utc) - timedelta(minutes=20), usegmt=True)
    server.answers[f"{CLUSTER}/info"] = (200, {"Date": late}, info)
    code, _, found = findings(capsys)
    assert (code, found["clock"]["status"], "20 min off" in found["clock"]["text"]) == (0, "warning", True)


def test_what_builds_on_a_failure_is_not_run(server, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path / "none"))
    code, _, found = findings(capsys, "--probe")
    assert code == 5
    assert {check for check, finding in found.items() if finding["status"] == "skipped"} == {
        "kerberos",
        "resourcemanager",
        "nodes",
        "queue",
        "right to submit",
        "containers",
        "hdfs write",
        "probe",
    }
    assert "HADOOP_CONF_DIR" in found["hadoop configuration"]["text"]


def test_a_page_that_is_no_resourcemanagers(server, capsys):
    server.answer(f"{CLUSTER}/info", {"hello": "there"})
    code, _, found = findings(capsys)
    assert (code, "something that is no ResourceManager answers" in found["resourcemanager"]["text"]) == (5, True)


@pytest.mark.parametrize("key", ["hadoop.security.authentication", "hadoop.http.authentication.type"])
def test_a_ticket_is_looked_for_where_the_cluster_wants_one(server, capsys, monkeypatch, tmp_path, key):
    (tmp_path / "core-site.xml").write_text(
        f"<configuration><property><name>{key}</name><value>kerberos</value></property></configuration>"
    )
    monkeypatch.setenv("KRB5CCNAME", str(tmp_path / "no-tickets"))
    code, _, found = findings(capsys)
    assert (code, found["kerberos"]["text"]) == (5, f"no ticket: there is no {tmp_path}/no-tickets")


def test_a_resourcemanager_that_wants_kerberos_without_the_library(server, capsys, monkeypatch, tmp_path):
    (tmp_path / "gssapi.py").write_text("raise ImportError('not here')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "gssapi", raising=False)
    server.answers[f"{CLUSTER}/info"] = (401, {"WWW-Authenticate": "Negotiate"}, {})
    code, _, found = findings(capsys)
    assert (code, found["nodes"]["status"]) == (5, "skipped")
    assert "treadle-yarn[kerberos]" in found["resourcemanager"]["remedy"]


def test_a_wrong_configuration_is_told_before_anything_is_looked_at(capsys):
    code, out, err = submitted(capsys, "doctor", "-D", "treadle.nonsense=1")
    assert (code, out) == (2, "")
    assert "treadle.nonsense is not an option" in err


def test_config_tells_where_each_value_is_from(capsys, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("taskmanager.numberOfTaskSlots: 4\n")
    code, out, _ = submitted(capsys, "config", "--json", "--properties-file", str(file), "-D", "treadle.taskmanagers=2")
    tree = json.loads(out)["configuration"]
    assert code == 0
    assert tree["taskmanager.numberOfTaskSlots"] == {"value": "4", "origin": f"{file}:1"}
    assert tree["treadle.taskmanagers"] == {"value": "2", "origin": "-D"}
    assert tree["yarn.application.queue"] == {"value": "default", "origin": "default"}


def test_config_as_a_table(capsys):
    _, out, _ = submitted(capsys, "config", "-D", "yarn.application.queue=research")
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["KEY", "VALUE", "ORIGIN"]
    assert ["yarn.application.queue", "research", "-D"] in rows


def test_config_lists_every_option(capsys):
    _, out, _ = submitted(capsys, "config", "--keys", "--json")
    found = {option["key"]: option for option in json.loads(out)["keys"]}
    assert found["yarn.application.queue"]["default"] == "default"
    assert {"external-resource.<n>.amount", "external-resource.<n>.param.<key>", "taskmanager.group.<g>.count"} <= found.keys()
    assert all(option["meaning"] for option in found.values())
    _, text, _ = submitted(capsys, "config", "--keys")
    assert "yarn.application.queue  (text, default default)\n    Queue that the application is submitted to." in text


def test_config_keys_takes_no_configuration(capsys):
    code, _, err = submitted(capsys, "config", "--keys", "-D", "a=b")
    assert (code, "remedy: leave --properties-file and -D out" in err) == (2, True)


HELP = """import sys
from client.__main__ import run
from client.console import Console
run(["--help"], Console(sys.stderr))
print(*sys.modules)
"""


def test_help_imports_nothing_heavy():
    ran = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert "client.commands.group" in loaded
    late = {"yaml", "skein", "hdfs_native", "cryptography", "urllib.request", "conf.options", "client.hadoop.rest", "gssapi"}
    assert loaded & late == set()
