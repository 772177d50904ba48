"""The shipped Hadoop XML with one cluster's own addresses and directories put in."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

from minicluster.layout import Layout
from minicluster.ports import Ports
from minicluster.spec import ClusterSpec


def shipped() -> Path:
    """The directory `conf/hadoop`, which docker-compose.yml mounts as it stands."""
    return Path(str(files("conf"))) / "hadoop"


def write_configuration(spec: ClusterSpec, layout: Layout, ports: Ports, lib: Path) -> None:
    """Write `<work>/conf`: every file of `conf/hadoop`, with this cluster's values in place of the shipped ones."""
    changes = own_values(spec, layout, ports, lib)
    layout.conf.mkdir(parents=True)
    for source in shipped().iterdir():
        text = source.read_text(encoding="utf-8")
        if source.name.endswith(".xml"):
            text = edited(text, changes.pop(source.name, {}))
        (layout.conf / source.name).write_text(text, encoding="utf-8")
    if changes:
        raise FileNotFoundError(f"conf/hadoop lacks {', '.join(sorted(changes))}")


def edited(xml: str, values: Mapping[str, str]) -> str:
    """The same configuration with these values; the shipped file must name every key, so that it shows all that a cluster needs.

    Raises:
        KeyError: a key that the file does not name.
    """
    root = ElementTree.fromstring(xml)
    missing = dict(values)
    for entry in root.iter("property"):
        value = missing.pop(entry.findtext("name", ""), None)
        if value is not None:
            entry.find("value").text = value  # type: ignore[union-attr]  # Hadoop has no property without a value
    if missing:
        raise KeyError(f"not in the shipped configuration: {', '.join(sorted(missing))}")
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def own_values(spec: ClusterSpec, layout: Layout, ports: Ports, lib: Path) -> dict[str, dict[str, str]]:
    """What differs from cluster to cluster, per file."""
    host = "127.0.0.1"
    return {
        "core-site.xml": {
            "fs.defaultFS": f"hdfs://{host}:{ports.namenode}",
            "hadoop.tmp.dir": f"{layout.data}/tmp",
            "hadoop.http.staticuser.user": getpass.getuser(),
        },
        "hdfs-site.xml": {
            "dfs.namenode.name.dir": layout.namenode_image.as_uri(),
            "dfs.datanode.data.dir": (layout.data / "dn").as_uri(),
            "dfs.namenode.http-address": f"{host}:{ports.namenode_http}",
            **{f"dfs.datanode.{name}": f"{host}:0" for name in ("address", "http.address", "ipc.address")},
        },
        "yarn-site.xml": {
            "yarn.resourcemanager.hostname": host,
            **{f"yarn.resourcemanager.{name}": f"{host}:{port}" for name, port in ports.resourcemanager().items()},
            "yarn.scheduler.maximum-allocation-mb": str(spec.memory_mb),
            "yarn.scheduler.maximum-allocation-vcores": str(spec.vcores),
            "yarn.application.classpath": f"{layout.conf},{lib}/*",
        },
        "resource-types.xml": {"yarn.resource-types": ",".join(_types(spec))},
    }


def _types(spec: ClusterSpec) -> list[str]:
    known = ElementTree.fromstring((shipped() / "resource-types.xml").read_text(encoding="utf-8")).findtext("property/value", "").split(",")
    return list(dict.fromkeys([*known, *spec.resources]))
