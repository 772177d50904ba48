"""A submission whose upload fails says that it was HDFS, and what to do, whatever keeps HDFS from taking it."""

import os
import subprocess
from contextlib import contextmanager

import pytest
from submitting import submit
from test_on_yarn import report

from minicluster.cluster import running_cluster
from minicluster.spec import ClusterSpec

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A cluster of one node whose NameNode asks who may do what."""
    with running_cluster(ClusterSpec("3.5.0", gpus=(0,)), tmp_path_factory.mktemp("strict")) as cluster:
        site = cluster.conf_dir / "hdfs-site.xml"
        lax, strict = (f"<name>dfs.permissions.enabled</name><value>{value}</value>" for value in ("false", "true"))
        assert lax in site.read_text()
        cluster.kill("nn")
        site.write_text(site.read_text().replace(lax, strict))
        cluster.start("nn")
        yield cluster


def hdfs(cluster, *arguments):
    subprocess.run(["hdfs", *arguments], env={**os.environ, **cluster.environment()}, check=True, capture_output=True, timeout=60)


@contextmanager
def safe_mode(cluster):
    hdfs(cluster, "dfsadmin", "-safemode", "enter")
    try:
        yield {}
    finally:
        hdfs(cluster, "dfsadmin", "-safemode", "leave")


@contextmanager
def no_datanode(cluster):
    cluster.kill("dn")
    try:
        yield {}
    finally:
        cluster.start("dn")


@contextmanager
def no_right(cluster):
    """`/user` is the superuser's: another one has no home there."""
    hdfs(cluster, "dfs", "-mkdir", "-p", "/user")
    yield {"HADOOP_USER_NAME": "eve"}


@contextmanager
def no_room(cluster):
    hdfs(cluster, "dfs", "-mkdir", "-p", "/user/ann")
    hdfs(cluster, "dfs", "-chown", "ann", "/user/ann")
    hdfs(cluster, "dfsadmin", "-setQuota", "1", "/user/ann")
    yield {"HADOOP_USER_NAME": "ann"}


@pytest.mark.parametrize(
    ("trouble", "cause", "remedy"),
    [
        (safe_mode, "Name node is in safe mode.", "wait until the NameNode leaves safe mode"),
        (no_datanode, "could only be written to 0 of the 1 minReplication nodes", "no DataNode takes blocks: `hdfs dfsadmin -report`"),
        (
            no_right,
            "Permission denied: user=eve, access=WRITE",
            "have HDFS's superuser make your home directory and give it to you (/user/eve",
        ),
        (no_room, "The NameSpace quota (directories and files) of directory /user/ann is exceeded", "delete something"),
    ],
)
def test_the_upload_failed_and_hdfs_says_why(strict, tmp_path, trouble, cause, remedy):
    with trouble(strict) as variables:
        said = submit(["--memory", "512m", "--", "true"], {**strict.environment(), **variables}, tmp_path)
    first, second = said.err.splitlines()
    assert (said.code, said.out) == (5, ""), said.err
    assert first.startswith(f"error: the upload to {strict.namenode_uri}/user/")
    assert cause in first
    assert second.startswith(f"remedy: {remedy}")
    assert list(tmp_path.glob("treadle-home/applications/*")) == []


def test_when_hdfs_works_again_so_does_a_submission(strict, tmp_path):
    said = submit(["--memory", "512m", "--", "true"], strict.environment(), tmp_path)
    assert report(strict, said.application)["finalStatus"] == "SUCCEEDED", said.err
