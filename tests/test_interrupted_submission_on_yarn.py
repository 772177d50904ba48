"""Ctrl-C while files are uploaded or YARN is asked: nothing may stay behind that only this command knew of."""

import json
import os
import signal
import subprocess
import time
import urllib.request

import pytest
from submitting import running

pytestmark = pytest.mark.cluster


def unended(cluster):
    with urllib.request.urlopen(f"{cluster.resourcemanager_url}/ws/v1/cluster/apps", timeout=60) as answer:
        apps = (json.load(answer)["apps"] or {"app": []})["app"]
    return [app["id"] for app in apps if app["state"] not in ("FINISHED", "FAILED", "KILLED")]


def staged(environment):
    """The staging directories on HDFS; those of applications whose master was killed by force stay (skein deletes them at its own end)."""
    listed = subprocess.run(["hdfs", "dfs", "-ls", "-C", ".skein"], env=environment, capture_output=True, text=True, check=False)
    return set(listed.stdout.split())


@pytest.mark.parametrize("said", ["Uploading application resources", "Submitting application..."])
def test_what_is_submitted_by_half_is_taken_back(cluster, tmp_path, said):
    environment = {**os.environ, **cluster.environment()}
    before = staged(environment)
    with running(["--memory", "512m", "--", "sleep", "600"], environment, tmp_path) as process:
        deadline = time.monotonic() + 60
        while not any(said in log.read_text() for log in tmp_path.glob("treadle-home/applications/*/driver.log")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert list(tmp_path.glob("treadle-home/applications/*")) == []
    assert unended(cluster) == []
    assert staged(environment) <= before
