"""The infiniband driver on a directory shaped like sysfs."""

import shutil

import pytest

from drivers.device import DriverError, FoundDevice
from drivers.infiniband import InfinibandDriver


@pytest.fixture
def sysfs(tmp_path):
    def add(device, ports, guid="0c42:a103:0065:1234"):
        for number, state in ports.items():
            port = tmp_path / device / "ports" / str(number)
            port.mkdir(parents=True)
            (port / "state").write_text(f"{state}\n")
            (port / "rate").write_text("100 Gb/sec (4X EDR)\n")
            (port / "link_layer").write_text("InfiniBand\n")
        (tmp_path / device / "node_guid").write_text(f"{guid}\n")
        (tmp_path / device / "device").mkdir()
        (tmp_path / device / "device/numa_node").write_text("1\n")

    add.root = tmp_path
    return add


def discover(sysfs, **params):
    return InfinibandDriver({"root": str(sysfs.root), **params}).discover(1)


def test_a_port_with_all_that_sysfs_tells(sysfs):
    sysfs("mlx5_0", {1: "4: ACTIVE"})
    properties = {"device": "mlx5_0", "port": "1", "state": "ACTIVE", "rate": "100 Gb/sec (4X EDR)", "link_layer": "InfiniBand"}
    visibility = {"UCX_NET_DEVICES": "mlx5_0:1"}
    assert discover(sysfs) == [FoundDevice("mlx5_0", "0c42:a103:0065:1234:1", properties | {"numa_node": "1"}, visibility)]


@pytest.mark.parametrize(("ports", "found"), [("active", ["mlx5_2:2"]), ("all", ["mlx5_2:1", "mlx5_2:2", "mlx5_10"])])
def test_ports_active_or_all_in_natural_order(sysfs, ports, found):
    sysfs("mlx5_10", {1: "1: DOWN"}, "0000:0000:0000:0000")
    sysfs("mlx5_2", {1: "1: DOWN", 2: "4: ACTIVE"})
    assert [device.index for device in discover(sysfs, ports=ports)] == found


def test_a_device_without_guid_goes_by_its_name(sysfs):
    sysfs("rxe0", {1: "4: ACTIVE"}, "0000:0000:0000:0000")
    assert [device.uuid for device in discover(sysfs)] == ["rxe0:1"]


def test_a_blank_visibility_variable_is_none(sysfs):
    sysfs("mlx5_0", {1: "4: ACTIVE"})
    assert [device.visibility for device in discover(sysfs, **{"visibility-variable": " "})] == [{}]


def test_a_node_without_rdma_is_an_error(tmp_path):
    with pytest.raises(DriverError, match=r"cannot read .*missing: No such file"):
        InfinibandDriver({"root": str(tmp_path / "missing")}).discover(1)


@pytest.mark.parametrize(
    ("params", "cause"),
    [
        ({"port": "1"}, "no parameter port$"),
        ({"ports": "up"}, "param.ports is unknown: 'up'"),
        ({"visibility-variable": "A B"}, "no name of an environment variable: 'A B'"),
    ],
)
def test_wrong_parameters_are_refused(params, cause):
    with pytest.raises(DriverError, match=cause):
        InfinibandDriver(params)


@pytest.mark.parametrize(("ports", "words"), [("active", "as an active port"), ("all", "as a port")])
def test_a_port_that_is_gone_for_two_looks_is_lost(sysfs, ports, words):
    sysfs("mlx5_0", {1: "4: ACTIVE"}, "a")
    sysfs("mlx5_1", {1: "4: ACTIVE"}, "b")
    driver = InfinibandDriver({"root": str(sysfs.root), "ports": ports})
    assert [driver.health(uuid) for uuid in ("a:1", "b:1")] == [None, None]
    shutil.rmtree(sysfs.root / "mlx5_1")
    assert [driver.health(uuid) for uuid in ("a:1", "b:1") * 2] == [
        None,
        None,
        None,
        f"{sysfs.root} does not list it {words} any more (2 times in a row)",
    ]


@pytest.mark.parametrize(("ports", "lost"), [("active", True), ("all", False)])
def test_a_port_whose_link_is_down_is_lost_unless_such_ports_are_wanted(sysfs, ports, lost):
    sysfs("mlx5_0", {1: "4: ACTIVE"}, "a")
    driver = InfinibandDriver({"root": str(sysfs.root), "ports": ports})
    state = sysfs.root / "mlx5_0/ports/1/state"
    said = []
    for is_active in (True, False, True, False, False):
        state.write_text("4: ACTIVE\n" if is_active else "1: DOWN\n")
        said.append(driver.health("a:1") is not None)
    assert said == [False] * 4 + [lost]
