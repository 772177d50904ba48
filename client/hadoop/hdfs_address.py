"""What hdfs-native has to be told of a site: which address, which directories, and Hadoop's settings.

Their `${…}` are expanded, which hdfs-native doesn't do.
"""

from __future__ import annotations

from client.hadoop import namenode
from client.hadoop.configuration import HadoopConfiguration

_READ_BY_HDFS_NATIVE = ("dfs.", "fs.defaultFS", "fs.viewfs.", "hadoop.rpc.", "hadoop.security.auth", "hadoop.security.token.")
"""Beginnings of keys; `fs.` and `hadoop.security.` hold secrets of other things besides."""


def url(hadoop: HadoopConfiguration, uri: str) -> str:
    """Returns `hdfs://HOST:PORT` or `hdfs://NAMESERVICE`: hdfs-native knows no default port."""
    scheme, _, rest = uri.partition("://")
    authority = rest.partition("/")[0]
    named = ":" in authority or hadoop.get(f"dfs.ha.namenodes.{authority}")
    return f"{scheme}://{authority}" if named else f"{scheme}://{authority}:{namenode.DEFAULT_PORT}"


def settings(hadoop: HadoopConfiguration) -> dict[str, str]:
    """Returns the site's settings; one NameNode alone is tried three times, not fifteen."""
    names = {item.name for properties in hadoop.files.values() for item in properties if item.name.startswith(_READ_BY_HDFS_NATIVE)}
    values = {name: value for name in sorted(names) if (value := hadoop.get(name))}
    return {"dfs.client.failover.max.attempts": "3"} | values


def home(hadoop: HadoopConfiguration, user: str) -> str:
    """Returns the path of a user's home directory."""
    return f"{hadoop.get('dfs.user.home.dir.prefix', '/user')}/{user}"


def staging(hadoop: HadoopConfiguration, user: str) -> str:
    """Returns the path below which skein stages a user's applications."""
    return f"{home(hadoop, user)}/.skein"
