"""`--master local[N]` through the real program: the application master, TaskManagers and slots as processes, no Java."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from submitting import submit

import minicluster

SEEDS_CONFIGURATION = """\
external-resources: gpu
external-resource.gpu.driver-factory.class: org.apache.flink.externalresource.gpu.GPUDriverFactory
external-resource.gpu.amount: 1
external-resource.gpu.param.discovery-script.args: --enable-coordination   # only in 002_7da53af5baecfef2, for standalone
external-resource.gpu.yarn.config-key: yarn.io/gpu
external-resource.gpu.kubernetes.config-key: nvidia.com/gpu
"""
"""The three seed documents' example, merged, as it stands in reference/seeds.md §3."""

GPU = ["--resource", "gpu=1", "-D", "external-resource.gpu.driver-factory.class=discovery-script"]


@pytest.fixture
def host(tmp_path):
    """A host with two GPUs, as the mini cluster's nvidia-smi shows them, and leases of its own."""
    programs = tmp_path / "bin"
    programs.mkdir()
    nvidia_smi = programs / "nvidia-smi"
    shutil.copy(Path(minicluster.__file__).parent / "nvidia-smi", nvidia_smi)
    nvidia_smi.chmod(0o755)
    (programs / "gpus").write_text("2 host\n")
    (tmp_path / "config.yaml").write_text(SEEDS_CONFIGURATION)
    return tmp_path


def local(host, *arguments, task_managers=2):
    environment = {"PATH": f"{host / 'bin'}:{os.environ['PATH']}"}
    leases = ["-D", f"treadle.lease.directory={host / 'leases'}"]
    return submit(["--master", f"local[{task_managers}]", *leases, *arguments], environment, host)


def slot_logs(host, said):
    directory = host / "treadle-home" / "applications" / said.application
    return [path.read_text() for path in sorted(directory.glob("tm-*/slot-*.log"))]


def script(host, text, mode=0o755):
    path = host / "discover.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return [*GPU, "-D", f"external-resource.gpu.param.discovery-script.path={path}"]


def test_the_seeds_demo_two_task_managers_share_one_host_without_conflict(host):
    coordination = f"--enable-coordination --coordination-file {host / 'coordination'}"
    said = local(
        host,
        *["--properties-file", "config.yaml", "-D", f"external-resource.gpu.param.discovery-script.args={coordination}"],
        *["--", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES; cat $TREADLE_RUNTIME_CONTEXT"],
    )
    assert said.code == 0, said.err
    assert "(2/2 TaskManagers)" in said.err
    visible, contexts = zip(*(log.split("\n", 1) for log in slot_logs(host, said)), strict=True)
    infos = [json.loads(context)["external_resources"]["gpu"] for context in contexts]
    assert sorted(info["index"] for (info,) in infos) == ["0", "1"]
    assert [info["uuid"] for (info,) in infos] == list(visible)
    assert len(set(visible)) == 2


def test_the_seeds_configuration_as_it_stands_gives_each_its_own(host):
    said = local(host, "--properties-file", "config.yaml", "--", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES")
    assert said.code == 0, said.err
    assert len({*slot_logs(host, said)}) == 2
    Path("/var/tmp/flink-gpu-coordination").unlink(missing_ok=True)


def test_a_third_task_manager_on_two_gpus_is_refused_clearly(host):
    said = local(host, *GPU, "-D", "treadle.lease.timeout=0", "--", "true", task_managers=3)
    assert said.code == 1
    assert "on localhost: could not register: gpu: asked 1, found 2, of these 0 free" in said.err
    assert "is held by local-tm-" in said.err


@pytest.mark.parametrize(("grace", "needs", "ended"), [("60 s", 1, True), ("3 s", 60, False)])
def test_slots_of_a_job_that_failed_have_the_configured_time_to_end(host, grace, needs, ended):
    up = host / "up"
    first = f"trap 'echo told; sleep {needs}; echo ended; exit 0' TERM; touch {up}; while :; do sleep 0.05; done"
    script = f"if [ $RANK = 0 ]; then {first}; fi; while [ ! -e {up} ]; do sleep 0.05; done; exit 7"
    said = local(host, "-D", f"treadle.job.termination-grace={grace}", "--", "sh", "-c", script)
    assert said.code == 7
    words = slot_logs(host, said)[0].splitlines()
    assert ("told" in words, "ended" in words) == (True, ended)


def test_only_the_application_id_is_on_stdout(host):
    said = local(host, "--", "true", task_managers=1)
    assert (said.code, said.out.count("\n")) == (0, 1)
    assert said.application.startswith("local-")


def test_slots_are_ranked_over_all_task_managers(host):
    said = local(host, "--slots", "2", "--", "sh", "-c", "echo $RANK/$WORLD_SIZE $LOCAL_RANK/$LOCAL_WORLD_SIZE $MASTER_ADDR")
    assert said.code == 0, said.err
    assert slot_logs(host, said) == [f"{rank}/4 {rank % 2}/2 127.0.0.1\n" for rank in range(4)]


def test_a_lower_parallelism_leaves_the_last_slots_idle(host):
    said = local(host, "--slots", "2", "-D", "parallelism.default=3", "--", "sh", "-c", "echo $RANK/$WORLD_SIZE")
    assert said.code == 0, said.err
    assert slot_logs(host, said) == [f"{rank}/3\n" for rank in range(3)]


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        ("raise ValueError('boom')", 1, "ValueError: boom"),
        ("import sys; sys.exit(3)", 3, "job.py ended with exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137, "job.py ended with signal 9"),
    ],
)
def test_how_a_main_ends_is_how_submit_ends(host, program, code, words):
    (host / "job.py").write_text(program)
    said = local(host, "job.py", task_managers=1)
    assert said.code == code
    assert words in said.err


def test_a_job_may_bring_modules_named_as_ours(host):
    (host / "job.py").write_text(
        "import sys, treadle; print(treadle.__file__, [name for name in sys.modules if name in ('conf', 'client')])"
    )
    said = local(host, "job.py", task_managers=1)
    log = (host / "treadle-home" / "applications" / said.application / "job.log").read_text()
    assert "treadle.zip" in log
    assert log.endswith("[]\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo out of order >&2; exit 1", ["the discovery script exited with 1", "out of order"]),
        ("exit 0", ["gpu: asked 1, found 0"]),
        ("head -c 1000000 /dev/zero | tr '\\0' 7", ["first line is longer than"]),
        ("sleep 1000", ["took longer than 0.5 s and was killed"]),
    ],
    ids=["fails", "prints nothing", "prints 1 MB", "hangs"],
)
def test_a_discovery_script_that_misbehaves_is_named(host, text, words):
    limit = ["-D", "external-resource.gpu.param.discovery-script.timeout=500 ms"]
    begin = time.monotonic()
    said = local(host, *script(host, text), *limit, "--", "true", task_managers=1)
    assert time.monotonic() - begin < 60
    assert said.code == 1, said.err
    assert [word for word in ["tm-0 on localhost", *words] if word not in said.err] == []


@pytest.mark.parametrize(
    "driver",
    [
        "import time\ndef hangs(params): time.sleep(1000)",
        "import time\nclass hangs:\n    def __init__(self, params): ...\n    def discover(self, amount): time.sleep(1000)",
        "import time\ntime.sleep(1000)",
    ],
    ids=["while it is made", "while it is asked", "while it is imported"],
)
def test_a_driver_that_hangs_is_named(host, driver):
    (host / "driver.py").write_text(driver)
    name = f"{host / 'driver.py'}:hangs"
    options = ["-D", f"external-resource.gpu.driver-factory.class={name}", "-D", "external-resource.gpu.discovery-timeout=500 ms"]
    said = local(host, "--resource", "gpu=1", *options, "--", "true", task_managers=1)
    assert said.code == 1, said.err
    assert f"tm-0 on localhost: could not register: gpu: driver {name} has not answered for 0.5 s" in said.err
    assert "raise external-resource.gpu.discovery-timeout" in said.err


def test_a_script_that_prints_much_after_its_first_line_is_no_trouble(host):
    said = local(host, *script(host, "echo 0; head -c 1000000 /dev/zero | tr '\\0' 7"), "--", "true", task_managers=1)
    assert said.code == 0, said.err


@pytest.mark.parametrize(("mode", "words"), [(0o644, "is not executable"), (None, "does not exist")])
def test_a_discovery_script_that_cant_run_is_named(host, mode, words):
    arguments = script(host, "echo 0", mode or 0o755)
    if mode is None:
        (host / "discover.sh").unlink()
    said = local(host, *arguments, "--", "true", task_managers=1)
    assert said.code == 1
    assert f"the discovery script {host / 'discover.sh'} {words}" in said.err
