"""`submit doctor` on real daemons, HDFS and a probe among its checks."""

import json

import pytest
from test_on_yarn import GPU, SMALL
from test_verbs_on_yarn import verb

pytestmark = pytest.mark.cluster


def test_a_probe_shows_what_a_node_with_gpus_sees(cluster, tmp_path):
    memory = [f"taskmanager.memory.process.size={SMALL[1]}", SMALL[3]]
    said = verb(cluster, tmp_path, "doctor", "--probe", "--json", *GPU, *(word for pair in memory for word in ("-D", pair)))
    assert said.returncode == 0, said.stdout + said.stderr
    tree = json.loads(said.stdout)
    found = {}
    for finding in tree["findings"]:
        found.setdefault(finding["check"], []).append((finding["status"], finding["text"]))
    assert ("ok", "yarn.io/gpu: 4 in all, 127.0.0.11 2, 127.0.0.12 2") in found["nodes"]
    assert [status for check in ("java", "hdfs write", "queue", "right to submit", "clock") for status, _ in found[check]] == ["ok"] * 5
    probe = "\n".join(text for _, text in found["probe"])
    assert "Python 3." in probe
    assert any(f"uuid={uuid}" in probe for node in cluster.nodes for uuid in node.gpu_uuids)
    assert "Fake A100" in probe
    assert "driver 550.0" in probe


def test_one_failure_is_exit_code_5_and_the_rest_is_looked_at(cluster, tmp_path):
    said = verb(cluster, tmp_path, "doctor", "--queue", "no-such-queue")
    assert said.returncode == 5
    assert "failure  queue                 queue 'no-such-queue' does not exist" in said.stdout
    assert "ok       hdfs write" in said.stdout
