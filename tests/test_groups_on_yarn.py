"""Groups of TaskManagers with resources of their own, on real daemons of both ends of the version range."""

import json

import pytest
from submitting import running, submit
from test_on_yarn import SMALL, slot_logs, used, wait_for

pytestmark = pytest.mark.cluster

GROUPS = {
    "taskmanager.groups": "train;io",
    "taskmanager.group.train.external-resources": "gpu;rdma",
    "taskmanager.group.train.count": "2",
    "taskmanager.group.io.numberOfTaskSlots": "2",
    "taskmanager.group.io.memory.process.size": "256m",
    "external-resource.gpu.amount": "1",
    "external-resource.gpu.yarn.config-key": "yarn.io/gpu",
    "external-resource.gpu.driver-factory.class": "discovery-script",
    "external-resource.rdma.amount": "2",
    "external-resource.rdma.yarn.config-key": "example.com/rdma",
}

STAGES = """\
import pyarrow as pa, sys, treadle
from treadle import get_runtime_context

class Where(treadle.RichMapFunction):
    def open(self, context):
        self.context = context
    def map(self, batch):
        gpus = sorted(info.get_property("uuid") for info in self.context.get_external_resource_infos("gpu"))
        n = batch.num_rows
        return pa.record_batch({"group": [self.context.group] * n, "gpus": [len(gpus)] * n})

for stage in ("io", "train"):
    treadle.map_batches(Where(), sys.argv[1], f"{sys.argv[2]}/{stage}", group=stage)
try:
    treadle.map_batches(Where(), sys.argv[1], f"{sys.argv[2]}/none", group="nobody")
except ValueError as error:
    print(error)
else:
    sys.exit("a group that there is not was accepted")
"""


def flags(keys):
    return [word for key, value in keys.items() for word in ("-D", f"{key}={value}")]


@pytest.mark.parametrize("version", ["cluster", "cluster_314"])
def test_each_group_gets_its_own_containers_and_only_its_own_devices(version, request, tmp_path):
    cluster = request.getfixturevalue(version)
    gate = tmp_path / "gate"
    command = ["sh", "-c", f"cat $TREADLE_RUNTIME_CONTEXT; while [ ! -e {gate} ]; do sleep 0.1; done"]
    with running([*SMALL, *flags(GROUPS), "--json", "--", *command], cluster.environment(), tmp_path) as process:
        wait_for(lambda: (used(cluster, "yarn.io/gpu"), used(cluster, "example.com/rdma")) == (2, 4), "both types in use")
        gate.touch()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    contexts = sorted((json.loads(log) for log in slot_logs(cluster, json.loads(out)["id"]).values()), key=lambda c: c["slot"])
    assert [(c["slot"], c["group"], c["subtask_index"], len(c["external_resources"].get("gpu", ()))) for c in contexts] == [
        ("io-0/slot-0", "io", 2, 0),
        ("io-0/slot-1", "io", 3, 0),
        ("train-0/slot-0", "train", 0, 1),
        ("train-1/slot-0", "train", 1, 1),
    ]


def test_a_stage_of_a_job_runs_in_the_group_it_names(cluster, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "in").mkdir()
    for part in range(4):
        pq.write_table(pa.table({"n": range(10)}), tmp_path / "in" / f"{part}.parquet")
    (tmp_path / "job.py").write_text(STAGES)
    job = ["job.py", str(tmp_path / "in"), str(tmp_path / "out")]
    said = submit([*SMALL, *flags(GROUPS | {"taskmanager.group.train.count": "1"}), *job], cluster.environment(), tmp_path)
    assert said.code == 0, said.err
    for stage, gpus in (("io", 0), ("train", 1)):
        rows = pq.read_table(tmp_path / "out" / stage).to_pylist()
        assert len(rows) == 40
        assert {(row["group"], row["gpus"]) for row in rows} == {(stage, gpus)}
