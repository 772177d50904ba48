"""The verbs that look at and end an application, on real daemons."""

import json
import os
import subprocess

import pytest
from submitting import SUBMIT, running
from test_on_yarn import GPU, SMALL, report, wait_for

pytestmark = pytest.mark.cluster


def verb(cluster, cwd, *words):
    environment = {**os.environ, "TREADLE_HOME": str(cwd / "treadle-home"), **cluster.environment()}
    return subprocess.run([str(SUBMIT), *words], env=environment, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def told(cluster, cwd, *words):
    said = verb(cluster, cwd, *words, "--json")
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


@pytest.mark.parametrize("version", ["cluster", "cluster_314"])
def test_a_waiting_job_is_looked_at_from_all_sides_and_killed(version, request, tmp_path):
    cluster = request.getfixturevalue(version)
    command = ["--taskmanagers", "2", *GPU, "--name", "waits", "--", "sleep", "1000"]
    with running([*SMALL, *command], cluster.environment(), tmp_path) as process:
        application = process.stdout.readline().strip()
        wait_for(lambda: (told(cluster, tmp_path, "status", application)["jobs"] or [{}])[0].get("status") == "RUNNING", "a running job")
        status = told(cluster, tmp_path, "status", application)
        devices = told(cluster, tmp_path, "devices", application)
        listed = told(cluster, tmp_path, "list", "--name", "wait*")["applications"]
        elsewhere = told(cluster, tmp_path, "list", "--user", "nobody-here")["applications"]
        killed = verb(cluster, tmp_path, "kill", application)
        process.communicate(timeout=60)
    assert (status["taskmanagers"], status["slots"], status["devices"]) == ({"registered": 2, "requested": 2}, 2, 2)
    assert (status["state"], status["name"], status["queue"]) == ("RUNNING", "waits", report(cluster, application)["queue"])
    assert devices["application"] == application
    assert [tm["resources"]["yarn.io/gpu"] for tm in devices["taskmanagers"]] == [1, 1]
    held = [device for tm in devices["taskmanagers"] for slot in tm["slots"] for device in slot["devices"]]
    assert len({device["uuid"] for device in held}) == 2
    assert {device["uuid"] for device in held} <= {uuid for node in cluster.nodes for uuid in node.gpu_uuids}
    assert [app["id"] for app in listed] == [application]
    assert elsewhere == []
    assert (killed.returncode, killed.stdout) == (0, f"{application}\n"), killed.stderr
    assert process.returncode == 3
    assert report(cluster, application)["finalStatus"] == "KILLED"
    assert told(cluster, tmp_path, "list", "--name", "wait*")["applications"] == []
    gone = verb(cluster, tmp_path, "devices", application)
    assert (gone.returncode, gone.stdout, "KILLED" in gone.stderr) == (1, "", True)
    again = verb(cluster, tmp_path, "kill", application)
    assert (again.returncode, "had ended before" in again.stderr) == (0, True)


@pytest.mark.parametrize("name", ["status", "devices", "kill"])
def test_an_id_that_yarn_does_not_know(cluster, tmp_path, name):
    said = verb(cluster, tmp_path, name, "application_1_0001")
    assert (said.returncode, said.stdout) == (4, ""), said.stderr
    assert "does not know application_1_0001\nremedy: " in said.stderr
