"""What `/metrics` says to Prometheus, read with its own parser."""

import urllib.request

import pytest
from page_application import SAMPLES, PageApplication
from prometheus_client.parser import text_string_to_metric_families

from protocol.records import VERSION, DeviceLost
from yarn_am.events import Interrupted, LostDevice
from yarn_am.metrics import METRICS_TYPE, exposition, metrics

MIB = 1024 * 1024


@pytest.fixture
def application():
    application = PageApplication()
    application.run()
    return application


def families(application):
    at = application.began + 10 * SAMPLES + 7
    return list(text_string_to_metric_families(exposition(metrics(application.state, at)).body.decode()))


def samples(application):
    """Name and labels' values, by the labels' names, of each sample → its value."""
    return {(each.name, *each.labels.values()): each.value for family in families(application) for each in family.samples}


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        (("treadle_application_state", "STARTING"), 1),
        (("treadle_application_state", "RUNNING"), 0),
        (("treadle_taskmanagers", "train", "REGISTERED"), 1),
        (("treadle_taskmanagers", "train", "REQUESTED"), 1),
        (("treadle_taskmanagers", "train", "ENDED"), 1),
        (("treadle_taskmanagers", "io", "REGISTERED"), 1),
        (("treadle_master_memory_used_bytes",), 420 * MIB),
        (("treadle_master_cpu_cores",), 0.125),
        (("treadle_slots", "train"), 2),
        (("treadle_taskmanager_heartbeat_age_seconds", "train", "train-0"), 7),
        (("treadle_taskmanager_memory_asked_bytes", "io", "io-0"), 1024 * MIB),
        (("treadle_taskmanager_memory_used_bytes", "train", "train-0"), (700 + 30 * SAMPLES) * MIB),
        (("treadle_slot_memory_used_bytes", "train", "train-0/slot-1", "train-0"), (300 + 20 * SAMPLES) * MIB),
        (("treadle_devices", "gpu", "held"), 2),
        (("treadle_device_utilization_ratio", "train", "gpu", "train-0", "GPU-train-0-0"), 0.02),
        (("treadle_device_memory_bytes", "train", "gpu", "train-0", "GPU-train-0-0"), 81920 * MIB),
        (("treadle_device_temperature_celsius", "train", "gpu", "train-0", "GPU-train-0-1"), 61),
        (("treadle_device_power_watts", "train", "gpu", "train-0", "GPU-train-0-1"), 250.4),
        (("treadle_failures_total", "devices missing"), 1),
        (("treadle_failures_total", "preempted"), 0),
        (("treadle_excluded_nodes",), 1),
        (("treadle_job_fragments_done_total",), 3),
        (("treadle_job_fragments",), 20),
        (("treadle_job_rows_total",), 1500),
    ],
    ids=lambda each: "/".join(each) if isinstance(each, tuple) else str(each),
)
def test_a_running_application_in_numbers(application, sample, value):
    assert samples(application)[sample] == pytest.approx(value)


def test_every_metric_is_ours_and_says_what_it_is(application):
    for family in families(application):
        assert family.name.startswith("treadle_")
        assert family.documentation.endswith(".")
        assert family.type in ("gauge", "counter")


def test_a_lost_device_is_counted_as_lost(application):
    lost = DeviceLost(VERSION, "train-0", "container_train-0", "gpu", "GPU-train-0-1", (), "fell off the bus")
    application.happens(LostDevice(lost), 410)
    told = samples(application)
    assert (told["treadle_devices", "gpu", "held"], told["treadle_devices", "gpu", "lost"]) == (1, 1)
    assert told["treadle_failures_total", "device lost"] == 1


def test_at_the_end_the_state_is_the_outcome(application):
    application.happens(Interrupted("Stopped by SIGTERM"), 420)
    states = {sample[1]: value for sample, value in samples(application).items() if sample[0] == "treadle_application_state"}
    assert [name for name, value in states.items() if value] == ["KILLED"]


def test_an_application_without_anything_has_metrics_too():
    assert samples(PageApplication())["treadle_taskmanagers", "train", "REQUESTED"] == 2


def test_prometheus_gets_its_text_format(application):
    with urllib.request.urlopen(f"{application.server.url}/metrics", timeout=60) as answer:
        assert answer.headers["Content-Type"] == METRICS_TYPE
        assert b"# TYPE treadle_devices gauge\n" in answer.read()
