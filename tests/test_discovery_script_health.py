"""A discovery script that is asked again whether its devices are still there."""

from __future__ import annotations

from pathlib import Path

import pytest
from discovery_scripts import WriteScript, driver, writer

from drivers.device import DriverError


@pytest.fixture
def script(tmp_path: Path) -> WriteScript:
    return writer(tmp_path)


WATCHED = """
if [ "$TREADLE_DISCOVERY_HEALTH" = 1 ]; then echo "$*" >> {directory}/health-runs; cat {directory}/there; else echo 0,1; fi
"""


def test_a_watched_device_that_the_script_does_not_list_twice_is_lost(script: WriteScript, tmp_path: Path) -> None:
    path, there = script(WATCHED.format(directory=tmp_path)), tmp_path / "there"
    watching = driver(path, health="true", args="--all")
    watching.discover(2)
    said = []
    for listed in ("0,1,2", "0", "0,1", "0", "0"):
        there.write_text(listed)
        said.append([watching.health(uuid) for uuid in "01"])
    assert said == [[None, None]] * 4 + [[None, f"{path} does not list it any more (2 times in a row)"]]
    assert (tmp_path / "health-runs").read_text() == "2 --all\n" * 5


def test_a_script_that_fails_says_nothing_of_its_devices(script: WriteScript, tmp_path: Path) -> None:
    watching = driver(script(WATCHED.format(directory=tmp_path)), health="true")
    watching.discover(2)
    with pytest.raises(DriverError, match="the discovery script exited with 1"):
        watching.health("0")


def test_a_script_that_need_not_be_fit_for_it_is_not_run_again(script: WriteScript, tmp_path: Path) -> None:
    unwatched = driver(script(WATCHED.format(directory=tmp_path)))
    unwatched.discover(2)
    assert unwatched.health("0") is None
    assert not (tmp_path / "health-runs").exists()
