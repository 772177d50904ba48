"""The process of a discovery script: how it is started, waited for and ended, and what its failure tells; small real scripts."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from discovery_scripts import WriteScript, driver, indices, writer

from drivers.device import DriverError


@pytest.fixture
def script(tmp_path: Path) -> WriteScript:
    return writer(tmp_path)


def ended(pid: int) -> bool:
    """Whether a process has ended; one that init has not reaped yet has."""
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


ARGUMENTS = [
    ({}, ["3"]),
    ({"args": ""}, ["3"]),
    ({"args": "--a 'b c' \"d\""}, ["3", "--a", "b c", "d"]),
    ({"args": "$HOME *;`id`"}, ["3", "$HOME", "*;`id`"]),
]


@pytest.mark.parametrize(("params", "words"), ARGUMENTS)
def test_the_script_gets_the_amount_and_its_arguments(
    script: WriteScript, tmp_path: Path, params: dict[str, str], words: list[str]
) -> None:
    driver(script(f"printf '%s\\n' \"$@\" > '{tmp_path}/words'"), **params).discover(3)
    assert (tmp_path / "words").read_text().splitlines() == words


def test_the_script_is_a_direct_child_without_input_in_a_group_of_its_own(script: WriteScript) -> None:
    path = script('[ "$(cut -d " " -f 5 /proc/$$/stat)" = $$ ] && ! read -r line && echo $PPID')
    assert indices(path) == [str(os.getpid())]


def test_paths_with_blanks_and_scripts_without_first_line_run(script: WriteScript) -> None:
    assert indices(script('echo "$1"', first_line="", name="my scripts/find it.sh"), 4) == ["4"]


def test_more_output_than_a_pipe_holds_does_not_block(script: WriteScript) -> None:
    path = script("echo 0,1; head -c 1000000 /dev/zero | tr '\\0' x; head -c 1000000 /dev/zero | tr '\\0' y >&2")
    assert indices(path) == ["0", "1"]


def test_a_failing_script_is_quoted(script: WriteScript) -> None:
    path = script("echo asked $1; echo 'no GPU here' >&2; exit 3")
    with pytest.raises(DriverError, match=rf"exited with 3: {path} 2 --x$") as raised:
        driver(path, args="--x").discover(2)
    assert raised.value.detail == "stderr:\nno GPU here\nstdout:\nasked 2"


def test_of_a_failing_script_that_says_much_the_end_is_quoted(script: WriteScript) -> None:
    with pytest.raises(DriverError) as raised:
        driver(script("seq 1 100000 >&2; echo the cause >&2; exit 1")).discover(1)
    assert raised.value.detail.endswith("100000\nthe cause")
    assert len(raised.value.detail) < 5000


def test_a_script_that_is_killed_is_told_from_one_that_exits(script: WriteScript) -> None:
    with pytest.raises(DriverError, match="was ended by signal 9"):
        driver(script("kill -9 $$")).discover(1)


def test_an_interpreter_that_is_missing_is_an_error(script: WriteScript) -> None:
    with pytest.raises(DriverError, match=r"cannot start .*discover.sh: No such file") as raised:
        driver(script("", first_line="#!/no/such/shell\n")).discover(1)
    assert "interpreter in its first line" in raised.value.remedy


def test_a_hanging_script_is_killed_with_its_children(script: WriteScript, tmp_path: Path) -> None:
    hanging = driver(script(f"echo stuck >&2; sleep 300 & echo $! > '{tmp_path}/pid'; wait"), timeout="1 s")
    started = time.monotonic()
    with pytest.raises(DriverError, match=r"took longer than 1 s and was killed") as raised:
        hanging.discover(1)
    assert time.monotonic() - started < 100
    assert raised.value.detail == "stderr:\nstuck"
    child = int((tmp_path / "pid").read_text())
    assert wait_until(lambda: ended(child))


def test_a_child_that_leaves_the_group_and_keeps_the_pipes_does_not_hold_us_up(script: WriteScript, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hanging = driver(script(f"setsid sh -c 'echo $$ > {pid}; exec sleep 300' & sleep 300"), timeout="2 s")
    started = time.monotonic()
    try:
        with pytest.raises(DriverError, match="took longer than"):
            hanging.discover(1)
        assert time.monotonic() - started < 100
        assert not ended(int(pid.read_text()))
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_script_that_leaves_a_child_behind_has_succeeded_and_the_child_ends(script: WriteScript, tmp_path: Path) -> None:
    started = time.monotonic()
    assert indices(script(f"sleep 300 & echo $! > '{tmp_path}/pid'; echo 0")) == ["0"]
    assert time.monotonic() - started < 100
    child = int((tmp_path / "pid").read_text())
    assert wait_until(lambda: ended(child))


def test_output_that_passes_through_a_slow_filter_is_waited_for(script: WriteScript) -> None:
    assert indices(script("exec > >(sleep 0.2; cat)\necho 0,1", first_line="#!/usr/bin/env bash\n")) == ["0", "1"]


def test_a_script_that_closes_its_pipes_is_waited_for(script: WriteScript) -> None:
    with pytest.raises(DriverError, match="exited with 7"):
        driver(script("exec >&- 2>&-; sleep 0.1; exit 7")).discover(1)


def test_what_a_script_says_on_stderr_is_logged_and_kept_though_it_succeeds(script: WriteScript, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    talking = driver(script("[ $1 = 1 ] || exit 0; echo 'one GPU is hot' >&2; echo 0"))
    talking.discover(1)
    assert "one GPU is hot" in caplog.text
    assert talking.remarks == "one GPU is hot"
    talking.discover(2)
    assert talking.remarks == ""


def test_a_script_says_by_its_exit_code_that_others_use_the_devices(script: WriteScript) -> None:
    waiting = driver(script("echo 'FPGA 0 is used by 4711' >&2; exit 75"))
    with pytest.raises(DriverError, match="says that others use the devices") as raised:
        waiting.discover(1)
    assert waiting.busy
    assert "FPGA 0 is used by 4711" in raised.value.detail
