"""What applications leave on the real HDFS: succeeded, failed, killed by YARN, and with the application master killed by SIGKILL."""

import json
import os
import signal
import subprocess

import pytest
from submitting import SUBMIT, running, submit
from test_failures_on_yarn import application, pids_of, registered
from test_on_yarn import GPU, SMALL, get, wait_for

pytestmark = pytest.mark.cluster


def history(cluster, *words):
    environment = {**os.environ, **cluster.environment()}
    ran = subprocess.run([SUBMIT, "history", *words], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def details(cluster, app):
    return get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps/{app}")["app"]


def ended(cluster, app):
    return wait_for(lambda: (known := details(cluster, app))["state"] in ("FINISHED", "FAILED", "KILLED") and known, "the end")


def page(cluster, app, tab, directory):
    """The page made of a history, opened from the disk."""
    environment = {**os.environ, **cluster.environment()}
    subprocess.run([SUBMIT, "history", "page", app], env=environment, cwd=directory, check=True, timeout=60)
    tab.complaints.clear()
    tab.open((directory / f"{app}.html").as_uri())
    assert tab.complaints == []
    return " ".join(tab.text().split())


def test_what_succeeded_is_listed_and_shown_with_its_devices_and_events(cluster, tmp_path, browser):
    said = submit([*SMALL, *GPU, "--", "true"], cluster.environment(), tmp_path)
    assert said.code == 0, said.err
    assert said.application in [each["id"] for each in history(cluster, "list", "--json")["applications"]]
    shown = history(cluster, "show", said.application, "--json", "--events")
    assert (shown["final_status"], shown["exit_code"]) == ("SUCCEEDED", 0)
    assert [device["resource"] for device in shown["taskmanagers"][0]["devices"]] == ["gpu"]
    assert shown["reserved_hours"]["yarn.io/gpu"] > 0
    events = [record["event"] for record in shown["events"]]
    assert [events[0], events[-1]] == ["attempt started", "finished"]
    assert {"granted", "registered", "deployed", "slot ended"} <= set(events)
    text = page(cluster, said.application, browser, tmp_path)
    assert "History: the application succeeded, " in text
    assert shown["taskmanagers"][0]["devices"][0]["uuid"] in text
    assert "Application master 768 MiB" in text
    assert "slot ended tm-0/slot-0: exit code 0" in text


def test_what_failed_has_its_cause_and_exit_code(cluster, tmp_path, browser):
    said = submit([*SMALL, "--", "sh", "-c", "exit 7"], cluster.environment(), tmp_path)
    shown = history(cluster, "show", said.application, "--json")
    assert (said.code, shown["final_status"], shown["exit_code"]) == (7, "FAILED", 7)
    assert "exit code 7" in shown["diagnostics"]
    text = page(cluster, said.application, browser, tmp_path)
    assert "History: the application failed, " in text
    assert "failed exit code 7" in text


@pytest.fixture
def waiting(cluster, tmp_path):
    """An application that runs, of which something has been written."""
    with running([*SMALL, "--", "sleep", "100"], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: registered(cluster, app), "the TaskManager")
        wait_for(lambda: app in whole(history(cluster, "list", "--json")["applications"]), "its history")
        yield app


def whole(listed):
    """The directory is there before the summary in it."""
    return [each["id"] for each in listed if not each["problem"]]


def test_what_yarn_killed_says_so(cluster, waiting, browser, tmp_path):
    subprocess.run([SUBMIT, "kill", waiting], env={**os.environ, **cluster.environment()}, check=True, timeout=60)
    ended(cluster, waiting)
    shown = history(cluster, "show", waiting, "--json")
    assert (shown["final_status"], shown["outcome"]["status"]) == ("KILLED", "KILLED")
    assert "YARN says: " in shown["diagnostics"]
    text = page(cluster, waiting, browser, tmp_path)
    assert "History: the application was killed, " in text
    assert f"YARN says: Application {waiting} was killed by user" in text
    assert "registered tm-0 on " in text


def test_an_application_master_that_was_killed_at_once_leaves_what_it_had_written(cluster, waiting):
    container = wait_for(lambda: application(cluster, waiting).get("logs"), "the application master's page").split("/")[-2]
    os.kill(pids_of(container, "yarn_am")[0], signal.SIGKILL)
    ended(cluster, waiting)
    shown = history(cluster, "show", waiting, "--json")
    assert (shown["final_status"], shown["finished"]) == ("FAILED", None)
    assert "ended without a word\nYARN says: " in shown["diagnostics"]
