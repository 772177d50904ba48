import io

import pytest
from client_rest_server import serving

from client.application.records import application
from client.console import Console
from client.ending.stopping import Stop
from client.errors import ClientError
from client.following.follow import Follower, YarnSource
from client.following.progress import Progress
from client.yarn.cluster import ApplicationReport
from client.yarn.resourcemanager import ResourceManager
from protocol.outcome import Outcome

ID = "application_1_0001"
REPORT, MASTER = f"/ws/v1/cluster/apps/{ID}", f"/proxy/{ID}/pages/treadle/application"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def task_manager(number, *devices):
    slots = [{"id": f"tm-{number}/slot-{i}", "devices": [device]} for i, device in enumerate(devices)]
    return {"id": f"tm-{number}", "state": "REGISTERED", "node": f"127.0.0.1{number}:41387", "slots": slots}


def device(index, uuid):
    return {"resource": "gpu", "index": index, "uuid": uuid, "properties": {"name": "Tesla"}}


def told(state="RUNNING", **fields):
    tree = {"id": ID, "name": "mnist", "state": state, "outcome": None, "requested": 2, "taskmanagers": [], "jobs": [], "failures": []}
    return tree | fields


def job(done, total, rows=0, report=None):
    return {
        "id": "job-0",
        "name": "classify",
        "status": "RUNNING",
        "progress": {"done": done, "total": total, "rows": rows},
        "report": report,
    }


def outcome(status="SUCCEEDED", exit_code=0, diagnostics="done"):
    return {"status": status, "exit_code": exit_code, "diagnostics": diagnostics}


def yarn(state, final="UNDEFINED", diagnostics="", tracking_url=""):
    return {
        "app": {"id": ID, "name": "mnist", "state": state, "finalStatus": final, "diagnostics": diagnostics, "trackingUrl": tracking_url}
    }


class Script:
    """Answers with one step after the other, and stays at the last; `until` holds the last one back."""

    def __init__(self, *steps, until=lambda: True):
        self.steps = list(steps)
        self.until = until
        self.told_all = False

    def __call__(self):
        left = len(self.steps)
        step = self.steps.pop(0) if left > 2 or (left > 1 and self.until()) else self.steps[0]
        self.told_all = len(self.steps) == 1 and step is self.steps[0]
        return step if isinstance(step, tuple) else (200, {}, step)


@pytest.fixture
def server():
    with serving() as server:
        yield server


def follow(server, stream=None, **paths):
    master = Script(*paths["master"])
    server.answers[MASTER] = master
    server.answers[REPORT] = Script(*paths["report"], until=lambda: not paths.get("wait_for_master") or master.told_all)
    stream = stream or io.StringIO()
    killed = []
    manager = ResourceManager([server.url], "ann")
    source = YarnSource(manager, ID, Stop(manager, ID, {}, killed.append, stream.write), recovery_s=1.0)
    return Follower(source, Progress(Console(stream))).follow(), stream.getvalue().splitlines()


GPUS = [task_manager(1, device("0", "GPU-a"), device("1", "GPU-b")), task_manager(2, device("0", "GPU-c"))]
SLOT_REPORTS = {"slots": [{"slot": "tm-1/slot-0", "rows": 6000}, {"slot": "tm-2/slot-0", "rows": 4000}]}


def test_an_application_from_acceptance_to_its_end(server):
    result, lines = follow(
        server,
        wait_for_master=True,
        report=[yarn("ACCEPTED"), yarn("RUNNING"), yarn("FINISHED", "SUCCEEDED", "done [exit code 0]")],
        master=[
            (404, {}, "not yet"),
            (302, {"Location": f"/cluster/app/{ID}"}, ""),
            told("STARTING"),
            told("STARTING", taskmanagers=GPUS[:1]),
            told(taskmanagers=GPUS),
            told(taskmanagers=GPUS, jobs=[job(0, 10)]),
            told(taskmanagers=GPUS, jobs=[job(5, 10, 5000)]),
            told("FINISHED", taskmanagers=GPUS, jobs=[job(10, 10, 10000, SLOT_REPORTS)], outcome=outcome()),
        ],
    )
    assert result == Outcome("SUCCEEDED", 0, "done")
    assert lines == [
        f"{ID} is ACCEPTED",
        f"{ID} is RUNNING",
        "tm-1 registered on 127.0.0.11 with gpu 0 (GPU-a), gpu 1 (GPU-b) (1/2 TaskManagers)",
        "tm-2 registered on 127.0.0.12 with gpu 0 (GPU-c) (2/2 TaskManagers)",
        "classify: 0/10 fragments, 0 rows",
        "classify: 5/10 fragments, 5,000 rows",
        "classify: 10/10 fragments, 10,000 rows",
        f"{ID} is FINISHED",
        "SLOT         NODE        DEVICES        ROWS",
        "tm-1/slot-0  127.0.0.11  gpu 0 (GPU-a)  6,000",
        "tm-1/slot-1  127.0.0.11  gpu 1 (GPU-b)  0",
        "tm-2/slot-0  127.0.0.12  gpu 0 (GPU-c)  4,000",
        "final status: SUCCEEDED",
    ]


def test_the_master_learns_that_it_is_followed(server):
    follow(server, report=[yarn("RUNNING"), yarn("FINISHED", "SUCCEEDED")], master=[told(outcome=outcome())])
    assert ("GET", f"{MASTER}?follower=1", None) in server.requests


def test_the_proxy_of_the_report_is_used(server):
    with serving() as proxy:
        proxy.answer(MASTER, told("FINISHED", outcome=outcome("FAILED", 7, "the job failed")))
        url = f"{proxy.url}/proxy/{ID}/"
        result, _ = follow(server, report=[yarn("RUNNING", tracking_url=url), yarn("FINISHED", "FAILED")], master=[(404, {}, "")])
    assert result == Outcome("FAILED", 7, "the job failed")


def test_a_failure_is_shown_once_with_its_remedy_and_detail(server):
    failure = {
        "task_manager": "tm-1",
        "node": "n1:80",
        "cause": "asked 2, found 1",
        "remedy": "look at the node",
        "detail": "stderr 1\nstderr 2",
    }
    end = outcome("FAILED", 4, "asked 2, found 1\nlook at the node")
    result, lines = follow(
        server,
        wait_for_master=True,
        report=[yarn("RUNNING"), yarn("FINISHED", "FAILED", "cut off")],
        master=[told(failures=[failure]), told(failures=[failure]), told("FINISHED", failures=[failure], outcome=end)],
    )
    assert result.exit_code == 4
    assert lines == [
        f"{ID} is RUNNING",
        "tm-1 on n1: asked 2, found 1",
        "  remedy: look at the node",
        "  | stderr 1",
        "  | stderr 2",
        f"{ID} is FINISHED",
        "final status: FAILED",
        "cause: asked 2, found 1",
    ]


def failure(number, task_manager="tm-0", **fields):
    lost = {"number": number, "kind": "preempted", "task_manager": task_manager, "node": "n1:80", "cause": "ended before the job"}
    return lost | {"remedy": "none", "detail": ""} | fields


def test_a_failure_that_the_application_survives_names_who_takes_over_and_the_last_cause_is_told_in_full(server):
    first, later = told(taskmanagers=GPUS, failures=[]), told(taskmanagers=GPUS, waiting=[{"id": "tm-3"}], failures=[failure(1, "tm-1")])
    end = outcome("FAILED", 7, "the job failed\nlook at its log\nTraceback")
    _, lines = follow(
        server,
        wait_for_master=True,
        report=[yarn("RUNNING"), yarn("FINISHED", "FAILED")],
        master=[first, later, later, told("FINISHED", failures=[failure(1, "tm-1")], outcome=end)],
    )
    assert [line for line in lines if "tm-1 on" in line] == ["tm-1 on n1: ended before the job; tm-3 takes its place"]
    assert lines[-4:] == ["final status: FAILED", "cause: the job failed", "look at its log", "Traceback"]


def test_a_restart_of_the_job_is_said_once():
    _, text = shown(io.StringIO(), *(told(jobs=[job(0, 0) | {"restarts": number}]) for number in (0, 1, 1, 2)))
    assert [line for line in text.splitlines() if "restart" in line] == [
        "classify failed and is started again (1. restart)",
        "classify failed and is started again (2. restart)",
    ]


def test_failures_that_were_forgotten_hide_no_new_ones(server):
    _, lines = follow(
        server,
        wait_for_master=True,
        report=[yarn("RUNNING"), yarn("FINISHED", "SUCCEEDED")],
        master=[
            told(failures=[failure(1, cause="one"), failure(2, cause="two")]),
            told(failures=[failure(2, cause="two"), failure(3, cause="three")]),
            told("FINISHED", failures=[failure(3, cause="three")], outcome=outcome()),
        ],
    )
    assert [line.partition(": ")[2] for line in lines if line.startswith("tm-0 on")] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (yarn("KILLED", "KILLED", "Application was killed by user ann"), Outcome("KILLED", 3, "Application was killed by user ann")),
        (yarn("FAILED", "FAILED", "AM Container exited with 10"), Outcome("FAILED", 1, "AM Container exited with 10")),
        (yarn("FINISHED", "FAILED", "the job ended with 42 [exit code 42]"), Outcome("FAILED", 42, "the job ended with 42")),
        (yarn("FINISHED", "SUCCEEDED", "fine [exit code 0]"), Outcome("SUCCEEDED", 0, "fine")),
    ],
    ids=["killed", "AM never came", "the job's own code", "success"],
)
def test_yarns_word_counts_when_the_master_said_nothing(server, report, expected):
    assert follow(server, report=[yarn("ACCEPTED"), report], master=[(500, {}, "")])[0] == expected


def test_yarns_status_counts_when_the_master_said_something_else(server):
    report = [yarn("RUNNING"), yarn("KILLED", "KILLED", "killed by the queue's owner")]
    assert follow(server, report=report, master=[told(outcome=outcome())])[0].status == "KILLED"


def test_a_resourcemanager_that_is_away_for_a_moment(server):
    report = [yarn("ACCEPTED"), (503, {}, ""), (500, {}, "<html>"), yarn("FINISHED", "SUCCEEDED")]
    assert follow(server, report=report, master=[(404, {}, "")])[0].status == "SUCCEEDED"


def test_a_resourcemanager_that_has_not_read_its_applications_yet(server):
    report = [yarn("ACCEPTED"), (404, {}, ""), yarn("FINISHED", "SUCCEEDED")]
    assert follow(server, report=report, master=[(404, {}, "")])[0].status == "SUCCEEDED"


def test_a_resourcemanager_that_forgot_the_application(server):
    with pytest.raises(ClientError, match=f"the ResourceManager does not know {ID} any more") as raised:
        follow(
            server, report=[yarn("ACCEPTED"), (404, {}, {"RemoteException": {"message": f"app with id: {ID} not found"}})], master=[told()]
        )
    assert raised.value.exit_code == 5


@pytest.mark.parametrize(
    "tree",
    [[], {}, {"state": "RUNNING", "taskmanagers": "x"}, {"state": "RUNNING", "jobs": [3]}, {"state": "RUNNING", "requested": "many"}],
)
def test_what_is_not_our_master_is_as_no_answer(server, tree):
    with pytest.raises(ValueError, match="not an answer of Treadle's application master"):
        application(tree)
    assert follow(server, report=[yarn("RUNNING"), yarn("FINISHED", "SUCCEEDED")], master=[tree, told(outcome=outcome())])[0].exit_code == 0


def test_killing_asks_the_resourcemanager_first(server):
    killed = []
    manager = ResourceManager([server.url], "ann")
    source = YarnSource(manager, ID, Stop(manager, ID, {}, killed.append, pytest.fail))
    server.answer(f"{REPORT}/state", {"state": "KILLED"})
    source.kill()
    assert killed == []
    server.answers[f"{REPORT}/state"] = (403, {}, {"RemoteException": {"message": "not authenticated"}})
    source.kill()
    assert killed == [ID]


def sight(state="RUNNING"):
    return ApplicationReport(ID, "mnist", state, "UNDEFINED", "", "")


def shown(stream, *steps):
    progress = Progress(Console(stream))
    news = [progress.show(sight(), application(step)) for step in steps]
    return news, stream.getvalue()
