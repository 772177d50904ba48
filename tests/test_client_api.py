"""The same from Python: submit, wait, kill, devices, logs, history."""

import pytest

from client import api

JOB = "import sys\nprint('hello from', *sys.argv[1:])\n"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TREADLE_HOME", str(tmp_path / "home"))
    (tmp_path / "job.py").write_text(JOB)


def leases(tmp_path):
    return {"treadle.lease.directory": tmp_path / "leases"}


def test_a_script_is_submitted_waited_for_and_its_output_read(tmp_path, capsys):
    application = api.submit("job.py", "--epochs", "3", master="local[1]", conf=leases(tmp_path))
    followed = application.wait()
    captured = capsys.readouterr()
    assert (followed.outcome.status, followed.exit_code) == ("SUCCEEDED", 0)
    assert application.logs(task="job") == "job | hello from --epochs 3"
    assert captured.out == ""
    assert "tm-0 registered" in captured.err
    assert repr(application) == f"Application('{application.id}')"
    assert "FINISHED" in application._repr_html_()
    assert (application.status()["state"], application.status()["taskmanagers"]) == ("FINISHED", None)


def test_devices_are_those_of_the_command(tmp_path):
    conf = {**leases(tmp_path), "external-resource.fpga.driver-factory.class": "list", "external-resource.fpga.param.addresses": "card0"}
    application = api.submit("sleep", "100", command=True, master="local[1]", resources={"fpga": 1}, conf=conf)
    try:
        tree = wait_for_slots(application)
    finally:
        application.kill()
    assert tree["taskmanagers"][0]["slots"][0]["devices"][0]["index"] == "card0"
    with pytest.raises(api.ClientError, match="has ended and holds no devices"):
        application.devices()


def wait_for_slots(application):
    while not (tree := application.devices())["taskmanagers"]:
        pass
    return tree


def test_quiet_is_quiet_and_a_failure_has_its_code(tmp_path, capsys):
    application = api.submit("sh", "-c", "exit 7", command=True, master="local[1]", conf=leases(tmp_path))
    assert application.wait(quiet=True).exit_code == 7
    assert capsys.readouterr() == ("", "")


def test_everything_that_is_wrong_is_one_error(tmp_path):
    with pytest.raises(api.ConfigError) as caught:
        api.submit("nojob.py", master="local", taskmanagers="x", conf={"treadle.slotz": 1})
    assert [problem.key for problem in caught.value.problems] == ["job", "treadle.slotz", "treadle.taskmanagers"]


@pytest.mark.parametrize(("keyword", "remedy"), [("task_managers", "did you mean taskmanagers?"), ("xyzzy", "there are name, ")])
def test_a_keyword_that_is_no_flag_is_an_error_with_the_nearest(keyword, remedy):
    with pytest.raises(api.ConfigError) as caught:
        api.submit("job.py", master="local", **{keyword: 3})
    (problem,) = caught.value.problems
    assert (problem.key, problem.cause) == (keyword, f"submit() has no {keyword!r}")
    assert problem.remedy.startswith(remedy)


def test_files_and_variables_are_named_as_the_flags_are(tmp_path):
    (tmp_path / "a.csv").write_text("from a file")
    (tmp_path / "b.csv").write_text("")
    (tmp_path / "job.py").write_text("import os\nprint(open('c.csv').read(), os.path.exists('b.csv'), os.environ['TOLD'])\n")
    files = ["a.csv#c.csv", tmp_path / "b.csv"]
    application = api.submit("job.py", master="local[1]", files=files, env={"TOLD": "a=b c"}, conf=leases(tmp_path))
    application.wait(quiet=True)
    assert application.logs(task="job") == "job | from a file True a=b c"


def test_an_environment_that_is_no_mapping():
    with pytest.raises(api.ConfigError, match="env is 'A=1', no mapping"):
        api.submit("job.py", master="local", env="A=1")


def test_an_application_of_another_process_can_not_be_waited_for(tmp_path):
    finished = api.submit("job.py", master="local[1]", conf=leases(tmp_path))
    finished.wait(quiet=True)
    found = api.application(finished.id)
    assert found.state == "FINISHED"
    with pytest.raises(api.ClientError, match="was not submitted here"):
        found.wait()


def test_an_unknown_application_is_an_error():
    with pytest.raises(api.ClientError, match="there is no"):
        api.application("local-1")


def test_a_history_is_listed_shown_and_has_its_page(tmp_path):
    application = api.submit("sh", "-c", "exit 7", command=True, master="local[1]", conf=leases(tmp_path))
    application.wait(quiet=True)
    shown = application.history(events=True)
    assert (shown["final_status"], shown["exit_code"], shown["events"][-1]["event"]) == ("FAILED", 7, "finished")
    assert [each["id"] for each in api.history(local=True)] == [application.id]
    assert application.id in application.history_page()
