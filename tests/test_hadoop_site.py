"""Hadoop's client configuration as storage reads it: which NameNode, with which settings and token."""

import pytest

from treadle import hadoop_site, storage


def site(directory, core="", hdfs=""):
    """Writes Hadoop's client configuration from `key=value` texts; returns the environment that names it."""
    for name, settings in (("core-site.xml", core), ("hdfs-site.xml", hdfs)):
        pairs = [text.split("=") for text in settings.split()]
        entries = "".join(f"<property><name>{key}</name><value> {value} </value></property>" for key, value in pairs)
        (directory / name).write_text(f"<configuration>{entries}</configuration>")
    return {"HADOOP_CONF_DIR": str(directory)}


@pytest.mark.parametrize(
    ("authority", "settings", "expected"),
    [
        ("nn:9000", {}, "nn:9000"),
        ("nn", {}, "nn:8020"),
        ("", {"core": "fs.defaultFS=hdfs://nn:9000"}, "nn:9000"),
        ("", {"core": "fs.defaultFS=hdfs://sun", "hdfs": "dfs.ha.namenodes.sun=nn1,nn2"}, "sun"),
        ("sun", {"hdfs": "dfs.ha.namenodes.sun=nn1,nn2"}, "sun"),
        ("moon", {"hdfs": "dfs.ha.namenodes.sun=nn1,nn2"}, "moon:8020"),
    ],
)
def test_the_namenode_is_found_as_hadoop_finds_it(tmp_path, authority, settings, expected):
    assert hadoop_site.namenode(authority, site(tmp_path, **settings)) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, "127.0.0.1:8020"), ({"core": "hadoop.security.token.service.use_ip=false"}, "localhost:8020")],
)
def test_with_a_token_the_namenode_goes_by_the_name_that_tokens_are_filed_under(tmp_path, settings, expected):
    environment = site(tmp_path, **settings) | {"HADOOP_TOKEN_FILE_LOCATION": "token"}
    assert hadoop_site.namenode("localhost", environment) == expected


def test_a_uri_without_namenode_needs_a_default(tmp_path):
    with pytest.raises(ValueError, match=r"names no NameNode, nor does fs\.defaultFS; write hdfs://host:port/"):
        hadoop_site.namenode("", site(tmp_path))


@pytest.mark.parametrize("content", [b"", b"HD", b"garbage"])
def test_a_token_file_that_is_none_is_named_before_hdfs_native_panics(tmp_path, monkeypatch, content):
    token = tmp_path / "container_tokens"
    token.write_bytes(content)
    monkeypatch.setenv("HADOOP_TOKEN_FILE_LOCATION", str(token))
    filesystem, path = storage.open_filesystem("hdfs://localhost:1/x")
    with pytest.raises(OSError, match=r"container_tokens, which HADOOP_TOKEN_FILE_LOCATION names, is no token file: it begins with"):
        filesystem.get_file_info(path)


def test_a_token_file_is_accepted_and_none_needed(tmp_path):
    (tmp_path / "token").write_bytes(b"HDTS\0")
    hadoop_site.check_token_file({"HADOOP_TOKEN_FILE_LOCATION": str(tmp_path / "token")})
    hadoop_site.check_token_file({})


@pytest.mark.parametrize(
    ("url", "settings", "expected"),
    [
        ("hdfs://nn:8020", "", {"dfs.client.failover.max.attempts": "3"}),
        ("hdfs://nn:8020", "dfs.client.failover.max.attempts=7", {"dfs.client.failover.max.attempts": "7"}),
        ("hdfs://sun", "", {}),
        ("viewfs://cluster", "", {}),
    ],
)
def test_a_namenode_without_stand_by_is_not_waited_for_as_for_a_failover(tmp_path, url, settings, expected):
    assert hadoop_site.client_settings(url, site(tmp_path, hdfs=settings)) == expected


def test_a_namenode_that_is_down_is_one_line(tmp_path, monkeypatch):
    monkeypatch.delenv("HADOOP_TOKEN_FILE_LOCATION", raising=False)
    monkeypatch.setenv("HADOOP_CONF_DIR", site(tmp_path, hdfs="dfs.client.failover.max.attempts=1")["HADOOP_CONF_DIR"])
    filesystem, path = storage.open_filesystem("hdfs://127.0.0.1:1/x")
    with pytest.raises(OSError, match=r"^[^\n]+$"):
        filesystem.get_file_info(path)
