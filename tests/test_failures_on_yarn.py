"""Failures on real daemons: killed TaskManagers, containers and nodes; what is lost is replaced, what has a cause says it."""

import json
import os
import signal
from pathlib import Path

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
from submitting import running, submit
from test_clean_stop_on_yarn import processes
from test_on_yarn import GPU, SMALL, get, slot_logs, wait_for

import treadle

pytestmark = pytest.mark.cluster

JOB = """\
import pathlib, sys, time
import treadle

class UntilOpen(treadle.RichMapFunction):
    def __init__(self, gate):
        self.gate = gate
    def map(self, batch):
        while not pathlib.Path(self.gate).exists():
            time.sleep(0.05)
        return batch

treadle.map_batches(UntilOpen(sys.argv[3]), sys.argv[1], sys.argv[2])
"""


def application(cluster, app):
    try:
        return get(f"{cluster.resourcemanager_url}/proxy/{app}/pages/treadle/application")
    except (OSError, ValueError):
        return {}


def registered(cluster, app):
    return [each for each in application(cluster, app).get("taskmanagers", ()) if each["state"] == "REGISTERED"]


def pids_of(container, program):
    """The processes of a container whose command line has this word; not the reaper, which has the words of its command."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if is_of(entry, container, program)]


def is_of(entry, container, program):
    try:
        words = (entry / "cmdline").read_text()
        return f"CONTAINER_ID={container}\0" in (entry / "environ").read_text() and program in words and "reaper.py" not in words
    except OSError:  # it has ended meanwhile
        return False


@pytest.fixture
def numbers(tmp_path):
    """Six files of ten numbers each, and a job that maps them once the gate is there."""
    (tmp_path / "in").mkdir()
    for part in range(6):
        pq.write_table(pa.table({"n": range(10 * part, 10 * part + 10)}), tmp_path / "in" / f"{part}.parquet")
    (tmp_path / "job.py").write_text(JOB)
    return ["job.py", str(tmp_path / "in"), str(tmp_path / "out"), str(tmp_path / "gate")]


def test_a_dask_job_goes_on_over_a_killed_task_manager_and_its_replacement(cluster, numbers, tmp_path):
    with running([*SMALL, "--taskmanagers", "2", *GPU, *numbers], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: (application(cluster, app).get("jobs") or [{}])[0].get("progress"), "a job under way")
        victim = registered(cluster, app)[0]
        os.kill(pids_of(victim["containerId"], "task_manager")[0], signal.SIGKILL)
        wait_for(lambda: {each["id"] for each in registered(cluster, app)} == {"tm-1", "tm-2"}, "the replacement")
        (tmp_path / "gate").touch()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert sorted(pq.read_table(tmp_path / "out")["n"].to_pylist()) == list(range(60))
    assert f"{victim['id']} on" in err
    assert "ended before the job: its exit code was 137" in err


def test_a_command_starts_again_as_a_whole_when_a_task_manager_is_killed(cluster, tmp_path):
    gate = tmp_path / "gate"
    command = ["sh", "-c", f"echo $RANK of $WORLD_SIZE $MASTER_PORT; while [ ! -e {gate} ]; do sleep 0.1; done"]
    restart = ["-D", "restart-strategy.type=fixed-delay", "-D", "restart-strategy.fixed-delay.delay=0"]
    with running([*SMALL, "--taskmanagers", "2", *GPU, *restart, "--", *command], cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: len(slot_logs(cluster, app)) == 2 and all(slot_logs(cluster, app).values()), "two running slots")
        victim = registered(cluster, app)[1]
        os.kill(pids_of(victim["containerId"], "task_manager")[0], signal.SIGKILL)
        wait_for(lambda: "tm-2" in {each["id"] for each in registered(cluster, app)}, "the replacement")
        wait_for(lambda: sum(log.count("of 2") for log in slot_logs(cluster, app).values()) == 4, "the second attempt")
        gate.touch()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    lines = [line.split() for log in slot_logs(cluster, app).values() for line in log.splitlines()]
    ports = {port for _, _, _, port in lines}
    assert sorted(rank for rank, *_ in lines) == ["0", "0", "1", "1"]
    assert len(ports) == 2


def test_a_command_that_may_not_restart_fails_with_the_cause(cluster, tmp_path):
    with running([*SMALL, "--taskmanagers", "2", "--json", "--", "sleep", "100"], cluster.environment(), tmp_path) as process:
        app = next(line for line in process.stderr if " submitted, " in line).partition(" ")[0]
        wait_for(lambda: len(slot_logs(cluster, app)) == 2, "two running slots")
        victim = registered(cluster, app)[0]
        os.kill(pids_of(victim["containerId"], "task_manager")[0], signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["final_status"]) == (1, "FAILED"), err
    assert "its exit code was 137" in json.loads(out)["diagnostics"]


def job_log(cluster, app):
    logs = [path for node in cluster.nodes for path in (cluster.layout.container_logs(node.name) / app).glob("*/job.log")]
    return "".join(path.read_text() for path in logs)


def test_a_dask_job_goes_on_over_a_restart_of_the_datanode(cluster, numbers, tmp_path):
    place = f"{cluster.namenode_uri}/outage"
    filesystem, path = treadle.open_filesystem(place)
    pa.fs.copy_files(str(tmp_path / "in"), f"{path}/in", destination_filesystem=filesystem)
    job = [*SMALL, "--taskmanagers", "2", *GPU, "job.py", f"{place}/in", f"{place}/out", str(tmp_path / "gate")]
    with running(job, cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: (application(cluster, app).get("jobs") or [{}])[0].get("progress"), "a job under way")
        cluster.kill("dn")
        try:
            (tmp_path / "gate").touch()
            wait_for(lambda: "mapped again in" in job_log(cluster, app), "a fragment that fails")
        finally:
            cluster.start("dn")
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert sorted(pq.read_table(f"{path}/out", filesystem=filesystem)["n"].to_pylist()) == list(range(60))
    names = {info.base_name for info in filesystem.get_file_info(pa.fs.FileSelector(f"{path}/out"))}
    assert names == {"_SUCCESS", *(f"part-0000{part}.parquet" for part in range(6))}


SLOW_CARDS = """\
import os, time
from drivers.device import FoundDevice

class Cards:
    def __init__(self, params):
        self._hangs_without = params["file"]

    def discover(self, amount):
        try:
            os.close(os.open(self._hangs_without, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return [FoundDevice(index="0", uuid=f"card-{os.getpid()}", visibility={})]
        time.sleep(3600)
"""


def test_a_task_manager_that_does_not_register_in_time_is_replaced(cluster, tmp_path):
    (tmp_path / "cards.py").write_text(SLOW_CARDS)
    card = ["--resource", "card=1", "-D", f"external-resource.card.driver-factory.class={tmp_path}/cards.py:Cards"]
    card += ["-D", f"external-resource.card.param.file={tmp_path}/first"]
    limit = ["-D", "resourcemanager.taskmanager-registration.timeout=20 s", "-D", "external-resource.card.discovery-timeout=1 h"]
    said = submit([*SMALL, *card, *limit, "--taskmanagers", "2", "--", "true"], cluster.environment(), tmp_path)
    assert said.code == 0, said.err
    assert "did not register within 20 s of the grant of container" in said.err
    assert "; tm-2 takes its place" in said.err
    assert "a slow node needs a longer resourcemanager.taskmanager-registration.timeout" in said.err
    wait_for(lambda: not processes(said.application), "the end of the one that hangs")


ATTEMPTS = ["-D", "yarn.application-attempts=2"]


def master_of(cluster, app):
    """The container of the application master that runs now."""
    attempts = get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps/{app}/appattempts")["appAttempts"]["appAttempt"]
    return max(attempts, key=lambda attempt: attempt["id"])["containerId"]


def staging_of(cluster, app):
    filesystem, path = treadle.open_filesystem(f"{cluster.namenode_uri}/user")
    selector = pa.fs.FileSelector(path, recursive=True)
    return [info.path for info in filesystem.get_file_info(selector) if f".skein/{app}" in info.path]


def test_a_second_application_master_goes_on_where_the_first_was_killed(cluster, numbers, tmp_path):
    job = [*SMALL, *ATTEMPTS, "--taskmanagers", "2", *GPU, *numbers]
    with running(job, cluster.environment(), tmp_path) as process:
        app = process.stdout.readline().strip()
        wait_for(lambda: (application(cluster, app).get("jobs") or [{}])[0].get("progress"), "a job under way")
        first = master_of(cluster, app)
        devices = {device["uuid"] for each in registered(cluster, app) for device in each["devices"]}
        for pid in pids_of(first, "ApplicationMaster"):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: master_of(cluster, app) != first, "the second attempt")
        wait_for(lambda: len(registered(cluster, app)) == 2, "its TaskManagers")
        assert len(devices) == 2
        (tmp_path / "gate").touch()
        _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert sorted(pq.read_table(tmp_path / "out")["n"].to_pylist()) == list(range(60))
    wait_for(lambda: not staging_of(cluster, app), "the staging directory to go")


def test_what_failed_for_good_is_not_tried_by_a_second_application_master(cluster, tmp_path):
    said = submit([*SMALL, *ATTEMPTS, "--", "sh", "-c", "echo once; exit 7"], cluster.environment(), tmp_path)
    report = get(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps/{said.application}")["app"]
    assert said.code == 7, said.err
    assert (report["state"], report["finalStatus"]) == ("FINISHED", "FAILED")
    assert "sh ended with exit code 7" in report["diagnostics"]
    assert master_of(cluster, said.application).endswith("_01_000001")
    wait_for(lambda: not staging_of(cluster, said.application), "the staging directory to go")
