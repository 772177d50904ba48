"""What an application leaves behind, written and read on this machine; the translation of events, and what is told of odd ends."""

import json
import time
from itertools import count
from pathlib import Path

import pytest
from client_rest_server import serving
from test_cluster_state import ASKED, registration, state

from client.errors import ClientError
from client.history.files import LocalHistoryFiles
from client.history.histories import Histories, Past, histories
from client.history.text import lines
from protocol.history import VERSION, Marker, Summary, UsedDevice, UsedTaskManager, events_file, marker_of, summary_of
from protocol.outcome import FAILED, KILLED, SUCCEEDED, Outcome
from protocol.wire import to_bytes
from yarn_am.cluster_state import ClusterState
from yarn_am.event_log import EventLog
from yarn_am.events import Completed, Finish, Granted, Heard, Progress, Registered, Tick
from yarn_am.history import Views, Writer, WrittenHistory
from yarn_am.history_store import HistoryError, LocalHistoryStore
from yarn_am.plan import GroupPlan, Plan, Restart
from yarn_am.replacement import Limits
from yarn_am.reservations import Reservations

LIMITS = Limits(3, 10.0, 3.0, 2, 3600.0)
PLAN = Plan("sleep", "command", ("sleep", "1"), (GroupPlan("tm", 1, 1, {}),), 1, 300, 50, LIMITS, Restart(0, 1), 0, one_node=False)
APP = "local-20261124-010203-4"


def test_a_summary_is_read_again():
    summary = Summary(id=APP, job=("a", "b"), outcome=Outcome(FAILED, 7, "why"), reserved_hours={"yarn.io/gpu": 1.5}, failures={"ended": 1})
    assert summary_of(to_bytes(summary)) == summary


def test_a_summary_of_another_version_is_read_as_far_as_it_is_known():
    tree = {"version": VERSION + 1, "id": APP, "new": 1, "requested": "many", "task_managers": [{"id": "tm-0", "colour": "red"}]}
    summary = summary_of(json.dumps(tree).encode())
    assert (summary.id, summary.requested, summary.task_managers[0].id) == (APP, 0, "tm-0")


@pytest.mark.parametrize("data", [b"", b"[]", b"{"])
def test_no_json_object_is_no_summary(data):
    with pytest.raises(ValueError, match=r"JSON|Expecting"):
        summary_of(data)


def test_a_marker_is_its_name():
    marker = Marker(2, KILLED, 3, 1795512490)
    assert marker_of(marker.name) == marker
    assert marker_of("summary.json") is None


def test_what_yarn_set_aside_is_counted_from_grant_to_completion():
    reservations = Reservations()
    reservations.note(Granted("c1", "n:1", {"yarn.io/gpu": 2, "vcores": 0}), 0)
    reservations.note(Granted("c2", "n:1", {"yarn.io/gpu": 1}), 0)
    reservations.note(Completed("c1", "tm-0", 0, ""), 3600)
    assert reservations.hours(7200) == {"yarn.io/gpu": 4.0}


def test_progress_is_marked_at_each_twentieth():
    log = EventLog(ClusterState(PLAN), 1)
    for done in range(1001):
        log.note(Progress("map", done, 1000, done), [], 0)
    assert len(log.records()) == 21


def test_a_registration_is_recorded_once_when_its_container_is_known():
    application = state("main")
    log = EventLog(application, 1)
    for event in (
        Granted("c0", "nm1:8041", ASKED),
        Registered(registration(1)),
        Registered(registration(0)),
        Registered(registration(0)),
        Granted("c1", "nm1:8041", ASKED),
    ):
        log.note(event, application.handle(event, 0), 0)
    told = [(record["event"], record.get("task_manager") or record.get("container")) for record in log.records()]
    assert told == [("granted", "c0"), ("registered", "tm-0"), ("granted", "c1"), ("registered", "tm-1"), ("main started", None)]


@pytest.mark.parametrize("event", [Tick(), Heard.__new__(Heard)])
def test_signs_of_life_leave_no_record(event):
    log = EventLog(ClusterState(PLAN), 1)
    assert not log.note(event, [], 0)
    assert log.records() == []


def test_the_middle_of_a_long_log_is_counted():
    log = EventLog(ClusterState(PLAN), 1)
    for number in range(5000):
        log.note(Completed(f"c{number}", None, 0, ""), [], 0)
    records = log.records()
    assert len(records) == 4001
    assert records[2000] == {"event": "left out", "records": 1000}
    assert [record["number"] for record in log.latest(2001)][:2] == [2000, 3001]
    assert records[-1]["container"] == "c4999"


def written(directory, outcome, store=None):
    views = Views(lambda reserved, now: Summary(id=APP, outcome=outcome, reserved_hours=reserved, written=str(now)), dict)
    writer = Writer(store or LocalHistoryStore(directory / "history" / APP))
    log = EventLog(ClusterState(PLAN), 1)
    history = WrittenHistory(log, views, writer, 1)
    log.begin(time.time())
    history.note(Tick(), recorded=log.note(Tick(), [Finish(outcome)], time.time()))
    history.end(outcome)
    return writer


def test_what_is_written_is_shown(tmp_path):
    assert written(tmp_path, Outcome(SUCCEEDED, 0, "sleep succeeded")).wait(60)
    known = histories({"TREADLE_HOME": str(tmp_path)}, None, local=True)
    past = known.one(APP)
    assert (past.status, past.told) == (SUCCEEDED, "sleep succeeded")
    assert [record["event"] for record in known.events(past)] == ["attempt started", "finished"]
    assert [each.summary.id for each in known.latest(5)] == [APP]


def test_as_json_it_has_the_names_that_are_documented(tmp_path):
    written(tmp_path, Outcome(FAILED, 7, "why")).wait(60)
    tree = histories({"TREADLE_HOME": str(tmp_path)}, None, local=True).one(APP).tree()
    assert (tree["final_status"], tree["exit_code"], tree["diagnostics"], tree["taskmanagers"]) == (FAILED, 7, "why", ())
    documented = (Path(__file__).parent.parent / "docs/using.md").read_text()
    assert [key for key in tree if f'"{key}"' not in documented] == []


def test_a_device_is_named_as_the_follower_names_it():
    used = (UsedTaskManager("tm-0", "n1", "c1", "ENDED", (UsedDevice("gpu", "2", "GPU-a", "A100"), UsedDevice("fpga", "0", "card0"))),)
    assert "  gpu 2 (GPU-a) A100, fpga 0 (card0)" in "\n".join(lines(Past(Summary(id=APP, task_managers=used), untold="")))


def test_what_is_used_is_written_again_though_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.setattr("yarn_am.history.REFRESH_S", 0.05)
    looks = count()
    views = Views(lambda _reserved, _now: Summary(id=APP), lambda: next(looks))
    history = WrittenHistory(EventLog(ClusterState(PLAN), 1), views, Writer(LocalHistoryStore(tmp_path), 0, 0), 1)
    deadline = time.monotonic() + 60
    file = tmp_path / "application.json"
    while not (file.exists() and int(file.read_bytes()) >= 2):
        assert time.monotonic() < deadline
        history.note(Tick(), recorded=False)
        time.sleep(0.01)


class StuckStore:
    """A file system that takes an empty file, and hangs with any other."""

    def __init__(self):
        self.marked = []

    def write(self, name, data):
        time.sleep(60)

    def mark(self, name):
        self.marked.append(name)


def test_a_file_system_that_hangs_keeps_nobody_and_has_the_marker(tmp_path):
    store = StuckStore()
    writer = written(tmp_path, Outcome(KILLED, 3, "Stopped by SIGTERM"), store)
    assert not writer.wait(0.5)
    assert marker_of(store.marked[0]).status == KILLED


class RefusingStore:
    def write(self, name, data):
        raise HistoryError("no quota left")

    def mark(self, name):
        raise HistoryError("no quota left")


def test_a_file_system_that_refuses_is_told_once(tmp_path, caplog):
    assert written(tmp_path, Outcome(SUCCEEDED, 0, ""), RefusingStore()).wait(60)
    assert caplog.text.count("no quota left") == 1


def left(tmp_path, files):
    directory = tmp_path / "history" / APP
    directory.mkdir(parents=True)
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return histories({"TREADLE_HOME": str(tmp_path)}, None, local=True)


RUNNING = to_bytes(Summary(id=APP, state="RUNNING", written="2026-11-24T00:00:00.000+00:00"))


def test_a_marker_says_the_end_that_the_summary_does_not(tmp_path):
    past = left(tmp_path, {"summary.json": RUNNING, "ended-1-FAILED-7-1795512490": b""}).one(APP)
    assert (past.status, past.summary.outcome.exit_code) == (FAILED, 7)
    assert "no time to say more" in past.told


def test_an_end_without_a_word_is_told(tmp_path):
    past = left(tmp_path, {"summary.json": RUNNING, events_file(1): b'{"event": "granted"}\n{"event": "regis'}).one(APP)
    assert past.status == "LOST"
    assert "ended without a word" in past.told


def test_an_unknown_application_has_a_cause_and_a_remedy(tmp_path):
    with pytest.raises(ClientError, match=f"there is no history of {APP}") as caught:
        histories({"TREADLE_HOME": str(tmp_path)}, None, local=True).one(APP)
    assert (caught.value.exit_code, "history list --local" in caught.value.remedy) == (4, True)


def test_of_a_local_application_no_directory_on_hdfs_is_read(tmp_path):
    with pytest.raises(ClientError, match="--dir /x names a directory on HDFS") as caught:
        histories({"TREADLE_HOME": str(tmp_path)}, "/x", local=True)
    assert caught.value.exit_code == 2


def test_a_local_application_runs_as_long_as_its_master_answers(tmp_path):
    known = left(tmp_path, {"summary.json": RUNNING})
    application = tmp_path / "applications" / APP
    application.mkdir(parents=True)
    with serving() as server:
        (application / "am.json").write_text(json.dumps({"rest": server.url}))
        server.answer("/application", {"state": "RUNNING"})
        past = known.latest(5)[0]
        assert (past.status, past.exit_code) == ("RUNNING", None)
        assert past.told.startswith("it runs; this was written 2026")
    assert (known.one(APP).status, "or runs" in known.one(APP).told) == ("LOST", False)


def test_no_directory_is_an_empty_list(tmp_path):
    assert histories({"TREADLE_HOME": str(tmp_path)}, None, local=True).latest(5) == []


def test_garbage_is_listed_as_unreadable(tmp_path):
    assert left(tmp_path, {"summary.json": b"{"}).latest(5)[0].problem


ON_YARN = "application_1_0007"


@pytest.fixture
def nothing_written(tmp_path):
    """The history of an application on YARN whose master was killed before it wrote anything, and YARN's word on it."""
    (tmp_path / ON_YARN).mkdir()
    with serving() as server:
        (tmp_path / "yarn-site.xml").write_text(
            "<configuration><property><name>yarn.resourcemanager.webapp.address</name>"
            f"<value>{server.url.removeprefix('http://')}</value></property></configuration>"
        )
        environ = {"HADOOP_CONF_DIR": str(tmp_path), "HADOOP_USER_NAME": "ann"}
        yield Histories(LocalHistoryFiles(tmp_path), "hdfs:///history", environ), server


def test_yarn_is_heard_where_the_application_master_wrote_nothing(nothing_written):
    known, server = nothing_written
    app = {"id": ON_YARN, "name": "job", "user": "ann", "state": "FAILED", "finalStatus": "FAILED", "diagnostics": "exitCode 137"}
    server.answer(f"/ws/v1/cluster/apps/{ON_YARN}", {"app": app | {"startedTime": 1000, "finishedTime": 61000}})
    past = known.one(ON_YARN)
    assert (past.status, past.told) == (FAILED, "its application master ended without a word\nYARN says: exitCode 137")
    assert (past.summary.name, past.summary.user) == ("job", "ann")
    server.answer(f"/ws/v1/cluster/apps/{ON_YARN}", {"app": app | {"state": "RUNNING", "finalStatus": "UNDEFINED"}})
    assert known.one(ON_YARN).told == "it runs, and has written nothing yet"


def test_what_yarn_tells_of_the_application_master_is_put_into_words(nothing_written):
    known, server = nothing_written
    said = "failed 1 times due to AM Container for appattempt_1_0001_000001 exited with  exitCode: -100\nFailing this attempt."
    app = {"id": ON_YARN, "name": "job", "user": "ann", "state": "FAILED", "finalStatus": "FAILED", "diagnostics": said}
    server.answer(f"/ws/v1/cluster/apps/{ON_YARN}", {"app": app})
    cause, remedy = known.one(ON_YARN).told.splitlines()
    assert cause == "the node of the application master was lost, or shut down"
    assert remedy.startswith("remedy: submit it again; with -D yarn.application-attempts=2")
    assert known.one(ON_YARN).exit_code == 1


def test_where_yarn_does_not_know_it_either_nothing_can_be_shown(nothing_written):
    known, _ = nothing_written
    with pytest.raises(ClientError, match=r"summary\.json is not there"):
        known.one(ON_YARN)
