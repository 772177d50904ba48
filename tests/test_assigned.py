"""YARN's own assignment of GPUs: how a NodeManager is asked, and what its answer says."""

import http.server
import json
import logging
import socket
import threading
import time
from contextlib import ExitStack

import pytest
from assigned_gpus import GPU, ME, gpu

from conf.settings import ExternalResource
from drivers.device import FoundDevice
from task_manager.assigned import Assigned, ask, parse, unknown

OTHER = "container_1700000000000_0001_01_000003"
INFORMATION = {"gpu": [{"uuid": "GPU-0", "minor_number": 0}, {"uuid": "GPU-1", "minor_number": 1}]}


def entry(minor, container=ME, index=None):
    return {"index": minor if index is None else index, "minorNumber": minor, "containerId": container}


class NodeManager(http.server.ThreadingHTTPServer):
    """Answers the one question; `answer` is what it says, `status` how, `wait_s` after how long."""

    def handle_error(self, request, client_address):
        """Who asked may have stopped waiting."""

    def __init__(self, answer, status=200, wait_s=0.0):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.status, self.wait, self.asked, self.done = answer, status, wait_s, [], threading.Event()
        self.environment = {"NM_HOST": "127.0.0.1", "NM_HTTP_PORT": str(self.server_port), "CONTAINER_ID": ME}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers["Accept"]))
        self.server.done.wait(self.server.wait)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer if isinstance(self.server.answer, bytes) else json.dumps(self.server.answer).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def node_manager():
    """Starts NodeManagers; they end with the test."""
    with ExitStack() as at_end:

        def start(answer, **how):
            server = at_end.enter_context(NodeManager(answer, **how))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            at_end.callback(thread.join)
            at_end.callback(server.shutdown)
            at_end.callback(server.done.set)
            return server

        yield start


@pytest.mark.parametrize(
    ("answer", "minor_numbers", "of_uuid"),
    [
        ({"assignedGpuDevices": [entry(1), entry(0, OTHER), entry(3)]}, {"1", "3"}, {}),
        ({"assignedGpuDevices": entry(2), "gpuDeviceInformation": None}, {"2"}, {}),
        ({"assignedGpuDevices": [entry("1", index="0")], "gpuDeviceInformation": INFORMATION}, {"1"}, {"GPU-0": "0", "GPU-1": "1"}),
        ({"assignedGpuDevices": [entry(1)], "gpuDeviceInformation": {"gpu": {"uuid": "GPU-1", "minor_number": -1}}}, {"1"}, {}),
        (
            {"assignedGpuDevices": [entry(1)], "gpuDeviceInformation": {"gpus": {"uuid": "GPU-1", "minorNumber": "1"}}},
            {"1"},
            {"GPU-1": "1"},
        ),
    ],
)
def test_the_gpus_of_this_container_are_read_whatever_the_version_writes(answer, minor_numbers, of_uuid):
    assert parse(answer, ME) == Assigned(frozenset(minor_numbers), of_uuid)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        "text",
        {"assignedGpuDevices": []},
        {"assignedGpuDevices": None},
        {"assignedGpuDevices": [entry(0, OTHER)]},
        {"assignedGpuDevices": ["container"]},
        {"gpuDeviceInformation": INFORMATION},
    ],
)
def test_an_answer_that_assigns_this_container_nothing_is_none(answer):
    assert parse(answer, ME) is None


@pytest.mark.parametrize("number", [{}, {"minorNumber": None}, {"minorNumber": -1}])
def test_gpus_without_a_number_are_no_assignment(number):
    with pytest.raises(ValueError, match="lists 1 without their numbers"):
        parse({"assignedGpuDevices": [entry(0, OTHER), {"containerId": ME, **number}]}, ME)


@pytest.mark.parametrize(
    ("device", "included"),
    [
        (gpu(1), True),
        (gpu(0), False),
        (FoundDevice("0", "GPU-1"), True),
        (FoundDevice("1", "GPU-0"), False),
        (FoundDevice("1:0", "MIG-9", {"parent_uuid": "GPU-1"}), True),
        (FoundDevice("0:0", "MIG-8", {"parent_uuid": "GPU-0", "minor_number": "0"}), False),
        (FoundDevice("7", "7"), True),
    ],
)
def test_devices_are_told_by_minor_number_or_uuid(device, included):
    assert Assigned(frozenset({"1"}), {"GPU-0": "0", "GPU-1": "1"}).includes(device) is included


def test_a_node_manager_is_asked_once_for_json(node_manager):
    server = node_manager({"assignedGpuDevices": [entry(1), entry(0, OTHER)]})
    answer = ask([GPU], server.environment)
    assert answer() == answer() == Assigned(frozenset({"1"}), {})
    assert server.asked == [("/ws/v1/node/resources/yarn.io%2Fgpu", "application/json")]


@pytest.mark.parametrize(
    "resources", [[], [ExternalResource("gpu", 1, None, "yarn.io/gpu", {})], [ExternalResource("nic", 1, "x", "a/b", {})]]
)
def test_nobody_is_asked_without_gpus_to_find(resources, node_manager):
    assert ask(resources, node_manager({}).environment) is unknown


@pytest.mark.parametrize("missing", ["NM_HOST", "NM_HTTP_PORT", "CONTAINER_ID"])
def test_nobody_is_asked_outside_a_container(missing):
    environment = {"NM_HOST": "127.0.0.1", "NM_HTTP_PORT": "1", "CONTAINER_ID": ME}
    del environment[missing]
    assert ask([GPU], environment) is unknown


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ({}, 401, "HTTP 401 Unauthorized"),
        ({}, 403, "HTTP 403 Forbidden"),
        ({}, 500, "HTTP 500 Internal Server Error"),
        (b"<html>", 200, "Expecting value"),
        (b"\xff", 200, "can't decode"),
        ({"assignedGpuDevices": [{"containerId": ME}]}, 200, "as Hadoop 3.5.0 does"),
    ],
)
def test_an_answer_that_is_none_leaves_it_to_the_leases(node_manager, caplog, answer, status, said):
    caplog.set_level(logging.INFO)
    assert ask([GPU], node_manager(answer, status=status).environment)() is None
    assert "leases decide" in caplog.text
    assert said in caplog.text


def test_a_node_manager_that_is_not_there_leaves_it_to_the_leases(caplog):
    caplog.set_level(logging.INFO)
    with socket.create_server(("127.0.0.1", 0)) as server:
        environment = {"NM_HOST": "127.0.0.1", "NM_HTTP_PORT": str(server.getsockname()[1]), "CONTAINER_ID": ME}
    assert ask([GPU], environment)() is None
    assert "Connection refused" in caplog.text


@pytest.mark.parametrize("port", ["many", "-1", "99999999"])
def test_a_port_that_is_none_leaves_it_to_the_leases(port):
    assert ask([GPU], {"NM_HOST": "127.0.0.1", "NM_HTTP_PORT": port, "CONTAINER_ID": ME})() is None


def test_a_node_manager_that_hangs_is_not_waited_for(node_manager, caplog):
    caplog.set_level(logging.INFO)
    server = node_manager({"assignedGpuDevices": [entry(1)]}, wait_s=300)
    before = time.monotonic()
    answer = ask([GPU], server.environment, limit_s=0.3)
    assert answer() is None
    assert answer() is None
    assert time.monotonic() - before < 100
    assert caplog.text.count("no answer within 0.3 s") + caplog.text.count("timed out") == 1
