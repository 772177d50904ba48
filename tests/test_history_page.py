"""The page of a history: one file, opened from the disk by a real browser, without a server."""

import json
import time

import pytest
from client_verbs import submitted
from page_application import CONFIGURATION, EVIL, PageApplication
from test_page import WORST_CONTRAST, events, section

from protocol.history import Marker, events_file
from protocol.launch import Job
from protocol.wire import to_bytes
from yarn_am import views
from yarn_am.events import Interrupted
from yarn_am.history_summary import summary

APP = "local-20261124-010203-4"


@pytest.fixture
def application():
    application = PageApplication(APP)
    application.run()
    return application


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """Where the histories of this machine are; the command runs in the directory above."""
    monkeypatch.setenv("TREADLE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "history" / APP


def leave(application, directory):
    """Writes what an application master writes."""
    settings, job = CONFIGURATION.settings(), Job("main", (EVIL, "--fast"))
    known = summary(application.state, settings, application.about, job, 1, {}, time.time())
    page = views.everything(application.state, settings, application.about, time.monotonic())
    directory.mkdir(parents=True)
    (directory / "summary.json").write_bytes(to_bytes(known))
    (directory / "application.json").write_text(json.dumps(page))
    (directory / events_file(1)).write_text("".join(json.dumps(record) + "\n" for record in application.log.records()))


def opened(browser, directory, capsys):
    """The browser with the page that the command has written."""
    assert submitted(capsys, "history", "page", APP) == (0, f"{APP}.html\n", "")
    browser.complaints.clear()
    browser.open((directory.parent.parent / f"{APP}.html").as_uri())
    return browser


@pytest.fixture
def tab(browser, application, directory, capsys):
    """The page of an application that was interrupted."""
    application.happens(Interrupted("Stopped by SIGTERM"), 420)
    leave(application, directory)
    return opened(browser, directory, capsys)


def test_all_that_the_live_page_had_is_there_and_nobody_is_asked(tab):
    assert "History: the application was killed, " in tab.ask("document.getElementById('contact').innerText")
    assert "what is below was written " in tab.ask("document.getElementById('contact').innerText")
    assert "killed exit code 3 Stopped by SIGTERM" in " ".join(section(tab, "outcome").split())
    for words in ("train-0/slot-1", "A100-SXM4-80GB", "GPU-train-0-0", "39.1 GiB of 80.0 GiB"):
        assert words in section(tab, "slots")
    assert tab.ask("document.querySelectorAll('#slots svg').length") == 10
    assert "Time\n7 min" in section(tab, "overview")
    assert "420 MiB of 1.0 GiB" in section(tab, "memory")
    assert "Remedy: Ask for less." in section(tab, "failures")
    assert events(tab)[0] == ["finished", "killed, exit code 3: Stopped by SIGTERM"]
    assert section(tab, "waiting") == ""
    assert tab.complaints == []
    assert tab.ask("performance.getEntriesByType('resource').filter(each => !each.name.startsWith('data:')).length") == 0


def test_nothing_leads_where_only_a_living_application_master_answers(tab):
    links = tab.ask("[...document.querySelectorAll('a')].map(a => [a.innerText, a.protocol])")
    assert links == [["Everything as JSON", "blob:"]]
    assert f"submit logs {APP}" in tab.text()


def test_everything_can_be_saved_as_json(tab, tmp_path):
    tab.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    tab.ask("document.getElementById('everything').click()")
    deadline = time.monotonic() + 60
    while not (file := tmp_path / f"{APP}.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    tree = json.loads(file.read_text())
    assert tree["application"]["name"] == f"classify {EVIL}"
    assert tree["events"][-1]["event"] == "finished"
    assert tree["history"]["status"] == tree["summary"]["outcome"]["status"] == "KILLED"


def test_names_that_are_html_stay_text(tab):
    assert EVIL in tab.ask("document.getElementById('name').textContent")
    assert tab.ask("document.title").startswith("classify <script>")
    assert tab.ask("document.querySelectorAll('img').length + document.querySelectorAll('main script').length") == 0


def test_its_policy_lets_no_other_script_run_and_loads_nothing(tab):
    tab.ask("(s => { s.textContent = 'document.title = \"owned\"'; document.body.append(s) })(document.createElement('script'))")
    tab.ask("(s => { s.src = 'http://127.0.0.1:9/x.png'; document.body.append(s) })(document.createElement('img'))")
    assert tab.ask("document.title") != "owned"
    assert [each for each in tab.complaints if "Content Security Policy" not in each] == []
    assert len(tab.complaints) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_a_phone_and_a_desk_and_can_be_read_in_both_schemes(tab, width, scheme):
    tab.resize(width)
    tab.prefer(scheme)
    assert tab.ask("document.documentElement.scrollWidth") <= width, "nothing is cut off or has to be scrolled to"
    assert tab.ask(WORST_CONTRAST) >= 4.5, "WCAG AA"


def test_the_configuration_can_be_filtered(tab):
    tab.ask("document.querySelector('#configuration details').open = true")
    tab.ask("(f => { f.value = 'licence'; f.dispatchEvent(new Event('input')) })(document.getElementById('filter'))")
    rows = tab.ask("[...document.querySelectorAll('#configuration tbody tr')].map(row => row.innerText.split(/\\s+/))")
    assert rows == [["external-resource.gpu.param.licence-token", "******", "conf.yaml:7"]]


def test_what_was_killed_before_its_last_words_has_the_end_that_its_marker_tells(browser, application, directory, capsys):
    leave(application, directory)
    (directory / Marker(1, "FAILED", 9, 1795512490).name).touch()
    tab = opened(browser, directory, capsys)
    assert "History: the application failed, " in tab.ask("document.getElementById('contact').innerText")
    assert "failed exit code 9" in " ".join(section(tab, "outcome").split())
    assert "failed" in section(tab, "job")
    assert "train-0/slot-1" in section(tab, "slots")


@pytest.mark.parametrize("page", [None, b"{", b'{"application": {}}'])
def test_without_the_page_s_json_there_is_what_summary_and_events_have(browser, application, directory, capsys, page):
    application.happens(Interrupted("Stopped by SIGTERM"), 420)
    leave(application, directory)
    (directory / "application.json").unlink()
    if page is not None:
        (directory / "application.json").write_bytes(page)
    tab = opened(browser, directory, capsys)
    assert "Stopped by SIGTERM" in section(tab, "outcome")
    assert "GPU-train-0-1" in section(tab, "slots")
    assert "could not register" in section(tab, "failures")
    assert ["nodes excluded", "nm3"] in events(tab)
    assert "3 of 20 fragments" in section(tab, "job")
    assert tab.complaints == []


def test_a_marker_alone_makes_a_page_too(browser, directory, capsys):
    directory.mkdir(parents=True)
    (directory / Marker(1, "KILLED", 3, 1795512490).name).touch()
    tab = opened(browser, directory, capsys)
    assert "its application master has written nothing" in tab.ask("document.getElementById('contact').innerText")
    assert "killed" in section(tab, "outcome")
    assert tab.complaints == []


def test_it_can_go_to_stdout(application, directory, capsys):
    leave(application, directory)
    code, out, err = submitted(capsys, "history", "page", APP, "--output", "-")
    assert (code, err) == (0, "")
    assert out.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "code", "cause", "remedy"),
    [
        ([APP, "--output", "/nowhere/page.html"], 2, "/nowhere/page.html can't be written: No such file or directory", "--output"),
        ([f"{APP}5"], 4, f"there is no history of {APP}5", "submit history list"),
        (["job.py"], 2, "'job.py' is not the id of an application", "submit history list"),
    ],
)
def test_what_is_wrong_has_a_cause_and_a_remedy(application, directory, capsys, words, code, cause, remedy):
    leave(application, directory)
    ended, out, err = submitted(capsys, "history", "page", *words)
    assert (ended, out) == (code, "")
    assert cause in err.splitlines()[0]
    assert remedy in err.splitlines()[1]
