"""What hdfs-native has to be told of a site: the NameNode's address as its tokens are filed under it, and a sound token file."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

_DEFAULT_PORT = 8020
"""Hadoop's `HdfsClientConfigKeys.DFS_NAMENODE_RPC_PORT_DEFAULT`; hdfs-native knows no default."""

_ATTEMPTS = "dfs.client.failover.max.attempts"

_TOKEN_VARIABLE = "HADOOP_TOKEN_FILE_LOCATION"
_TOKEN_MAGIC = b"HDTS"
"""First bytes of every token file (`org.apache.hadoop.security.Credentials`)."""


def namenode(authority: str, environment: Mapping[str, str]) -> str:
    """Returns what hdfs-native is to connect to for `hdfs://<authority>`: `host:port`, or an HA nameservice as it stands.

    With a token file the host becomes its IP address, because Hadoop files tokens under `ip:port` unless
    `hadoop.security.token.service.use_ip` is false, and hdfs-native would not find the token by a host name.

    Raises:
        ValueError: when neither the URI nor `fs.defaultFS` names a NameNode.
        OSError: when the host is unknown.
    """
    authority = authority or urlsplit(_setting("fs.defaultFS", environment) or "").netloc
    if not authority:
        raise ValueError("hdfs:/// names no NameNode, nor does fs.defaultFS; write hdfs://host:port/… or set HADOOP_CONF_DIR")
    host, _, port = authority.partition(":")
    if not port and _setting(f"dfs.ha.namenodes.{host}", environment):
        return host
    if environment.get(_TOKEN_VARIABLE) and _setting("hadoop.security.token.service.use_ip", environment) != "false":
        host = _address(host)
    return f"{host}:{port or _DEFAULT_PORT}"


def client_settings(url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Returns what hdfs-native is to be told besides the site's own configuration.

    It tries 15 times, three minutes, to reach a NameNode that has no stand-by to fail over to; Java's client gives up after about ten
    seconds (`ipc.client.connect.max.retries`). What the site says has precedence; a padded number hdfs-native would not take from there.
    """
    is_single = bool(urlsplit(url).port)
    return {_ATTEMPTS: _setting(_ATTEMPTS, environment) or "3"} if is_single else {}


def check_token_file(environment: Mapping[str, str]) -> None:
    """Checks the delegation-token file that YARN gives a container, if there is one: hdfs-native panics on one that is empty or garbage.

    Raises:
        OSError: when it is missing, unreadable or no token file.
    """
    location = environment.get(_TOKEN_VARIABLE)
    if not location:
        return
    with Path(location).open("rb") as file:
        start = file.read(len(_TOKEN_MAGIC))
    if start != _TOKEN_MAGIC:
        raise OSError(
            f"{location}, which {_TOKEN_VARIABLE} names, is no token file: it begins with {start!r} where {_TOKEN_MAGIC!r} was expected. "
            "Have it written again (`hdfs fetchdt`) or unset the variable."
        )


def _address(host: str) -> str:
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        raise OSError(f"the NameNode's host {host!r} is unknown here ({error}); check the URI and fs.defaultFS") from error


def _setting(name: str, environment: Mapping[str, str]) -> str | None:
    # hdfs-native reads the same two files of the same two directories
    directory = environment.get("HADOOP_CONF_DIR") or os.path.join(environment.get("HADOOP_HOME", "/"), "etc/hadoop")  # noqa: PTH118 - text in, text out
    for file in (Path(directory, "hdfs-site.xml"), Path(directory, "core-site.xml")):
        if file.exists():
            for entry in ElementTree.parse(file).iter("property"):
                if (entry.findtext("name") or "").strip() == name:
                    return (entry.findtext("value") or "").strip()
    return None
