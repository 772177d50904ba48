"""`list` and `kill`, against a ResourceManager that answers from a table."""

import json
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from client_verbs import APPS, ID, app, resourcemanager, submitted


@pytest.fixture
def server(tmp_path, monkeypatch):
    with resourcemanager(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture
def submit(capsys):
    return partial(submitted, capsys)


def asked(server):
    return {key: value[0] for key, value in parse_qs(urlsplit(server.requests[-1][1]).query).items()}


ALIVE = "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING"


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ([], {"states": ALIVE, "user": "ann"}),
        (["-a"], {"states": f"{ALIVE},FINISHED,FAILED,KILLED", "user": "ann"}),
        (["--states", "running, killed", "--user", "bob"], {"states": "RUNNING,KILLED", "user": "bob"}),
        (["--user", "*"], {"states": ALIVE}),
    ],
)
def test_what_the_resourcemanager_is_asked(server, submit, arguments, query):
    server.answer(APPS, {"apps": None})
    code, out, _ = submit("list", *arguments, "--json")
    assert (code, json.loads(out), asked(server)) == (0, {"applications": []}, query | {"applicationTags": "treadle"})


@pytest.mark.parametrize("none", [{"apps": None}, {"apps": {}}, {"apps": {"app": []}}])
def test_no_application_is_the_header_alone(server, submit, none):
    server.answer(APPS, none)
    assert submit("list")[1].split()[:2] == ["APPLICATION-ID", "NAME"]
    assert submit("list", "--no-header")[:2] == (0, "")


def test_the_latest_is_first_and_names_are_patterns(server, submit):
    server.answer(APPS, {"apps": {"app": [app(1), app(3, "ACCEPTED"), app(2, name="other")]}})
    lines = submit("list", "--no-header")[1].splitlines()
    assert [line.split()[0] for line in lines] == ["application_1_0003", "application_1_0002", "application_1_0001"]
    found = json.loads(submit("list", "--name", "job*", "--json")[1])["applications"]
    assert [(one["id"], one["state"]) for one in found] == [("application_1_0003", "ACCEPTED"), ("application_1_0001", "RUNNING")]


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [(["--states", "RUNING"], "--states names 'RUNING'"), (["-a", "--states", "RUNNING"], "--states RUNNING together with --all")],
)
def test_wrong_states(server, submit, arguments, cause):
    code, out, err = submit("list", *arguments)
    assert (code, out, cause in err, "remedy: " in err) == (2, "", True, True)


def test_kill_waits_until_yarn_says_killed(server, submit):
    states = iter([("RUNNING", "UNDEFINED")] * 3 + [("KILLED", "KILLED")])

    def answer():
        state, final = next(states)
        return 200, {}, {"app": app(state=state, finalStatus=final)}

    server.answers[f"{APPS}/{ID}"] = answer
    server.answers[f"{APPS}/{ID}/state"] = (202, {}, {"state": "ACCEPTED"})
    code, out, err = submit("kill", ID)
    assert (code, out, err) == (0, f"{ID}\n", f"{ID} is KILLED, final status KILLED\n")
    assert [request for request in server.requests if request[0] == "PUT"] == [
        ("PUT", f"{APPS}/{ID}/state?user.name=ann", {"state": "KILLED"})
    ]


def test_what_has_ended_is_not_killed_again(server, submit):
    server.answer(f"{APPS}/{ID}", {"app": app(state="FINISHED", finalStatus="SUCCEEDED")})
    code, out, err = submit("kill", ID, "--json")
    end = {"id": ID, "state": "FINISHED", "final_status": "SUCCEEDED", "ended_before": True}
    assert (code, json.loads(out)) == (0, {"applications": [end]})
    assert "had ended before: FINISHED, final status SUCCEEDED" in err
    assert "PUT" not in [method for method, _, _ in server.requests]


@pytest.mark.parametrize(
    ("other", "code", "cause"),
    [
        ("application_1_0009", 4, "does not know application_1_0009"),
        ("application_1_0002", 2, "application_1_0002 is not an application of Treadle's"),
        ("local-1", 2, "local-1 runs on this machine"),
    ],
)
def test_nothing_is_killed_when_one_of_them_cant_be(server, submit, other, code, cause):
    server.answer(f"{APPS}/application_1_0002", {"app": app(2, applicationTags="")})
    found, out, err = submit("kill", ID, other)
    assert (found, out, cause in err) == (code, "", True)
    assert "PUT" not in [method for method, _, _ in server.requests]
