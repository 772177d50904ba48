from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import hdfs_native
import pytest

from minicluster.cluster import Cluster, cluster_in, running_cluster
from minicluster.layout import Node
from minicluster.processes import marked
from minicluster.spec import ClusterSpec

pytestmark = pytest.mark.cluster

# asks skein's own `gpus` for a GPU in a container on each node and waits for both to have run
_APPLICATION = """
import skein
script = "command -v nvidia-smi && nvidia-smi -L && echo $NM_HOST"
service = skein.Service(instances=2, resources=skein.Resources(memory="256 MiB", vcores=1, gpus=2), script=script)
security = skein.Security.new_credentials()
spec = skein.ApplicationSpec(name="finds nvidia-smi", master=skein.Master(security=security), services={"look": service})
with skein.Client(security=skein.Security.new_credentials()) as client:
    print(client.submit(spec))
"""


def wait_for(condition: Callable[[], bool], what: str, limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true in {limit_s:.0f} s"
        time.sleep(0.1)


def minicluster(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "minicluster", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["cluster", "cluster_314"])
def test_the_resourcemanager_shows_what_each_node_has(request: pytest.FixtureRequest, name: str) -> None:
    cluster: Cluster = request.getfixturevalue(name)
    shown = {node.host: node.totals for node in cluster.running_nodes()}
    assert set(shown) == {"127.0.0.11", "127.0.0.12"}
    for node in cluster.nodes:
        totals = shown[node.address]
        assert (totals["yarn.io/gpu"], totals["example.com/rdma"]) == (2, 3)
        assert totals["yarn.io/fpga"] == node.resources.get("yarn.io/fpga", 0)
        assert (totals["memory-mb"], totals["vcores"]) == (8192, 16)


@pytest.mark.parametrize("name", ["cluster", "cluster_314"])
def test_a_container_finds_the_nvidia_smi_of_its_own_node(request: pytest.FixtureRequest, name: str) -> None:
    cluster: Cluster = request.getfixturevalue(name)
    environment = {**os.environ, **cluster.environment(), "SKEIN_DRIVER_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", _APPLICATION], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    application = run.stdout.strip()

    def log(node: str) -> str:
        return "".join(path.read_text() for path in cluster.layout.container_logs(node).glob(f"{application}/*/look.log"))

    def has_run(node: Node) -> bool:
        return node.address in log(node.name)

    for node in cluster.nodes:
        wait_for(partial(has_run, node), f"a container of {application} on {node.name}")
        program = cluster.layout.fake(node.name) / "nvidia-smi"
        gpus = [f"GPU {index}: Fake A100 (UUID: {uuid})" for index, uuid in enumerate(node.gpu_uuids)]
        assert log(node.name).splitlines() == [str(program), *gpus, node.address]


def test_hdfs_keeps_a_file_for_a_client_without_java(cluster: Cluster) -> None:
    client = hdfs_native.Client(cluster.namenode_uri)
    with client.create("/minicluster-test") as file:
        file.write(b"seen")
    with client.read("/minicluster-test") as file:
        assert file.read() == b"seen"


def test_a_cluster_from_the_command_line_beside_another(cluster: Cluster, tmp_path: Path) -> None:
    words = ("--work", str(tmp_path / "work"), "--gpus", "1,0", "--resource", "rdma=0,2")
    started = minicluster("up", *words)
    assert started.returncode == 0, started.stderr
    try:
        assert "node nm1 up: 127.0.0.11, 1 GPU" in started.stderr
        assert "node nm2 up: 127.0.0.12, 0 GPUs, rdma 2" in started.stderr
        second = cluster_in(tmp_path / "work")
        assert second is not None
        assert second.resourcemanager_url != cluster.resourcemanager_url
        check_commands(second, words)
        check_loss_of_a_node(second)
    finally:
        ended = minicluster("down", "--work", str(tmp_path / "work"))
    assert ended.returncode == 0, ended.stderr
    assert marked(f"TREADLE_MINICLUSTER={second.description.identity}") == []
    assert cluster_in(tmp_path / "work") is None
    assert all(cluster.daemons().values())


def check_commands(second: Cluster, words: tuple[str, ...]) -> None:
    work = ("--work", str(second.layout.work))
    assert "already up" in minicluster("up", *words).stderr
    other = minicluster("up", *work, "--gpus", "3")
    assert other.returncode == 5
    assert "asked for in other words\nremedy: run: python -m minicluster down" in other.stderr
    shell = 'eval "$1"; yarn classpath --glob; hdfs version; echo "$HADOOP_CONF_DIR"'
    shown = minicluster("env", *work).stdout
    lines = subprocess.run(["sh", "-c", shell, "sh", shown], capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[0].startswith(f"{second.conf_dir}:")
    assert lines[1] == "Hadoop 3.5.0"
    assert lines[-1] == str(second.conf_dir)
    status = minicluster("status", *work)
    assert status.returncode == 0
    assert "nm2     running" in status.stdout


def check_loss_of_a_node(second: Cluster) -> None:
    second.kill_node("nm1")
    second.stop_node("nm2")
    wait_for(lambda: second.running_nodes() == [], "the loss of both nodes")
    status = minicluster("status", "--work", str(second.layout.work))
    assert status.returncode == 1
    assert "nm1     ended" in status.stdout


def test_daemons_are_lost_and_come_back(tmp_path: Path) -> None:
    with running_cluster(ClusterSpec(gpus=(1,)), tmp_path / "work") as second:
        check_return_of_the_resourcemanager(second)
        check_return_of_a_node(second)
        check_return_of_the_datanode(second)
        check_pause(second)


def check_return_of_the_resourcemanager(second: Cluster) -> None:
    application = submit_sleeping_application(second)
    second.kill("rm")
    assert not second.daemons()["rm"]
    second.start("rm")
    wait_for(lambda: state_of(second, application) == "RUNNING", f"{application} to go on")
    attempts = json_of(f"{second.resourcemanager_url}/ws/v1/cluster/apps/{application}/appattempts")["appAttempts"]["appAttempt"]
    assert len(attempts) == 1


def check_return_of_a_node(second: Cluster) -> None:
    before = [node.http for node in second.running_nodes()]
    second.kill_node("nm1")
    second.start("nm1")
    wait_for(lambda: len(second.running_nodes()) == 1, "the loss of the node that was")
    assert [node.http for node in second.running_nodes()] != before


def check_return_of_the_datanode(second: Cluster) -> None:
    client = hdfs_native.Client(second.namenode_uri)
    with client.create("/kept") as file:
        file.write(b"seen")
    second.kill("dn")
    second.start("dn")
    with client.read("/kept") as file:
        assert file.read() == b"seen"


def check_pause(second: Cluster) -> None:
    second.pause("rm")
    with pytest.raises(TimeoutError):
        json_of(f"{second.resourcemanager_url}/ws/v1/cluster/info", timeout_s=1)
    second.resume("rm")
    wait_for(lambda: len(second.running_nodes()) == 1, "the ResourceManager's answer")
    second.pause("nm1")  # `down` ends it all the same


_SLEEPER = """
import skein
spec = skein.ApplicationSpec(name="sleeps", master=skein.Master(script="sleep 300", resources=skein.Resources(memory="512 MiB", vcores=1)))
with skein.Client(security=skein.Security.new_credentials()) as client:
    print(client.submit(spec))
"""


def submit_sleeping_application(cluster: Cluster) -> str:
    environment = {**os.environ, **cluster.environment()}
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", _SLEEPER], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    application = run.stdout.strip()
    wait_for(lambda: state_of(cluster, application) == "RUNNING", f"{application} to run")
    return application


def state_of(cluster: Cluster, application: str) -> str:
    try:
        return str(json_of(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps/{application}")["app"]["state"])
    except OSError:
        return ""


def json_of(url: str, timeout_s: float = 10) -> Any:
    with urllib.request.urlopen(url, timeout=timeout_s) as answer:
        return json.load(answer)
