"""How applications of `--master local[N]` end: by whom, and with nothing left behind."""

import getpass
import json
import os
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

from submitting import SUBMIT, running, submit


def local(directory, *arguments, task_managers=1):
    leases = ["-D", f"treadle.lease.directory={directory / 'leases'}"]
    return submit(["--master", f"local[{task_managers}]", *leases, *arguments], {}, directory)


def asked(directory, *words):
    """What another `submit` says of it meanwhile, or afterwards."""
    environment = {**os.environ, "TREADLE_HOME": str(directory / "treadle-home")}
    return json.loads(subprocess.run([str(SUBMIT), *words, "--json"], env=environment, capture_output=True, check=True).stdout)


def test_interrupting_ends_everything(tmp_path):
    command = ["sh", "-c", "echo $$ > pid; exec sleep 1000"]
    with running(["--master", "local[1]", "--", *command], {}, tmp_path) as process:
        pid = wait_for_pid(tmp_path)
        (entry,) = wait_for(lambda: asked(tmp_path, "history", "list", "--local")["applications"])
        assert (entry["final_status"], entry["user"]) == ("RUNNING", asked(tmp_path, "status", entry["id"])["user"])
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    words = f"Stopped by {getpass.getuser()} on {socket.gethostname()}"
    assert "is KILLED\n" in err
    assert f"final status: KILLED\ncause: {words}\n" in err
    assert not Path(f"/proc/{pid}").exists()
    status, past = asked(tmp_path, "status", entry["id"]), asked(tmp_path, "history", "show", entry["id"])
    assert (status["state"], status["final_status"], status["diagnostics"]) == ("KILLED", past["final_status"], past["diagnostics"])
    assert past["diagnostics"] == words


def test_a_local_application_that_something_else_ends_says_by_what(tmp_path):
    with running(["--master", "local[1]", "--", "sh", "-c", "echo $$ > pid; exec sleep 1000"], {}, tmp_path) as process:
        wait_for_pid(tmp_path)
        (master,) = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, check=True).stdout.split()
        os.kill(int(master), signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "cause: Stopped by SIGTERM\n" in err


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited 60 s in vain"
        time.sleep(0.05)
    return value


def wait_for_pid(directory):
    return wait_for(lambda: written_pid(directory))


def written_pid(directory):
    return next((path.read_text().strip() for path in (directory / "treadle-home").glob("applications/*/tm-0/pid")), "")


def test_files_of_an_application_are_its_users_alone(tmp_path):
    said = local(tmp_path, "--", "true")
    files = tmp_path / "treadle-home" / "applications" / said.application
    assert stat.S_IMODE(files.stat().st_mode) == 0o700
    assert stat.S_IMODE((files / ".skein.pem").stat().st_mode) == 0o600


def test_what_the_jobs_main_leaves_behind_ends_with_it(tmp_path):
    (tmp_path / "leave.py").write_text(
        "import os, subprocess\n"
        "left = [subprocess.Popen(['sleep', '1000'], start_new_session=away) for away in (False, True)]\n"
        "print('left', *(each.pid for each in left))\n"
    )
    said = local(tmp_path, "leave.py")
    assert said.code == 0, said.err
    log = (tmp_path / "treadle-home" / "applications" / said.application / "job.log").read_text()
    assert log.startswith("left ")
    assert not any(Path(f"/proc/{pid}").exists() for pid in log.split()[1:])


def test_interrupting_ends_what_the_jobs_main_has_started(tmp_path):
    (tmp_path / "wait.py").write_text(
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        "open('tm-0/pid', 'w').write(str(child.pid))\n"
        "child.wait()\n"
    )
    with running(["--master", "local[1]", "wait.py"], {}, tmp_path) as process:
        pid = wait_for_pid(tmp_path)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert not Path(f"/proc/{pid}").exists()


def test_nothing_runs_on_after_the_end(tmp_path):
    local(tmp_path, "--", "true", task_managers=2)
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in listing
