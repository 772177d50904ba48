import io
import time

import pytest
from client_rest_server import serving

from client.application.records import application
from client.command_line.flags import Flags, overrides
from client.console import Console
from client.ending.stopping import Stop
from client.errors import ClientError
from client.following import job_output
from client.following.deadline import Deadline, parse_timeout
from client.following.follow import Sight, YarnSource
from client.following.following import Subject, follow
from client.following.job_output import JobOutput
from client.following.summary import Summary, Tally, duration
from client.logs.directory import LogDirectory
from client.yarn.cluster import ApplicationReport
from client.yarn.resourcemanager import ResourceManager

ID = "application_1_0001"


def sight(state="RUNNING", reserved=None, /, **told):
    report = ApplicationReport(ID, "x", state, "UNDEFINED", "", "", reserved or {})
    return Sight(report, application({"state": "RUNNING", "requested": 1, **told}) if told else None)


ENDED = {"outcome": {"status": "SUCCEEDED", "exit_code": 0, "diagnostics": "done"}}


class Kills:
    """An application that remembers how often it was killed."""

    can_detach = True

    def __init__(self):
        self.count = 0

    def look(self):
        return sight()

    def kill(self):
        self.count += 1


@pytest.mark.parametrize(("text", "seconds"), [("90 s", 90), ("2h", 7200), ("500 ms", 0.5), (None, None)])
def test_a_timeout_is_a_duration(text, seconds):
    assert parse_timeout(text) == seconds


@pytest.mark.parametrize("text", ["6x", "", "-1 s", "0 s"])
def test_what_is_no_timeout_is_refused(text):
    with pytest.raises(ClientError, match="--timeout is") as raised:
        parse_timeout(text)
    assert raised.value.exit_code == 2


def test_an_application_is_killed_once_when_its_time_is_over():
    source, stream = Kills(), io.StringIO()
    deadline = Deadline(0, source, Console(stream))
    time.sleep(0.001)
    deadline.see(sight())
    deadline.see(sight())
    assert (source.count, deadline.passed) == (1, True)
    assert stream.getvalue() == f"killing {ID}: it has not ended within 0 s (--timeout)\n"


@pytest.mark.parametrize("late", [sight("FINISHED"), sight(**ENDED)], ids=["ended", "has its outcome"])
def test_one_that_ends_at_the_last_moment_is_let_end(late):
    source = Kills()
    deadline = Deadline(0, source, Console(io.StringIO()))
    time.sleep(0.001)
    deadline.see(late)
    assert (source.count, deadline.passed) == (0, False)


@pytest.mark.parametrize(
    ("timeout_s", "final", "exit_code"), [(0.0, "KILLED", 124), (0.0, "SUCCEEDED", 0), (60.0, "KILLED", 3)], ids=["late", "race", "in time"]
)
def test_the_exit_code_tells_a_timeout_from_other_kills(timeout_s, final, exit_code):
    with serving() as server:
        states = iter([("RUNNING", "UNDEFINED")])

        def report():
            state, status = next(states, ("FINISHED", final))
            return 200, {}, {"app": {"id": ID, "state": state, "finalStatus": status, "diagnostics": ""}}

        server.answers[f"/ws/v1/cluster/apps/{ID}"] = report
        server.answer(f"/ws/v1/cluster/apps/{ID}/state", {"state": "KILLED"})
        manager = ResourceManager([server.url], "ann")
        source = YarnSource(manager, ID, Stop(manager, ID, {}, pytest.fail, pytest.fail))
        followed = follow(Subject(ID, source), timeout_s, Console(io.StringIO()))
    assert followed.exit_code == exit_code


def test_what_a_job_prints_is_shown_as_it_comes_and_its_last_line_at_the_end(tmp_path):
    stream = io.StringIO()
    output = JobOutput(ID, lambda: LogDirectory(tmp_path), Console(stream))
    (tmp_path / "job.log").write_text("one\ntwo\nhalf")
    (tmp_path / "application.driver.log").write_text("not the job's\n")
    output.see(sight(jobs=[]))
    assert stream.getvalue() == "job | one\njob | two\n"
    output.see(sight(jobs=[], **ENDED))
    output.see(sight("FINISHED", jobs=[], **ENDED))
    assert stream.getvalue() == "job | one\njob | two\njob | half\n"


def test_output_on_yarn_is_that_of_the_masters_container():
    with serving() as server:
        container = "container_1_0001_01_000001"
        server.answer(
            f"/ws/v1/cluster/apps/{ID}", {"app": {"id": ID, "amContainerLogs": f"{server.url}/node/containerlogs/{container}/ann"}}
        )
        logs = f"/ws/v1/node/containers/{container}/logs"
        server.answer(logs, {"containerLogsInfo": {"containerLogInfo": [{"fileName": "job.log", "fileSize": 3}]}})
        source = job_output.on_yarn(ResourceManager([server.url], "ann"), ID)
        assert [(file.container, file.name) for file in source.files()] == [(container, "job.log")]
        server.answer(f"/ws/v1/cluster/apps/{ID}", {"app": {"id": ID, "amContainerLogs": ""}})
        assert job_output.on_yarn(ResourceManager([server.url], "ann"), ID) is None


def heard(number, utilization):
    device = {"resource": "gpu", "uuid": "GPU-a", "utilization": utilization}
    return [{"id": "tm-0", "state": "REGISTERED", "node": "n", "slots": [], "usage": {"heartbeats": number, "devices": [device]}}]


def test_a_summary_counts_each_sign_of_life_once():
    tally = Tally()
    for number, utilization in ((1, 50), (1, 50), (2, 100), (3, None)):
        tally.see(sight(taskmanagers=heard(number, utilization), failures=[{"number": 4}], jobs=[{"restarts": 2}]))
    tally.see(sight("FINISHED", {"memory-mb": 9, "vcores": 9, "yarn.io/gpu": 7200}))
    summary = tally.summary()
    assert (summary.busy, summary.lost, summary.restarts, summary.reserved) == ({"gpu": 75.0}, 4, 2, {"yarn.io/gpu": 7200})
    assert list(summary.lines())[1:] == [
        "reserved: yarn.io/gpu 2.0 device-hours",
        "busy: gpu 75 % of the time",
        "TaskManagers that failed: 4; restarts of the job: 2",
    ]


def test_a_master_that_is_silent_for_a_moment_changes_no_state():
    tally = Tally()
    for each in (sight("ACCEPTED"), sight("RUNNING"), sight(jobs=[]), sight("RUNNING"), sight("FINISHED")):
        tally.see(each)
    assert list(tally.summary().seconds) == ["ACCEPTED", "STARTING", "RUNNING"]


def test_a_job_that_was_over_before_anybody_looked_ran_all_the_same():
    tally = Tally()
    times = {"started": 1_000_000, "running_since": 1_002_500, "now": 1_003_000}
    tally.see(sight("RUNNING"))
    tally.see(sight("RUNNING", state="FINISHED", **ENDED, **times))
    tally.see(sight("FINISHED", state="FINISHED", **ENDED, **times))
    assert tally.summary().seconds == {"STARTING": 2.5, "RUNNING": 0.5}


def test_nothing_is_said_of_what_nobody_told():
    assert list(Summary({}, {}, {}, 0, 0).lines()) == []


@pytest.mark.parametrize(("seconds", "text"), [(3.21, "3.2 s"), (250, "4 min 10 s"), (7500, "2 h 5 min")])
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def test_flags_of_failures_set_keys():
    assert overrides(Flags(restart_attempts="3", allow_failures="1", fail_fast="true"), None) == [
        ("restart-strategy.fixed-delay.attempts", "3", "--restart-attempts"),
        ("treadle.job.allowed-failures", "1", "--allow-failures"),
        ("treadle.job.fail-fast", "true", "--fail-fast"),
        ("restart-strategy.type", "fixed-delay", "--restart-attempts"),
    ]
