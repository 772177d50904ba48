from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from minicluster.files import write_fake_devices, write_gpu_state
from minicluster.layout import Layout, nodes_of
from minicluster.spec import ClusterSpec

NVIDIA_SMI = [
    ("-L", "GPU 0: Fake A100 (UUID: GPU-nm1-0000-abcd)\nGPU 1: Fake A100 (UUID: GPU-nm1-0001-abcd)\n"),
    ("--query-gpu=index --format=csv,noheader", "0\n1\n"),
    ("--query-gpu=uuid,index --format=csv,noheader", "GPU-nm1-0000-abcd, 0\nGPU-nm1-0001-abcd, 1\n"),
    ("--query-gpu=memory.total,utilization.gpu --format=csv,noheader,nounits", "40960, 0\n40960, 0\n"),
    ("--query-gpu=name,memory.used,power.draw --format=csv,noheader", "Fake A100, 10 MiB, 45.00 W\nFake A100, 10 MiB, 45.00 W\n"),
    ("--query-gpu=pci.bus_id,temperature.gpu --format=csv", "pci.bus_id, temperature.gpu\n00000000:10:00.0, 34\n00000000:11:00.0, 34\n"),
    ("--query-compute-apps=gpu_uuid,pid --format=csv,noheader", ""),
]


@pytest.fixture
def fake_devices(tmp_path: Path) -> Path:
    """The directory of a node's `nvidia-smi` that shows two GPUs."""
    layout = Layout.of(tmp_path)
    write_fake_devices(layout, nodes_of(ClusterSpec(gpus=(2,)), "abcd")[0], "abcd")
    return layout.fake("nm1")


@pytest.mark.parametrize(("arguments", "answer"), NVIDIA_SMI)
def test_nvidia_smi_answers_in_the_order_asked(fake_devices: Path, arguments: str, answer: str) -> None:
    run = subprocess.run([fake_devices / "nvidia-smi", *arguments.split()], capture_output=True, text=True, check=True)
    assert run.stdout == answer


def test_nvidia_smi_gives_the_xml_that_yarn_reads(fake_devices: Path) -> None:
    shown = subprocess.run([fake_devices / "nvidia-smi", "-x", "-q"], capture_output=True, text=True, check=True).stdout
    gpus = ElementTree.fromstring(shown).findall("gpu")
    assert [(gpu.findtext("uuid"), gpu.findtext("minor_number")) for gpu in gpus] == [
        ("GPU-nm1-0000-abcd", "0"),
        ("GPU-nm1-0001-abcd", "1"),
    ]


def test_nvidia_smi_shows_what_its_state_says_now(fake_devices: Path) -> None:
    write_gpu_state(fake_devices, 1, "nm1", "abcd")
    shown = subprocess.run([fake_devices / "nvidia-smi", "-L"], capture_output=True, text=True, check=True).stdout
    assert shown == "GPU 0: Fake A100 (UUID: GPU-nm1-0000-abcd)\n"


@pytest.mark.parametrize("arguments", ["--query-gpu=shoe.size --format=csv", "--query-gpu=index", "--reset"])
def test_nvidia_smi_refuses_what_it_does_not_know(fake_devices: Path, arguments: str) -> None:
    assert subprocess.run([fake_devices / "nvidia-smi", *arguments.split()], capture_output=True, check=False).returncode == 2


def test_a_node_without_gpus_has_no_nvidia_smi(tmp_path: Path) -> None:
    layout = Layout.of(tmp_path)
    write_fake_devices(layout, nodes_of(ClusterSpec(gpus=(0,)), "abcd")[0], "abcd")
    assert list(layout.fake("nm1").iterdir()) == []
