"""What the application master shows of use: the latest, and the last while."""

import pytest
from test_cluster_state import registration, running, state
from test_rest import Served

from protocol.records import VERSION, DeviceLost
from protocol.usage import DeviceUsage, Heartbeat, SlotUsage
from yarn_am.events import Completed, Heard, LostDevice, MasterUsed, Registered
from yarn_am.samples import Quantity, Samples

LIVE = {"utilization": 87, "memory_used_mb": 1024, "memory_total_mb": 40960, "temperature_c": 61, "power_w": 250.5}


def heartbeat(number=1, memory=300, cpu=150.0, utilization=87, task_manager=0, uuid="GPU-nm1-0000"):
    slots = (SlotUsage(f"tm-{task_manager}/slot-0", memory - 50, cpu, 12.0),) if memory else ()
    devices = (
        DeviceUsage("gpu", uuid, **(LIVE | {"utilization": utilization})),
        DeviceUsage("rdma", "mlx5_0", None, None, None, None, None),
    )
    return Heartbeat(VERSION, f"tm-{task_manager}", f"c{task_manager}", number, memory, cpu, slots, devices)


def test_the_use_of_the_application_master_beside_what_was_asked_for_it():
    served = Served()
    assert served.get("/application")["master"] == {"memory_asked_mb": 1024, "memory_mb": None, "cpu_percent": None}
    served.state.handle(MasterUsed(420, 12.5), 1)
    assert served.get("/application")["master"] == {"memory_asked_mb": 1024, "memory_mb": 420, "cpu_percent": 12.5}


def test_the_latest_use_of_a_task_manager_its_slots_and_devices():
    served = Served()
    served.register(0)
    assert served.get("/taskmanagers/tm-0")["usage"] is None
    served.state.handle(Heard(heartbeat()), 1)
    served.state.handle(Heard(heartbeat(2, memory=400, cpu=99.9)), 2)
    usage = served.get("/application")["taskmanagers"][0]["usage"]
    assert {key: usage[key] for key in ("heartbeats", "memory_mb", "cpu_percent")} == {
        "heartbeats": 2,
        "memory_mb": 400,
        "cpu_percent": 99.9,
    }
    assert usage["memory_asked_mb"] > 0
    assert usage["slots"] == [{"id": "tm-0/slot-0", "memory_mb": 350, "cpu_percent": 99.9, "seconds": 12.0}]
    assert usage["devices"][0] == {"resource": "gpu", "uuid": "GPU-nm1-0000", **LIVE}
    assert set(usage["devices"][1].values()) == {"rdma", "mlx5_0", None}


def test_who_has_ended_uses_nothing():
    served = Served()
    served.register(0)
    served.register(1)
    served.state.handle(Heard(heartbeat()), 1)
    served.state.handle(Completed("c0", "tm-0", 1, ""), 2)
    ended, there = served.get("/application")["taskmanagers"]
    assert (ended["state"], ended["usage"], there["id"]) == ("ENDED", None, "tm-1")
    assert [each["id"] for each in served.get("/usage")["taskmanagers"]] == ["tm-1"]


def test_the_last_while_is_told_for_charts():
    served = Served()
    served.register(0)
    served.state.handle(Heard(heartbeat(1)), 0)
    served.state.handle(Heard(heartbeat(2, utilization=None, memory=0)), 10)
    (told,) = served.get("/usage")["taskmanagers"]
    assert told["seconds_ago"][0] - told["seconds_ago"][1] == pytest.approx(10, abs=0.2)
    assert (told["memory_mb"], told["cpu_percent"]) == ([300, 0], [150, 150])
    assert told["slots"] == [{"id": "tm-0/slot-0", "memory_mb": [250, None], "cpu_percent": [150, None]}]
    (device,) = told["devices"]
    assert (device["uuid"], device["utilization"], device["power_w"]) == ("GPU-nm1-0000", [87, None], [250.5, 250.5])
    assert served.get("/taskmanagers/tm-0/usage")["memory_mb"] == told["memory_mb"]


def test_a_lost_device_says_why():
    served = Served()
    served.register(0)
    served.register(1)
    lost = DeviceLost(VERSION, "tm-0", "c0", "gpu", "GPU-nm1-0000", (), "NVML says: GPU is lost")
    served.state.handle(LostDevice(lost), 1)
    device = served.get("/taskmanagers/tm-0")["slots"][0]["devices"][0]
    assert (device["state"], device["cause"]) == ("lost", "NVML says: GPU is lost")
    assert served.get("/taskmanagers/tm-1")["devices"][0]["state"] == "healthy"


def test_what_is_requested_of_each_resource_is_told_by_group():
    served = Served()
    (group,) = served.get("/application")["groups"]
    assert (group["name"], group["count"], group["external_resources"]) == ("tm", 2, [])


def test_only_the_last_samples_are_kept_in_order():
    samples = Samples(kept=3)
    for number in range(5):
        samples.add(heartbeat(memory=number), float(number))
    assert samples.times() == [2.0, 3.0, 4.0]
    assert samples.values()[Quantity("memory_mb")] == [2, 3, 4]
    assert samples.values()[Quantity("utilization", ("gpu", "GPU-nm1-0000"))] == [87, 87, 87]


def test_a_quantity_that_is_told_late_or_no_more_is_unknown_meanwhile():
    samples = Samples(kept=3)
    samples.add(heartbeat(utilization=None), 0)
    samples.add(heartbeat(utilization=5), 1)
    samples.add(heartbeat(utilization=None), 2)
    assert samples.values()[Quantity("utilization", ("gpu", "GPU-nm1-0000"))] == [None, 5, None]
    assert Quantity("utilization", ("rdma", "mlx5_0")) not in samples.values()


def test_samples_do_not_grow_with_replacements():
    cluster = running(task_managers=1, kind="main")
    for number in range(300):
        cluster.handle(Heard(heartbeat(task_manager=number)), number)
        cluster.handle(Completed(f"c{number}", f"tm-{number}", -102, "preempted"), number)
        cluster.handle(Registered(registration(number + 1)), number)
    assert sum(1 for each in cluster.task_managers if each.samples.times()) <= 100


def test_a_heartbeat_of_another_container_is_no_sample():
    cluster = state()
    cluster.handle(Registered(registration(0, container="c5")), 0)
    cluster.handle(Heard(heartbeat()), 1)
    assert cluster.task_managers["tm-0"].samples.times() == []
