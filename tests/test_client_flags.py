import sys
from pathlib import Path

import pytest

from client.command_line.flags import Flags, overrides, parse_master
from client.command_line.request import parse_job
from client.errors import ClientError
from conf import configuration
from conf.errors import ConfigError
from protocol.launch import Job


@pytest.mark.parametrize(("text", "master"), [("yarn", ("yarn", None)), ("local", ("local", None)), ("local[3]", ("local", 3))])
def test_masters(text, master):
    assert parse_master(text) == master


@pytest.mark.parametrize("text", ["", "spark", "local[0]", "local[x]", "local[2", "yarn[2]", "local[*]"])
def test_no_master(text):
    with pytest.raises(ClientError, match="--master is") as raised:
        parse_master(text)
    assert (raised.value.exit_code, "local[N]" in raised.value.remedy) == (2, True)


def test_each_flag_sets_its_key_and_is_its_origin():
    flags = Flags(name="n", queue="q", taskmanagers="2", slots="3", memory="4g", vcores="5", python=sys.executable)
    entries = configuration.load([], overrides(flags, None)).entries
    assert {key: (entry.value, entry.origin) for key, entry in entries.items() if entry.origin != "default"} == {
        "yarn.application.name": ("n", "--name"),
        "yarn.application.queue": ("q", "--queue"),
        "treadle.taskmanagers": ("2", "--taskmanagers"),
        "taskmanager.numberOfTaskSlots": ("3", "--slots"),
        "taskmanager.memory.process.size": ("4g", "--memory"),
        "taskmanager.cpu.cores": ("5", "--vcores"),
        "python.executable": (sys.executable, "--python"),
    }


def test_a_flag_goes_before_d_and_both_before_a_file(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(
        "yarn.application.queue: file\nyarn.application.name: file\ntaskmanager.numberOfTaskSlots: 4\nyarn.containers.vcores: 9\n"
    )
    flags = Flags(queue="flag", vcores="2", definitions=("yarn.application.queue=d", "yarn.application.name=d"), files=(str(file),))
    settings = configuration.load(flags.paths, overrides(flags, None)).settings()
    assert (settings.application.queue, settings.application.name, settings.groups[0].slots) == ("flag", "d", 4)
    assert settings.groups[0].vcores == 2


def test_a_value_may_hold_an_equals_sign():
    assert overrides(Flags(definitions=("external-resource.gpu.param.discovery-script.args=--a=b",)), None) == [
        ("external-resource.gpu.param.discovery-script.args", "--a=b", "-D")
    ]


def test_the_n_of_local_is_the_number_of_taskmanagers():
    assert configuration.load([], overrides(Flags(), 3)).settings().groups[0].count == 3
    assert configuration.load([], overrides(Flags(taskmanagers="3"), 3)).settings().groups[0].count == 3
    with pytest.raises(ConfigError, match=r"--master local\[3\] with --taskmanagers 2"):
        overrides(Flags(taskmanagers="2"), 3)


@pytest.mark.parametrize(("count", "cause"), [("0", "less than 1"), ("x", "not a whole number")])
def test_a_number_that_no_master_takes_is_told_as_such_beside_that_of_local(count, cause):
    with pytest.raises(ConfigError, match=rf"^treadle.taskmanagers is '{count}' \(--taskmanagers\): {cause}$"):
        configuration.load([], overrides(Flags(taskmanagers=count), 3)).settings()


def resources(*specs, files=(), definitions=()):
    flags = Flags(resources=specs, files=tuple(map(str, files)), definitions=definitions)
    return [
        (r.name, r.amount, r.driver, r.yarn_type)
        for r in configuration.load(flags.paths, overrides(flags, None)).settings().groups[0].external_resources
    ]


@pytest.mark.parametrize(
    ("specs", "definitions", "expected"),
    [
        (["gpu=2"], (), [("gpu", 2, "nvidia", "yarn.io/gpu")]),
        (["gpu=2:example.com/gpu"], (), [("gpu", 2, "nvidia", "example.com/gpu")]),
        (["gpu=1", "rdma=2:example.com/rdma"], (), [("gpu", 1, "nvidia", "yarn.io/gpu"), ("rdma", 2, None, "example.com/rdma")]),
        (["gpu=2"], ("external-resource.gpu.driver-factory.class=list",), [("gpu", 2, "list", "yarn.io/gpu")]),
        (["gpu=2"], ("external-resources=none",), [("gpu", 2, "nvidia", "yarn.io/gpu")]),
    ],
)
def test_resources(specs, definitions, expected):
    assert resources(*specs, definitions=definitions) == expected


def test_a_resource_is_added_to_those_of_a_file_and_goes_before_them(tmp_path):
    file, driver = tmp_path / "flink-conf.yaml", "org.apache.flink.externalresource.gpu.GPUDriverFactory"
    file.write_text(
        "external-resources: rdma;gpu\nexternal-resource.rdma.amount: 1\nexternal-resource.rdma.yarn.config-key: example.com/rdma\n"
        f"external-resource.gpu.amount: 1\nexternal-resource.gpu.driver-factory.class: {driver}\n"
    )
    expected = [("rdma", 1, None, "example.com/rdma"), ("gpu", 4, driver, "yarn.io/gpu"), ("fpga", 1, None, "yarn.io/fpga")]
    assert resources("gpu=4", "fpga=1", files=[file]) == expected


@pytest.mark.parametrize("spec", ["gpu", "=2", "", ":yarn.io/gpu", "gpu:2"])
def test_no_resource(spec):
    with pytest.raises(ConfigError, match="--resource is"):
        resources(spec)


@pytest.mark.parametrize("amount", ["", "two", "-1", "0", "1.5"])
def test_an_amount_that_is_none_is_the_configurations_to_refuse(amount):
    with pytest.raises(ConfigError, match=r"external-resource\.gpu\.amount"):
        resources(f"gpu={amount}")


def test_no_assignment():
    with pytest.raises(ConfigError, match="-D is 'foo', which has no ="):
        overrides(Flags(definitions=("foo",)), None)


def test_python_is_made_absolute_and_its_links_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    link = tmp_path / "venv/bin/python"
    link.parent.mkdir(parents=True)
    link.symlink_to(sys.executable)
    assert overrides(Flags(python="venv/bin/python"), None) == [("python.executable", str(link), "--python")]
    monkeypatch.setenv("PATH", str(link.parent))
    assert overrides(Flags(python="python"), None) == [("python.executable", str(link), "--python")]
    with pytest.raises(ConfigError, match="--python is 'python9', which is not on PATH"):
        overrides(Flags(python="python9"), None)


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "jobs/job.py"
    path.parent.mkdir()
    path.write_text("")
    return path


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ([], []),
        (["--epochs", "3", "-D", "x=y"], ["--epochs", "3", "-D", "x=y"]),
        (["--", "--epochs"], ["--epochs"]),
        (["--", "--", "x"], ["--", "x"]),
        (["a", "--", "b"], ["a", "--", "b"]),
        (["", " "], ["", " "]),
    ],
)
def test_a_script_and_its_arguments(script, words, arguments):
    assert parse_job(["jobs/job.py", *words], is_command=False) == (Job("main", ("job.py", *arguments)), script)


def test_a_command():
    assert parse_job(["python", "train.py", "--", "-x"], is_command=True) == (Job("command", ("python", "train.py", "--", "-x")), None)


@pytest.mark.parametrize(
    ("words", "is_command", "cause"),
    [
        ([], False, "nothing to run"),
        ([], True, "nothing to run"),
        (["jobs/none.py"], False, "the job's script jobs/none.py does not exist"),
        (["python"], False, "'python' is not a .py file"),
        (["jobs/dir.py"], False, "the job's script jobs/dir.py is not a file"),
        (["jobs/$(id).py"], False, r"the job's script can't be shipped as '\$\(id\).py'"),
    ],
)
def test_what_cant_be_run(script, words, is_command, cause):
    Path("jobs/dir.py").mkdir()
    Path("jobs/$(id).py").write_text("")
    with pytest.raises(ClientError, match=cause) as raised:
        parse_job(words, is_command=is_command)
    assert raised.value.exit_code == 2
