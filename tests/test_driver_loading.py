import sys

import pytest

from drivers.device import Driver, DriverError, FoundDevice
from drivers.fixed_list import ListDriver
from drivers.loading import installed, load
from drivers.nvidia import NvidiaDriver


class OneDevice:
    def __init__(self, params):
        self.name = params["name"]

    def discover(self, amount):
        return [FoundDevice("0", self.name)]


class Failing:
    def __init__(self, params):
        raise ValueError("the card is on fire")


class Refusing:
    def __init__(self, params):
        raise DriverError("the card refuses", "ask it nicely", "detail")


class Deaf:
    def __init__(self, params):
        pass


not_callable = "a text"


def own(name):
    return f"{__name__}:{name}"


def failure(factory, params=None):
    with pytest.raises(DriverError) as raised:
        load(factory, params or {})
    return raised.value


def test_installed_names_are_sorted():
    assert {"list", "nvidia"} <= set(installed())
    assert list(installed()) == sorted(installed())


@pytest.mark.parametrize(
    ("factory", "params", "made"),
    [
        ("nvidia", {}, NvidiaDriver),
        ("list", {"addresses": "a"}, ListDriver),
        ("drivers.fixed_list:ListDriver", {"addresses": "a"}, ListDriver),
        (own("OneDevice"), {"name": "x"}, OneDevice),
    ],
)
def test_a_driver_is_loaded_by_installed_name_or_dotted_path(factory, params, made):
    driver: Driver = load(factory, params)
    assert isinstance(driver, made)


def test_a_factory_gets_exactly_its_parameters():
    assert load(own("OneDevice"), {"name": "x"}).discover(1) == [FoundDevice("0", "x")]


@pytest.mark.parametrize("unknown", ["nvidea", "NVIDIA", "nvidia "])
def test_an_unknown_name_is_answered_with_the_nearest_and_all_installed_ones(unknown):
    error = failure(unknown)
    assert error.cause == f"no driver factory {unknown!r} is installed"
    assert all(name in error.remedy for name in installed())


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [
        ("nvidea", "nvidia"),
        ("NVIDIA", "nvidia"),
        ("org.apache.flink.externalresource.gpu.GpuDriverFactory", "org.apache.flink.externalresource.gpu.GPUDriverFactory"),
    ],
)
def test_the_nearest_name_is_offered(unknown, nearest):
    assert failure(unknown).remedy.startswith(f"Did you mean {nearest!r}? Installed: ")


def test_without_a_near_name_only_the_installed_ones_are_told():
    assert failure("xyzzy").remedy.startswith("Installed: ")


def test_an_unknown_name_imports_nothing(tmp_path, monkeypatch):
    (tmp_path / "xyzzy_driver.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    failure("xyzzy_driver")
    assert "xyzzy_driver" not in sys.modules


@pytest.mark.parametrize(
    ("source", "path", "cause"),
    [
        (None, "no_such_module:Driver", "No module named 'no_such_module'"),
        ("import no_such_library", "broken_driver:Driver", "No module named 'no_such_library'"),
        ("raise RuntimeError('no card')", "broken_driver:Driver", "RuntimeError: no card"),
        ("", "broken_driver:Driver", "AttributeError: .*Driver"),
        ("", "broken driver:Driver", "ValueError: .*broken driver"),
    ],
)
def test_a_path_that_can_not_be_imported(tmp_path, monkeypatch, source, path, cause):
    if source is not None:
        (tmp_path / "broken_driver.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_driver", raising=False)
    with pytest.raises(DriverError, match=f"driver factory '{path}' can't be imported: .*{cause}") as raised:
        load(path, {})
    assert raised.value.__cause__ is not None
    assert "treadle.python.executable" in raised.value.remedy


def test_a_failing_factory_is_named_with_what_it_raised():
    error = failure(own("Failing"))
    assert error.cause == f"driver factory {own('Failing')!r} failed: ValueError: the card is on fire"
    assert isinstance(error.__cause__, ValueError)
    assert "Traceback" in error.detail


def test_a_driver_error_of_a_factory_passes_unchanged():
    error = failure(own("Refusing"))
    assert (error.cause, error.remedy, error.detail) == ("the card refuses", "ask it nicely", "detail")


@pytest.mark.parametrize(
    ("name", "cause"),
    [("Deaf", "made a Deaf, which has no method discover"), ("not_callable", "failed: TypeError: 'str' object is not callable")],
)
def test_what_makes_no_driver_is_refused(name, cause):
    assert cause in failure(own(name)).cause


FILE = """
import json
from drivers.device import FoundDevice

class Cards:
    def __init__(self, params):
        pass

    def discover(self, amount):
        return [FoundDevice("0", json.dumps("x"))]
"""


def test_a_driver_in_a_single_file_is_loaded_and_shadows_nothing(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    before = sys.modules["json"]
    for path in ("json.py", str(tmp_path / "json.py")):
        assert load(f"{path}:Cards", {}).discover(1) == [FoundDevice("0", '"x"')]
    assert sys.modules["json"] is before


@pytest.mark.parametrize(
    ("path", "cause"), [("absent.py:Cards", "FileNotFoundError: .*absent.py"), ("cards.py:Absent", "AttributeError: .*Absent")]
)
def test_a_file_or_class_that_is_missing_is_named(tmp_path, monkeypatch, path, cause):
    (tmp_path / "cards.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DriverError, match=f"driver factory '{path}' can't be imported: {cause}"):
        load(path, {})
