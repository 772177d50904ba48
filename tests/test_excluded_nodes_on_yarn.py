"""The file of excluded nodes against a real ResourceManager: what is asked for waits rather than go to an excluded node."""

import json

import pytest
from submitting import running
from test_on_yarn import GPU, SMALL, get, used, wait_for

from protocol.launch import EXCLUDED_NODES_FILE, TAP_FILE
from yarn_am.excluded_nodes import write

pytestmark = pytest.mark.cluster


def taps(cluster):
    return set(cluster.layout.work.rglob(f"container_*/{TAP_FILE}"))


def granted_nodes(tap):
    lines = [json.loads(line) for line in tap.read_text().splitlines()]
    return [line["node"].rpartition(":")[0] for line in lines if line["event"] == "granted"]


def told(cluster, application):
    """What the ResourceManager says that the application's attempt excludes."""
    return str(
        get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps/{application}/appattempts")["appAttempts"]["appAttempt"][0].get(
            "blacklistedNodes"
        )
    )


def check_an_excluded_node_is_passed_over_until_it_is_allowed_again(cluster, directory):
    gate = directory / "gate"
    wait = ["--", "sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.1; done"]
    small = [*SMALL, *GPU]
    with running([*small, "--taskmanagers", "4", *wait], cluster.environment(), directory) as first:
        wait_for(lambda: used(cluster, "yarn.io/gpu") == 4, "all GPUs in use")
        before = taps(cluster)
        excluded = cluster.nodes[0].address
        with running([*small, "--taskmanagers", "3", "--", "true"], cluster.environment(), directory) as second:
            tap = wait_for(lambda: taps(cluster) - before, "the second application's tap").pop()
            write(tap.with_name(EXCLUDED_NODES_FILE), [excluded])
            application = tap.parent.parent.name
            wait_for(lambda: excluded in told(cluster, application), "the ResourceManager to know")
            gate.touch()
            assert first.wait(timeout=60) == 0
            wait_for(lambda: used(cluster, "yarn.io/gpu") == 2, "both GPUs of the node that is left")
            wait_for(lambda: len(granted_nodes(tap)) == 2, "two grants")
            assert excluded not in granted_nodes(tap)
            write(tap.with_name(EXCLUDED_NODES_FILE), [])
            wait_for(lambda: excluded in granted_nodes(tap), "a grant on the node that is allowed again")
            _, err = second.communicate(timeout=60)
    assert second.returncode == 0, err


@pytest.mark.parametrize("version", ["cluster", "cluster_314"])
def test_an_excluded_node_is_passed_over_until_it_is_allowed_again(version, request, tmp_path):
    check_an_excluded_node_is_passed_over_until_it_is_allowed_again(request.getfixturevalue(version), tmp_path)
