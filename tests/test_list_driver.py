import pytest

from drivers.device import DriverError, FoundDevice
from drivers.fixed_list import ListDriver


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mlx5_0", ["mlx5_0"]),
        ("mlx5_0;mlx5_1", ["mlx5_0", "mlx5_1"]),
        ("b, a", ["b", "a"]),
        (" mlx5_1 ; mlx5_0 ;", ["mlx5_1", "mlx5_0"]),
        ("[mlx5_0, mlx5_1]", ["mlx5_0", "mlx5_1"]),
        ("['0000:10:00.0', \"0000:11:00.0\"]", ["0000:10:00.0", "0000:11:00.0"]),
    ],
)
def test_addresses_are_index_and_uuid_in_their_order(text, expected):
    assert ListDriver({"addresses": text}).discover(1) == tuple(FoundDevice(address, address) for address in expected)


def test_a_visibility_variable_tells_a_program_its_devices():
    (device,) = ListDriver({"addresses": "mlx5_0:1", "visibility-variable": "UCX_NET_DEVICES"}).discover(1)
    assert device == FoundDevice("mlx5_0:1", "mlx5_0:1", visibility={"UCX_NET_DEVICES": "mlx5_0:1"})


def test_a_blank_visibility_variable_is_none():
    assert ListDriver({"addresses": "a", "visibility-variable": " "}).discover(1) == (FoundDevice("a", "a"),)


@pytest.mark.parametrize(
    ("params", "cause"),
    [
        ({}, "param.addresses is missing"),
        ({"addresses": "  "}, "param.addresses is missing"),
        ({"addresses": "[]"}, "param.addresses is missing"),
        ({"addresses": "a;;b"}, "param.addresses has a blank address: 'a;;b'"),
        ({"addresses": ";"}, "param.addresses has a blank address: ';'"),
        ({"addresses": "a;b;a"}, "param.addresses names a more than once: 'a;b;a'"),
        ({"addresses": "a", "visibility-variable": "A B"}, "no name of an environment variable: 'A B'"),
        ({"addresses": "a", "adresses": "b"}, "no parameter adresses$"),
    ],
)
def test_what_can_not_be_a_list_is_refused_with_key_and_value(params, cause):
    with pytest.raises(DriverError, match=cause) as raised:
        ListDriver(params)
    assert raised.value.remedy
