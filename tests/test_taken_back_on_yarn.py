"""Containers that YARN takes back, on real daemons: preempted by another queue, or over their memory."""

from contextlib import contextmanager
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from submitting import running
from test_failures_on_yarn import application, numbers, registered  # noqa: F401 - numbers is a fixture
from test_on_yarn import SMALL, report, slot_logs, wait_for

from minicluster.cluster import Cluster
from minicluster.layout import Layout
from minicluster.spec import ClusterSpec
from minicluster.startup import prepare, start_daemons
from minicluster.waiting import wait_until_ready

pytestmark = pytest.mark.cluster

PREEMPTION = "yarn.resourcemanager.monitor.capacity.preemption"
SETTINGS = {
    "yarn-site.xml": {
        "yarn.resourcemanager.scheduler.monitor.enable": "true",
        f"{PREEMPTION}.monitoring_interval": "500",
        f"{PREEMPTION}.max_wait_before_kill": "1000",
        f"{PREEMPTION}.total_preemption_per_round": "1.0",
        f"{PREEMPTION}.max_ignored_over_capacity": "0.0",
        f"{PREEMPTION}.natural_termination_factor": "1.0",
        # 3.5.0 leaves memory to cgroups otherwise, which DefaultContainerExecutor has none of; 3.1.4 looks by itself
        "yarn.nodemanager.resource.memory.enforced": "false",
    },
    "capacity-scheduler.xml": {
        "yarn.scheduler.capacity.root.queues": "default,urgent",
        **{f"yarn.scheduler.capacity.root.{queue}.capacity": "50" for queue in ("default", "urgent")},
        **{f"yarn.scheduler.capacity.root.{queue}.user-limit-factor": "2" for queue in ("default", "urgent")},
    },
}
"""Two queues of half the cluster each, which may use all of it until the other one wants its half back."""


def configured(xml, values):
    root = ElementTree.fromstring(xml)
    for entry in [entry for entry in root.iter("property") if entry.findtext("name") in values]:
        root.remove(entry)
    for name, value in values.items():
        entry = ElementTree.SubElement(root, "property")
        ElementTree.SubElement(entry, "name").text, ElementTree.SubElement(entry, "value").text = name, value
    return ElementTree.tostring(root, encoding="unicode")


@pytest.fixture(scope="module")
def scarce(tmp_path_factory):
    """Hadoop 3.5.0: one node of 3 GiB, two queues, preemption, and memory that is looked after."""
    layout = Layout.of(tmp_path_factory.mktemp("scarce"))
    cluster = Cluster(layout, prepare(ClusterSpec("3.5.0", gpus=(0,), memory_mb=3072), layout))
    for name, values in SETTINGS.items():
        file = layout.conf / name
        file.write_text(configured(file.read_text(), values))
    try:
        wait_until_ready(start_daemons(cluster.description, layout), cluster.description, layout)
        yield cluster
    finally:
        cluster.down()


BORROWED = ["--taskmanagers", "3", "-D", "treadle.taskmanager.max-failures=0", "-D", "resourcemanager.taskmanager-timeout=1 h"]
"""With the application master 2,304 MiB of the 1,536 that are its queue's, none of it given back; no failure that counts is borne."""


@contextmanager
def preempted(cluster, app, directory):
    """For as long as another queue wants its half back: the failure that follows from it."""
    urgent = [*SMALL, "--queue", "urgent", "--", "sh", "-c", f"while [ ! -e {directory}/enough ]; do sleep 0.1; done"]
    with running(urgent, cluster.environment(), directory) as process:
        (failure,) = wait_for(lambda: application(cluster, app).get("failures"), "a preempted TaskManager")
        assert failure["kind"] == "preempted"
        yield failure
        (directory / "enough").touch()
        _, err = process.communicate(timeout=90)
        assert process.returncode == 0, err


def test_what_another_queue_preempts_does_not_count_and_comes_back_when_there_is_room(scarce, numbers, tmp_path):  # noqa: F811
    with running([*SMALL, *BORROWED, *numbers], scarce.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: (application(scarce, app).get("jobs") or [{}])[0].get("progress"), "a job under way")
        with preempted(scarce, app, tmp_path) as failure:
            wait_for(lambda: application(scarce, app).get("waiting"), "its replacement to wait")
            assert len(registered(scarce, app)) == 2
        wait_for(lambda: "tm-3" in {each["id"] for each in registered(scarce, app)}, "the replacement")
        (tmp_path / "gate").touch()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert f"{failure['task_manager']} on 127.0.0.11: ended before the job: YARN preempted it" in err
    assert "; tm-3 takes its place" in err
    assert sorted(pq.read_table(tmp_path / "out")["n"].to_pylist()) == list(range(60))


def test_a_command_goes_on_without_what_is_preempted_after_its_slots_have_ended(scarce, tmp_path):
    # the container that was given last goes first
    script = f"case $CONTAINER_ID in *_000002) while [ ! -e {tmp_path}/gate ]; do sleep 0.1; done;; esac; echo done"
    with running([*SMALL, *BORROWED, "--", "sh", "-c", script], scarce.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: sum("done" in log for log in slot_logs(scarce, app).values()) == 2, "two slots that have ended")
        with preempted(scarce, app, tmp_path) as failure:
            assert not application(scarce, app)["waiting"]
        (tmp_path / "gate").touch()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert f"{failure['task_manager']} on 127.0.0.11: ended before the job: YARN preempted it" in err
    assert "takes its place" not in err
    assert "restarts of the job: 0" in err
    assert "succeeded in 3 slots" in report(scarce, app)["diagnostics"]


@pytest.mark.parametrize("version", ["scarce", "cluster_314"])
def test_a_slot_that_takes_more_than_its_container_has_is_told_with_the_numbers(version, request, tmp_path):
    cluster = request.getfixturevalue(version)
    greedy = ["python3", "-c", "import time; held = b'x' * (1 << 30); time.sleep(600)"]
    with running([*SMALL, "--", *greedy], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 1, err
    assert "ended before the job: it used more memory than the container has" in err
    assert "of 512 MB physical memory used" in err
    assert "Raise taskmanager.memory.process.size (--memory)." in err
    assert "used more memory than the container has" in report(cluster, app)["diagnostics"]
