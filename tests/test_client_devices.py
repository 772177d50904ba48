"""`devices`, `status` and `drivers`, against a ResourceManager and an application master that answer from a table."""

import importlib.metadata
import json
from functools import partial

import pytest
from client_verbs import APPS, ID, app, resourcemanager, submitted

MASTER = f"/proxy/{ID}/pages/treadle/application"


def device(index, uuid):
    properties = {"name": "Tesla T4", "memory": "15360 MiB"}
    return {"resource": "gpu", "index": index, "uuid": uuid, "properties": properties, "state": "healthy", "cause": ""}


TOLD = {
    "id": ID,
    "name": "job 1",
    "state": "RUNNING",
    "outcome": None,
    "requested": 2,
    "groups": [{"name": "tm", "external_resources": [{"name": "gpu", "amount": 2, "yarn_type": "yarn.io/gpu"}]}],
    "taskmanagers": [
        {
            "id": "tm-0",
            "state": "REGISTERED",
            "node": "n1:41387",
            "granted": {"memory-mb": 512, "yarn.io/gpu": 2, "yarn.io/fpga": 0},
            "slots": [
                {"id": "tm-0/slot-0", "devices": [device("0", "GPU-a"), device("1", "GPU-b")]},
                {"id": "tm-0/slot-1", "devices": []},
            ],
        }
    ],
    "jobs": [
        {
            "id": "job-0",
            "name": "classify",
            "status": "RUNNING",
            "progress": {"done": 3, "total": 10, "rows": 3000},
            "report": {"slots": []},
        }
    ],
    "failures": [{"task_manager": "tm-1", "node": "n2:1", "cause": "asked 2, found 1", "remedy": "look", "detail": ""}],
}


@pytest.fixture
def server(tmp_path, monkeypatch):
    with resourcemanager(tmp_path, monkeypatch) as server:
        server.answer(MASTER, TOLD)
        yield server


@pytest.fixture
def submit(capsys):
    return partial(submitted, capsys)


def test_devices_as_json_have_exactly_the_agreed_shape(server, submit):
    code, out, err = submit("devices", ID, "--json")
    slots = TOLD["taskmanagers"][0]["slots"]
    granted = TOLD["taskmanagers"][0]["granted"]
    requested = [{"group": "tm", "name": "gpu", "amount": 2, "yarn_type": "yarn.io/gpu"}]
    expected = {
        "application": ID,
        "requested": requested,
        "taskmanagers": [{"id": "tm-0", "node": "n1", "resources": granted, "slots": slots}],
    }
    assert (code, json.loads(out), err) == (0, expected, "")


def test_the_master_is_not_told_that_it_is_followed(server, submit):
    submit("devices", ID)
    assert [path for _, path, _ in server.requests if "/proxy/" in path] == [MASTER]


def test_devices_for_a_person(server, submit):
    code, out, _ = submit("devices", ID)
    lines = out.splitlines()
    assert (code, lines[0]) == (0, "TaskManagers: 2 requested, 1 registered")
    assert lines[1] == "Requested: gpu, 2 for each TaskManager of group tm, from YARN as yarn.io/gpu"
    assert [line.split() for line in lines[2:]] == [
        ["SLOT", "NODE", "STATE", "GRANTED", "RESOURCE", "INDEX", "UUID", "NAME", "MEMORY", "DEVICE-STATE"],
        *(
            [
                "tm-0/slot-0",
                "n1",
                "REGISTERED",
                "memory-mb=512",
                "yarn.io/gpu=2",
                "gpu",
                index,
                uuid,
                "Tesla",
                "T4",
                "15360",
                "MiB",
                "healthy",
            ]
            for index, uuid in (("0", "GPU-a"), ("1", "GPU-b"))
        ),
        ["tm-0/slot-1", "n1", "REGISTERED", "memory-mb=512", "yarn.io/gpu=2", *"------"],
    ]


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"state": "KILLED", "finalStatus": "KILLED", "diagnostics": "killed by ann\nmore"}, 1, ["has ended", "KILLED", "killed by ann"]),
        ({"state": "FINISHED", "finalStatus": "SUCCEEDED"}, 1, ["has ended", "final status SUCCEEDED"]),
        ({"state": "ACCEPTED"}, 1, ["is ACCEPTED", "look again when it is RUNNING"]),
    ],
)
def test_an_application_that_holds_nothing_says_why(server, submit, fields, code, words):
    server.answer(f"{APPS}/{ID}", {"app": app(**fields)})
    found, out, err = submit("devices", ID, "--json")
    assert (found, out, len(err.splitlines()), [word for word in words if word not in err]) == (code, "", 2, [])


def test_a_master_that_does_not_answer_is_an_error(server, submit):
    server.answers[MASTER] = (500, {}, "<html>")
    code, out, err = submit("devices", ID)
    assert (code, out) == (5, "")
    assert f"the application master of {ID} does not answer" in err


@pytest.mark.parametrize("verb", ["devices", "status", "kill"])
@pytest.mark.parametrize(
    ("application", "code", "cause"),
    [
        ("application_1_0009", 4, "the ResourceManager does not know application_1_0009"),
        ("job.py", 2, "'job.py' is not the id of an application"),
        ("../x", 2, "'../x' is not the id of an application"),
    ],
)
def test_an_unknown_application(server, submit, verb, application, code, cause):
    found, out, err = submit(verb, application)
    assert (found, out) == (code, "")
    assert f"error: {cause}\nremedy: " in err


def test_status_is_what_yarn_and_the_master_know(server, submit):
    code, out, _ = submit("status", ID, "--json")
    tree = json.loads(out)
    assert (code, tree["state"], tree["user"], tree["queue"]) == (0, "RUNNING", "ann", "root.default")
    assert (tree["taskmanagers"], tree["slots"], tree["devices"]) == ({"registered": 1, "requested": 2}, 2, 2)
    assert tree["jobs"] == [{"id": "job-0", "name": "classify", "status": "RUNNING", "done": 3, "total": 10, "rows": 3000, "restarts": 0}]
    text = submit("status", ID)[1]
    assert "TaskManagers  1 of 2 registered" in text
    assert "RUNNING  classify  3/10 fragments, 3,000 rows" in text
    assert "tm-1 on n2: asked 2, found 1" in text


def test_status_of_what_has_ended_needs_no_master(server, submit):
    server.answer(f"{APPS}/{ID}", {"app": app(state="FAILED", finalStatus="FAILED", diagnostics="boom\nagain", finishedTime=1700000009000)})
    code, out, _ = submit("status", ID, "--json")
    tree = json.loads(out)
    assert (code, tree["final_status"], tree["taskmanagers"], tree["devices"]) == (0, "FAILED", None, None)
    assert tree["finished"][:2] == "20"
    assert "diagnostics   boom again" in submit("status", ID)[1]
    assert [path for _, path, _ in server.requests if "/proxy/" in path] == []


def test_drivers_are_named_with_package_and_object(submit):
    found = json.loads(submit("drivers", "--json")[1])["drivers"]
    installed = {entry.name: entry.value for entry in importlib.metadata.entry_points(group="treadle.drivers")}
    assert {driver["name"]: driver["object"] for driver in found} == installed
    nvidia = next(driver for driver in found if driver["name"] == "nvidia")
    assert nvidia == {
        "name": "nvidia",
        "distribution": "treadle-yarn",
        "version": importlib.metadata.version("treadle-yarn"),
        "object": "drivers.nvidia:NvidiaDriver",
    }
    assert "drivers.nvidia:NvidiaDriver" in submit("drivers")[1]


@pytest.mark.parametrize("verb", ["list", "status", "devices", "top", "kill", "drivers"])
def test_each_verb_has_an_example_and_json(submit, verb):
    code, out, _ = submit(verb, "--help")
    assert (code, f"  submit {verb}" in out, "--json" in out) == (0, True, True)
