from pathlib import Path

import pytest

from protocol.records import Device, JobDeployment, Slot
from protocol.user_code import UserCode
from task_manager.identity import of_container, of_process
from task_manager.slot_environment import slot_process

GPU = Device("gpu", "1", "GPU-nm1-0001", {"name": "Fake A100"})
WITH, WITHOUT = Slot("tm-1/slot-0", (GPU,)), (Slot("tm-1/slot-0", ()), Slot("tm-1/slot-1", ()))
RANKS = {"tm-0/slot-0": 0, "tm-1/slot-0": 1, "tm-1/slot-1": 2}
COMMAND = JobDeployment("command", "train.py", ("python", "train.py"), "", RANKS, "127.0.0.11", 4000, 0, {})
DASK = JobDeployment("dask", "job.py", (), "tls://127.0.0.1:9", RANKS, "127.0.0.11", 4000, 0, {})
IDENTITY = of_process("tm-1", Path("/app/tm-1"))


def describe(slot, deployment, siblings=None, visibility=None):
    return slot_process(
        slot,
        siblings or (slot,),
        deployment,
        IDENTITY,
        UserCode("/venv/bin/python"),
        {"PATH": "/usr/bin", "HOME": "/home"},
        visibility or {},
    )


def test_a_command_has_torchruns_variables():
    spec = describe(WITH, COMMAND, visibility={"CUDA_VISIBLE_DEVICES": "GPU-nm1-0001"})
    assert spec.command == ("python", "train.py")
    expected = {
        "RANK": "1",
        "WORLD_SIZE": "3",
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "MASTER_ADDR": "127.0.0.11",
        "MASTER_PORT": "4000",
    }
    assert expected.items() <= spec.environment.items()
    assert spec.environment["CUDA_VISIBLE_DEVICES"] == "GPU-nm1-0001"
    assert spec.environment["PATH"] == "/venv/bin:/usr/bin"
    assert spec.environment["PYTHONPATH"] == "/app/tm-1/treadle.zip"
    assert spec.environment["HOME"] == "/home"


@pytest.mark.parametrize(("number", "local_rank"), [(0, "0"), (1, "1")])
def test_slots_without_devices_are_counted_in_their_task_manager(number, local_rank):
    spec = describe(WITHOUT[number], COMMAND, siblings=WITHOUT)
    assert (spec.environment["LOCAL_RANK"], spec.environment["LOCAL_WORLD_SIZE"]) == (local_rank, "2")


def test_a_slot_with_devices_of_its_own_is_alone_with_them():
    siblings = (WITH, Slot("tm-1/slot-1", (Device("gpu", "2", "GPU-nm1-0002", {}),)))
    spec = describe(siblings[1], COMMAND, siblings=siblings)
    assert (spec.environment["RANK"], spec.environment["LOCAL_RANK"], spec.environment["LOCAL_WORLD_SIZE"]) == ("2", "0", "1")


@pytest.mark.parametrize(("devices", "ranks"), [((GPU,), "00"), ((GPU, Device("gpu", "2", "GPU-2", {})), "01")])
def test_slots_that_share_devices_are_numbered_among_them(devices, ranks):
    siblings = tuple(Slot(f"tm-1/slot-{i}", devices) for i in (0, 1))
    environments = [describe(slot, COMMAND, siblings=siblings).environment for slot in siblings]
    assert "".join(environment["LOCAL_RANK"] for environment in environments) == ranks
    assert {environment["LOCAL_WORLD_SIZE"] for environment in environments} == {"2"}


def test_a_dask_slot_knows_its_scheduler_and_the_tls_pair():
    spec = describe(WITH, DASK)
    assert spec.command == ("/venv/bin/python", "-m", "treadle.dask_slot")
    assert spec.environment["TREADLE_SCHEDULER"] == "tls://127.0.0.1:9"
    assert spec.environment["TREADLE_TLS_CERTIFICATE"] == "/app/tm-1/.skein.crt"
    assert "RANK" not in spec.environment


def test_the_runtime_context_holds_the_slots_devices_with_every_property():
    spec = describe(WITH, DASK)
    assert spec.environment["TREADLE_RUNTIME_CONTEXT"] == str(spec.context_file) == "/app/tm-1/slot-0.json"
    assert spec.context == {
        "task_name": "job.py",
        "subtask_index": 1,
        "parallelism": 3,
        "slot": "tm-1/slot-0",
        "task_manager": "tm-1",
        "group": "tm",
        "node": "localhost",
        "external_resources": {"gpu": [{"name": "Fake A100", "index": "1", "uuid": "GPU-nm1-0001"}]},
    }


def test_the_identity_of_a_container_is_what_yarn_and_skein_say():
    environ = {"SKEIN_CONTAINER_ID": "tm_12", "CONTAINER_ID": "container_1_2_3", "NM_HOST": "nm1", "LOG_DIRS": "/logs/a,/logs/b"}
    identity = of_container(environ, Path("/work"))
    assert (identity.task_manager_id, identity.container_id, identity.node) == ("tm-12", "container_1_2_3", "nm1")
    assert identity.logs == Path("/logs/a")


def test_what_was_shipped_comes_before_treadle_and_before_what_the_user_set():
    user = UserCode("./env/bin/python", (".", "lib.zip"), {"PYTHONPATH": "/nfs/lib", "PATH": "/own", "TEXT": 'a "b" $c\n'})
    environment = slot_process(WITH, (WITH,), DASK, IDENTITY, user, {"PATH": "/usr/bin"}, {}).environment
    assert environment["PYTHONPATH"] == "/app/tm-1:/app/tm-1/lib.zip:/app/tm-1/treadle.zip:/nfs/lib"
    assert environment["PATH"] == "/app/tm-1/env/bin:/own"
    assert environment["TEXT"] == 'a "b" $c\n'
    assert slot_process(WITH, (WITH,), DASK, IDENTITY, user, {}, {}).command[0] == "/app/tm-1/env/bin/python"
