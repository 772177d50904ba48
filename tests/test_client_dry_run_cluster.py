"""`submit run --dry-run` against a cluster: what it would refuse, what is not reachable, and what is not asked."""

import json

import pytest
from client_edge import a_listener, a_resourcemanager, nobody, write_site
from dry_running import GPU, dry_run, make_job


@pytest.fixture
def job(tmp_path, monkeypatch):
    return make_job(tmp_path, monkeypatch)


@pytest.fixture
def dry(capsys, job):
    return dry_run(capsys)


@pytest.fixture
def resourcemanager():
    with a_resourcemanager() as server:
        yield server


@pytest.fixture
def listening():
    with a_listener() as address:
        yield address


@pytest.fixture
def closed():
    with nobody() as address:
        yield address


@pytest.fixture
def edge(job, monkeypatch):
    """Writes the configuration of a machine without Java and Hadoop's client."""

    def configure(rm, namenode):
        write_site(job, "yarn-site.xml", **{"yarn.resourcemanager.webapp.address": rm.removeprefix("http://")})
        write_site(job, "core-site.xml", **{"fs.defaultFS": f"hdfs://{namenode}"})

    monkeypatch.setenv("HADOOP_CONF_DIR", str(job))
    monkeypatch.setenv("PATH", str(job))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return configure


def told(dry, *arguments):
    code, out, _ = dry("--json", *arguments)
    tree = json.loads(out)
    return code, [problem["cause"] for problem in tree["problems"]], tree


NO_CLIENT = ["no Hadoop client here: yarn is not on PATH", "no Java here: java does not exist"]


def test_everything_that_is_not_reachable_is_told_and_what_is_known_shown(dry, edge, closed):
    edge(closed, closed)
    code, causes, tree = told(dry, *GPU, "job.py")
    assert (code, tree["requests"][1]["resources"]) == (5, {"yarn.io/gpu": 1})
    assert causes == [
        f"the ResourceManager does not answer at http://{closed}: Connection refused",
        f"no NameNode of hdfs://{closed} answers ({closed}: Connection refused)",
        *NO_CLIENT,
    ]
    assert "treadle-overlay.jar" in [file["name"] for file in tree["files"]]


def test_without_a_hadoop_configuration(dry, job, monkeypatch):
    monkeypatch.setenv("HADOOP_CONF_DIR", str(job))
    code, causes, _ = told(dry, "job.py")
    assert (code, causes[0]) == (5, f"there is no yarn-site.xml in {job}, where HADOOP_CONF_DIR points")


def test_refusals_and_what_is_not_reachable_are_told_together(dry, edge, resourcemanager, closed):
    edge(resourcemanager.url, closed)
    code, causes, _ = told(dry, "--queue", "defalt", "--resource", "x=1:yarn.io/x", "job.py")
    assert (code, causes) == (
        4,
        [
            "queue 'defalt' does not exist",
            "this cluster does not know the resource type 'yarn.io/x'",
            f"no NameNode of hdfs://{closed} answers ({closed}: Connection refused)",
            *NO_CLIENT,
        ],
    )


def test_a_script_that_is_not_there_keeps_nobody_from_asking_the_cluster(dry, edge, resourcemanager, listening):
    edge(resourcemanager.url, listening)
    code, causes, tree = told(dry, "--queue", "defalt", "nojob.py")
    assert (code, causes, tree["files"]) == (
        2,
        ["the job's script nojob.py does not exist", "queue 'defalt' does not exist", *NO_CLIENT],
        [],
    )


def test_a_configuration_that_is_wrong_is_not_held_against_the_cluster(dry, edge, resourcemanager, listening):
    edge(resourcemanager.url, listening)
    code, causes, tree = told(dry, "--queue", "defalt", "--slots", "many", "job.py")
    assert (code, causes) == (2, ["taskmanager.numberOfTaskSlots is 'many' (--slots): not a whole number", *NO_CLIENT])
    assert tree["warnings"] == ["whether this cluster can run it was not checked: first the configuration has to be right"]


def test_a_misspelt_key_keeps_nobody_from_asking_the_cluster(dry, edge, resourcemanager, listening):
    edge(resourcemanager.url, listening)
    code, causes, tree = told(dry, "--queue", "defalt", "-D", "yarn.aplication.name=x", "job.py")
    assert (code, causes[1:], tree["warnings"]) == (2, ["queue 'defalt' does not exist", *NO_CLIENT], [])
    assert causes[0].startswith("yarn.aplication.name is not an option")
    assert [request["role"] for request in tree["requests"]] == ["application master", "TaskManager"]


@pytest.mark.cluster
def test_on_a_cluster_refusals_are_told_with_exit_code_4(dry, job, cluster, monkeypatch):
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
    assert dry(*GPU, "job.py")[0] == 0
    code, out, err = dry("--resource", "gpu=9:yarn.io/gpu", "--queue", "nowhere", "--json", "job.py")
    tree = json.loads(out)
    assert code == 4
    assert [problem["key"] for problem in tree["problems"]] == ["yarn.application.queue", "external-resource.gpu.amount"]
    assert "treadle-overlay.jar" in [file["name"] for file in tree["files"]]
    assert err.count("error: ") == 2
    assert not (job / "home").exists()
