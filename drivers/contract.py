"""What `drivers.device` promises, as tests that a driver's author inherits: give the class a fixture `driver`, see docs/drivers.md."""

from __future__ import annotations

from drivers.device import DeviceUsage, Driver


class DriverContract:
    """Plain pytest tests; the fixture `driver` must find at least one device."""

    def test_devices_are_found(self, driver: Driver) -> None:
        """The environment of the test holds a device, and it is found."""
        assert list(driver.discover(1))

    def test_every_device_has_an_index_and_a_uuid_of_its_own(self, driver: Driver) -> None:
        """Leases and slots go by them."""
        devices = driver.discover(1)
        for values in ([device.index for device in devices], [device.uuid for device in devices]):
            assert all(isinstance(value, str) and value.strip() for value in values)
            assert len(set(values)) == len(values)

    def test_properties_and_visibility_are_text(self, driver: Driver) -> None:
        """They become environment variables and JSON."""
        for device in driver.discover(1):
            for mapping in (device.properties, device.visibility):
                assert all(isinstance(text, str) for item in mapping.items() for text in item)

    def test_visibility_values_can_be_joined_by_commas(self, driver: Driver) -> None:
        """A slot with several devices gets them joined."""
        assert [value for device in driver.discover(1) for value in device.visibility.values() if not value or "," in value] == []

    def test_a_driver_that_watches_finds_its_devices_healthy(self, driver: Driver) -> None:
        """`health` is optional. What is wrong with a device when it is found is no loss: the driver leaves it out, or lives with it."""
        health = getattr(driver, "health", None)
        if health:
            devices = driver.discover(1)
            assert [health(device.uuid) for device in devices for _ in range(3)] == [None] * 3 * len(devices)

    def test_a_driver_that_tells_of_use_tells_of_each_device(self, driver: Driver) -> None:
        """`usage` is optional; None stands for what the device does not tell."""
        usage = getattr(driver, "usage", None)
        if usage:
            uuids = tuple(device.uuid for device in driver.discover(1))
            told = usage(uuids)
            assert set(told) <= set(uuids)
            assert all(isinstance(each, DeviceUsage) and each.is_well_formed() for each in told.values())

    def test_a_driver_that_releases_takes_any_of_its_devices_and_none(self, driver: Driver) -> None:
        """`release` is optional; it is called whatever became of the devices."""
        release = getattr(driver, "release", None)
        uuids = [device.uuid for device in driver.discover(1)]
        if release:
            assert [release(held) for held in (tuple(uuids), ())] == [None, None]

    def test_asking_twice_gives_the_same(self, driver: Driver) -> None:
        """The TaskManager asks again when devices are taken."""
        assert list(driver.discover(1)) == list(driver.discover(1))
