"""A container, the GPUs that it asks YARN for, and GPUs as a driver shows them."""

from conf.settings import ExternalResource
from drivers.device import FoundDevice

ME = "container_1700000000000_0001_01_000002"
GPU = ExternalResource("gpu", 2, "fake_drivers:driver", "yarn.io/gpu", {})


def gpu(minor, told=True):
    return FoundDevice(str(minor), f"GPU-{minor}", {"minor_number": str(minor)} if told else {})
