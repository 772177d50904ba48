"""`submit logs` on real daemons: the same lines while an application runs and after its end."""

import os
import subprocess

import pytest
from submitting import SUBMIT, running
from test_on_yarn import GPU, SMALL, wait_for

pytestmark = pytest.mark.cluster

LINES = 12
TALK = f"for i in $(seq {LINES}); do echo out $RANK $i; echo err $RANK $i >&2; sleep 0.3; done; printf 'end of %s' $RANK"


def logs(cluster, cwd, *words):
    environment = {**os.environ, "TREADLE_HOME": str(cwd / "treadle-home"), **cluster.environment()}
    return subprocess.run([str(SUBMIT), "logs", *words], env=environment, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("version", ["cluster", "cluster_314"])
def test_what_was_followed_is_what_was_collected(version, request, tmp_path):
    cluster = request.getfixturevalue(version)
    with running(
        [*SMALL, "--taskmanagers", "2", "--slots", "2", *GPU, "--", "bash", "-c", TALK], cluster.environment(), tmp_path
    ) as process:
        application = process.stdout.readline().strip()
        wait_for(lambda: "out 0 1" in logs(cluster, tmp_path, application).stdout, "a first line")
        followed = logs(cluster, tmp_path, application, "-f", "--all")
        _, err = process.communicate(timeout=60)
    assert (process.returncode, followed.returncode) == (0, 0), (err, followed.stderr)
    ended = logs(cluster, tmp_path, application, "--all")
    assert ended.returncode == 0, ended.stderr
    assert sorted(followed.stdout.splitlines()) == sorted(ended.stdout.splitlines())
    own = [line for line in ended.stdout.splitlines() if "/slot-" in line.partition(" | ")[0]]
    slots = sorted({line.partition(" | ")[0] for line in own})
    assert slots == ["tm-0/slot-0", "tm-0/slot-1", "tm-1/slot-0", "tm-1/slot-1"]
    assert len(own) == 4 * (2 * LINES + 1)
    errors = logs(cluster, tmp_path, application, "--stderr", "--task", "tm-1/slot-1", "--tail", "2")
    assert errors.stdout.splitlines() == [f"tm-1/slot-1 | err 3 {number}" for number in (LINES - 1, LINES)], errors.stderr
    wrong = logs(cluster, tmp_path, application, "--task", "tm-9")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "there are am, am/master, tm-0, tm-0/slot-0, tm-0/slot-1, tm-1, tm-1/slot-0, tm-1/slot-1" in wrong.stderr
