from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from minicluster.daemons import DATANODE, read_pids, write_pid
from minicluster.description import Description
from minicluster.errors import ClusterError
from minicluster.java import Java
from minicluster.layout import Layout
from minicluster.ports import Ports, free_ports
from minicluster.processes import Process, marked
from minicluster.shutdown import stop_cluster
from minicluster.spec import ClusterSpec
from minicluster.waiting import wait_until_ready

JAVA = Java(Path("/jdk"), 17)
PORTS = Ports(*range(20001, 20008))


def sleeper(environment: Mapping[str, str] = os.environ) -> subprocess.Popen[bytes]:
    """A process that a test may end."""
    return subprocess.Popen(["sleep", "300"], env=environment, start_new_session=True)


def test_a_reused_pid_is_another_process() -> None:
    with sleeper() as process:
        known = Process.of(process.pid)
        assert known is not None
        earlier = Process(process.pid, known.start - 1)
        assert known.runs()
        assert not earlier.runs()
        earlier.signal(signal.SIGKILL, group=True)
        assert process.poll() is None
        known.signal(signal.SIGKILL, group=True)
        assert process.wait() == -9
        assert not known.runs()


def test_down_ends_daemons_by_pid_file_and_strays_by_their_mark(tmp_path: Path) -> None:
    layout = Layout.of(tmp_path)
    layout.pid.mkdir()
    marker = {**os.environ, "TREADLE_MINICLUSTER": "of-this-test"}
    with sleeper() as daemon, sleeper(marker) as stray, sleeper() as stranger:
        write_pid(layout.pid / "nn", Process.of(daemon.pid) or pytest.fail("did not start"))
        write_pid(layout.pid / "nm1", Process(stranger.pid, 1))
        deadline = time.monotonic() + 60
        while [process.pid for process in marked("TREADLE_MINICLUSTER=of-this-test")] != [stray.pid]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        stop_cluster(layout, "of-this-test")
        assert stray.wait() == -15
        assert daemon.poll() is not None
        assert stranger.poll() is None
        stranger.kill()
    assert read_pids(layout) == {}


def test_a_daemon_that_ends_early_is_noticed_at_once_with_the_end_of_its_log(tmp_path: Path) -> None:
    layout = Layout.of(tmp_path)
    layout.log.mkdir()
    layout.daemon_log("dn").write_text("java.io.IOException: no disk\n\tat x\nSHUTDOWN_MSG\n")
    description = Description("abcd", ClusterSpec(), JAVA, Path("/lib"), PORTS)
    with pytest.raises(ClusterError, match=r"the DataNode ended while the cluster came up: java\.io\.IOException: no disk") as failure:
        wait_until_ready([(DATANODE, Process(os.getpid(), 1))], description, layout)
    assert failure.value.log_tail.endswith("SHUTDOWN_MSG")


def test_a_port_that_got_busy_says_so(tmp_path: Path) -> None:
    layout = Layout.of(tmp_path)
    layout.log.mkdir()
    layout.daemon_log("dn").write_text("java.net.BindException: Address already in use\n" + "\tat x\n" * 30)
    with pytest.raises(ClusterError, match="another process took its port"):
        wait_until_ready([(DATANODE, Process(os.getpid(), 1))], Description("abcd", ClusterSpec(), JAVA, Path("/lib"), PORTS), layout)


def test_a_cluster_that_never_gets_ready_names_what_is_missing(tmp_path: Path) -> None:
    layout = Layout.of(tmp_path)
    layout.log.mkdir()
    layout.daemon_log("nn").write_text("INFO still loading\n")
    description = Description("abcd", ClusterSpec(gpus=(1,)), JAVA, Path("/lib"), free_ports())
    with pytest.raises(ClusterError, match="not up after 0 s: HDFS, ResourceManager, node nm1") as failure:
        wait_until_ready([], description, layout, limit_s=0.2)
    assert failure.value.log_tail == "INFO still loading"
