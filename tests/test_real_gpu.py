"""The nvidia driver on a real GPU, against what nvidia-smi and CUDA themselves say. Run where there is one; `-m gpu` runs these alone."""

import ctypes.util
import json
import os
import shutil
import subprocess
import sys

import pytest
from submitting import submit

from drivers.nvidia import NvidiaDriver

pytestmark = pytest.mark.gpu

COUNT = """\
import ctypes.util
cuda = ctypes.CDLL("libcuda.so.1")
assert cuda.cuInit(0) == 0
count = ctypes.c_int()
assert cuda.cuDeviceGetCount(ctypes.byref(count)) == 0
print(count.value)
"""


def smi(*columns):
    """What nvidia-smi says of each GPU."""
    query = [f"--query-gpu={','.join(columns)}", "--format=csv,noheader,nounits"]
    out = subprocess.run(["nvidia-smi", *query], capture_output=True, text=True, check=True).stdout
    return [tuple(word.strip() for word in line.split(",")) for line in out.splitlines()]


def has_gpu():
    if shutil.which("nvidia-smi") is None:
        return False
    return subprocess.run(["nvidia-smi", "-L"], capture_output=True, check=False).stdout.startswith(b"GPU ")


@pytest.fixture(autouse=True)
def real_gpu():
    if not has_gpu():
        pytest.skip("no NVIDIA GPU on this machine (nvidia-smi -L lists none)")
    if any(mode == "Enabled" for (mode,) in smi("mig.mode.current")):
        pytest.skip("the GPUs are in MIG mode: nvidia-smi's list is not the driver's")


def test_the_driver_finds_what_nvidia_smi_finds():
    found = NvidiaDriver({"share-busy": "true"}).discover(1)
    said = smi("index", "uuid", "name", "memory.total")
    assert sorted((device.index, device.uuid, device.properties["name"]) for device in found) == sorted(line[:3] for line in said)
    by_uuid = {uuid: int(memory) for _, uuid, _, memory in said}
    assert all(abs(int(device.properties["memory"]) - by_uuid[device.uuid]) <= 1024 for device in found)


def test_a_real_gpu_is_healthy():
    driver = NvidiaDriver({"share-busy": "true"})
    assert {driver.health(device.uuid) for device in driver.discover(1)} == {None}


def test_cuda_sees_the_one_device_that_the_variables_show():
    if ctypes.util.find_library("cuda") is None:
        pytest.skip("no libcuda.so.1")
    device = NvidiaDriver({"share-busy": "true"}).discover(1)[0]
    seen = subprocess.run(
        [sys.executable, "-c", COUNT], env={**os.environ, **device.visibility}, capture_output=True, text=True, check=True
    )
    assert seen.stdout == "1\n"


def test_a_slot_of_a_local_application_holds_a_real_gpu(tmp_path):
    leases = ["-D", f"treadle.lease.directory={tmp_path / 'leases'}", "-D", "external-resource.gpu.param.share-busy=true"]
    command = ["--", "sh", "-c", "cat $TREADLE_RUNTIME_CONTEXT > $TREADLE_OUT"]
    environment = {"TREADLE_OUT": str(tmp_path / "context.json")}
    said = submit(["--master", "local[1]", "--resource", "gpu=1", *leases, *command], environment, tmp_path)
    assert said.code == 0, said.err
    (info,) = json.loads((tmp_path / "context.json").read_text())["external_resources"]["gpu"]
    assert info["uuid"] in {uuid for (uuid,) in smi("uuid")}
