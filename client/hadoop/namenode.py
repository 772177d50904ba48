"""Whether HDFS answers at all, found out by a TCP connection before a JVM tries for minutes, or hdfs-native three times."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from client.errors import ENVIRONMENT, ClientError
from client.hadoop.configuration import HadoopConfiguration

_TIMEOUT_S = 5.0
DEFAULT_PORT = 8020
"""Of `hdfs://host` without a port (`HdfsClientConfigKeys.DFS_NAMENODE_RPC_PORT_DEFAULT`)."""


def check(hadoop: HadoopConfiguration) -> None:
    """Connects to a NameNode of the default file system; other file systems are left to skein.

    Raises:
        ClientError: when no NameNode accepts, or the default file system is one that YARN can't stage on.
    """
    uri = hadoop.default_filesystem()
    parts = urlsplit(uri)
    if not parts.netloc:
        cause = f"fs.defaultFS is {uri!r}, which names no host, and skein can't stage an application there"
        raise ClientError(
            cause, f"set it to the cluster's file system, hdfs://HOST:PORT, in core-site.xml ({hadoop.conf_dir})", ENVIRONMENT
        )
    if parts.scheme == "hdfs":
        reach(hadoop, uri, "start HDFS, or correct fs.defaultFS in core-site.xml; HADOOP_CONF_DIR says which one is read")


def reach(hadoop: HadoopConfiguration, uri: str, remedy: str) -> None:
    """Connects to a NameNode of a file system on HDFS.

    Raises:
        ClientError: when none accepts; `remedy` is what the user can do then.
    """
    failures = []
    for address in namenodes(hadoop, urlsplit(uri).netloc):
        try:
            with socket.create_connection(_split(address), timeout=_TIMEOUT_S):
                return
        except OSError as error:
            failures.append(f"{address}: {error.strerror or error}")
        except ValueError as error:  # a port that is none
            failures.append(f"{address}: {error}")
    raise ClientError(f"no NameNode of {uri} answers ({'; '.join(failures)})", remedy, ENVIRONMENT)


def namenodes(hadoop: HadoopConfiguration, authority: str) -> list[str]:
    """Returns host:port of every NameNode behind an authority: a host, or a nameservice with several (HDFS HA)."""
    ids = [name.strip() for name in (hadoop.get(f"dfs.ha.namenodes.{authority}", "") or "").split(",") if name.strip()]
    addresses = [hadoop.get(f"dfs.namenode.rpc-address.{authority}.{name}", "") for name in ids]
    return [address for address in addresses if address] or [authority]


def _split(address: str) -> tuple[str, int]:
    parts = urlsplit(f"//{address}")
    return parts.hostname or address, parts.port or DEFAULT_PORT
