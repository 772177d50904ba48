"""Bringing a cluster up: its files, then its daemons."""

from __future__ import annotations

import shutil
import uuid

from minicluster.daemons import DATANODE, NAMENODE, Daemon, command, environment, nodemanager, resourcemanager, start
from minicluster.description import Description
from minicluster.files import write_fake_devices, write_shims
from minicluster.jars import jar_directory
from minicluster.java import find_java
from minicluster.layout import Layout
from minicluster.namenode import formatted_image
from minicluster.ports import free_ports
from minicluster.processes import Process
from minicluster.rendering import write_configuration
from minicluster.spec import ClusterSpec


def prepare(spec: ClusterSpec, layout: Layout) -> Description:
    """Make the cluster's directory anew; what an earlier one left there goes.

    Raises:
        ConfigError: no such Hadoop version.
        ClusterError: Java, Maven or the network is missing.
    """
    java = find_java(spec.hadoop)
    lib = jar_directory(spec.hadoop, java)
    image = formatted_image(spec.hadoop, java, lib)
    description = Description(uuid.uuid4().hex[:8], spec, java, lib, free_ports())
    for path in layout.written_by_up():
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    layout.work.mkdir(parents=True, exist_ok=True)
    description.save(layout)
    layout.pid.mkdir()
    layout.log.mkdir()
    write_configuration(spec, layout, description.ports, lib)
    write_shims(layout.bin, layout.conf, lib, java)
    for node in description.nodes:
        write_fake_devices(layout, node, description.identity)
    shutil.copytree(image, layout.namenode_image)
    return description


def start_daemons(description: Description, layout: Layout) -> list[tuple[Daemon, Process]]:
    """Start them all at once: they wait for one another."""
    return [(daemon, _start(daemon, description, layout)) for daemon in daemons(description, layout)]


def start_daemon(name: str, description: Description, layout: Layout) -> tuple[Daemon, Process]:
    """Start one that has ended, as it was started first; its log goes on."""
    daemon = next(each for each in daemons(description, layout) if each.name == name)
    return daemon, _start(daemon, description, layout)


def daemons(description: Description, layout: Layout) -> list[Daemon]:
    """All daemons of the cluster, in the order in which they are started."""
    spec = description.spec
    nodes = [nodemanager(node, layout, spec.memory_mb, spec.vcores, description.identity) for node in description.nodes]
    return [resourcemanager(layout), NAMENODE, *nodes, DATANODE]


def _start(daemon: Daemon, description: Description, layout: Layout) -> Process:
    told = environment(description.java, layout, description.identity)
    return start(command(daemon, description.java, layout, description.lib), daemon.name, told, layout)
