import socket

import pytest
from client_rest_server import serving
from test_client_cluster import METRICS, NODE_35, SCHEDULER_35

from client.errors import ClientError
from client.hadoop import rest
from client.yarn.resourcemanager import ResourceManager


@pytest.fixture
def server():
    with serving() as server:
        server.answer("/ws/v1/cluster/info", {"clusterInfo": {"resourceManagerVersion": "3.5.0"}})
        server.answer("/ws/v1/cluster/nodes", {"nodes": {"node": [NODE_35]}})
        server.answer("/ws/v1/cluster/scheduler", {"scheduler": {"schedulerInfo": SCHEDULER_35}})
        server.answer("/ws/v1/cluster/metrics", METRICS)
        yield server


@pytest.fixture
def closed():
    """The address of a port that nothing listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}"


def test_the_view_is_put_together(server):
    view = ResourceManager([server.url], "ann").view()
    assert (view.version, [node.host for node in view.nodes]) == ("3.5.0", ["127.0.0.12"])
    assert ("GET", "/ws/v1/cluster/nodes?states=RUNNING", None) in server.requests


def test_a_resourcemanager_without_metrics_is_enough(server):
    del server.answers["/ws/v1/cluster/metrics"]
    assert "yarn.io/gpu" in ResourceManager([server.url], "ann").view().types


def test_the_first_address_that_answers_is_taken_and_kept(server, closed):
    manager = ResourceManager([closed, f"{server.url}/"], "ann")
    assert manager.view().version == "3.5.0"
    assert manager.proxy("application_1_0001") == f"{server.url}/proxy/application_1_0001"


@pytest.mark.parametrize("status", [200, 307])
def test_a_standby_names_the_active_one(server, status):
    with serving() as standby:
        target = f"{server.url}/ws/v1/cluster/info"
        headers = {"Refresh": f"3; url={target}"} if status == 200 else {"Location": target}
        standby.answers["/ws/v1/cluster/info"] = (status, headers, "This is standby RM. The redirect url is: …")
        assert rest.get_json(f"{standby.url}/ws/v1/cluster/info") == {"clusterInfo": {"resourceManagerVersion": "3.5.0"}}


def test_no_address_answers(closed):
    with pytest.raises(ClientError, match=f"the ResourceManager does not answer at {closed}: Connection refused") as raised:
        ResourceManager([closed], "ann").view()
    assert (raised.value.exit_code, "HADOOP_CONF_DIR" in raised.value.remedy) == (5, True)


def test_an_unknown_application_is_told_apart_from_silence(server, closed):
    with pytest.raises(rest.RestError, match="not found") as raised:
        ResourceManager([closed, server.url], "ann").report("application_1_0009")
    assert raised.value.status == 404
    with pytest.raises(rest.RestError, match="Connection refused") as raised:
        ResourceManager([closed], "ann").report("application_1_0009")
    assert raised.value.status is None


def test_a_kill_is_a_put_in_the_users_name(server):
    server.answer("/ws/v1/cluster/apps/application_1_0001/state", {"state": "ACCEPTED"})
    ResourceManager([server.url], "ann@EXAMPLE.COM").kill("application_1_0001")
    path = "/ws/v1/cluster/apps/application_1_0001/state?user.name=ann%40EXAMPLE.COM"
    assert server.requests == [("PUT", path, {"state": "KILLED"})]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((403, {}, {"RemoteException": {"message": "User dr.who cannot perform operation"}}), "User dr.who cannot perform operation"),
        ((500, {}, "<html>"), "HTTP 500"),
        ((200, {}, "<html>"), "no JSON: b'<html>'"),
    ],
)
def test_what_is_no_answer(server, answer, reason):
    server.answers["/x"] = answer
    with pytest.raises(rest.RestError, match=reason):
        rest.get_json(f"{server.url}/x")


def test_a_server_that_stays_silent_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(rest.RestError, match="timed out"):
        rest.get_json(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.1)


def test_a_proxy_of_the_world_outside_is_not_used(server, closed, monkeypatch):
    monkeypatch.setenv("http_proxy", closed)
    assert rest.get_json(f"{server.url}/ws/v1/cluster/info")
