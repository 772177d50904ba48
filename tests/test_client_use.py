"""`status`, `top` and `list` on what is used, against a ResourceManager and an application master that answer from a table."""

import json
from functools import partial
from pathlib import Path

import pytest
from client_verbs import APPS, ID, app, resourcemanager, submitted

MASTER = f"/proxy/{ID}/pages/treadle/application"


def device(uuid, **state):
    return {"resource": "gpu", "index": "0", "uuid": uuid, "properties": {"name": "A100"}, **state}


USAGE = {
    "heartbeats": 3,
    "memory_mb": 300,
    "memory_asked_mb": 1024,
    "cpu_percent": 149.6,
    "slots": [{"id": "tm-1/slot-0", "memory_mb": 250, "cpu_percent": 99.9, "seconds": 61.2}],
    "devices": [
        {
            "resource": "gpu",
            "uuid": "GPU-a",
            "utilization": 87,
            "memory_used_mb": 3072,
            "memory_total_mb": 40960,
            "temperature_c": 61,
            "power_w": 250.5,
        },
        {
            "resource": "gpu",
            "uuid": "GPU-b",
            "utilization": None,
            "memory_used_mb": None,
            "memory_total_mb": None,
            "temperature_c": None,
            "power_w": None,
        },
    ],
}
TOLD = {
    "id": ID,
    "name": "job 1",
    "state": "RUNNING",
    "requested": 1,
    "master": {"memory_mb": 420, "memory_asked_mb": 1024, "cpu_percent": 12.5},
    "taskmanagers": [
        {"id": "tm-0", "state": "ENDED", "node": "n1:1", "slots": [{"id": "tm-0/slot-0", "devices": [device("GPU-a")]}], "usage": None},
        {
            "id": "tm-1",
            "state": "REGISTERED",
            "node": "n1:1",
            "granted": {"memory-mb": 1024},
            "slots": [
                {"id": "tm-1/slot-0", "devices": [device("GPU-a", state="healthy")]},
                {"id": "tm-1/slot-1", "devices": [device("GPU-b", state="lost", cause="fell off the bus")]},
            ],
            "usage": USAGE,
        },
    ],
}
GPUS = {"resourceInformation": [{"name": "yarn.io/gpu", "value": 2}, {"name": "yarn.io/fpga", "value": 0}]}
HELD = {"memory": 1536, "vCores": 3, "resourceInformations": GPUS}


def resource(memory, vcores, gpus):
    return {"memory": memory, "vCores": vcores, "resourceInformations": {"resourceInformation": [{"name": "yarn.io/gpu", "value": gpus}]}}


@pytest.fixture
def server(tmp_path, monkeypatch):
    with resourcemanager(tmp_path, monkeypatch) as server:
        server.answer(MASTER, TOLD)
        yield server


@pytest.fixture
def submit(capsys):
    return partial(submitted, capsys)


def rows(text):
    return [line.split() for line in text.splitlines()]


CONTAINERS = [
    ["am", "-", "RUNNING", "420/1024", "12%"],
    ["tm-1", "n1", "REGISTERED", "300/1024", "150%"],
    ["tm-1/slot-0", "n1", "running", "250", "100%", "61"],
    ["tm-1/slot-1", "n1", "idle", "-", "-", "-"],
]
DEVICES = [
    ["tm-1/slot-0", "n1", "gpu", "0", "A100", "healthy", "87%", "3072/40960", "61", "C", "250", "W"],
    ["tm-1/slot-1", "n1", "gpu", "0", "A100", "lost", "-", "-", "-", "-"],
]


@pytest.mark.parametrize("command", [["status", ID], ["top", ID], ["top"]])
def test_use_of_slots_and_devices_for_a_person(server, submit, command):
    server.answer(APPS, {"apps": {"app": [app()]}})
    code, out, err = submit(*command)
    assert (code, err) == (0, "")
    assert [row for row in [*CONTAINERS, *DEVICES] if row not in rows(out)] == []
    assert "tm-0/slot-0" not in out


def test_each_key_of_status_as_json_is_documented(server, submit):
    documented = (Path(__file__).parent.parent / "docs/using.md").read_text()
    assert [key for key in json.loads(submit("status", ID, "--json")[1]) if f'"{key}"' not in documented] == []


@pytest.mark.parametrize("verb", ["status", "top"])
def test_use_of_slots_and_devices_as_json(server, submit, verb):
    tree = json.loads(submit(verb, ID, "--json")[1])
    (tm,) = tree["use"] if verb == "status" else tree["applications"][0]["taskmanagers"]
    assert (tm["memory_mb"], tm["memory_asked_mb"], tm["cpu_percent"]) == (300, 1024, 149.6)
    assert (tree if verb == "status" else tree["applications"][0])["master"] == TOLD["master"]
    first, second = tm["slots"]
    assert (first["memory_mb"], second["memory_mb"]) == (250, None)
    assert first["devices"][0] == {
        "resource": "gpu",
        "index": "0",
        "uuid": "GPU-a",
        "state": "healthy",
        "cause": "",
        "name": "A100",
        "utilization": 87,
        "memory_used_mb": 3072,
        "memory_total_mb": 40960,
        "temperature_c": 61,
        "power_w": 250.5,
    }
    assert (second["devices"][0]["cause"], second["devices"][0]["utilization"]) == ("fell off the bus", None)


def test_a_master_that_tells_no_use_is_shown_all_the_same(server, submit):
    old = {**TOLD, "taskmanagers": [{key: value for key, value in TOLD["taskmanagers"][1].items() if key != "usage"}]}
    server.answer(MASTER, old)
    assert ["tm-1", "n1", "REGISTERED", "-", "-"] in rows(submit("status", ID)[1])


def test_totals_of_queue_and_cluster(server, submit):
    queue = {"queueName": "default", "queuePath": "root.default", "resourcesUsed": resource(1536, 3, 2)}
    queue["capacities"] = {"queueCapacitiesByPartition": [{"partitionName": "", "effectiveMaxResource": resource(4096, 8, 4)}]}
    node = {
        "id": "n1:1",
        "totalResource": resource(8192, 16, 4),
        "usedResource": resource(2048, 4, 3),
        "availableResource": resource(6144, 12, 1),
    }
    cluster = "/ws/v1/cluster"
    server.answer(f"{cluster}/nodes", {"nodes": {"node": [node, node]}})
    server.answer(f"{cluster}/scheduler", {"scheduler": {"schedulerInfo": {"queueName": "root", "queues": {"queue": [queue]}}}})
    out = submit("status", ID)[1]
    assert "queue's use    memory-mb 1536/4096  vcores 3/8  yarn.io/gpu 2/4" in out
    assert "cluster's use  memory-mb 4096/16384  vcores 8/32  yarn.io/gpu 6/8" in out
    tree = json.loads(submit("status", ID, "--json")[1])
    assert (tree["queue_totals"]["used"]["yarn.io/gpu"], tree["cluster_totals"]["total"]["yarn.io/gpu"]) == (2, 8)


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({"resourceInfo": {"resourceUsagesByPartition": [{"partitionName": "", "used": HELD}]}}, "memory-mb=1536 vcores=3 yarn.io/gpu=2"),
        (
            {"resourceInfo": {"resourceUsagesByPartition": [{"used": HELD}, {"partitionName": "gpu", "used": HELD}]}},
            "memory-mb=3072 vcores=6 yarn.io/gpu=4",
        ),
        ({"resourceInfo": {"resourceUsagesByPartition": {"used": HELD}}}, "memory-mb=1536 vcores=3 yarn.io/gpu=2"),
        ({"allocatedMB": 512, "allocatedVCores": 1}, "memory-mb=512 vcores=1"),
        ({"allocatedMB": -1, "allocatedVCores": -1}, " - "),
    ],
)
def test_list_tells_what_each_application_holds(server, submit, fields, held):
    server.answer(APPS, {"apps": {"app": [app(**fields)]}})
    assert held in submit("list", "--no-header")[1]
