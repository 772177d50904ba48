"""Local applications by their id: asked at their own address, remembered by their history. And ids that are none."""

import json
from dataclasses import replace
from functools import partial

import pytest
from client_rest_server import serving
from client_verbs import submitted

from protocol.history import Marker, Summary
from protocol.outcome import FAILED, KILLED, SUCCEEDED, Outcome
from protocol.wire import to_bytes

APP = "local-1"
TOLD = {"id": APP, "name": "job", "user": "ann", "state": "RUNNING", "started": 1700000000000, "requested": 1}
BEGAN, ENDED = "2023-11-14T22:13:20.000+00:00", "2023-11-14T22:14:20.000+00:00"
LEFT = Summary(id=APP, name="job", user="ann", started=BEGAN, state="RUNNING", written=BEGAN)


@pytest.fixture
def submit(tmp_path, monkeypatch, capsys):
    """A machine without Hadoop."""
    for variable in ("HADOOP_CONF_DIR", "YARN_CONF_DIR", "HADOOP_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TREADLE_HOME", str(tmp_path))
    return partial(submitted, capsys)


@pytest.fixture
def server(tmp_path):
    with serving() as server:
        server.answer("/application", TOLD)
        directory = tmp_path / "applications" / APP
        directory.mkdir(parents=True)
        (directory / "am.json").write_text(json.dumps({"rest": server.url}))
        yield server


@pytest.fixture
def gone(tmp_path):
    """The directory of the history of an application whose master answers no more."""
    directory = tmp_path / "applications" / APP
    directory.mkdir(parents=True)
    (directory / "am.json").write_text(json.dumps({"rest": "http://127.0.0.1:9"}))
    history = tmp_path / "history" / APP
    history.mkdir(parents=True)
    return history


def test_one_that_runs_is_asked_at_its_own_address(server, submit):
    code, out, _ = submit("devices", APP, "--json")
    assert (code, json.loads(out)["application"]) == (0, APP)
    tree = json.loads(submit("status", APP, "--json")[1])
    assert (tree["state"], tree["user"], tree["started"] != "", tree["final_status"]) == ("RUNNING", "ann", True, "UNDEFINED")


@pytest.mark.parametrize(("status", "code", "state"), [(SUCCEEDED, 0, "FINISHED"), (FAILED, 7, "FAILED"), (KILLED, 3, "KILLED")])
def test_one_that_has_ended_is_remembered(gone, submit, status, code, state):
    (gone / "summary.json").write_bytes(to_bytes(replace(LEFT, ended=ENDED, outcome=Outcome(status, code, "because"))))
    tree = json.loads(submit("status", APP, "--json")[1])
    told = {key: tree[key] for key in ("name", "user", "state", "final_status", "diagnostics")}
    assert told == {"name": "job", "user": "ann", "state": state, "final_status": status, "diagnostics": "because"}
    assert (tree["started"] != "", tree["finished"] > tree["started"]) == (True, True)
    found, out, err = submit("devices", APP)
    assert (found, out, f"has ended and holds no devices: {state}, final status {status}: because" in err) == (1, "", True)


def test_one_that_had_time_for_its_marker_alone(gone, submit):
    (gone / "summary.json").write_bytes(to_bytes(LEFT))
    (gone / Marker(1, FAILED, 7, 1700000060).name).touch()
    tree = json.loads(submit("status", APP, "--json")[1])
    assert (tree["final_status"], tree["name"], tree["finished"] > tree["started"]) == (FAILED, "job", True)


@pytest.mark.parametrize("left", [None, b"{", to_bytes(LEFT)])
def test_one_that_left_no_end(gone, submit, left):
    if left is not None:
        (gone / "summary.json").write_bytes(left)
    code, out, _ = submit("status", APP, "--json")
    tree = json.loads(out)
    assert (code, tree["state"], tree["final_status"]) == (0, "FINISHED", "UNDEFINED")
    assert "does not answer any more" in tree["diagnostics"]


@pytest.mark.parametrize("verb", ["status", "devices", "top", "logs"])
def test_one_that_never_was(submit, verb):
    code, out, err = submit(verb, "local-2")
    assert (code, out, "applications/local-2" in err) == (4, "", True)


@pytest.mark.parametrize("verb", [["status"], ["devices"], ["top"], ["logs"], ["kill"], ["history", "show"], ["history", "page"]])
@pytest.mark.parametrize("slip", ["job.py", "../x", "local-", "local-../x", "application_1"])
def test_what_is_no_id_needs_no_cluster_to_be_told(submit, verb, slip):
    code, out, err = submit(*verb, slip)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {slip!r} is not the id of an application\nremedy: ")


def test_one_of_this_machine_needs_no_cluster_not_to_be_killed(submit):
    code, out, err = submit("kill", APP)
    assert (code, out, f"{APP} runs on this machine" in err) == (2, "", True)
