"""The Hadoop client configuration of this machine, read without a JVM."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

from client.errors import ENVIRONMENT, ClientError
from client.hadoop import xml as hadoop_xml
from client.hadoop.xml import Property

HDFS_SITE, YARN_SITE, RESOURCE_TYPES = "hdfs-site.xml", "yarn-site.xml", "resource-types.xml"

_FILES = ("core-site.xml", HDFS_SITE, YARN_SITE, RESOURCE_TYPES)
"""In the order in which Hadoop reads them: a later one overrides."""

_DIRECTORIES = (("HADOOP_CONF_DIR", "."), ("YARN_CONF_DIR", "."), ("HADOOP_HOME", "etc/hadoop"))
_LAST_RESORT = Path("/etc/hadoop/conf")
_REMEDY = "set HADOOP_CONF_DIR to the directory that holds the cluster's core-site.xml and yarn-site.xml"

_VARIABLE = re.compile(r"\$\{([^}$\s]+)\}")
_ENVIRONMENT_VARIABLE = re.compile(r"env\.(?P<name>[^:-]+)(?:(?P<or_empty>:?)-(?P<default>.*))?")
_MOST_EXPANSIONS = 20
"""`Configuration.MAX_SUBST`."""


@dataclass(frozen=True)
class HadoopConfiguration:
    """What Hadoop's own clients on this machine would read.

    Attributes:
        conf_dir: the directory that was read.
        files: name of each file that is there → its properties as they stand in it, includes in place.
        environ: what `${env.X}` stands for.
    """

    conf_dir: Path
    files: Mapping[str, tuple[Property, ...]]
    environ: Mapping[str, str]

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> HadoopConfiguration:
        """Reads HADOOP_CONF_DIR, else YARN_CONF_DIR, else HADOOP_HOME/etc/hadoop, else /etc/hadoop/conf.

        Raises:
            ClientError: when that has no yarn-site.xml, or holds a file that isn't Hadoop's XML.
        """
        conf_dir = _directory(environ)
        return cls(conf_dir, {name: hadoop_xml.read(conf_dir / name) for name in _FILES if (conf_dir / name).exists()}, environ)

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    def get(self, key: str, default: str | None = None) -> str | None:
        """Returns a value as Hadoop's `getTrimmed` does: `${…}` expanded, no white space around it.

        A variable that nothing sets stays as it stands.
        """
        value = self._values.get(key)
        return default if value is None else self._expanded(value).strip()

    def default_filesystem(self) -> str:
        """Returns fs.defaultFS, or by its old name fs.default.name, or else Hadoop's default, `file:///`."""
        return self.get("fs.defaultFS") or self.get("fs.default.name") or "file:///"

    def resourcemanager_urls(self) -> tuple[str, ...]:
        """Returns the address of each ResourceManager's pages, without a slash at its end; there are several with high availability."""
        ids = split(self.get("yarn.resourcemanager.ha.rm-ids", ""))
        if not ids or self.get("yarn.resourcemanager.ha.enabled", "false").lower() != "true":
            return (self._url(""),)
        return tuple(self._url(f".{name}") for name in ids)

    def _url(self, suffix: str) -> str:
        """Ports are YARN's defaults; 0.0.0.0 is this machine, as for YARN's clients."""
        scheme, key, port = ("http", "webapp.address", 8088)
        if self.get("yarn.http.policy") == "HTTPS_ONLY":
            scheme, key, port = ("https", "webapp.https.address", 8090)
        address = self.get(f"yarn.resourcemanager.{key}{suffix}") or self.get(f"yarn.resourcemanager.hostname{suffix}") or "0.0.0.0"
        host, _, given = address.partition(":")
        return f"{scheme}://{'localhost' if host == '0.0.0.0' else host}:{given or port}"

    @cached_property
    def _values(self) -> dict[str, str]:
        return effective(item for properties in self.files.values() for item in properties)

    def _expanded(self, value: str) -> str:
        """Innermost first, as `Configuration.substituteVars`; a cycle ends with whatever stands there then."""
        for _ in range(_MOST_EXPANSIONS):
            expanded = _VARIABLE.sub(self._variable, value)
            if expanded == value:
                break
            value = expanded
        return value

    def _variable(self, match: re.Match[str]) -> str:
        """Environment, then what the JVM would know by itself, then other properties."""
        if environment := _ENVIRONMENT_VARIABLE.fullmatch(match[1]):
            value = self.environ.get(environment["name"])
            unset = value is None or (environment["or_empty"] == ":" and not value)
            value = environment["default"] if unset else value
        elif match[1] == "user.name":
            value = pwd.getpwuid(os.getuid()).pw_name
        else:
            value = self._values.get(match[1])
        return match[0] if value is None else value


def effective(properties: Iterable[Property]) -> dict[str, str]:
    """Returns key → value; a later property with a value overrides an earlier one that is not final."""
    values: dict[str, str] = {}
    final: set[str] = set()
    for item in properties:
        if item.value and item.name not in final:
            values[item.name] = item.value
        if item.final:
            final.add(item.name)
    return values


def split(text: str) -> list[str]:
    """Returns the elements of a list in Hadoop's notation: between commas, white space around them dropped, empty ones too."""
    return [element for element in (part.strip() for part in text.split(",")) if element]


def _directory(environ: Mapping[str, str]) -> Path:
    """A variable that is set decides, right or wrong; guessing on would find some other cluster."""
    for variable, below in _DIRECTORIES:
        if environ.get(variable):
            directory = Path(environ[variable], below).absolute()
            if (directory / YARN_SITE).exists():
                return directory
            raise ClientError(f"there is no {YARN_SITE} in {directory}, where {variable} points", _REMEDY, ENVIRONMENT)
    if (_LAST_RESORT / YARN_SITE).exists():
        return _LAST_RESORT
    names = ", ".join(variable for variable, _ in _DIRECTORIES)
    raise ClientError(f"no Hadoop configuration: none of {names} is set, and there is no {_LAST_RESORT / YARN_SITE}", _REMEDY, ENVIRONMENT)
