"""No container engine is needed: docker-compose.yml is held against the files, services, addresses and commands that it names."""

from __future__ import annotations

import re
import shlex
from itertools import chain, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml

from minicluster.jars import known_versions
from minicluster.rendering import shipped

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = ROOT / SERVICES["edge"]["build"]["dockerfile"]
PROPERTIES = {
    entry.findtext("name", ""): entry.findtext("value", "")
    for path in sorted(shipped().glob("*.xml"))
    for entry in ElementTree.parse(path).iter("property")
}

every_service = pytest.mark.parametrize("name", SERVICES)


def mounts(service: dict[str, Any]) -> dict[str, Path]:
    """Path in the container → file or directory here."""
    return {inside: ROOT / source for source, inside, _ in (volume.split(":") for volume in service["volumes"])}


def words(service: dict[str, Any]) -> list[str]:
    """Everything on a service's command line, a shell's script taken apart."""
    command = service["command"] if isinstance(service["command"], list) else shlex.split(service["command"])
    return list(chain.from_iterable(shlex.split(word.replace(";", " ")) for word in command))


def settings(service: dict[str, Any]) -> dict[str, str]:
    """The Hadoop keys on a command line."""
    given = words(service)
    pairs = (following.partition("=") for word, following in pairwise(given) if word == "-D")
    return {key: value for key, _, value in pairs}


def test_the_cluster_has_its_parts() -> None:
    assert set(SERVICES) == {"namenode", "datanode", "resourcemanager", "nm-gpu-1", "nm-gpu-2", "nm-cpu", "edge"}


@every_service
def test_every_mounted_file_exists_and_is_read_only(name: str) -> None:
    for inside, source in mounts(SERVICES[name]).items():
        assert source.exists(), f"{name} mounts {source} at {inside}"
    assert all(volume.endswith(":ro") for volume in SERVICES[name]["volumes"])


@every_service
def test_every_service_reads_the_configuration_of_the_mini_cluster(name: str) -> None:
    assert mounts(SERVICES[name])["/etc/hadoop"] == ROOT / "conf/hadoop"
    assert SERVICES[name]["hostname"] == name


@every_service
def test_what_a_service_waits_for_exists_and_can_be_waited_for(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        assert wait["condition"] == "service_started" or "healthcheck" in SERVICES[other], f"{name} waits for the health of {other}"


@every_service
def test_health_checks_ask_a_configured_address(name: str) -> None:
    check = " ".join(SERVICES[name].get("healthcheck", {}).get("test", []))
    for url in re.findall(r"http://[^\s']+", check):
        assert urlsplit(url).netloc in PROPERTIES.values()


def test_the_configuration_has_no_placeholder() -> None:
    assert not {name: value for name, value in PROPERTIES.items() if "${" in value}


def test_every_host_of_the_configuration_is_a_service() -> None:
    addresses = [value.removeprefix("hdfs://") for name, value in PROPERTIES.items() if re.search(r"address$|defaultFS|hostname$", name)]
    assert {address.partition(":")[0] for address in addresses} == {"namenode", "datanode", "resourcemanager"}


def test_published_ports_are_configured_ones() -> None:
    for name, service in SERVICES.items():
        for published in service.get("ports", []):
            assert f"{name}:{published.rpartition(':')[2]}" in PROPERTIES.values()


@pytest.mark.parametrize("name", [name for name in SERVICES if name.startswith("nm-gpu")])
def test_a_gpu_node_finds_its_own_fake_devices(name: str) -> None:
    service = SERVICES[name]
    directory = settings(service)["yarn.nodemanager.resource-plugins.gpu.path-to-discovery-executables"]
    assert settings(service)["yarn.nodemanager.resource-plugins"] == "yarn.io/gpu"
    assert settings(service)["yarn.nodemanager.admin-env"].startswith(f"PATH={directory}:")
    assert mounts(service)[f"{directory}/nvidia-smi"].stat().st_mode & 0o111
    assert mounts(service)[f"{directory}/gpus"].read_text().split()[1] == name, "UUIDs differ by the node's name"


def test_counted_types_of_the_nodes_are_known_to_yarn() -> None:
    prefix = "yarn.nodemanager.resource-type."
    counted = {key.removeprefix(prefix) for service in SERVICES.values() for key in settings(service) if key.startswith(prefix)}
    assert counted == {"example.com/rdma"}
    assert counted < set(PROPERTIES["yarn.resource-types"].split(","))


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "edge"])
def test_every_daemon_is_a_command_of_the_shim(name: str) -> None:
    shim = (ROOT / "minicluster/shim.sh").read_text()
    given = words(SERVICES[name])
    daemons = [following for word, following in pairwise(given) if word in {"hdfs", "yarn"}]
    assert daemons
    assert all(f"  {daemon}) class=" in shim for daemon in daemons)


def test_the_image_is_built_of_files_that_exist() -> None:
    text = DOCKERFILE.read_text()
    sources = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    assert sources
    assert all((ROOT / source).exists() for source in sources)
    assert f"hadoop-{known_versions()[-1]}.pom.xml" in text


def test_the_image_has_what_the_configuration_expects_where_it_expects_it() -> None:
    text = DOCKERFILE.read_text()
    conf, _, jars = PROPERTIES["yarn.application.classpath"].partition(",")
    assert f"HADOOP_CONF_DIR={conf} " in text
    assert f"COPY --from=jars /lib-hadoop {jars.removesuffix('/*')}\n" in text
    assert f"Path('{conf}'), Path('{jars.removesuffix('/*')}')" in text
