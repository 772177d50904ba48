"""`submit run --dry-run`: everything that would be asked and everything that would fail, at once, and nothing is done."""

import json
import sys

import pytest
from client_edge import a_listener, a_resourcemanager, nobody, write_site

from client.__main__ import run
from client.console import Console
from conf import configuration

GPU = ["--resource", "gpu=1:yarn.io/gpu"]
GROUPS = [
    *("-D", "taskmanager.groups=train;io"),
    *("-D", "taskmanager.group.train.external-resources=gpu;big"),
    *("-D", "taskmanager.group.io.external-resources=gpu"),
    *("-D", "taskmanager.group.io.external-resource.gpu.amount=2"),
    *("-D", "external-resource.big.amount=3"),
    *("-D", "external-resource.big.yarn.config-key=example.com/rdma"),
    *("-D", "taskmanager.group.train.count=4"),
]


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TREADLE_HOME", str(tmp_path / "home"))
    (tmp_path / "job.py").write_text("print('never run here')\n")
    return tmp_path


@pytest.fixture
def dry(capsys, job):
    """Runs a command line with --dry-run in this process; returns exit code, stdout and stderr."""

    def call(*arguments):
        code = run(["run", "--dry-run", *arguments], Console(sys.stderr))
        return code, *capsys.readouterr()

    return call


def local(dry, *arguments):
    code, out, err = dry("--master", "local", "--json", *arguments)
    return code, json.loads(out), err


def test_the_configuration_with_origins_and_the_requests(dry):
    code, tree, err = local(dry, *GPU, "--memory", "2g", "-D", "treadle.taskmanagers=3", "job.py", "--epochs", "3")
    assert (code, err) == (0, "")
    assert tree["configuration"]["taskmanager.memory.process.size"] == {"value": "2g", "origin": "--memory"}
    assert tree["configuration"]["yarn.appmaster.vcores"] == {"value": "1", "origin": "default"}
    assert tree["external_resources"] == {"gpu": {"amount": 1, "type": "yarn.io/gpu", "driver": "nvidia", "params": {}}}
    master, task_manager = tree["requests"]
    assert master == {
        "role": "application master",
        "group": "",
        "count": 1,
        "memory_mb": 1024,
        "vcores": 1,
        "resources": {},
        "label": None,
    }
    assert task_manager == {
        "role": "TaskManager",
        "group": "",
        "count": 3,
        "memory_mb": 2048,
        "vcores": 1,
        "resources": {"yarn.io/gpu": 1},
        "label": None,
    }
    assert tree["job"] == {"kind": "main", "argv": ["job.py", "--epochs", "3"]}
    assert [file["name"] for file in tree["files"]] == ["job.py", "launch.json", "treadle.zip"]
    assert all(file["size"] > 0 for file in tree["files"])


def test_groups_that_have_a_resource_otherwise_are_beside_it(dry):
    code, tree, _ = local(dry, *GPU, *GROUPS, "job.py")
    assert code == 0
    gpu = {"type": "yarn.io/gpu", "driver": "nvidia", "params": {}}
    assert tree["external_resources"]["gpu"] == {"amount": 1, **gpu, "groups": {"io": {"amount": 2, **gpu}}}
    assert [(each["group"], each["count"], each["resources"]) for each in tree["requests"][1:]] == [
        ("train", 4, {"yarn.io/gpu": 1, "example.com/rdma": 3}),
        ("io", 1, {"yarn.io/gpu": 2}),
    ]


def test_everything_that_is_wrong_is_told_at_once(dry):
    wrong = ["-D", "foo", "--python", "no-such-python", "--resource", "a b", "-D", "treadle.taskmanagers=x", "-D", "treadle.slotz=1"]
    code, tree, err = local(dry, *wrong, "nojob.py")
    causes = [problem["cause"] for problem in tree["problems"]]
    assert code == 2
    assert causes == [
        "the job's script nojob.py does not exist",
        "-D is 'foo', which has no =",
        "--python is 'no-such-python', which is not on PATH",
        "--resource is 'a b'",
        "treadle.slotz is not an option (-D)",
        "treadle.taskmanagers is 'x' (-D): not a whole number",
    ]
    assert [problem["key"] for problem in tree["problems"]] == [
        "job",
        "-D",
        "--python",
        "--resource",
        "treadle.slotz",
        "treadle.taskmanagers",
    ]
    assert err.count("error: ") == err.count("remedy: ") == 6


def test_a_plain_run_tells_the_same_at_once(capsys, job):
    code = run(["run", "--master", "local", "-D", "foo", "-D", "treadle.taskmanagers=x", "nojob.py"], Console(sys.stderr))
    assert (code, capsys.readouterr().err.count("error: ")) == (2, 3)
    assert not (job / "home").exists()


def test_beside_an_unreadable_file_only_what_is_wrong_by_itself_is_told(dry, job):
    code, tree, _ = local(
        dry, "--properties-file", "none.yaml", "-D", "treadle.taskmanagers=x", "-D", "external-resource.x.amount=1", "job.py"
    )
    assert code == 2
    assert [problem["cause"] for problem in tree["problems"]] == [
        "none.yaml can't be read: No such file or directory",
        "treadle.taskmanagers is 'x' (-D): not a whole number",
    ]
    assert (tree["requests"], tree["external_resources"]) == ([], {})


def test_a_bad_line_of_a_file_leaves_the_good_ones_to_be_read(dry, job):
    (job / "flink-conf.yaml").write_text(
        "external-resources gpu\nexternal-resource.gpu.amount: two\nexternal-resource.gpu.yarn.config-key: yarn.io/gpu\n"
    )
    _, tree, _ = local(dry, "--properties-file", "flink-conf.yaml", *GPU, "--slots", "many", "job.py")
    assert [problem["key"] for problem in tree["problems"]] == ["flink-conf.yaml:1", "taskmanager.numberOfTaskSlots"]
    assert tree["configuration"]["external-resource.gpu.yarn.config-key"]["origin"] == "--resource"


def test_each_bad_resource_flag_is_told(dry):
    _, tree, _ = local(dry, "--resource", "gpu", "--resource", "rdma", "job.py")
    assert [problem["cause"] for problem in tree["problems"]] == ["--resource is 'gpu'", "--resource is 'rdma'"]


def test_warnings_of_the_configuration_are_in_the_result_and_on_stderr(dry):
    _, tree, err = local(dry, "--memory", "1073741824", "-D", "yarn.queue=x", "job.py")
    assert tree["warnings"] == [
        "yarn.queue (-D) is not read here; the nearest option is yarn.application.queue",
        "taskmanager.memory.process.size is 1073741824 (--memory): no unit, so bytes",
    ]
    assert err.splitlines() == [f"warning: {warning}" for warning in tree["warnings"]]


def test_what_the_nodes_read_again_is_not_warned_of_again(caplog):
    checked = configuration.check([], [("taskmanager.memory.process.size", "1073741824", "-D")])
    assert len(checked.warnings) == 1
    configuration.from_flat(checked.configuration.flat()).settings()
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("flags", "cause"),
    [
        (["--timeout", "soon"], "--timeout is 'soon'"),
        (["--timeout", "90 s", "--detach"], "--timeout with --detach"),
        (["--detach"], "--detach with --master local"),
    ],
)
def test_flags_that_set_no_key_are_checked_before_anything_is_run(dry, flags, cause):
    code, tree, _ = local(dry, *flags, "job.py")
    assert (code, len(tree["requests"])) == (2, 2)
    assert any(problem["cause"].startswith(cause) for problem in tree["problems"])


def test_without_a_master_nobody_is_asked(dry):
    code, out, err = dry("--master", "locl", "job.py")
    assert (code, "TaskManager" in out) == (2, True)
    assert "warning: whether a cluster or this machine can run it was not checked" in err


def test_an_interpreter_that_is_not_here_fails_a_local_run(dry):
    code, tree, _ = local(dry, "--python", "/nowhere/python", "job.py")
    assert (code, [problem["cause"] for problem in tree["problems"]]) == (2, ["there is no interpreter /nowhere/python"])


@pytest.mark.parametrize(("on_missing", "code"), [("fail", 2), ("warn", 0)])
def test_a_driver_that_is_not_installed_is_an_error_or_a_warning(dry, on_missing, code):
    driver = [*GPU, "-D", "external-resource.gpu.driver-factory.class=nvidai", "-D", f"external-resource.gpu.on-missing={on_missing}"]
    found, tree, err = local(dry, *driver, "job.py")
    told = "external-resource.gpu.driver-factory.class is 'nvidai', which is not installed"
    assert found == code
    assert ([problem["cause"] for problem in tree["problems"]], tree["warnings"]) == (([told], []) if code else ([], [told]))
    assert err.startswith("error: " if code else "warning: ")


def test_secrets_are_hidden(dry):
    param = ["-D", "external-resource.gpu.param.password=hunter2"]
    _, tree, _ = local(dry, *GPU, *param, "job.py")
    assert "hunter2" not in json.dumps(tree)


def test_nothing_is_left_behind(dry, job):
    assert dry("--master", "local", "job.py")[0] == 0
    assert [path.name for path in job.iterdir()] == ["job.py"]


def test_the_text_names_requests_resources_files_and_origins(dry):
    code, out, _ = dry("--master", "local", *GPU, *GROUPS, "job.py")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert ["TaskManager", "train", "4", "1024", "MiB", "1", "yarn.io/gpu=1", "example.com/rdma=3", "-"] in lines
    assert ["big", "3", "example.com/rdma", "-"] in lines
    assert ["gpu", "(io)", "2", "yarn.io/gpu", "nvidia"] in lines
    assert any(line[:1] == ["treadle.zip"] for line in lines)
    assert ["external-resource.gpu.amount", "1", "--resource"] in lines


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
