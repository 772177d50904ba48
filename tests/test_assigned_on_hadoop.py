"""What real NodeManagers answer to the question for a container's GPUs; theirs run without isolation, where YARN assigns none."""

import json
import logging
import urllib.request

import pytest

from conf.settings import ExternalResource
from task_manager.assigned import ask


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("cluster", "no GPU in particular (DefaultContainerExecutor), leases decide"),
        ("cluster_314", "leases decide: HTTP 500"),
    ],
)
def test_without_isolation_leases_decide(version, said, request, caplog):
    caplog.set_level(logging.INFO)
    cluster = request.getfixturevalue(version)
    with urllib.request.urlopen(f"{cluster.resourcemanager_url}/ws/v1/cluster/nodes", timeout=30) as answer:
        host, port = json.load(answer)["nodes"]["node"][0]["nodeHTTPAddress"].split(":")
    environment = {"NM_HOST": host, "NM_HTTP_PORT": port, "CONTAINER_ID": "container_1700000000000_0001_01_000002"}
    # longer than in service: a test may be the first to ask this NodeManager's web server for anything
    assert ask([ExternalResource("gpu", 1, "nvidia", "yarn.io/gpu", {})], environment, limit_s=30)() is None
    assert said in caplog.text
