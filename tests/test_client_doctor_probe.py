"""What `submit doctor --probe` asks for, and what it makes of what its container saw."""

import pytest

from client.doctor import probe_findings
from client.doctor.finding import FAILURE, OK, WARNING
from client.doctor.probe import one_container
from client.yarn.cluster import ApplicationReport
from conf import configuration

OUTCOME = ApplicationReport("application_1_0001", "p", "FINISHED", "SUCCEEDED", "", "")
NODE = {
    "node": "n1",
    "system": "Linux",
    "python": "3.11.7",
    "executable": "/p",
    "smi": "/usr/bin/nvidia-smi",
    "devices": {"gpu": [{"index": "0", "uuid": "GPU-a"}]},
    "device_files": [],
    "gpus": [{"index": "0", "uuid": "GPU-a", "name": "A100", "driver_version": "550", "memory.used": "10", "memory.total": "40960"}],
    "processes": [],
    "errors": [],
}


def probed(report=OUTCOME, words=(), asked=("gpu",), **node):
    return list(probe_findings.judge(report, NODE | node, words, asked))


def test_a_probe_tells_what_its_slot_saw():
    assert [(finding.status, finding.text) for finding in probed()] == [
        (OK, "application_1_0001 ran on n1 (Linux)"),
        (OK, "Python 3.11.7, /p"),
        (OK, "gpu: found index=0 uuid=GPU-a"),
        (OK, "GPU 0 A100 (GPU-a), driver 550, 10 of 40960 MiB used"),
    ]


@pytest.mark.parametrize(
    ("node", "status", "words"),
    [
        ({"smi": "", "gpus": []}, WARNING, "no nvidia-smi on the PATH of n1; there is no /dev/nvidia0 either"),
        ({"smi": "", "gpus": [], "device_files": ["/dev/nvidia0"]}, WARNING, "no nvidia-smi on the PATH of n1; /dev/nvidia0 are there"),
        ({"errors": ["no driver"]}, WARNING, "/usr/bin/nvidia-smi says: no driver"),
        ({"devices": {}}, FAILURE, "gpu: granted by YARN, and the driver found none (gpu: NVML is not there.)"),
        (
            {"processes": [{"gpu_uuid": "GPU-a", "pid": "7", "process_name": "train", "used_memory": "99"}]},
            WARNING,
            "train (pid 7) uses GPU-a, 99 MiB",
        ),
    ],
)
def test_a_node_that_lacks_something(node, status, words):
    said = ["WARNING task_manager.devices: Going on with 0 of 1: gpu: NVML is not there."]
    assert (status, words) in [(finding.status, finding.text) for finding in probed(words=said, **node)]


def test_a_probe_that_failed_tells_why():
    report = ApplicationReport("application_1_0001", "p", "FINISHED", "FAILED", "no Python there [exit code 127]", "")
    (found,) = probe_findings.judge(report, None, (), ("gpu",))
    assert (found.status, "no Python there" in found.text) == (FAILURE, True)


def test_a_probe_whose_words_are_lost_is_a_warning():
    (found,) = probe_findings.judge(OUTCOME, None, (), ("gpu",))
    assert found.status == WARNING


def flat(**keys):
    return configuration.load((), [(key, value, "-D") for key, value in keys.items()]).flat()


def test_a_probe_asks_for_one_gpu_where_a_node_offers_some():
    asked = configuration.from_flat(one_container(flat(), {"memory-mb": 1, "yarn.io/gpu": 4})).settings()
    (group,) = asked.groups
    (gpu,) = group.external_resources
    assert (group.count, group.slots, asked.parallelism) == (1, 1, 1)
    assert (gpu.amount, gpu.yarn_type, gpu.driver, gpu.on_missing) == (1, "yarn.io/gpu", "nvidia", "warn")


def test_a_probe_without_gpus_asks_for_none():
    asked = configuration.from_flat(one_container(flat(), {"memory-mb": 1, "yarn.io/fpga": 4})).settings()
    assert asked.groups[0].external_resources == ()


def test_a_probe_asks_for_one_of_what_is_configured():
    keys = {"external-resources": "nic", "external-resource.nic.amount": "3", "external-resource.nic.yarn.config-key": "example.com/rdma"}
    keys |= {"external-resource.nic.driver-factory.class": "infiniband", "treadle.taskmanagers": "5", "taskmanager.numberOfTaskSlots": "2"}
    asked = configuration.from_flat(one_container(flat(**keys), {"yarn.io/gpu": 4})).settings()
    (resource,) = asked.groups[0].external_resources
    assert (asked.groups[0].count, resource.name, resource.amount, resource.driver) == (1, "nic", 1, "infiniband")
