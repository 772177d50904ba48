"""The application master's page in a real browser, with an application that says everything there is to say."""

import json
import re
import urllib.request

import pytest
from page_application import EVIL, PageApplication

from protocol.records import VERSION, DeviceLost
from yarn_am.events import Completed, Interrupted, LostDevice, NodeChanged, Progress

LIVE = "document.getElementById('contact').textContent.startsWith('Live')"


@pytest.fixture
def application():
    return PageApplication()


def opened(browser, application):
    browser.complaints.clear()
    browser.open(f"{application.server.url}/")
    browser.wait_for(LIVE)
    return browser


def section(tab, name):
    """The text of a section, "" while it isn't shown."""
    return tab.ask(f"(section => section.hidden ? '' : section.innerText)(document.getElementById('{name}'))")


def test_before_anything_is_there_the_page_says_what_it_waits_for(browser, application):
    tab = opened(browser, application)
    assert "0 of 3" in section(tab, "overview").replace("\n", " ")
    assert "2.0 GiB, 2 vcores, 2 yarn.io/gpu" in section(tab, "waiting")
    assert [section(tab, name) for name in ("slots", "taskmanagers", "failures", "excluded", "outcome")] == [""] * 5
    assert tab.complaints == []


def test_a_running_application_shows_slots_devices_failures_and_what_is_waited_for(browser, application):
    application.run()
    tab = opened(browser, application)
    tab.wait_for("document.querySelector('#slots svg')")
    slots = section(tab, "slots")
    for words in ("Group train", "train-0/slot-1", "A100-SXM4-80GB", "GPU-train-0-0", "39.1 GiB of 80.0 GiB", "61 °C", "250 W", "Group io"):
        assert words in slots
    assert "Time\n7 min" in section(tab, "overview")
    assert "3 of 20 fragments, 1,500 rows" in section(tab, "job")
    assert "gpu: asked 2, found 1" in section(tab, "failures")
    assert "Remedy: Ask for less." in section(tab, "failures")
    assert "train-2" in section(tab, "waiting")
    assert "Application master 1.0 GiB 420 MiB of 1.0 GiB" in " ".join(section(tab, "memory").split())
    assert "nm3" in section(tab, "excluded")
    assert tab.complaints == []


def test_what_no_driver_tells_has_no_column(browser, application):
    application.register("io-0", "nm2", 0)
    application.beat("io-0", 1, 0)
    tab = opened(browser, application)
    headings = tab.wait_for(
        "(found => found.length && found.map(each => each.innerText))([...document.querySelectorAll('#slots thead th')])"
    )
    assert headings == ["Slot", "CPU", "Memory", "Device"]


def test_a_chart_tells_its_numbers_to_who_cannot_see_it(browser, application):
    application.run()
    tab = opened(browser, application)
    label = tab.wait_for("document.querySelector('#slots svg[aria-label^=\"Utilisation of gpu 0\"]')?.getAttribute('aria-label')")
    assert label == "Utilisation of gpu 0 of train-0: now 2 %, lowest 0 %, highest 100 %"


def test_names_that_are_html_stay_text(browser, application):
    application.run()
    tab = opened(browser, application)
    assert EVIL in section(tab, "job")
    assert EVIL in tab.ask("document.getElementById('name').textContent")
    assert tab.ask("document.title").startswith("classify <script>")
    assert tab.ask("document.querySelectorAll('img').length + document.querySelectorAll('main script').length") == 0


def test_the_log_links_lead_to_the_nodemanagers_and_keep_the_scheme(browser, application):
    application.run()
    tab = opened(browser, application)
    addresses = tab.ask("[...document.querySelectorAll('#am-logs a, #taskmanagers a')].map(a => a.getAttribute('href'))")
    assert addresses == [
        "//nm1:8042/am",
        "//nm1:8042/node/containerlogs/container_train-0/alice",
        "//nm2:8042/node/containerlogs/container_io-0/alice",
    ]


def test_the_configuration_has_origins_hides_secrets_and_can_be_filtered(browser, application):
    tab = opened(browser, application)
    tab.ask("document.querySelector('#configuration details').open = true")
    tab.ask("(f => { f.value = 'gpu.param'; f.dispatchEvent(new Event('input')) })(document.getElementById('filter'))")
    rows = tab.ask("[...document.querySelectorAll('#configuration tbody tr')].map(row => row.innerText.split(/\\s+/))")
    assert rows == [
        ["external-resource.gpu.param.addresses", "0,1", "conf.yaml:6"],
        ["external-resource.gpu.param.licence-token", "******", "conf.yaml:7"],
    ]
    assert "hunter2" not in tab.ask("fetch('application.json').then(answer => answer.text())")


def test_the_page_follows_what_happens_and_leaves_focus_and_open_details(browser, application):
    application.run()
    tab = opened(browser, application)
    tab.ask("document.querySelector('#failures details').open = true; document.querySelector('#taskmanagers a').focus()")
    lost = DeviceLost(VERSION, "train-0", "container_train-0", "gpu", "GPU-train-0-1", (), "NVML says: GPU is lost")
    application.happens(LostDevice(lost), 410)
    tab.wait_for("document.getElementById('slots').innerText.includes('lost: NVML says: GPU is lost')")
    assert tab.ask("document.querySelectorAll('#failures details')[0].open")
    assert tab.ask("document.activeElement.getAttribute('aria-label')") == "Logs of train-0"


def events(tab):
    """Kind and words of each event, the latest first."""
    return tab.ask("[...document.querySelectorAll('#events li')].map(item => [...item.children].slice(1).map(each => each.innerText))")


def test_what_happened_is_listed_the_latest_first(browser, application):
    application.run()
    tab = opened(browser, application)
    listed = events(tab)
    assert listed[-1] == ["attempt started", "number 1 of the application master"]
    assert listed[0] == ["progress", "classify: 3 of 20 fragments, 1,500 rows"]
    for event in (
        ["granted", "container_train-0 on nm1:8041: 2.0 GiB, 2 vcores, 2 yarn.io/gpu"],
        ["registered", "train-0 on nm1: 2 slots, gpu 0, gpu 1"],
        ["failure", "devices missing: train-1 on nm3 could not register: gpu: asked 2, found 1"],
        ["nodes excluded", "nm3"],
        ["replacement requested", "train-2"],
    ):
        assert event in listed
    assert len(tab.ask("[...document.querySelectorAll('#events time')].map(time => time.dateTime)")) == len(listed)
    lost = DeviceLost(VERSION, "train-0", "container_train-0", "gpu", "GPU-train-0-1", (), "fell off the bus")
    application.happens(LostDevice(lost), 410)
    tab.wait_for("document.querySelector('#events li').innerText.includes('fell off the bus')")
    assert len(events(tab)) == len(listed) + 2, "the device, and the failure that it is"


def test_who_waits_for_a_node_that_is_out_is_told_so(browser, application):
    application.run()
    tab = opened(browser, application)
    for node, state, health in (("nm1:8041", "LOST", ""), ("nm3:8041", "UNHEALTHY", "ERROR no GPU")):
        application.happens(NodeChanged(node, state, health), 410)
    tab.wait_for("document.getElementById('waiting').innerText.includes('no node is left')")
    assert "no node is left that has had one: nm1 was lost; nm3 became unhealthy: ERROR no GPU" in section(tab, "waiting")
    tab.wait_for("document.getElementById('events').innerText.includes('no node is left')")
    assert ["node changed", "nm1:8041 is LOST"] in events(tab)
    assert ["node changed", "nm3:8041 is UNHEALTHY: ERROR no GPU; no node is left for train"] in events(tab)


def test_of_progress_the_latest_is_listed(browser, application):
    for done in range(21):
        application.happens(Progress("classify", done, 20, done * 100))
    tab = opened(browser, application)
    assert [kind for kind, _ in events(tab)] == ["progress", "attempt started"]
    assert "20 of 20 fragments" in section(tab, "events")


def test_of_many_events_the_latest_are_shown_until_all_are_wanted(browser, application):
    for number in range(300):
        application.happens(Completed(f"c{number}", None, 0, ""))
    tab = opened(browser, application)
    assert len(events(tab)) == 50
    assert "101 events before these" in section(tab, "events")
    tab.ask("document.getElementById('all-events').click()")
    assert len(events(tab)) == 200
    assert "Show all" not in section(tab, "events")


def test_a_device_that_no_taskmanager_is_to_take_again_is_shown(browser, application):
    application.run()
    lost = DeviceLost(VERSION, "train-0", "container_train-0", "gpu", "GPU-train-0-1", ("train-0/slot-1",), "fell off the bus")
    application.happens(LostDevice(lost), 410)
    tab = opened(browser, application)
    assert "gpu GPU-train-0-1 of nm1: fell off the bus" in section(tab, "excluded")
    assert ["devices excluded", "gpu GPU-train-0-1 of nm1"] in events(tab)


def test_the_end_is_shown(browser, application):
    application.run()
    tab = opened(browser, application)
    application.happens(Interrupted("Stopped by SIGTERM"), 420)
    tab.wait_for("!document.getElementById('outcome').hidden")
    assert "killed exit code 3" in section(tab, "outcome").replace("\n", " ")
    assert "Stopped by SIGTERM" in section(tab, "outcome")
    assert section(tab, "waiting") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_a_phone_and_a_desk_and_can_be_read_in_both_schemes(browser, application, width, scheme):
    application.run()
    tab = opened(browser, application)
    tab.resize(width)
    tab.prefer(scheme)
    tab.wait_for("document.querySelector('#slots svg')")
    assert tab.ask("document.documentElement.scrollWidth") <= width, "nothing is cut off or has to be scrolled to"
    assert tab.ask(WORST_CONTRAST) >= 4.5, "WCAG AA"


WORST_CONTRAST = """(() => {
  const light = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
    .map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => { const b = getComputedStyle(node).backgroundColor;
    return b !== 'rgba(0, 0, 0, 0)' ? b : behind(node.parentElement) };
  const told = [...document.querySelectorAll('body *')].filter(n => n.offsetParent
    && [...n.childNodes].some(c => c.nodeType === 3 && c.data.trim()));
  return Math.min(...told.map(n => {
    const [a, b] = [light(getComputedStyle(n).color), light(behind(n))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
})()"""
"""The least contrast of any text with what is behind it, as WCAG 2 counts it."""


def fetched(application, path):
    with urllib.request.urlopen(f"{application.server.url}{path}", timeout=60) as answer:
        return answer.headers, answer.read().decode()


@pytest.mark.parametrize("path", ["/", "/live.js", "/application", "/events", "/metrics", "/pages/treadle/", "/pages/treadle/application"])
def test_nothing_from_elsewhere_may_run_in_any_answer(application, path):
    headers, _ = fetched(application, path)
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_has_no_script_or_style_of_its_own_text_and_no_address_elsewhere(application):
    _, page = fetched(application, "/")
    assert "style=" not in page
    assert set(re.findall(r"<script[^>]*>(.*?)</script>", page)) == {""}
    for path in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert re.fullmatch(r"[a-z.]+", path), f"{path} is not relative to wherever the proxy shows the page"
        assert fetched(application, f"/{path}")[1]


def test_everything_in_one_file_to_keep(application):
    application.run()
    headers, text = fetched(application, "/application.json")
    assert headers["Content-Disposition"] == 'attachment; filename="application_1_0001.json"'
    tree = json.loads(text)
    assert tree["application"]["failures"][0]["remedy"] == "Ask for less."
    assert {each["id"] for each in tree["usage"]["taskmanagers"]} == {"io-0", "train-0"}
    assert {"key": "external-resource.gpu.param.licence-token", "value": "******", "origin": "conf.yaml:7"} in tree["configuration"]


def test_a_failure_has_the_time_at_which_it_was_noted(application):
    application.run()
    _, text = fetched(application, "/application")
    tree = json.loads(text)
    assert tree["now"] - tree["failures"][0]["timestamp"] == pytest.approx(399_000, abs=20_000)
