"""The application master's REST server, asked over HTTP."""

import json
import threading
import time
import urllib.error
import urllib.request

import pytest
from test_cluster_state import ASKED, state

from conf import configuration
from protocol.records import VERSION, Device, Registration, Slot
from yarn_am.about import About
from yarn_am.cluster_state import ClusterState
from yarn_am.event_log import EventLog
from yarn_am.events import Completed, Granted, Interrupted, Progress, Registered
from yarn_am.rest import RestServer

SETTINGS = configuration.load(
    overrides=[("yarn.application.name", "mnist", "-D"), ("treadle.taskmanagers", "2", "-D"), ("heartbeat.timeout", "60 s", "-D")]
).settings()
GPU = Device("gpu", "0", "GPU-nm1-0000", {"name": "Fake A100"})


class Served:
    def __init__(self):
        self.state = ClusterState(state("main").plan)
        self.log = EventLog(self.state, 1)
        self.server = RestServer(self.state, threading.Lock(), SETTINGS, About("application_1_0001"), self.log)
        self.server.start()

    def register(self, number):
        slots = (Slot(f"tm-{number}/slot-0", (GPU,)),)
        self.state.handle(Granted(f"c{number}", "nm1:8041", ASKED), 0)
        registration = Registration(VERSION, f"tm-{number}", f"c{number}", "nm1", "127.0.0.11", (4000,), 1, slots)
        self.state.handle(Registered(registration), 0)

    def get(self, path):
        with urllib.request.urlopen(self.server.url + path, timeout=60) as answer:
            return json.load(answer)


@pytest.fixture
def served():
    return Served()


def test_overview_counts_as_flink_does(served):
    served.register(0)
    before = served.get("/overview")
    assert (before["taskmanagers"], before["slots-total"], before["slots-available"], before["jobs-running"]) == (1, 1, 1, 0)
    served.register(1)
    after = served.get("/overview")
    assert (after["taskmanagers"], after["slots-total"], after["slots-available"], after["jobs-running"]) == (2, 2, 0, 1)


def test_a_task_manager_shows_its_resources_and_devices(served):
    served.register(0)
    (listed,) = served.get("/taskmanagers")["taskmanagers"]
    one = served.get("/taskmanagers/tm-0")
    assert listed == one
    assert one["totalResource"]["extendedResources"] == {"gpu": 1.0}
    assert one["granted"] == ASKED
    assert (one["node"], one["containerId"]) == ("nm1:8041", "c0")
    device = {"resource": "gpu", "index": "0", "uuid": "GPU-nm1-0000", "properties": {"name": "Fake A100"}, "state": "healthy"}
    assert one["devices"] == [device]
    assert one["slots"] == [{"id": "tm-0/slot-0", "devices": [device]}]


def test_an_unknown_path_or_task_manager_is_not_found_in_json(served):
    for path in ("/taskmanagers/tm-9", "/nothing"):
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            served.get(path)
        assert "404" in caught.value.read().decode()


def test_the_server_can_only_be_read(served):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        with pytest.raises(urllib.error.HTTPError, match="405"):
            urllib.request.urlopen(urllib.request.Request(served.server.url + "/overview", method=method), timeout=60)


def test_the_application_in_one_answer(served):
    served.register(0)
    served.register(1)
    served.state.handle(Progress("classify", 3, 20, 1500), 1)
    tree = served.get("/application")
    assert (tree["id"], tree["name"], tree["state"], tree["requested"]) == ("application_1_0001", "mnist", "RUNNING", 2)
    assert tree["jobs"][0]["progress"] == {"done": 3, "total": 20, "rows": 1500}
    assert tree["outcome"] is None
    served.state.handle(Interrupted("Stopped by SIGTERM"), 2)
    tree = served.get("/application")
    assert tree["outcome"] == {"status": "KILLED", "exit_code": 3, "diagnostics": "Stopped by SIGTERM"}
    assert tree["jobs"][0]["status"] == "CANCELED"


@pytest.fixture
def eventful(served):
    for number in range(300):
        served.log.note(Completed(f"c{number}", None, 0, ""), [], 0)
    return served


@pytest.mark.parametrize(
    ("query", "numbers"), [("", range(101, 301)), ("?limit=2", [299, 300]), ("?after=298", [299, 300]), ("?after=1&limit=1", [300])]
)
def test_the_latest_events_in_order(eventful, query, numbers):
    tree = eventful.get(f"/events{query}")
    assert [each["number"] for each in tree["events"]] == list(numbers)
    assert (tree["attempt"], tree["count"]) == (1, 300)


def test_a_number_of_events_that_is_none_is_refused_with_what_would_do(served):
    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        served.get("/events?after=-1")
    assert "after='-1': write a whole number, 0 or more" in caught.value.read().decode()


def test_the_end_waits_for_a_follower_only(served):
    served.state.handle(Interrupted("x"), 0)
    start = time.monotonic()
    served.server.wait_for_followers(300)
    assert time.monotonic() - start < 100, "nobody follows"
    threading.Timer(0.1, lambda: served.get("/application?follower=1")).start()
    served.get("/application?follower=1")
    served.server.wait_for_followers(300)
    assert time.monotonic() - start < 200, "the follower has seen the end"
