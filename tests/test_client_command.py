import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from client.__main__ import run
from client.console import Console
from protocol.launch import Job, Launch
from protocol.wire import from_bytes

ROOT = Path(__file__).parent.parent


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TREADLE_HOME", str(tmp_path / "home"))
    path = tmp_path / "job.py"
    path.write_text("print('never run here')\n")
    return path


@pytest.fixture
def submit(capsys):
    """Runs a command line in this process; returns exit code, stdout and the lines of stderr."""

    def call(*arguments):
        code = run(arguments, Console(sys.stderr))
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return call


def test_help_names_the_verbs(submit):
    code, out, err = submit("--help")
    assert (code, "run Run a script or a command" in " ".join(out.split()), err) == (0, True, [])


def test_help_of_run_lists_every_flag(submit):
    code, out, _ = submit("run", "--help")
    configured = [
        "--name",
        "--queue",
        "--taskmanagers",
        "--slots",
        "--memory",
        "--vcores",
        "--resource",
        "--python",
        "--conf",
        "--properties-file",
    ]
    assert (code, [flag for flag in ("--master", *configured, "--detach", "--json", "--verbose") if flag not in out]) == (0, [])
    assert "submit run --master local[2] job.py" in out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["run"], ["error: nothing to run", "remedy: give a script, `submit run job.py`, or a command, `submit run -- COMMAND …`"]),
        (
            ["run", "lst"],
            ["error: 'lst' is not a .py file", "remedy: name the job's .py file, or put -- before a command: `submit run -- COMMAND …`"],
        ),
        (["run", "--nme", "x", "job.py"], ["error: No such option", "remedy: see `submit run --help`"]),
        (["run", "--queue"], ["error: Option '--queue' requires an argument.", "remedy: see `submit run --help`"]),
        (["--master", "loca", "job.py"], ["error: --master is 'loca'", "remedy: write yarn, local, or local[N]"]),
        (["--master", "local", "--detach", "job.py"], ["error: --detach with --master local", "remedy: leave --detach out"]),
        (["-D", "treadle.taskmanager=1", "job.py"], ["error: treadle.taskmanager is not an option", "remedy: write treadle.taskmanagers"]),
        (
            ["--resource", "gpu=two", "job.py"],
            ["error: external-resource.gpu.amount is 'two' (--resource)", "remedy: write a whole number"],
        ),
        (["--properties-file", "none.yaml", "job.py"], ["error: none.yaml can't be read", "remedy: name a readable file"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and not value[0].startswith("error") else "",
)
def test_wrong_usage_is_a_cause_a_remedy_and_exit_code_2(submit, job, arguments, error):
    code, out, err = submit(*arguments)
    assert (code, out, len(err)) == (2, "", len(error)), err
    for line, start in zip(err, error, strict=True):
        assert line.startswith(start)


def test_all_problems_of_a_configuration_at_once(submit, job):
    code, _, err = submit("--slots", "-1", "--memory", "lots", "--resource", "gpu=-1", "job.py")
    assert (code, len([line for line in err if line.startswith("error: ")])) == (2, 3)


def test_verbose_shows_the_traceback_and_nothing_else_does(submit, job):
    assert "Traceback" not in "\n".join(submit("none.py")[2])
    assert "Traceback" in "\n".join(submit("run", "--verbose", "none.py")[2])


# a stranger: the program that stands where Treadle's interpreter is expected (client_fake_master.py says what it does)


@pytest.fixture
def interpreter(tmp_path):
    def of(behaviour):
        path = tmp_path / f"python-{behaviour}"
        script = ROOT / "tests/client_fake_master.py"
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {script} {behaviour} "$@"\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return f"treadle.python.executable={path}"

    return of


def local(interpreter, behaviour, *arguments):
    return ["run", "--master", "local[2]", "-D", interpreter(behaviour), *arguments]


def directory(tmp_path):
    [path] = (tmp_path / "home/applications").iterdir()
    return path


def test_a_local_application_is_launched_and_followed(submit, job, interpreter, tmp_path):
    code, out, err = submit(*local(interpreter, "ends", "--resource", "gpu=1", "job.py", "--master", "x", "-D", "y"))
    path = directory(tmp_path)
    assert (code, out) == (42, f"{path.name}\n")
    assert err[0].startswith(f"{path.name} started, http://127.0.0.1:")
    assert [line for line in err[1:] if not line.startswith("time: ")] == [
        f"{path.name} is RUNNING",
        "tm-0 registered on localhost with gpu 0 (GPU-a) (1/1 TaskManagers)",
        f"{path.name} is FAILED",
        "SLOT         NODE       DEVICES",
        "tm-0/slot-0  localhost  gpu 0 (GPU-a)",
        "final status: FAILED",
        "cause: the job ended with 42",
        f"logs: submit logs {path.name}",
    ]
    launch = from_bytes(Launch, (path / "launch.json").read_bytes())
    assert launch.job == Job("main", ("job.py", "--master", "x", "-D", "y"))
    assert (launch.configuration["treadle.taskmanagers"], launch.python) == ("2", sys.executable)
    assert 'arguments ["-I", "-m", "yarn_am", "--launch", "launch.json", "--local"]' in (path / "application.driver.log").read_text()
    assert path.stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in path.iterdir() if file.stat().st_mode & 0o077 == 0) == [".skein.crt", ".skein.pem"]


def test_the_result_as_json_is_all_of_stdout(submit, job, interpreter, tmp_path):
    code, out, _ = submit(*local(interpreter, "ends", "--json", "job.py"))
    result = json.loads(out)
    assert code == result.pop("exit_code") == 42
    assert result.pop("tracking_url").startswith("http://127.0.0.1:")
    assert result.pop("summary").keys() == {"seconds", "device_seconds", "utilization", "taskmanager_failures", "restarts"}
    assert result == {"id": directory(tmp_path).name, "final_status": "FAILED", "diagnostics": "the job ended with 42"}


def test_a_command_goes_after_two_dashes(submit, job, interpreter, tmp_path):
    assert submit(*local(interpreter, "ends", "--", "python", "train.py", "--", "-x"))[0] == 42
    launch = from_bytes(Launch, (directory(tmp_path) / "launch.json").read_bytes())
    assert launch.job == Job("command", ("python", "train.py", "--", "-x"))


@pytest.mark.parametrize(("behaviour", "exit_code"), [("dies", 7), ("vanishes", 9)])
def test_a_master_that_ends_without_an_outcome(submit, job, interpreter, tmp_path, behaviour, exit_code):
    code, _, err = submit(*local(interpreter, behaviour, "job.py"))
    assert code == 1
    assert f"error: the application master ended with exit code {exit_code} and did not say why" in err
    assert err[-1] == f"remedy: read the whole log: {directory(tmp_path)}/application.driver.log"
    assert (behaviour != "dies") or "  | Traceback: no such thing" in err


def test_an_interpreter_that_does_not_exist(submit, job):
    code, _, err = submit("--master", "local", "--python", "/nowhere/python", "job.py")
    assert (code, err[0]) == (2, "error: there is no interpreter /nowhere/python (python.executable)")


def test_a_home_that_cant_be_written(submit, job, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TREADLE_HOME", str(tmp_path / "file"))
    code, _, err = submit("--master", "local", "job.py")
    assert (code, err[1]) == (5, "remedy: set TREADLE_HOME to a directory that you can write to")


def start(*arguments):
    """The real program, as a shell would start it."""
    command = [sys.executable, "-m", "client", *arguments]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT)}


def wait_for(process, text):
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"it ended without saying {text!r}")


@pytest.mark.parametrize(
    ("number", "exit_code", "said"),
    [(signal.SIGINT, 3, "final status: KILLED\ncause: Stopped by SIGTERM\n"), (signal.SIGTERM, 128 + 15, ""), (signal.SIGHUP, 128 + 1, "")],
)
def test_a_local_application_ends_with_its_submit(job, interpreter, tmp_path, number, exit_code, said):
    process = start(*local(interpreter, "runs", "job.py"))
    wait_for(process, "tm-0 registered")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, said in err) == (exit_code, True), err
    url = json.loads((directory(tmp_path) / "am.json").read_text())["rest"]
    done = subprocess.run(["curl", "-s", url], check=False)
    assert done.returncode == 7  # connection refused: nothing is left


def test_help_of_the_real_program_imports_nothing_heavy(job):
    code = (
        "import atexit, sys; import client.__main__ as m; atexit.register(lambda: print(*sys.modules)); sys.argv = ['', '--help']; m.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded & {"skein", "grpc", "yaml", "cryptography", "urllib.request", "client.commands.run"} == set()
