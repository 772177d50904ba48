"""Real processes: a job's main with its Dask scheduler and two slots, over TLS, on local files."""

import signal
import socket
import ssl
import subprocess
import sys
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from treadle_application import Application, make_treadle_zip, wait_until

MAP_JOB = """
import os, pathlib, sys, threading, time, distributed
import pyarrow as pa
import treadle

class Tell(treadle.RichMapFunction):
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
    def open(self, context):
        self.context = context
        print("OPEN", context.slot, os.environ["OMP_NUM_THREADS"], flush=True)
    def map(self, batch):
        (gpu,) = self.context.get_external_resource_infos("gpu")
        what = (self.directory / "do").read_text()
        if what == "raise":
            raise LookupError("no such digit")
        if what == "wait":
            (self.directory / f"waiting-{self.context.subtask_index}").touch()
            while (what := (self.directory / "do").read_text()) == "wait":
                time.sleep(0.02)
        if what == "secede late":
            secede = distributed.secede
            distributed.secede = lambda: (time.sleep(1), secede())
        columns = {"device": gpu.get_property("uuid"), "thread": str(threading.get_ident())}
        return pa.record_batch({"x": batch["x"], **{name: [value] * len(batch) for name, value in columns.items()}})
    def close(self):
        print("CLOSE", self.context.slot, flush=True)

report = treadle.map_batches(Tell(sys.argv[1]), sys.argv[2], sys.argv[3], name="tell")
print(report.rows, "rows")
"""

CLIENT_JOB = """
import treadle
client = treadle.get_client()
assert client is treadle.get_client()
print(sorted(client.run(lambda: treadle.get_runtime_context().slot).values()))
print(client.scheduler_info()["address"], client.dashboard_link)
"""


@pytest.fixture
def application(tmp_path):
    with Application(tmp_path) as started:
        yield started


@pytest.fixture
def job(tmp_path):
    return job_of(tmp_path, MAP_JOB)


@pytest.fixture
def arguments(tmp_path):
    """Eight files of 100 numbers; the function only maps."""
    (tmp_path / "in").mkdir()
    for number in range(8):
        pq.write_table(pa.table({"x": range(number * 100, number * 100 + 100)}), tmp_path / "in" / f"{number}.parquet")
    tell(tmp_path, "map")
    return tmp_path, tmp_path / "in", tmp_path / "out"


def job_of(directory, text):
    script = directory / "job.py"
    script.write_text(text)
    return script


def tell(directory, what):
    (directory / "new").write_text(what)
    (directory / "new").replace(directory / "do")


def rows(directory):
    return ds.dataset(directory / "out").to_table()


def waiting(directory, index):
    return (directory / f"waiting-{index}").exists


def test_fragments_run_on_both_slots_with_their_own_devices(application, job, arguments, tmp_path):
    assert application.run(job, *arguments) == (0, [0, 0])
    table = rows(tmp_path)
    assert sorted(table["x"].to_pylist()) == list(range(800))
    assert set(table["device"].to_pylist()) == {"GPU-0", "GPU-1"}
    for index in (0, 1):
        mine = table.filter(ds.field("device") == f"GPU-{index}")
        assert len(set(mine["thread"].to_pylist())) == 1
        assert application.log(f"slot-{index}").count(f"OPEN tm-{index}/0 1\n") == 1
        assert application.log(f"slot-{index}").count(f"CLOSE tm-{index}/0\n") == 1


def test_the_application_master_is_told_progress_and_report(application, job, arguments, tmp_path):
    application.run(job, *arguments)
    assert [(event["name"], event["done"], event["total"], event["rows"]) for event in application.events("progress")] == [
        ("tell", done, 8, done * 100) for done in range(9)
    ]
    (event,) = application.events("report")
    report = event["report"]
    assert (event["name"], report["fragments"], report["rows"], report["output"]) == ("tell", 8, 800, str(tmp_path / "out"))
    assert [(slot["slot"], slot["task_manager"], slot["node"], slot["devices"]) for slot in report["slots"]] == [
        (f"tm-{index}/0", f"tm-{index}", f"node{index}", [{"resource": "gpu", "index": "0", "uuid": f"GPU-{index}"}]) for index in (0, 1)
    ]
    assert sum(slot["rows"] for slot in report["slots"]) == 800
    assert 0 < report["seconds_to_first_batch"] < report["seconds"]


def test_logs_are_quiet(application, job, arguments):
    application.run(job, *arguments)
    assert application.log("main") == "800 rows\n"
    assert not [line for line in application.log("slot-0").splitlines() if " INFO distributed" in line or "WARNING" in line]


def test_what_the_function_raises_reaches_the_jobs_main_untried_again(application, job, arguments, tmp_path):
    tell(tmp_path, "raise")
    code, slots = application.run(job, *arguments)
    assert (code, slots) == (1, [0, 0])
    assert ".parquet could not be mapped in slot tm-" in application.log("main")
    assert "LookupError: no such digit" in application.log("main")
    assert "in map" in application.log("main")
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def test_a_fragment_of_a_lost_slot_is_mapped_again_and_not_doubled(application, job, arguments, tmp_path):
    tell(tmp_path, "wait")
    main = application.start_main(job, *arguments)
    lost, kept = application.start_slot(0), application.start_slot(1)
    wait_until(waiting(tmp_path, 0), "the first slot to be at work")
    lost.kill()
    late = application.start_slot(2)
    wait_until(lambda: "has joined" in application.log("slot-2"), "the slot in its place")
    tell(tmp_path, "map")
    assert (main.wait(120), kept.wait(120), late.wait(120)) == (0, 0, 0), application.log("main")
    assert sorted(rows(tmp_path)["x"].to_pylist()) == list(range(800))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["_SUCCESS", *(f"part-{n:05d}.parquet" for n in range(8))]


def test_a_slot_that_loses_its_scheduler_ends_with_1(application, job, arguments, tmp_path):
    tell(tmp_path, "wait")
    main = application.start_main(job, *arguments)
    slots = [application.start_slot(index) for index in (0, 1)]
    wait_until(waiting(tmp_path, 0), "the slot to be at work")
    main.kill()
    # the function never returns: the slot cuts it off
    assert slots[0].wait(60) == 1
    assert "User code in slot tm-0/0 still runs" in application.log("slot-0")


def test_a_slot_that_is_asked_to_end_closes_its_function_and_ends_with_0(application, job, arguments, tmp_path):
    tell(tmp_path, "wait")
    application.start_main(job, *arguments)
    slots = [application.start_slot(index) for index in (0, 1)]
    wait_until(waiting(tmp_path, 1), "the slot to be at work")
    slots[1].send_signal(signal.SIGTERM)
    tell(tmp_path, "map")
    assert slots[1].wait(60) == 0
    assert "CLOSE tm-1/0" in application.log("slot-1")


def test_a_slot_may_be_asked_to_end_just_before_dask_is_told_that_a_fragment_is_mapped(application, job, arguments, tmp_path):
    tell(tmp_path, "wait")
    application.start_main(job, *arguments)
    slot = application.start_slot(0)
    application.start_slot(1)
    wait_until(waiting(tmp_path, 0), "the slot to be at work")
    slot.send_signal(signal.SIGTERM)
    tell(tmp_path, "secede late")
    assert slot.wait(60) == 0, application.log("slot-0")


def test_a_jobs_main_gets_a_dask_client_with_every_slot(application, tmp_path):
    assert application.run(job_of(tmp_path, CLIENT_JOB)) == (0, [0, 0])
    # on a busy machine Dask warns of an unresponsive event loop between them
    slots, scheduler = (line for line in application.log("main").splitlines() if line.startswith(("[", "tls:")))
    assert slots == "['tm-0/0', 'tm-1/0']"
    assert scheduler.startswith("tls://127.0.0.1:")


def test_slots_that_do_not_come_end_in_a_clear_error(application, tmp_path):
    job = job_of(tmp_path, "import treadle; treadle.get_client(timeout_s=0.5)")
    assert application.start_main(job).wait(60) == 1
    assert "RuntimeError: 0 of 2 slots joined within 0.5 s; the logs of the missing slots say why" in application.log("main")


def test_nobody_without_the_applications_certificate_reaches_the_scheduler(application, tmp_path):
    application.start_main(job_of(tmp_path, "import treadle; treadle.get_client()"))
    address = urlsplit(application.scheduler())
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(ssl.SSLError, match=r"CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE"):
        talk(stranger, address.hostname, address.port)


def talk(context, host, port):
    with socket.create_connection((host, port), timeout=30) as plain, context.wrap_socket(plain) as encrypted:
        encrypted.recv(1)


def test_a_slot_that_nobody_told_anything_says_so(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "treadle.dask_slot"],
        env={"PYTHONPATH": str(make_treadle_zip(tmp_path / "treadle.zip"))},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "the slot can't join the scheduler at None: there is no runtime context here" in done.stderr
