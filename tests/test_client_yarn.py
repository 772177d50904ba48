"""Everything of a submission to YARN that needs no cluster: all that can fail before skein's driver runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from client_edge import a_listener, a_resourcemanager, nobody, write_site

from client.__main__ import run
from client.console import Console
from client.errors import ClientError
from client.hadoop import namenode
from client.hadoop.configuration import HadoopConfiguration
from client.history.histories import histories

ROOT = Path(__file__).parent.parent


@pytest.fixture
def resourcemanager():
    with a_resourcemanager() as server:
        yield server


@pytest.fixture
def listening():
    with a_listener() as address:
        yield address


@pytest.fixture
def closed():
    with nobody() as address:
        yield address


@pytest.fixture
def submit(tmp_path, monkeypatch, capsys):
    """Submits a job from an edge node that has neither Hadoop's client nor Java; returns exit code, stdout and the lines of stderr."""
    (tmp_path / "job.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TREADLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    def call(*flags, rm, namenode):
        write_site(tmp_path, "yarn-site.xml", **{"yarn.resourcemanager.webapp.address": rm.removeprefix("http://")})
        write_site(tmp_path, "core-site.xml", **{"fs.defaultFS": f"hdfs://{namenode}"})
        code = run([*flags, "job.py"], Console(sys.stderr))
        captured = capsys.readouterr()
        assert [path.name for path in tmp_path.glob("home/applications/*")] == []
        return code, captured.out, captured.err.splitlines()

    return call


def test_the_resourcemanager_is_down(submit, closed, listening):
    code, out, err = submit(rm=closed, namenode=listening)
    assert (code, out, err[0]) == (5, "", f"error: the ResourceManager does not answer at http://{closed}: Connection refused")
    assert err[1].startswith("remedy: start it, or set HADOOP_CONF_DIR")


def test_hdfs_is_down(submit, resourcemanager, closed):
    code, out, err = submit(rm=resourcemanager.url, namenode=closed)
    assert (code, out) == (5, "")
    assert err[0] == f"error: no NameNode of hdfs://{closed} answers ({closed}: Connection refused)"


@pytest.mark.parametrize(
    ("flags", "cause"),
    [
        (["--queue", "defalt"], "queue 'defalt' does not exist (yarn.application.queue)"),
        (
            ["--resource", "gpu=5"],
            "no node offers yarn.io/gpu 5 for a TaskManager; the largest, 127.0.0.12, has 2 (external-resource.gpu.amount)",
        ),
        (["--resource", "x=1:yarn.io/x"], "this cluster does not know the resource type 'yarn.io/x' (external-resource.x.yarn.config-key)"),
    ],
)
def test_what_the_cluster_cant_do_is_refused_with_exit_code_4(submit, resourcemanager, listening, flags, cause):
    code, out, err = submit(*flags, rm=resourcemanager.url, namenode=listening)
    assert (code, out, err[0], len(err)) == (4, "", f"error: {cause}", 2)


def test_without_hadoops_client_nothing_is_left_behind(submit, resourcemanager, listening):
    code, out, err = submit(rm=resourcemanager.url, namenode=listening)
    assert (code, out, err[0]) == (5, "", "error: no Hadoop client here: yarn is not on PATH")


@pytest.mark.parametrize(
    ("classpath", "said"),
    [("exit 3", "`yarn classpath` ended with exit code 3"), ("echo nothing", "Exception: no such class")],
    ids=["no class path", "no driver"],
)
def test_a_driver_that_does_not_start(resourcemanager, listening, tmp_path, classpath, said):
    """In a process of its own: skein leaves the log of such a driver open."""
    for program, line in {"yarn": classpath, "java": 'echo "Exception: no such class" >&2; exit 1'}.items():
        (tmp_path / program).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / program).chmod(0o700)
    (tmp_path / "job.py").write_text("")
    write_site(tmp_path, "yarn-site.xml", **{"yarn.resourcemanager.webapp.address": resourcemanager.url.removeprefix("http://")})
    write_site(tmp_path, "core-site.xml", **{"fs.defaultFS": f"hdfs://{listening}"})
    environment = {"PATH": str(tmp_path), "HADOOP_CONF_DIR": str(tmp_path), "TREADLE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "client", "job.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (5, "", f"error: skein's driver does not start: {said}")
    assert (len(done.stderr.splitlines()), list(tmp_path.glob("home/applications/*"))) == (2, []), done.stderr


def hadoop(directory, default, **properties):
    write_site(directory, "yarn-site.xml")
    write_site(directory, "core-site.xml", **{"fs.defaultFS": default})
    write_site(directory, "hdfs-site.xml", **properties)
    return HadoopConfiguration.load({"HADOOP_CONF_DIR": str(directory)})


def test_of_two_namenodes_one_is_enough(tmp_path, listening, closed):
    addresses = {"dfs.namenode.rpc-address.ProdHadoop.nn1": closed, "dfs.namenode.rpc-address.ProdHadoop.nn2": listening}
    both = hadoop(
        tmp_path, "hdfs://ProdHadoop", **{"dfs.nameservices": "ProdHadoop", "dfs.ha.namenodes.ProdHadoop": "nn1, nn2"} | addresses
    )
    assert namenode.namenodes(both, "ProdHadoop") == [closed, listening]
    namenode.check(both)


def test_no_namenode_of_two(tmp_path, closed):
    addresses = {"dfs.namenode.rpc-address.ns.nn1": closed, "dfs.namenode.rpc-address.ns.nn2": closed}
    with pytest.raises(ClientError, match=rf"no NameNode of hdfs://ns answers \({closed}: Connection refused; {closed}: ") as raised:
        namenode.check(hadoop(tmp_path, "hdfs://ns", **{"dfs.ha.namenodes.ns": "nn1,nn2"} | addresses))
    assert raised.value.exit_code == 5


@pytest.mark.parametrize("authority", ["closed", "127.0.0.1:x"])
def test_the_namenode_of_a_named_directory_is_named(tmp_path, closed, authority):
    hadoop(tmp_path, "hdfs://127.0.0.1:1")
    authority = closed if authority == "closed" else authority
    with pytest.raises(ClientError, match=f"no NameNode of hdfs://{authority} answers") as raised:
        histories({"HADOOP_CONF_DIR": str(tmp_path)}, f"hdfs://{authority}/x", local=False)
    assert (raised.value.exit_code, "--dir" in raised.value.remedy) == (5, True)


def test_histories_need_hdfs(tmp_path, caplog):
    hadoop(tmp_path, "s3a://bucket")
    with pytest.raises(
        ClientError, match=r"'\.treadle/history' is no directory on HDFS here, where fs\.defaultFS is s3a://bucket"
    ) as raised:
        histories({"HADOOP_CONF_DIR": str(tmp_path)}, None, local=False)
    assert (raised.value.exit_code, "--dir" in raised.value.remedy, caplog.text) == (2, True, "")


def test_another_directory_is_read_where_the_default_file_system_is_dead(tmp_path, closed, listening):
    hadoop(tmp_path, f"hdfs://{closed}")
    histories({"HADOOP_CONF_DIR": str(tmp_path)}, f"hdfs://{listening}/x", local=False)
    with pytest.raises(ClientError, match=f"no NameNode of hdfs://{closed} answers"):
        histories({"HADOOP_CONF_DIR": str(tmp_path)}, "hdfs:///x", local=False)


@pytest.mark.parametrize("default", ["file:///", "viewfs:///"])
def test_a_file_system_without_host_is_refused(tmp_path, default):
    with pytest.raises(ClientError, match="names no host"):
        namenode.check(hadoop(tmp_path, default))


def test_other_file_systems_are_left_to_skein(tmp_path):
    namenode.check(hadoop(tmp_path, "s3a://bucket"))
