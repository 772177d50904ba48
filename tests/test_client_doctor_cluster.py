"""What each check makes of the facts; no cluster."""

import struct
from datetime import datetime, timedelta, timezone

import pytest

from client.cluster import ApplicationReport, ClusterView, Node, Queue
from client.doctor import cluster, hadoop, hdfs, installation, java, kerberos, probe_findings
from client.doctor.asking import Access, Address
from client.doctor.finding import FAILURE, OK, SKIPPED, WARNING, Finding, healthy
from client.doctor.java import Java
from client.doctor.probe import one_container
from conf import configuration

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)


def settings(**keys):
    return configuration.load((), [(key.replace("__", ".").replace("_", "-"), value, "-D") for key, value in keys.items()]).settings()


@pytest.mark.parametrize(
    ("said", "status", "text"),
    [
        ('openjdk version "17.0.9" 2023-10-17', OK, "Java 17, /j/bin/java (by JAVA_HOME)"),
        ('java version "1.8.0_392"', OK, "Java 8, /j/bin/java (by JAVA_HOME)"),
        ('openjdk version "11" 2018-09-25', OK, "Java 11, /j/bin/java (by JAVA_HOME)"),
        ('java version "1.7.0_80"', FAILURE, "Java 7, /j/bin/java (by JAVA_HOME) is too old"),
        ('openjdk version "25-ea"', WARNING, "Java 25, /j/bin/java (by JAVA_HOME) is none that Hadoop's clients are released for"),
        ("hello", WARNING, "/j/bin/java (by JAVA_HOME) tells no version: 'hello'"),
    ],
)
def test_java_is_judged_by_its_version(said, status, text):
    found = java.judge(Java("/j/bin/java", "JAVA_HOME", said))
    assert (found.status, found.text, bool(found.remedy)) == (status, text, status != OK)


def test_a_java_home_without_java_fails_with_the_variable_that_names_it(tmp_path):
    found = java.judge(java.look({"JAVA_HOME": str(tmp_path)}))
    assert (found.status, found.text) == (FAILURE, f"{tmp_path}/bin/java (by JAVA_HOME) can't be run: No such file or directory")


def test_a_java_that_ends_with_an_error_fails(tmp_path):
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    assert java.judge(java.look({"JAVA_HOME": str(tmp_path), "PATH": "/bin"})).text.endswith("can't be run: exit code 3")


def counted(text):
    return struct.pack(">I", len(text)) + text.encode()


def principal(realm, *components):
    return struct.pack(">II", 1, len(components)) + counted(realm) + b"".join(counted(component) for component in components)


def credential(server, end, renew_until=0):
    times = struct.pack(">IIII", 0, 0, int(end.timestamp()), int(renew_until.timestamp()) if renew_until else 0)
    address = struct.pack(">IH", 1, 2) + counted("127.0.0.1")
    key = struct.pack(">H", 18) + counted("k" * 32)
    return principal("R", "ann") + server + key + times + bytes(5) + address + struct.pack(">I", 0) + counted("ticket") + counted("")


def cache(*credentials):
    """A cache file as MIT writes it: version 4, one header field, the client, credentials."""
    header = struct.pack(">HHII", 1, 8, 0xFFFFFFFF, 0)
    return struct.pack(">HH", 0x0504, len(header)) + header + principal("R", "ann") + b"".join(credentials)


TGT = principal("R", "krbtgt", "R")
OTHER = principal("R", "HTTP", "rm")
NOTE = principal("X-CACHECONF:", "krb5_ccache_conf_data", "fast_avail")


def test_the_ticket_granting_ticket_is_found_among_others():
    later, week = NOW + timedelta(hours=10), NOW + timedelta(days=7)
    ticket = kerberos.read(cache(credential(NOTE, NOW), credential(OTHER, week), credential(TGT, later, week)))
    assert ticket == kerberos.Ticket("ann@R", later, week)


def test_a_cache_without_a_ticket_granting_ticket():
    found = kerberos.judge(kerberos.read(cache(credential(OTHER, NOW))), NOW)
    assert (found.status, found.remedy) == (FAILURE, "run `kinit`")


@pytest.mark.parametrize("content", [b"", b"\x05", b"no ticket cache", cache(credential(TGT, NOW))[:-20]])
def test_what_is_no_cache_is_said_to_be_none(content, tmp_path):
    (tmp_path / "tickets").write_bytes(content)
    found = kerberos.examine({"KRB5CCNAME": f"FILE:{tmp_path}/tickets"}, NOW)
    assert (found.status, "can't be read" in found.text) == (FAILURE, True)


@pytest.mark.parametrize(
    ("left", "renewable", "status", "remedy"),
    [
        (timedelta(hours=8), None, OK, ""),
        (timedelta(hours=8), timedelta(days=6), OK, ""),
        (timedelta(minutes=59), None, WARNING, "run `kinit`"),
        (timedelta(minutes=59), timedelta(days=6), WARNING, "`kinit -R` renews it"),
        (timedelta(0), timedelta(days=6), FAILURE, "run `kinit`"),
        (-timedelta(hours=1), None, FAILURE, "run `kinit`"),
    ],
)
def test_a_ticket_is_judged_by_the_time_it_has_left(left, renewable, status, remedy):
    found = kerberos.judge(kerberos.Ticket("ann@R", NOW + left, NOW + renewable if renewable else None), NOW)
    assert (found.status, found.remedy) == (status, remedy)
    assert "ann@R" in found.text


@pytest.mark.parametrize("name", ["KEYRING:persistent:0", "KCM:", "DIR:/run/user/0/krb5cc"])
def test_a_cache_that_java_does_not_read_fails(name):
    found = kerberos.examine({"KRB5CCNAME": name}, NOW)
    assert (found.status, name in found.text, "KRB5CCNAME=FILE:" in found.remedy) == (FAILURE, True, True)


def test_no_cache_at_all(tmp_path):
    found = kerberos.examine({"KRB5CCNAME": str(tmp_path / "none")}, NOW)
    assert (found.status, found.text) == (FAILURE, f"no ticket: there is no {tmp_path}/none")


ACTIVE = Address("http://rm1:8088", "3.5.0", "ACTIVE")
STANDBY = Address("http://rm2:8088", "3.5.0", "STANDBY")
DOWN = Address("http://rm2:8088", error="Connection refused")


@pytest.mark.parametrize(
    ("addresses", "statuses"),
    [
        ([ACTIVE], [OK]),
        ([Address("http://rm1:8088", "3.5.0", "INITIALIZING")], [OK]),
        ([ACTIVE, STANDBY], [OK, OK]),
        ([DOWN, ACTIVE], [WARNING, OK]),
        ([DOWN], [FAILURE]),
        ([STANDBY, DOWN], [OK, FAILURE, FAILURE]),
        ([STANDBY, Address("http://rm1:8088", "3.5.0", "INITIALIZING")], [OK, OK, FAILURE]),
        ([STANDBY, STANDBY], [OK, OK, FAILURE]),
    ],
)
def test_one_active_resourcemanager_is_enough(addresses, statuses):
    assert [finding.status for finding in cluster.resourcemanagers(addresses)] == statuses


def view(*nodes, types=("memory-mb", "vcores", "yarn.io/gpu")):
    queues = (Queue("root.default", "RUNNING", leaf=True, creates_children=False),)
    return ClusterView("3.5.0", nodes, queues, frozenset(types), {})


def node(host="n1", **resources):
    total = {"memory-mb": 8192, "vcores": 16} | {f"yarn.io/{name}": amount for name, amount in resources.items()}
    return Node(host, (), total, total)


def test_nodes_are_named_that_offer_a_type():
    text = [finding.text for finding in cluster.nodes(view(node("n1"), node("n2", gpu=2), node("n3", gpu=4)))]
    assert text == ["3 RUNNING, with 24576 MiB and 48 vcores", "yarn.io/gpu: 6 in all, n3 4, n2 2"]


def test_many_nodes_are_counted_beyond_the_first():
    *_, gpus = cluster.nodes(view(*(node(f"n{i}", gpu=1) for i in range(6))))
    assert gpus.text == "yarn.io/gpu: 6 in all, n0 1, n1 1, n2 1, n3 1 and 2 more"


@pytest.mark.parametrize(
    ("cluster_view", "status", "words"),
    [
        (view(), FAILURE, "no NodeManager is RUNNING"),
        (view(node()), WARNING, "yarn.io/gpu: counted, and no node offers any"),
        (view(node(), types=("memory-mb", "vcores")), WARNING, "this cluster counts memory and vcores only"),
    ],
)
def test_nodes_that_lack_something(cluster_view, status, words):
    assert (status, words) in [(finding.status, finding.text) for finding in cluster.nodes(cluster_view)]


def test_a_queue_that_is_not_there_and_containers_that_are_too_large():
    asked = settings(yarn__application__queue="defualt", taskmanager__memory__process__size="64g")
    (queue,) = cluster.queue(asked, view(node()))
    (containers,) = cluster.containers(asked, view(node()))
    assert (queue.status, queue.text) == (FAILURE, "queue 'defualt' does not exist")
    assert (containers.status, "memory-mb 65536" in containers.text) == (FAILURE, True)
    assert all(finding.remedy for finding in (queue, containers))


@pytest.mark.parametrize(
    ("access", "status"), [(Access(True), OK), (Access(False, "no"), FAILURE), (Access(None, "not an administrator"), SKIPPED)]
)
def test_the_right_to_submit(access, status):
    assert cluster.right(access, "ann", "root.a").status == status


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("AccessControlException: Permission denied: user=ann, access=WRITE", "have HDFS's superuser make your home directory"),
        ("Cannot create file. Name node is in safe mode.", "wait until the NameNode leaves safe mode"),
        ("The DiskSpace quota of /user/ann is exceeded", "delete something, or have the quota raised"),
        ("GSS failure", "run `kinit`"),
        ("all is lost", "try `hdfs dfs -touchz /user/ann/x`"),
    ],
)
def test_a_refused_write_has_its_own_remedy(error, remedy):
    found = hdfs.judge({"directory": "/user/ann", "error": error}, "hdfs://nn:8020", "ann")
    assert (found.status, found.text) == (FAILURE, f"hdfs://nn:8020/user/ann takes no file: {error}")
    assert found.remedy.startswith(remedy)


@pytest.mark.parametrize(("minutes", "status"), [(0, OK), (-4, OK), (6, WARNING), (-600, WARNING)])
def test_clocks_are_compared(minutes, status):
    assert installation.clock(NOW, NOW + timedelta(minutes=minutes)).status == status


def test_a_server_that_tells_no_time_says_nothing_about_the_clock():
    assert installation.clock(NOW, None) is None


@pytest.mark.parametrize(("on_missing", "status"), [("fail", FAILURE), ("warn", WARNING)])
def test_a_driver_that_is_not_installed(on_missing, status):
    keys = {"external-resources": "gpu", "external-resource.gpu.amount": "1", "external-resource.gpu.driver-factory.class": "nvida"}
    keys["external-resource.gpu.on-missing"] = on_missing
    asked = configuration.load((), [(key, value, "-D") for key, value in keys.items()]).settings()
    (found,) = installation.drivers(asked)
    assert (found.status, "did you mean nvidia?" in found.remedy) == (status, True)


def test_a_configuration_without_a_file_system_fails(tmp_path):
    (tmp_path / "yarn-site.xml").write_text("<configuration/>")
    loaded, found = hadoop.load({"HADOOP_CONF_DIR": str(tmp_path)})
    assert loaded is not None
    assert (found.status, "no core-site.xml" in found.text) == (FAILURE, True)


def test_a_missing_hadoop_client():
    assert hadoop.client({"PATH": "/nowhere"}).status == FAILURE


def test_skipped_and_warned_is_still_healthy():
    assert healthy([Finding("a", OK, ""), Finding("b", WARNING, ""), Finding("c", SKIPPED, "")])
    assert not healthy([Finding("a", OK, ""), Finding("b", FAILURE, "")])


OUTCOME = ApplicationReport("application_1_0001", "p", "FINISHED", "SUCCEEDED", "", "")
NODE = {
    "node": "n1",
    "system": "Linux",
    "python": "3.11.7",
    "executable": "/p",
    "smi": "/usr/bin/nvidia-smi",
    "devices": {"gpu": [{"index": "0", "uuid": "GPU-a"}]},
    "device_files": [],
    "gpus": [{"index": "0", "uuid": "GPU-a", "name": "A100", "driver_version": "550", "memory.used": "10", "memory.total": "40960"}],
    "processes": [],
    "errors": [],
}


def probed(report=OUTCOME, words=(), asked=("gpu",), **node):
    return list(probe_findings.judge(report, NODE | node, words, asked))


def test_a_probe_tells_what_its_slot_saw():
    assert [(finding.status, finding.text) for finding in probed()] == [
        (OK, "application_1_0001 ran on n1 (Linux)"),
        (OK, "Python 3.11.7, /p"),
        (OK, "gpu: found index=0 uuid=GPU-a"),
        (OK, "GPU 0 A100 (GPU-a), driver 550, 10 of 40960 MiB used"),
    ]


@pytest.mark.parametrize(
    ("node", "status", "words"),
    [
        ({"smi": "", "gpus": []}, WARNING, "no nvidia-smi on the PATH of n1; there is no /dev/nvidia0 either"),
        ({"smi": "", "gpus": [], "device_files": ["/dev/nvidia0"]}, WARNING, "no nvidia-smi on the PATH of n1; /dev/nvidia0 are there"),
        ({"errors": ["no driver"]}, WARNING, "/usr/bin/nvidia-smi says: no driver"),
        ({"devices": {}}, FAILURE, "gpu: granted by YARN, and the driver found none (gpu: NVML is not there.)"),
        (
            {"processes": [{"gpu_uuid": "GPU-a", "pid": "7", "process_name": "train", "used_memory": "99"}]},
            WARNING,
            "train (pid 7) uses GPU-a, 99 MiB",
        ),
    ],
)
def test_a_node_that_lacks_something(node, status, words):
    said = ["WARNING task_manager.devices: Going on with 0 of 1: gpu: NVML is not there."]
    assert (status, words) in [(finding.status, finding.text) for finding in probed(words=said, **node)]


def test_a_probe_that_failed_tells_why():
    report = ApplicationReport("application_1_0001", "p", "FINISHED", "FAILED", "no Python there [exit code 127]", "")
    (found,) = probe_findings.judge(report, None, (), ("gpu",))
    assert (found.status, "no Python there" in found.text) == (FAILURE, True)


def test_a_probe_whose_words_are_lost_is_a_warning():
    (found,) = probe_findings.judge(OUTCOME, None, (), ("gpu",))
    assert found.status == WARNING


def flat(**keys):
    return configuration.load((), [(key, value, "-D") for key, value in keys.items()]).flat()


def test_a_probe_asks_for_one_gpu_where_a_node_offers_some():
    asked = configuration.from_flat(one_container(flat(), {"memory-mb": 1, "yarn.io/gpu": 4})).settings()
    (group,) = asked.groups
    (gpu,) = group.external_resources
    assert (group.count, group.slots, asked.parallelism) == (1, 1, 1)
    assert (gpu.amount, gpu.yarn_type, gpu.driver, gpu.on_missing) == (1, "yarn.io/gpu", "nvidia", "warn")


def test_a_probe_without_gpus_asks_for_none():
    asked = configuration.from_flat(one_container(flat(), {"memory-mb": 1, "yarn.io/fpga": 4})).settings()
    assert asked.groups[0].external_resources == ()


def test_a_probe_asks_for_one_of_what_is_configured():
    keys = {"external-resources": "nic", "external-resource.nic.amount": "3", "external-resource.nic.yarn.config-key": "example.com/rdma"}
    keys |= {"external-resource.nic.driver-factory.class": "infiniband", "treadle.taskmanagers": "5", "taskmanager.numberOfTaskSlots": "2"}
    asked = configuration.from_flat(one_container(flat(**keys), {"yarn.io/gpu": 4})).settings()
    (resource,) = asked.groups[0].external_resources
    assert (asked.groups[0].count, resource.name, resource.amount, resource.driver) == (1, "nic", 1, "infiniband")
