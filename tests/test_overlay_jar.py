import os
import subprocess
import sys
import zipfile
from pathlib import Path

from client.hadoop.configuration import RESOURCE_TYPES, YARN_SITE, HadoopConfiguration, effective
from client.hadoop.xml import Property, read
from client.submission.overlay import resource_types, write_overlay, yarn_site
from protocol.launch import EXCLUDED_NODES_FILE, FINAL_STATUS_FILE, TAP_FILE

SERVICES = {"taskmanager": {"yarn.io/gpu": 1, "example.com/rdma": 2}}


def cluster(yarn=(), types=(), **others):
    files = {"core-site.xml": (), YARN_SITE: tuple(yarn), RESOURCE_TYPES: tuple(types)}
    return HadoopConfiguration(Path("conf"), files | others, {"HADOOP_HOME": "/edge"})


def shipped(*yarn, services=SERVICES, heartbeat_ms=200):
    return effective(yarn_site(cluster(yarn), services, heartbeat_ms))


def shipped_types(*types, services=SERVICES, yarn=()):
    return effective(resource_types(cluster(yarn, types), services))


def test_our_keys():
    assert shipped() == {
        "yarn.ipc.rpc.class": "treadle.overlay.OverlayRpc",
        "treadle.overlay.rpc-class": "org.apache.hadoop.yarn.ipc.HadoopYarnProtoRPC",
        "treadle.overlay.tap-file": TAP_FILE,
        "treadle.overlay.excluded-nodes-file": EXCLUDED_NODES_FILE,
        "treadle.overlay.final-status-file": FINAL_STATUS_FILE,
        "treadle.overlay.resources.taskmanager": "yarn.io/gpu=1,example.com/rdma=2",
        "yarn.am.liveness-monitor.expiry-interval-ms": "400",
    }


def test_the_clusters_own_configuration_is_kept_and_left_unexpanded():
    assert shipped(Property("yarn.nodemanager.hostname", "${env.HOSTNAME}"))["yarn.nodemanager.hostname"] == "${env.HOSTNAME}"


def test_ours_beat_the_clusters_even_where_theirs_are_final():
    values = shipped(
        Property("yarn.am.liveness-monitor.expiry-interval-ms", "600000", final=True),
        Property("treadle.overlay.tap-file", "elsewhere", final=True),
    )
    assert values["yarn.am.liveness-monitor.expiry-interval-ms"] == "400"
    assert values["treadle.overlay.tap-file"] == TAP_FILE


def test_the_class_that_the_cluster_configured_does_the_calls():
    values = shipped(Property("site.rpc", "com.example.Rpc"), Property("yarn.ipc.rpc.class", "${site.rpc}", final=True))
    assert values["yarn.ipc.rpc.class"] == "treadle.overlay.OverlayRpc"
    assert values["treadle.overlay.rpc-class"] == "com.example.Rpc"


def test_the_clusters_final_properties_stay_final():
    assert Property("a", "1", final=True) in yarn_site(cluster([Property("a", "1", final=True)]), SERVICES, 200)


def test_a_service_without_resources_has_no_key():
    assert "treadle.overlay.resources.plain" not in shipped(services={"plain": {}})


def test_types_are_the_clusters_and_those_asked_for():
    types = shipped_types(Property("yarn.resource-types", "yarn.io/fpga, yarn.io/gpu", final=True))
    assert types == {"yarn.resource-types": "yarn.io/fpga,yarn.io/gpu,example.com/rdma"}


def test_types_keep_their_units_and_limits():
    own = [Property("yarn.resource-types", "yarn.io/gpu"), Property("yarn.resource-types.yarn.io/gpu.maximum-allocation", "8")]
    assert shipped_types(*own)["yarn.resource-types.yarn.io/gpu.maximum-allocation"] == "8"


def test_types_may_stand_in_yarn_site():
    own = Property("yarn.resource-types", "yarn.io/fpga", final=True)
    assert shipped_types(yarn=[own])["yarn.resource-types"] == "yarn.io/fpga,yarn.io/gpu,example.com/rdma"
    assert "yarn.resource-types" not in shipped(own)


def test_a_cluster_without_types_of_its_own():
    hadoop = HadoopConfiguration(Path("conf"), {YARN_SITE: ()}, {})
    assert resource_types(hadoop, SERVICES) == [Property("yarn.resource-types", "yarn.io/gpu,example.com/rdma")]


def test_the_jar_has_classes_and_both_files(tmp_path):
    target = tmp_path / "overlay.jar"
    write_overlay(target, cluster(), SERVICES, 200)
    with zipfile.ZipFile(target) as jar:
        names = jar.namelist()
        jar.extractall(tmp_path)
        magic, java_8 = jar.read("treadle/overlay/OverlayRpc.class")[:4], jar.read("treadle/overlay/OverlayRpc.class")[7]
    assert (magic, java_8) == (b"\xca\xfe\xba\xbe", 52)
    assert len(names) == len(set(names))
    assert list(read(tmp_path / YARN_SITE)) == yarn_site(cluster(), SERVICES, 200)
    assert list(read(tmp_path / RESOURCE_TYPES)) == resource_types(cluster(), SERVICES)


def test_without_the_compiled_classes_make_is_the_remedy(tmp_path):
    (tmp_path / "yarn_overlay").mkdir()
    (tmp_path / "yarn_overlay" / "__init__.py").touch()
    program = """
from pathlib import Path
from client.errors import ClientError
from client.hadoop.configuration import HadoopConfiguration
from client.submission.overlay import write_overlay
try:
    write_overlay(Path("overlay.jar"), HadoopConfiguration(Path("."), {}, {}), {}, 200)
except ClientError as error:
    print(error.cause, error.remedy, error.exit_code, sep="|")
"""
    environ = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parent.parent}"}
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
    cause, remedy, exit_code = run.stdout.strip().split("|")
    assert cause == f"{tmp_path}/yarn_overlay/treadle-yarn-overlay.jar was not built"
    assert remedy.startswith("run `make` in Treadle's source directory")
    assert exit_code == "5"
    assert not (tmp_path / "overlay.jar").exists()
