"""The parameters of the drivers that run a discovery script, and what they refuse."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from discovery_scripts import WriteScript, driver, indices, writer

from drivers.device import DriverError
from drivers.discovery_script import DiscoveryScriptDriver, GpuDiscoveryScriptDriver


@pytest.fixture
def script(tmp_path: Path) -> WriteScript:
    return writer(tmp_path)


VISIBILITIES = [
    (DiscoveryScriptDriver, {}, {}),
    (DiscoveryScriptDriver, {"visibility-variable": " FPGA_DEVICES "}, {"FPGA_DEVICES": "7"}),
    (DiscoveryScriptDriver, {"visibility-variable": "  "}, {}),
    (GpuDiscoveryScriptDriver, {}, {"CUDA_VISIBLE_DEVICES": "7"}),
    (GpuDiscoveryScriptDriver, {"visibility-variable": ""}, {}),
]


@pytest.mark.parametrize(("factory", "params", "visibility"), VISIBILITIES)
def test_the_visibility_variable(
    script: WriteScript, factory: type[DiscoveryScriptDriver], params: dict[str, str], visibility: dict[str, str]
) -> None:
    found = factory({"discovery-script.path": str(script("echo 7")), **params}).discover(1)
    assert [device.visibility for device in found] == [visibility]


@pytest.mark.parametrize("home", [True, False])
def test_a_relative_path_is_found_in_flink_home_or_the_working_directory(
    script: WriteScript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: bool
) -> None:
    script("echo home", name="home/discover.sh")
    script("echo here", name="here/discover.sh")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("FLINK_HOME", raising=False)
    if home:
        monkeypatch.setenv("FLINK_HOME", str(tmp_path / "home"))
    assert indices(Path("discover.sh")) == ["home" if home else "here"]


@pytest.mark.parametrize(
    ("what", "complaint", "remedy"),
    [
        ("missing", "{path} does not exist", "Correct param.discovery-script.path"),
        ("directory", "{path} is not a file", "Name the script itself"),
        ("plain", "{path} is not executable", "chmod +x"),
    ],
)
def test_a_script_that_can_not_run_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, complaint: str, remedy: str
) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "plain").write_text("echo 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLINK_HOME", raising=False)
    with pytest.raises(DriverError, match=complaint.format(path=tmp_path / what)) as raised:
        driver(Path(what))
    assert remedy in raised.value.remedy


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"discovery-script.arg": "x", "path": "y"}, "has no parameter discovery-script.arg, path"),
        ({"discovery-script.path": "  "}, "param.discovery-script.path is blank"),
        ({"discovery-script.args": "'open"}, "can't be split into words: \"'open\": No closing quotation"),
        ({"discovery-script.timeout": "soon"}, "is not a time limit: 'soon'"),
        ({"discovery-script.timeout": "0 s"}, "is not a time limit: '0 s'"),
        ({"discovery-script.timeout": "61 min"}, "is not a time limit: '61 min'"),
        ({"discovery-script.health": "yes"}, "param.discovery-script.health is unknown: 'yes'"),
        ({"visibility-variable": "A B"}, "is no name of an environment variable: 'A B'"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(params: dict[str, str], complaint: str) -> None:
    with pytest.raises(DriverError, match=complaint):
        DiscoveryScriptDriver(params)


def test_an_unknown_parameter_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DriverError) as raised:
        DiscoveryScriptDriver({"paht": "x"})
    known = "discovery-script.path, discovery-script.args, discovery-script.timeout, visibility-variable, discovery-script.health"
    assert raised.value.remedy == f"it takes {known}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", "10 s"), ("10 s", "10 s"), ("500 ms", "0.5 s"), ("250ms", "0.25 s"), (" 1 min ", "60 s"), ("1.5s", "1.5 s")],
)
def test_a_time_limit_in_each_notation(script: WriteScript, caplog: pytest.LogCaptureFixture, text: str, seconds: str) -> None:
    caplog.set_level(logging.DEBUG)
    driver(script("echo 0"), timeout=text).discover(1)
    assert f"within {seconds}" in caplog.text


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_that_is_not_positive_is_the_callers_mistake(script: WriteScript, amount: int) -> None:
    with pytest.raises(ValueError, match=f"must be positive, not {amount}"):
        driver(script("echo 0")).discover(amount)
