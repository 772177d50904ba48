"""Whose staging directory goes: only that of an application that has ended for sure, or that nobody has known of for a month."""

import threading
import time

import pytest
from client_edge import write_site

from client.hadoop import rest
from client.hadoop.configuration import HadoopConfiguration
from client.submission import staging_sweep
from client.submission.staging_directories import Staged
from client.submission.staging_sweep import sweep
from client.yarn.cluster import ApplicationReport

DAY_S = 86400


class Directories:
    """Staging directories in memory: application → age in days."""

    def __init__(self, ages, others=()):
        self.ages, self.others = dict(ages), others

    def applications(self):
        return [Staged(name, time.time() - days * DAY_S) for name, days in self.ages.items()]

    def is_ours(self, application):
        return application not in self.others

    def delete(self, application):
        return self.ages.pop(application, None) is not None


class Manager:
    """Knows these applications and their states; `failure` is what it says of all others."""

    def __init__(self, failure=404, **states):
        self.failure, self.states, self.asked = failure, states, []

    def report(self, application):
        self.asked.append(application)
        if application not in self.states:
            raise rest.RestError("http://rm", "no", self.failure)
        return ApplicationReport(application, "", self.states[application], "UNDEFINED", "", "")


def test_directories_of_ended_applications_go_and_no_others():
    staging = Directories(dict.fromkeys(("finished", "failed", "killed", "running", "accepted", "unknown"), 1))
    states = {"finished": "FINISHED", "failed": "FAILED", "killed": "KILLED", "running": "RUNNING", "accepted": "ACCEPTED"}
    sweep(staging, Manager(**states), threading.Event())
    assert sorted(staging.ages) == ["accepted", "running", "unknown"]


def test_an_application_that_nobody_knows_is_forgotten_after_a_month():
    staging = Directories({"new": 0, "week": 7, "old": 31})
    sweep(staging, Manager(), threading.Event())
    assert sorted(staging.ages) == ["new", "week"]


def test_another_program_of_skeins_keeps_its_own():
    staging = Directories({"dask": 40, "ended": 40}, others=("dask", "ended"))
    sweep(staging, Manager(ended="FINISHED"), threading.Event())
    assert len(staging.ages) == 2


@pytest.mark.parametrize("failure", [None, 500])
def test_a_resourcemanager_that_does_not_answer_ends_it(failure):
    staging, manager = Directories({"a": 40, "b": 40}), Manager(failure)
    with pytest.raises(rest.RestError):
        sweep(staging, manager, threading.Event())
    assert (len(staging.ages), len(manager.asked)) == (2, 1)


def test_it_looks_at_some_directories_only_and_comes_to_all_in_time():
    staging, manager = Directories(dict.fromkeys(map(str, range(30)), 1)), Manager(**{str(name): "RUNNING" for name in range(30)})
    sweep(staging, manager, threading.Event())
    assert len(set(manager.asked)) == 20
    for _ in range(50):
        sweep(staging, manager, threading.Event())
    assert len(set(manager.asked)) == 30


def test_it_stops_when_what_it_goes_along_with_is_over():
    stopped, manager = threading.Event(), Manager()
    stopped.set()
    sweep(Directories({"old": 40}), manager, stopped)
    assert manager.asked == []


@pytest.mark.parametrize("default", ["s3a://bucket", "hdfs://127.0.0.1:1"])
def test_a_file_system_that_is_none_or_down_fails_nothing(tmp_path, default):
    write_site(tmp_path, "yarn-site.xml")
    write_site(tmp_path, "core-site.xml", **{"fs.defaultFS": default})
    hadoop = HadoopConfiguration.load({"HADOOP_CONF_DIR": str(tmp_path)})
    with staging_sweep.sweeping(hadoop, "ann"):
        staging_sweep.remove(hadoop, "ann", "application_1_0001")
