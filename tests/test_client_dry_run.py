"""`submit run --dry-run`: everything that would be asked and everything that would fail, at once, and nothing is done."""

import json
import sys

import pytest
from dry_running import GPU, dry_run, make_job

from client.__main__ import run
from client.console import Console
from conf import configuration

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
    return make_job(tmp_path, monkeypatch)


@pytest.fixture
def dry(capsys, job):
    return dry_run(capsys)


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
