"""The main road on real daemons: grant, registration, devices, output on HDFS, exit code and final status."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from submitting import running, submit

import treadle

pytestmark = pytest.mark.cluster

MNIST = Path(__file__).parent.parent / "examples" / "mnist"
GPU = ["--resource", "gpu=1:yarn.io/gpu", "-D", "external-resource.gpu.driver-factory.class=discovery-script"]
SMALL = ["--memory", "512m", "-D", "jobmanager.memory.process.size=768m"]


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def report(cluster, application):
    return get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps/{application}")["app"]


def used(cluster, kind):
    nodes = get(f"{cluster.resourcemanager_url}/ws/v1/cluster/nodes?states=RUNNING")["nodes"]["node"]
    entries = [entry for node in nodes for entry in node["usedResource"]["resourceInformations"]["resourceInformation"]]
    return sum(entry["value"] for entry in entries if entry["name"] == kind)


def wait_for(condition, what):
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited 60 s for {what}"
        time.sleep(0.1)
    return value


def slot_logs(cluster, application):
    directories = [cluster.layout.container_logs(node.name) / application for node in cluster.nodes]
    return {f"{path.parent.name}/{path.name}": path.read_text() for directory in directories for path in directory.glob("*/slot-*.log")}


def test_each_slot_gets_a_device_of_its_own_and_yarn_knows_it_is_in_use(cluster, tmp_path):
    gate = tmp_path / "gate"
    command = ["sh", "-c", f"echo $RANK $CUDA_VISIBLE_DEVICES; while [ ! -e {gate} ]; do sleep 0.1; done"]
    with running([*SMALL, "--taskmanagers", "4", *GPU, "--", *command], cluster.environment(), tmp_path) as process:
        wait_for(lambda: used(cluster, "yarn.io/gpu") == 4, "four GPUs in use")
        gate.touch()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    application = out.strip()
    said = report(cluster, application)
    assert (said["finalStatus"], said["applicationType"]) == ("SUCCEEDED", "skein")
    ranks, devices = zip(*(log.split() for log in slot_logs(cluster, application).values()), strict=True)
    assert sorted(ranks) == ["0", "1", "2", "3"]
    assert sorted(devices) == sorted(uuid for node in cluster.nodes for uuid in node.gpu_uuids)
    assert all(uuid in err for uuid in devices)
    wait_for(lambda: used(cluster, "yarn.io/gpu") == 0, "no GPU in use")


def test_the_application_master_answers_through_yarns_proxy(cluster, tmp_path):
    gate = tmp_path / "gate"
    command = ["sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.1; done"]
    with running([*SMALL, "--taskmanagers", "2", *GPU, "--", *command], cluster.environment(), tmp_path) as process:
        page = f"{cluster.resourcemanager_url}/proxy/{process.stdout.readline().strip()}/pages/treadle"
        wait_for(lambda: overview(page).get("jobs-running") == 1, "a running job")
        first, second = get(f"{page}/taskmanagers")["taskmanagers"]
        one = get(f"{page}/taskmanagers/tm-0")
        gate.touch()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert (first["id"], second["id"]) == ("tm-0", "tm-1")
    assert one["totalResource"]["extendedResources"] == {"gpu": 1.0}
    assert one["granted"]["yarn.io/gpu"] == 1
    assert one["devices"][0]["uuid"] in [uuid for node in cluster.nodes for uuid in node.gpu_uuids]


def overview(page):
    try:
        return get(f"{page}/overview")
    except (OSError, ValueError):
        return {}


def test_any_resource_type_is_asked_for_and_granted(cluster, tmp_path):
    gate = tmp_path / "gate"
    rdma = ["--resource", "rdma=2:example.com/rdma", "-D", "external-resource.rdma.driver-factory.class=list"]
    rdma += ["-D", "external-resource.rdma.param.addresses=mlx5_0;mlx5_1", "--resource", "fpga=1:yarn.io/fpga"]
    leases = ["-D", f"treadle.lease.directory={tmp_path / 'leases'}"]
    command = ["sh", "-c", f"cat $TREADLE_RUNTIME_CONTEXT; while [ ! -e {gate} ]; do sleep 0.1; done"]
    with running([*SMALL, *rdma, *leases, "--", *command], cluster.environment(), tmp_path) as process:
        wait_for(lambda: (used(cluster, "example.com/rdma"), used(cluster, "yarn.io/fpga")) == (2, 1), "both types in use")
        gate.touch()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    (context,) = [json.loads(log) for log in slot_logs(cluster, out.strip()).values()]
    assert [info["index"] for info in context["external_resources"]["rdma"]] == ["mlx5_0", "mlx5_1"]
    assert "fpga" not in context["external_resources"]


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """The digits and a trained model, made once, on local disk."""
    directory = tmp_path_factory.mktemp("mnist")
    subprocess.run([sys.executable, str(MNIST / "prepare.py"), "--output", str(directory / "mnist")], check=True)
    model = str(directory / "mnist" / "model.npz")
    subprocess.run([sys.executable, str(MNIST / "train.py"), "--input", str(directory / "mnist"), "--model", model], check=True)
    return directory / "mnist"


def upload(local, uri):
    filesystem, path = treadle.open_filesystem(uri)
    pa.fs.copy_files(str(local), path, destination_filesystem=filesystem)


def classify(cluster, mnist, tmp_path):
    """The main job: all of MNIST's test digits on two GPUs; returns what submit said and the summary on HDFS."""
    uri = f"{cluster.namenode_uri}/{tmp_path.name}"
    upload(mnist / "test", f"{uri}/test")
    filesystem, path = treadle.open_filesystem(uri)
    with filesystem.open_output_stream(f"{path}/model.npz") as file:
        file.write((mnist / "model.npz").read_bytes())
    job = [str(MNIST / "classify.py"), "--input", f"{uri}/test", "--model", f"{uri}/model.npz", "--output", f"{uri}/predictions"]
    said = submit(["--taskmanagers", "2", *GPU, *job], cluster.environment(), tmp_path)
    assert said.code == 0, said.err
    with filesystem.open_input_stream(f"{path}/predictions/_summary.json") as file:
        summary = json.loads(file.read())
    parts = [info for info in filesystem.get_file_info(pa.fs.FileSelector(f"{path}/predictions")) if info.path.endswith(".parquet")]
    rows = sum(pq.read_metadata(info.path, filesystem=filesystem).num_rows for info in parts)
    assert (len(parts), rows) == (20, 10_000)
    return said, summary


@pytest.mark.parametrize("version", ["cluster", "cluster_314"])
def test_mnist_is_classified_on_gpus(version, request, mnist, tmp_path):
    cluster = request.getfixturevalue(version)
    said, summary = classify(cluster, mnist, tmp_path)
    assert summary["accuracy"] >= 0.92
    assert "20/20 fragments, 10,000 rows" in said.err
    assert report(cluster, said.application)["finalStatus"] == "SUCCEEDED"
    devices = [device["uuid"] for slot in summary["slots"] for device in slot["devices"]]
    assert len(devices) == len(set(devices)) == 2
    assert set(devices) <= {uuid for node in cluster.nodes for uuid in node.gpu_uuids}


@pytest.mark.parametrize(("program", "code"), [("raise ValueError('boom')", 1), ("import sys; print('boom'); sys.exit(3)", 3)])
def test_a_failing_job_fails_the_application_with_its_code_and_last_words(cluster, tmp_path, program, code):
    (tmp_path / "job.py").write_text(program)
    said = submit([*SMALL, "job.py"], cluster.environment(), tmp_path)
    assert said.code == code
    assert f"job.py ended with exit code {code}" in said.err
    assert "boom" in said.err
    yarn = report(cluster, said.application)
    assert (yarn["finalStatus"], f"[exit code {code}]" in yarn["diagnostics"]) == ("FAILED", True)


def test_a_failing_discovery_is_told_with_node_and_the_scripts_words(cluster, tmp_path):
    script = tmp_path / "discover.sh"
    script.write_text("#!/bin/sh\necho no such GPU >&2\nexit 1\n")
    script.chmod(0o755)
    said = submit(
        [*SMALL, *GPU, "-D", f"external-resource.gpu.param.discovery-script.path={script}", "--", "true"], cluster.environment(), tmp_path
    )
    assert said.code == 1
    assert "tm-0 on 127.0.0.1" in said.err
    assert "the discovery script exited with 1" in said.err
    assert "no such GPU" in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--resource", "gpu=1:yarn.io/gpux"], 4, ["yarn.io/gpux", "yarn.io/gpu"]),
        (["--resource", "gpu=5:yarn.io/gpu"], 4, ["5", "127.0.0.1", "2"]),
        (["--queue", "defalt"], 4, ["defalt", "default"]),
        (["--memory", "64g"], 4, ["65536", "8192"]),
        (["--resource", "gpu=-1:yarn.io/gpu"], 2, ["external-resource.gpu.amount", "-1"]),
        (["--resource", "gpu=two:yarn.io/gpu"], 2, ["external-resource.gpu.amount", "two"]),
        (["-D", "external-resource.gpu.driver-factory.class=nvidya", "--resource", "gpu=1:yarn.io/gpu"], 2, ["nvidya", "nvidia"]),
    ],
    ids=["unknown type", "above every node", "no such queue", "too much memory", "negative", "worded", "driver typo"],
)
def test_what_cant_be_met_is_refused_before_anything_is_uploaded(cluster, tmp_path, arguments, code, words):
    before = len(get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps").get("apps") or {})
    said = submit([*arguments, "--", "true"], cluster.environment(), tmp_path)
    assert said.code == code, said.err
    assert [word for word in words if word not in said.err] == [], said.err
    assert "remedy: " in said.err
    assert "Traceback" not in said.err
    assert len(get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps").get("apps") or {}) == before
    assert said.out == ""


def test_interrupting_twice_kills_the_application(cluster, tmp_path):
    with running([*SMALL, "--", "sleep", "1000"], cluster.environment(), tmp_path) as process:
        application = process.stdout.readline().strip()
        wait_for(lambda: report(cluster, application)["state"] == "RUNNING", "a running application")
        process.send_signal(signal.SIGINT)
        while "interrupt again" not in (line := process.stderr.readline()):
            assert line, "it ended without offering to detach"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert report(cluster, application)["finalStatus"] == "KILLED"


def test_skeins_global_credentials_are_neither_made_nor_used(cluster, tmp_path):
    said = submit([*SMALL, "--", "true"], {**cluster.environment(), "HOME": str(tmp_path)}, tmp_path)
    assert said.code == 0, said.err
    assert not (tmp_path / ".skein").exists()
