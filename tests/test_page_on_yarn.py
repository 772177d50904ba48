"""The page as its user meets it: in a browser, through YARN's proxy, at the address that YARN gives the application."""

import os
import signal
import urllib.error
import urllib.request

import pytest
from chromium import chromium
from prometheus_client.parser import text_string_to_metric_families
from submitting import running, submit
from test_failures_on_yarn import ATTEMPTS, master_of, pids_of
from test_on_yarn import GPU, SMALL, report, wait_for
from test_verbs_on_yarn import verb

pytestmark = pytest.mark.cluster


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def is_there(url):
    """Skein has no such page until the application master's program has told it."""
    try:
        return "<title>Treadle</title>" in get(url)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return False


def metrics(url):
    """Name and labels' values of each sample → its value."""
    families = text_string_to_metric_families(get(url))
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@pytest.mark.parametrize("version", ["cluster", "cluster_314"])
def test_the_tracking_url_leads_to_the_page_which_shows_devices_logs_and_the_end(version, request, tmp_path):
    cluster = request.getfixturevalue(version)
    with (
        running(
            [*SMALL, "--taskmanagers", "2", *GPU, "--name", "<b>seen</b>", "--", "sleep", "1000"], cluster.environment(), tmp_path
        ) as process,
        chromium(tmp_path) as tab,
    ):
        application = process.stdout.readline().strip()
        wait_for(lambda: report(cluster, application)["state"] == "RUNNING", "a running application")
        url = report(cluster, application)["trackingUrl"]
        assert url.endswith(f"/proxy/{application}/")
        wait_for(lambda: is_there(url), "the page")
        tab.open(url)
        tab.wait_for("document.querySelectorAll('#slots tbody tr').length === 2")
        shown = tab.ask("document.getElementById('slots').innerText")
        held = {uuid for node in cluster.nodes for uuid in node.gpu_uuids if uuid in shown}
        assert len(held) == 2
        assert tab.ask("document.getElementById('name').textContent") == "<b>seen</b>"
        tab.wait_for("document.getElementById('state').textContent === 'running'")
        tab.wait_for("document.getElementById('memory').innerText.includes('Application master')")
        listed = tab.ask("[...document.querySelectorAll('#events li .badge')].map(badge => badge.innerText)")
        assert sorted(listed) == ["attempt started", "deployed", "granted", "granted", "registered", "registered"]
        (link, *_) = tab.ask("[...document.querySelectorAll('#taskmanagers a')].map(link => link.href)")
        assert "tm.log" in get(link)
        assert "application.driver.log" in get(tab.ask("document.querySelector('#am-logs a').href"))
        told = metrics(f"{url}metrics")
        assert told["treadle_taskmanagers", "tm", "REGISTERED"] == told["treadle_devices", "gpu", "held"] == 2
        assert told["treadle_application_state", "RUNNING"] == 1
        assert 150 << 20 < told["treadle_master_memory_used_bytes",] < 768 << 20, "a JVM and a Python"
        assert tab.complaints == []
        assert verb(cluster, tmp_path, "kill", application).returncode == 0
        tab.wait_for("document.getElementById('contact').textContent.startsWith('The application has ended')")
        assert tab.ask("document.getElementById('state').textContent") == "killed"
        assert "killed" in tab.ask("document.getElementById('outcome').innerText").lower()


def test_a_second_application_master_goes_on_on_the_same_page_and_in_the_same_history(cluster, tmp_path):
    job = [*SMALL, *ATTEMPTS, "--detach", "--", "sleep", "1000"]
    app = submit(job, cluster.environment(), tmp_path).application
    url = f"{cluster.resourcemanager_url}/proxy/{app}/"
    wait_for(lambda: is_there(url), "the page")
    with chromium(tmp_path) as tab:
        tab.open(url)
        tab.wait_for("document.getElementById('events').innerText.includes('sleep in 1 slot')")
        for pid in pids_of(master_of(cluster, app), "ApplicationMaster"):
            os.kill(pid, signal.SIGKILL)
        tab.wait_for("document.getElementById('events').innerText.match(/sleep in 1 slot/g).length === 2")
        live = tab.ask("document.getElementById('events').innerText")
        assert verb(cluster, tmp_path, "kill", app).returncode == 0
        assert verb(cluster, tmp_path, "history", "page", app).returncode == 0
        tab.open((tmp_path / f"{app}.html").as_uri())
        kept = tab.ask("document.getElementById('events').innerText")
    for text in (live, kept):
        assert [f"number {number} of the application master" in text for number in (1, 2)] == [True, True]
