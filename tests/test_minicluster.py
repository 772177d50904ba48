from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conf.errors import ConfigError
from minicluster.cluster import up
from minicluster.description import Description, load
from minicluster.java import Java
from minicluster.layout import Layout, nodes_of
from minicluster.ports import Ports, free_ports
from minicluster.readiness import RunningNode, advertises, shown_node
from minicluster.rendering import edited, shipped, write_configuration
from minicluster.spec import ClusterSpec, parse_gpus, parse_resources

PORTS = Ports(*range(20001, 20008))
JAVA = Java(Path("/jdk"), 17)


@pytest.mark.parametrize(
    ("text", "nodes", "counts"),
    [("2", None, (2, 2)), ("2", 3, (2, 2, 2)), ("2,4,0", None, (2, 4, 0)), ("2,4,0", 3, (2, 4, 0)), ("0", 1, (0,))],
)
def test_gpus_are_one_number_or_one_per_node(text: str, nodes: int | None, counts: tuple[int, ...]) -> None:
    assert parse_gpus(text, nodes) == counts


@pytest.mark.parametrize(
    ("text", "nodes", "cause"),
    [
        ("2,4", 3, "names 2 nodes, --nodes says 3"),
        ("two", None, "'two' is no number"),
        ("", None, "'' is no number"),
        ("2,", None, "'2,' is no number"),
    ],
)
def test_gpus_that_make_no_cluster(text: str, nodes: int | None, cause: str) -> None:
    with pytest.raises(ConfigError, match=cause):
        parse_gpus(text, nodes)


def test_resources_are_one_number_or_one_per_node() -> None:
    assert parse_resources(["example.com/rdma=3", "rdma=3,0"], 2) == {"example.com/rdma": (3, 3), "rdma": (3, 0)}


@pytest.mark.parametrize(("text", "cause"), [("rdma", "rdma has no count"), ("rdma=many", "'many' is no number")])
def test_resources_that_are_none(text: str, cause: str) -> None:
    with pytest.raises(ConfigError, match=cause):
        parse_resources([text], 2)


@pytest.mark.parametrize(
    ("build", "cause"),
    [
        (lambda: ClusterSpec(gpus=()), "0 nodes asked for"),
        (lambda: ClusterSpec(gpus=(0,) * 201), "201 nodes asked for"),
        (lambda: ClusterSpec(gpus=(1, -1)), "negative count in --gpus 1,-1"),
        (lambda: ClusterSpec(memory_mb=0), "--memory 0 leaves"),
        (lambda: ClusterSpec(vcores=-2), "--vcores -2 leaves"),
        (lambda: ClusterSpec(resources={"vcores": (1, 1)}), "vcores is no counted type"),
        (lambda: ClusterSpec(resources={"yarn.io/gpu": (1, 1)}), "yarn.io/gpu is no counted type"),
        (lambda: ClusterSpec(resources={"9mm": (1, 1)}), "'9mm' is no name"),
        (lambda: ClusterSpec(resources={"a/b/c": (1, 1)}), "'a/b/c' is no name"),
        (lambda: ClusterSpec(resources={"rdma": (1,)}), "rdma=1 does not fit 2 nodes"),
        (lambda: ClusterSpec(resources={"rdma": (1, -1)}), "rdma=1,-1 does not fit 2 nodes"),
    ],
)
def test_a_cluster_that_yarn_would_not_take(build: Callable[[], ClusterSpec], cause: str) -> None:
    with pytest.raises(ConfigError, match=cause):
        build()


def test_nodes_have_addresses_and_uuids_of_their_own() -> None:
    first, second = nodes_of(ClusterSpec(gpus=(2, 0), resources={"rdma": (0, 3)}), "abcd")
    assert (first.name, first.address, first.gpu_uuids) == ("nm1", "127.0.0.11", ("GPU-nm1-0000-abcd", "GPU-nm1-0001-abcd"))
    assert first.expected() == {"yarn.io/gpu": 2}
    assert (second.address, second.gpus, second.expected()) == ("127.0.0.12", 0, {"rdma": 3})


@pytest.mark.parametrize(
    ("totals", "ready"),
    [({"yarn.io/gpu": 2, "rdma": 3, "vcores": 16}, True), ({"yarn.io/gpu": 1, "rdma": 3}, False), ({"yarn.io/gpu": 2}, False)],
)
def test_a_node_is_ready_with_all_that_it_shall_have(totals: Mapping[str, int], ready: bool) -> None:
    node, other = nodes_of(ClusterSpec(resources={"rdma": (3, 3)}), "abcd")
    running = [RunningNode(node.address, "127.0.0.11:8042", totals)]
    assert advertises(node, running) is ready
    assert not advertises(other, running)


def resource(gpus: int) -> dict[str, object]:
    """A ResourceInfo as the ResourceManager writes it."""
    return {"resourceInformations": {"resourceInformation": [{"name": "yarn.io/gpu", "value": gpus}]}}


@pytest.mark.parametrize(
    ("shown", "totals"),
    [
        ({"totalResource": resource(2), "usedResource": resource(1), "availableResource": resource(1)}, {"yarn.io/gpu": 2}),
        ({"usedResource": resource(1), "availableResource": resource(3)}, {"yarn.io/gpu": 4}),
        ({}, {}),
    ],
    ids=["3.5", "3.1", "registered a moment ago"],
)
def test_what_a_node_has_in_all(shown: dict[str, object], totals: dict[str, int]) -> None:
    assert shown_node({"nodeHostName": "127.0.0.11", "nodeHTTPAddress": "127.0.0.11:1", **shown}).totals == totals


@pytest.mark.parametrize("name", ["a,b", "a b", "a:b", "a$b"])
def test_a_directory_that_hadoop_could_not_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="can't hold the path"):
        Layout.of(tmp_path / name)


def test_a_directory_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="holds something that is no mini cluster"):
        up(ClusterSpec(), tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_ports_differ() -> None:
    ports = free_ports()
    assert len({ports.namenode, ports.namenode_http, *ports.resourcemanager().values()}) == 7


def test_a_description_survives_its_file(tmp_path: Path) -> None:
    spec = ClusterSpec("3.1.4", (2, 0), {"rdma": (1, 2)}, 1024, 3)
    written = Description("abcd", spec, JAVA, Path("/lib"), PORTS)
    written.save(Layout.of(tmp_path))
    assert load(Layout.of(tmp_path)) == written


def rendered(tmp_path: Path) -> dict[str, str]:
    """All properties of a rendered configuration."""
    layout = Layout.of(tmp_path / "work")
    write_configuration(ClusterSpec(resources={"rdma": (1, 1)}, memory_mb=4096), layout, PORTS, Path("/lib"))
    entries = (entry for path in layout.conf.glob("*.xml") for entry in ElementTree.parse(path).iter("property"))
    return {entry.findtext("name", ""): entry.findtext("value", "") for entry in entries}


def test_the_rendered_configuration_is_the_shipped_one_with_own_places(tmp_path: Path) -> None:
    values = rendered(tmp_path)
    assert values["fs.defaultFS"] == "hdfs://127.0.0.1:20001"
    assert values["yarn.resourcemanager.webapp.address"] == "127.0.0.1:20007"
    assert values["yarn.application.classpath"] == f"{tmp_path}/work/conf,/lib/*"
    assert values["yarn.resource-types"] == "yarn.io/gpu,yarn.io/fpga,example.com/rdma,rdma"
    assert values["yarn.scheduler.maximum-allocation-mb"] == "4096"
    assert values["yarn.scheduler.capacity.resource-calculator"].endswith("DominantResourceCalculator")
    assert (tmp_path / "work/conf/log4j.properties").read_text() == (shipped() / "log4j.properties").read_text()


def test_nothing_of_docker_compose_is_left_in_the_rendered_configuration(tmp_path: Path) -> None:
    foreign = ("namenode:", "datanode:", "resourcemanager:", "/opt/hadoop", "/etc/hadoop", "file:///data", "${")
    own_per_node = {"yarn.nodemanager.local-dirs", "yarn.nodemanager.log-dirs"}  # on each NodeManager's command line
    assert not {
        name: value for name, value in rendered(tmp_path).items() if name not in own_per_node and any(word in value for word in foreign)
    }


def test_only_a_key_that_is_shipped_can_be_filled_in() -> None:
    with pytest.raises(KeyError, match=r"not in the shipped configuration: fs\.default"):
        edited("<configuration><property><name>fs.defaultFS</name><value/></property></configuration>", {"fs.default": "x"})


def minicluster(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m minicluster …`."""
    return subprocess.run([sys.executable, "-m", "minicluster", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "cause", "remedy"),
    [
        (["--gpus", "two"], "'two' is no number", "write --gpus with whole numbers"),
        (["--resource", "rdma"], "--resource rdma has no count", "write it as example.com/rdma=3"),
        (["--hadoop", "2.6.0"], "no Hadoop 2.6.0 here", "choose one of 3.1.4, 3.5.0"),
    ],
)
def test_bad_words_get_a_cause_and_a_remedy(tmp_path: Path, arguments: list[str], cause: str, remedy: str) -> None:
    run = minicluster("up", "--work", str(tmp_path / "work"), *arguments)
    assert run.returncode == 2
    assert run.stderr.startswith(f"error: {cause}")
    assert f"remedy: {remedy}" in run.stderr


def test_commands_where_nothing_is_up(tmp_path: Path) -> None:
    for command in ("status", "env"):
        run = minicluster(command, "--work", str(tmp_path))
        assert (run.returncode, run.stdout) == (1, "")
        assert "remedy: start it: python -m minicluster up --work" in run.stderr
    assert minicluster("down", "--work", str(tmp_path)).returncode == 0
