"""`submit logs` in this process, against a ResourceManager and a NodeManager that answer from a table, and a `yarn` of the test's own."""

import json
import os
import signal
import subprocess
import sys

import pytest
from client_nodemanager import AM, ATTEMPT, SAID, TM, Node, framed
from client_verbs import APPS, ID, app, resourcemanager, submitted


@pytest.fixture
def manager(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for variable in ("HADOOP_HOME", "HADOOP_YARN_HOME"):
        monkeypatch.delenv(variable, raising=False)
    with resourcemanager(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture
def node(manager):
    return Node(manager)


def yarn(directory, script):
    """Puts a program `yarn` on PATH."""
    program = directory / "bin" / "yarn"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def collected(directory, files, *, code=0):
    (directory / "collected").write_text("".join(framed(c, name, text, -len(text)) for (c, name), text in files.items()))
    yarn(directory, f'echo "$@" > {directory}/asked; while IFS= read -r line; do echo "$line"; done < {directory}/collected; exit {code}')


def ended(manager, status="SUCCEEDED", **fields):
    known = app(state="FINISHED", finalStatus="SUCCEEDED", finishedTime=1700000001000, logAggregationStatus=status) | fields
    manager.answer(f"{APPS}/{ID}", {"app": known})


def test_a_running_application_is_read_from_its_nodes(node, capsys):
    assert submitted(capsys, "logs", ID) == (0, "job | main says\ntm-0/slot-0 | one\ntm-0/slot-0 | two\ntm-0/slot-0 | three\n", "")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--task", "job"], ["job | main says"]),
        (["--task", "tm-0/slot-0", "--tail", "1"], ["tm-0/slot-0 | three"]),
        (["--task", "tm-0", "--tail", "1"], [f"tm-0 | {SAID.decode().strip()}", "tm-0/slot-0 | three"]),
        (["--all", "--tail", "1"], ["job | main says", f"tm-0 | {SAID.decode().strip()}", "tm-0/slot-0 | three"]),
        (["--tail", "0"], []),
        (["--stderr"], ["tm-0/slot-0 | two"]),
    ],
)
def test_what_is_asked_for(node, capsys, options, expected):
    code, out, err = submitted(capsys, "logs", ID, *options)
    assert (code, out.splitlines(), err) == (0, expected, "")


def test_json_has_an_object_for_each_line(node, capsys):
    _, out, _ = submitted(capsys, "logs", ID, "--task", "job", "--json")
    assert json.loads(out) == {"container": AM, "task": "job", "file": "job.log", "line": "main says"}


def test_a_file_that_outgrows_what_was_asked_for_loses_nothing(node, capsys):
    """The node gives the last n bytes; 200 kB more than were listed push the first ones out of them."""
    lines = [f"line {i:06}" for i in range(20_000)]

    def grow(container, name):
        if name == "job.log":
            node.files[AM]["job.log"] = "".join(f"{line}\n" for line in lines).encode()

    node.during = grow
    code, out, err = submitted(capsys, "logs", ID, "--task", "job")
    assert (code, out.splitlines(), err) == (0, [f"job | {line}" for line in lines], "")


def test_a_node_that_does_not_answer_is_named(manager, node, capsys):
    del manager.answers[f"/ws/v1/node/containers/{TM}/logs"]
    code, out, err = submitted(capsys, "logs", ID)
    assert (code, out) == (0, "job | main says\n")
    assert err.startswith(f"warning: {TM} can't be read now: ")


def test_a_wrong_task_is_answered_with_those_there_are(node, capsys):
    code, out, err = submitted(capsys, "logs", ID, "--task", "tm-7")
    assert (code, out) == (2, "")
    assert err == "error: no task 'tm-7' has written a log\nremedy: name one of the application's tasks: there are job, tm-0, tm-0/slot-0\n"


def test_an_application_that_waits_has_none_yet(manager, capsys):
    manager.answer(f"{APPS}/{ID}", {"app": app(state="ACCEPTED")})
    manager.answer(f"{APPS}/{ID}/appattempts", {"appAttempts": {}})
    code, out, err = submitted(capsys, "logs", ID)
    assert (code, out) == (1, "")
    assert err == f"error: {ID} is ACCEPTED and has no logs yet\nremedy: look again when it is RUNNING, or follow it with -f\n"


def test_an_ended_application_is_read_by_hadoops_own_reader_in_our_order(manager, tmp_path, capsys):
    ended(manager)
    collected(tmp_path, {(TM, "slot-0.log"): b"one\ntwo", (TM, "taskmanager.log"): SAID, (AM, "job.log"): b"main says\n"})
    code, out, err = submitted(capsys, "logs", ID)
    assert (code, out, err) == (0, "job | main says\ntm-0/slot-0 | one\ntm-0/slot-0 | two\n", "")
    assert (tmp_path / "asked").read_text() == f"logs -applicationId {ID} -appOwner ann\n"


def test_what_follows_a_running_application_shows_each_line_once_to_its_end(manager, node, tmp_path, capsys):
    """The node is read up to the middle of a line and never again: the rest of it, and what came later, are in the logs collected."""
    node.files[TM]["slot-0.log"] = b"one\ntw"
    looks = []

    def end(container, name):
        looks.append(name)
        if looks.count("slot-0.log") == 1 and name == "slot-0.log":
            ended(manager)
            manager.answer(f"{APPS}/{ID}/appattempts/{ATTEMPT}/containers", {})
            files = {(TM, "slot-0.log"): b"one\ntwo\nthree", (TM, "taskmanager.log"): SAID, (AM, "job.log"): b"main says\nbye\n"}
            collected(tmp_path, files)

    node.during = end
    code, out, err = submitted(capsys, "logs", ID, "-f")
    assert (code, err) == (0, "")
    assert sorted(out.splitlines()) == ["job | bye", "job | main says", "tm-0/slot-0 | one", "tm-0/slot-0 | three", "tm-0/slot-0 | two"]


def test_a_cluster_that_collects_no_logs(manager, capsys):
    ended(manager, "DISABLED")
    code, out, err = submitted(capsys, "logs", ID)
    assert (code, out) == (5, "")
    assert "yarn.log-aggregation-enable is false\nremedy: look on the nodes that it ran on, below yarn.nodemanager.log-dirs" in err


def test_logs_that_are_gone(manager, tmp_path, capsys):
    ended(manager)
    yarn(tmp_path, f"echo 'Can not find the logs for the application: {ID} with the appOwner: ann' >&2; exit 255")
    code, out, err = submitted(capsys, "logs", ID)
    assert (code, out) == (1, "")
    assert f"there are no logs of {ID}" in err
    assert "yarn.log-aggregation.retain-seconds" in err


def test_a_reader_that_fails_half_way_is_no_secret(manager, tmp_path, capsys):
    ended(manager)
    collected(tmp_path, {(AM, "job.log"): b"main says\n"}, code=1)
    code, out, err = submitted(capsys, "logs", ID)
    assert (code, out) == (0, "job | main says\n")
    assert err.startswith(f"warning: the logs of {ID} can't be read: ")


def test_without_a_hadoop_client(manager, capsys):
    ended(manager)
    code, out, err = submitted(capsys, "logs", ID)
    assert (code, out) == (5, "")
    assert "there is no `yarn` on PATH\nremedy: put Hadoop's bin directory on PATH, or set HADOOP_HOME" in err


def test_an_application_that_yarn_has_forgotten_may_have_left_its_logs(manager, tmp_path, capsys):
    del manager.answers[f"{APPS}/{ID}"]
    collected(tmp_path, {(AM, "job.log"): b"main says\n"})
    assert submitted(capsys, "logs", ID) == (0, "job | main says\n", "")


@pytest.mark.parametrize("installed", [True, False])
def test_an_unknown_application(manager, tmp_path, capsys, installed):
    if installed:
        yarn(tmp_path, "echo 'no such logs' >&2; exit 255")
    code, out, err = submitted(capsys, "logs", "application_1_0099")
    assert (code, out) == (4, "")
    assert err.startswith("error: the ResourceManager does not know application_1_0099\nremedy: ")


def test_what_is_no_id(manager, capsys):
    assert submitted(capsys, "logs", "job.py")[0] == 2


def test_ctrl_c_ends_it_quietly(manager, node):
    with subprocess.Popen(
        [sys.executable, "-m", "client", "logs", ID, "-f"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout.readline() == b"job | main says\n"
        process.send_signal(signal.SIGINT)
        assert (process.wait(60), process.stderr.read()) == (130, b"")
