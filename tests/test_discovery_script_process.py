"""The drivers that run a discovery script, with small real scripts."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gpu_node import Node

from drivers.device import DriverError, FoundDevice
from drivers.discovery_script import DiscoveryScriptDriver, GpuDiscoveryScriptDriver
from drivers.script_process import HEAD_BYTES

WriteScript = Callable[..., Path]


@pytest.fixture
def script(tmp_path: Path) -> WriteScript:
    """Writes an executable script and returns its path."""

    def write(body: str, first_line: str = "#!/bin/sh\n", name: str = "discover.sh") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{first_line}{body}\n")
        path.chmod(0o755)
        return path

    return write


def driver(path: Path, **params: str) -> DiscoveryScriptDriver:
    named = {f"discovery-script.{key}": value for key, value in params.items()}
    return DiscoveryScriptDriver({"discovery-script.path": str(path), **named})


def indices(path: Path, amount: int = 2, **params: str) -> list[str]:
    return [device.index for device in driver(path, **params).discover(amount)]


def ended(pid: int) -> bool:
    """Whether a process has ended; one that init has not reaped yet has."""
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


FIRST_LINES = [
    ("0,1", ["0", "1"]),
    (" 0 , 1 ", ["0", "1"]),
    (",0,,1,", ["0", "1"]),
    ("1,0,1", ["1", "0"]),
    ("GPU-abc,MIG-def", ["GPU-abc", "MIG-def"]),
    ("0000:3b:00.0", ["0000:3b:00.0"]),
    ("0,1\r", ["0", "1"]),
    ("", []),
    (" , ", []),
    ("\n0,1", []),
]


@pytest.mark.parametrize(("printed", "found"), FIRST_LINES)
def test_the_first_line_is_split_at_commas(script: WriteScript, printed: str, found: list[str]) -> None:
    assert indices(script(f"printf '%s\\n' '{printed}'")) == found


def test_a_script_that_prints_nothing_at_all_finds_nothing(script: WriteScript) -> None:
    assert driver(script("exit 0")).discover(1) == []


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


def test_a_first_line_without_end_is_refused(script: WriteScript) -> None:
    with pytest.raises(DriverError, match=f"first line is longer than {HEAD_BYTES} bytes"):
        driver(script("head -c 3000000 /dev/zero | tr '\\0' 7")).discover(1)


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
    assert time.monotonic() - started < 5
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
        assert time.monotonic() - started < 6
        assert not ended(int(pid.read_text()))
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_script_that_leaves_a_child_behind_has_succeeded_and_the_child_ends(script: WriteScript, tmp_path: Path) -> None:
    started = time.monotonic()
    assert indices(script(f"sleep 300 & echo $! > '{tmp_path}/pid'; echo 0")) == ["0"]
    assert time.monotonic() - started < 5
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


def test_properties_may_follow_the_first_line(script: WriteScript, caplog: pytest.LogCaptureFixture) -> None:
    path = script(
        """[ "$TREADLE_DISCOVERY_PROPERTIES" = 1 ] || exit 1
        echo 0,1,2
        echo '1: uuid=GPU-bb;name=Tesla T4;note=a=b;memory='
        echo '0: uuid=GPU-aa;memory=15360'"""
    )
    found = DiscoveryScriptDriver({"discovery-script.path": str(path), "visibility-variable": "SHOWN"}).discover(3)
    assert found == [
        FoundDevice("0", "GPU-aa", {"memory": "15360"}, {"SHOWN": "GPU-aa"}),
        FoundDevice("1", "GPU-bb", {"name": "Tesla T4", "note": "a=b", "memory": ""}, {"SHOWN": "GPU-bb"}),
        FoundDevice("2", "2", {}, {"SHOWN": "2"}),
    ]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("further", ["done", "1", "0: fine", "5: uuid=GPU-x", "0: uuid=GPU-x;odd", "0: index=7", "0: =x"])
def test_other_lines_are_warned_of_and_ignored(script: WriteScript, caplog: pytest.LogCaptureFixture, further: str) -> None:
    assert driver(script(f"echo 0; echo; echo '{further}'")).discover(1) == [FoundDevice("0", "0")]
    assert f"Only the first line of a discovery script counts; ignored 1 more: {further}" in caplog.text


def test_two_devices_with_one_uuid_are_refused(script: WriteScript) -> None:
    with pytest.raises(DriverError, match="0 and 1 have the same uuid, GPU-x"):
        driver(script("echo 0,1; echo '0: uuid=GPU-x'; echo '1: uuid=GPU-x'")).discover(2)


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


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    node = Node(tmp_path)
    monkeypatch.setenv("PATH", node.path)
    yield node
    node.close()


def uuids_of(path: Path, factory: type[DiscoveryScriptDriver] = GpuDiscoveryScriptDriver, **params: str) -> list[str]:
    return [device.uuid for device in factory({"discovery-script.path": str(path), **params}).discover(2)]


@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("1,0", ["GPU-0001", "GPU-0000"]),
        ("0,9", ["GPU-0000", "9"]),
        ("GPU-0001,0000:10:00.0", ["GPU-0001", "0000:10:00.0"]),
        ("0,1\n0: uuid=GPU-told;name=T4\n1: name=T4", ["GPU-told", "GPU-0001"]),
    ],
)
def test_gpus_given_by_number_get_their_uuids_from_nvidia_smi(script: WriteScript, gpus: Node, printed: str, found: list[str]) -> None:
    assert uuids_of(script(f"echo '{printed}'")) == found


def test_a_slot_sees_the_gpu_by_its_uuid(script: WriteScript, gpus: Node) -> None:
    found = GpuDiscoveryScriptDriver({"discovery-script.path": str(script("echo 1"))}).discover(1)
    assert found == [FoundDevice("1", "GPU-0001", {}, {"CUDA_VISIBLE_DEVICES": "GPU-0001"})]


@pytest.mark.parametrize(
    ("variable", "found"),
    [("FPGA_DEVICES", ["0", "1"]), ("", ["0", "1"]), ("CUDA_VISIBLE_DEVICES", ["GPU-0000", "GPU-0001"])],
)
def test_other_devices_are_not_taken_for_gpus(script: WriteScript, gpus: Node, variable: str, found: list[str]) -> None:
    assert uuids_of(script("echo 0,1"), DiscoveryScriptDriver, **{"visibility-variable": variable}) == found


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("#!/no/such/shell\n", "cannot start nvidia-smi: No such file or directory"),
        ("#!/bin/sh\necho 'could not talk to the driver'; exit 9\n", "nvidia-smi ended with 9: could not talk to the driver"),
    ],
)
def test_numbers_stay_numbers_where_nvidia_smi_can_not_tell(
    script: WriteScript, gpus: Node, caplog: pytest.LogCaptureFixture, program: str, why: str
) -> None:
    gpus.install(program)
    assert uuids_of(script("echo 0,1")) == ["0", "1"]
    assert why in caplog.text
    assert "leased by their bare indices" in caplog.text


def test_a_watched_gpu_is_not_lost_when_nvidia_smi_fails_once(script: WriteScript, gpus: Node) -> None:
    driver = GpuDiscoveryScriptDriver({"discovery-script.path": str(script("echo 0,1")), "discovery-script.health": "true"})
    assert [device.uuid for device in driver.discover(2)] == ["GPU-0000", "GPU-0001"]
    gpus.install("#!/bin/sh\nexit 9\n")
    assert driver.health("GPU-0000") is None


def test_a_script_says_by_its_exit_code_that_others_use_the_devices(script: WriteScript) -> None:
    waiting = driver(script("echo 'FPGA 0 is used by 4711' >&2; exit 75"))
    with pytest.raises(DriverError, match="says that others use the devices") as raised:
        waiting.discover(1)
    assert waiting.busy
    assert "FPGA 0 is used by 4711" in raised.value.detail
