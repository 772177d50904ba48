"""What the shell is offered for a word that is being typed, with a ResourceManager that answers from a table."""

import os
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest
from client_verbs import APPS, ID, app, resourcemanager, submitted
from submitting import SUBMIT
from test_client_cluster import NODE_35, SCHEDULER_35

CLUSTER = "/ws/v1/cluster"


@pytest.fixture
def server(tmp_path, monkeypatch):
    with resourcemanager(tmp_path, monkeypatch) as server:
        server.answer(f"{CLUSTER}/info", {"clusterInfo": {"resourceManagerVersion": "3.5.0", "haState": "ACTIVE"}})
        server.answer(f"{CLUSTER}/nodes", {"nodes": {"node": [NODE_35]}})
        server.answer(f"{CLUSTER}/scheduler", {"scheduler": {"schedulerInfo": SCHEDULER_35}})
        yield server


def completed(*words):
    """What the shell would be told for the last word."""
    environment = {
        **os.environ,
        "COMP_WORDS": " ".join(("submit", *words)),
        "COMP_CWORD": str(len(words)),
        "_SUBMIT_COMPLETE": "bash_complete",
    }
    ran = subprocess.run([str(SUBMIT)], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.split()


def test_words_are_completed(server):
    server.answer(APPS, {"apps": {"app": [app(1), app(2, "ACCEPTED")]}})
    assert completed("sta") == ["plain,status"]
    assert completed("jo") == ["file,jo"]
    assert completed("run", "jo") == ["file,jo"]
    assert completed("status", "app") == [f"plain,{ID.replace('0001', number)}" for number in ("0002", "0001")]
    assert completed("kill", ID, "application") == ["plain,application_1_0002"]
    assert "plain,root.default" in completed("run", "--queue", "ro")
    assert "plain,treadle.taskmanagers=" in completed("run", "-D", "treadle.t")


def test_without_a_cluster_nothing_is_offered(monkeypatch, tmp_path):
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path))
    assert completed("status", "app") == completed("run", "--queue", "ro") == []


def test_histories_are_of_what_has_ended(server, tmp_path):
    (tmp_path / "home" / "history" / "local-20260101-000000-1").mkdir(parents=True)
    server.answer(APPS, {"apps": {"app": [app(1, "FINISHED")]}})
    assert completed("history", "show", "") == [f"plain,{ID}", "plain,local-20260101-000000-1"]
    assert parse_qs(urlsplit(server.requests[-1][1]).query)["states"] == ["FINISHED,FAILED,KILLED"]
    assert completed("history", "page", "local-") == ["plain,local-20260101-000000-1"]


def test_states_are_offered_for_each_word_of_a_list():
    assert completed("list", "--states", "RU") == ["plain,RUNNING"]
    assert completed("list", "--states", "RUNNING,F") == ["plain,RUNNING,FINISHED", "plain,RUNNING,FAILED"]
    assert completed("list", "--states", "RUNNING,RU") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(capsys, shell):
    code, out, _ = submitted(capsys, "completion", shell)
    assert (code, f"_SUBMIT_COMPLETE={shell}_complete" in out) == (0, True)
