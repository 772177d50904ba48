"""The JVM of skein's driver: how it is started, what it reads, and that it ends; a program of ours stands in for Java."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from test_client_yarn import write_site

from client.errors import ENVIRONMENT, ClientError
from client.hadoop.configuration import HadoopConfiguration
from client.hadoop.xml import Property
from client.skein_driver import credentials
from client.skein_driver.driver_process import DriverProcess, command, hdfs_site

PAIR = credentials.Credentials(b"certificate", b"key")
DELAY = "dfs.client.block.write.locateFollowingBlock.initial.delay.ms"

DRIVER = f"""#!{sys.executable} -I
import os, pathlib, signal, socket, sys
pathlib.Path(os.environ["SEEN"]).write_text(os.environ["CLASSPATH"] + "\\n" + " ".join(sys.argv[1:]))
with socket.create_connection(("127.0.0.1", int(os.environ["SKEIN_CALLBACK_PORT"]))) as connection:
    connection.sendall((4711).to_bytes(4, "big"))
print("up", flush=True)
sys.stdin.read()
"""
"""Reports the port 4711, and ends as skein's driver does when its stdin ends."""


def program(path, text):
    path.write_text(text)
    path.chmod(0o700)


@pytest.fixture
def hadoop(tmp_path):
    """An edge node whose `yarn` names the configuration that it was told of, and one jar."""
    program(tmp_path / "yarn", '#!/bin/sh\n[ "$*" = classpath ] && echo "$HADOOP_CONF_DIR:/opt/hadoop/lib/*"\n')
    write_site(tmp_path, "yarn-site.xml")
    write_site(tmp_path, "hdfs-site.xml", **{"dfs.nameservices": "ProdHadoop", DELAY: "400"})
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "YARN_CONF_DIR": str(tmp_path), "SEEN": str(tmp_path / "seen")}
    return HadoopConfiguration.load(environ)


def ended():
    """Waits until the thread that waits for the process, and clears up after it, is through."""
    for thread in threading.enumerate():
        if thread.name == "skein-driver":
            thread.join(timeout=60)
            assert not thread.is_alive()


def test_the_clusters_hdfs_configuration_but_for_how_a_file_is_closed():
    files = {"hdfs-site.xml": (Property("dfs.nameservices", "ProdHadoop", True), Property(DELAY, "400", True))}
    site = hdfs_site(HadoopConfiguration(Path("/etc/hadoop/conf"), files, {}))
    assert [item for item in site if item.name in ("dfs.nameservices", DELAY)] == [
        Property("dfs.nameservices", "ProdHadoop", True),
        Property(DELAY, "20", False),
    ]


def test_a_cluster_without_hdfs_configuration():
    assert {item.name for item in hdfs_site(HadoopConfiguration(Path("/etc/hadoop/conf"), {}, {}))} >= {DELAY}


@pytest.mark.parametrize(
    ("environ", "java"),
    [({}, "java"), ({"JAVA_HOME": ""}, "java"), ({"JAVA_HOME": "/opt/java"}, "/opt/java/bin/java")],
)
def test_which_java(environ, java):
    assert command(environ, "skein.jar")[0] == java
    assert command(environ, "skein.jar")[-3:] == ["com.anaconda.skein.Driver", "--jar", "skein.jar"]


def test_hadoops_native_libraries_where_there_are_any(tmp_path):
    assert [word for word in command({"HADOOP_HOME": str(tmp_path)}, "skein.jar") if "library" in word] == []
    (tmp_path / "lib/native").mkdir(parents=True)
    assert f"-Djava.library.path={tmp_path}/lib/native" in command({"HADOOP_HOME": str(tmp_path)}, "skein.jar")


def test_it_comes_up_with_our_configuration_ahead_and_ends(tmp_path, hadoop):
    program(tmp_path / "java", DRIVER)
    process = DriverProcess(tmp_path / "driver.log", PAIR, hadoop)
    try:
        assert process.address() == "127.0.0.1:4711"
        ours, skeins, theirs, jars = (tmp_path / "seen").read_text().splitlines()[0].split(":")
        assert f"<name>{DELAY}</name>" in Path(ours, "hdfs-site.xml").read_text().replace("\n", "")
        assert (Path(skeins).name, theirs, jars) == ("skein.jar", str(tmp_path), "/opt/hadoop/lib/*")
        assert Path(skeins).is_file()
    finally:
        process.end()
        ended()
    assert not Path(ours).exists()


def test_it_ends_while_it_still_comes_up(tmp_path, hadoop):
    program(tmp_path / "java", "#!/bin/sh\nexec sleep 600\n")
    process = DriverProcess(tmp_path / "driver.log", PAIR, hadoop)
    process.end()
    with pytest.raises(ClientError, match="skein's driver does not start: no reason was given"):
        process.address()
    ended()


def test_it_ends_by_itself_and_its_log_tells_why(tmp_path, hadoop):
    program(tmp_path / "java", "#!/bin/sh\necho 'java.io.IOException: no room' >&2; exit 1\n")
    with pytest.raises(ClientError, match="skein's driver does not start: IOException: no room") as refused:
        DriverProcess(tmp_path / "driver.log", PAIR, hadoop).address()
    assert refused.value.exit_code == ENVIRONMENT
    ended()


def test_without_java(tmp_path, hadoop):
    environ = {**hadoop.environ, "JAVA_HOME": str(tmp_path / "none")}
    with pytest.raises(ClientError, match=f"no Java here: {tmp_path}/none/bin/java does not exist"):
        DriverProcess(tmp_path / "driver.log", PAIR, HadoopConfiguration.load(environ))


KILLED = """
import os, sys
from pathlib import Path
from client.skein_driver.credentials import Credentials
from client.skein_driver.driver_process import DriverProcess
from client.hadoop.configuration import HadoopConfiguration
DriverProcess(Path(sys.argv[1]), Credentials(b"", b""), HadoopConfiguration.load(os.environ)).address()
os._exit(9)
"""


def test_a_killed_submit_leaves_no_driver(tmp_path, hadoop):
    """Its log is a pipe, whose end is the driver's."""
    program(tmp_path / "java", DRIVER)
    log = tmp_path / "driver.log"
    os.mkfifo(log)
    environ = {**hadoop.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", KILLED, str(log)], cwd=Path(__file__).parent.parent, env=environ) as submit:
        assert log.read_text() == "up\n"
    assert submit.returncode == 9
