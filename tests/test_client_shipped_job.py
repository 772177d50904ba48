"""A job that needs something of every kind that is shipped, run here and on YARN."""

import json
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from submitting import AWKWARD, submit

JOB = """\
import json, os, sys
import mymodule, libpkg
import only_in_environment
print(json.dumps([mymodule.x, libpkg.y, open("a.csv").read(), open("c.json").read(), open("data/in.txt").read(), os.environ["V"]]))
print("on standard error", file=sys.stderr)
"""


@pytest.fixture
def job(tmp_path):
    """A job that needs all of it, and an environment to run it in, packed as conda-pack and venv-pack do."""
    environment = tmp_path / "environment"
    site = environment / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    site.mkdir(parents=True)
    (site / "only_in_environment.py").write_text("")
    (environment / "bin").mkdir()
    (environment / "bin/python").symlink_to(Path(sys.executable).resolve())
    (environment / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).resolve().parent}\n")
    with tarfile.open(tmp_path / "env.tgz", "w:gz") as archive:
        archive.add(environment, ".")
    for name, text in (("job.py", JOB), ("mymodule.py", "x = 7"), ("a.csv", "1,2"), ("b.json", "{}")):
        (tmp_path / name).write_text(text)
    for name, member, text in (("lib.zip", "libpkg/__init__.py", "y = 8"), ("data.zip", "in.txt", "inside")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, text)
    return tmp_path


SHIPPING = ["--files", "a.csv,b.json#c.json", "--archives", "env.tgz#env,data.zip#data", "--py-files", "mymodule.py,lib.zip"]
RUNNING = ["--python", "./env/bin/python", "--env", f"V={AWKWARD}"]
EXPECTED = [7, 8, "1,2", "{}", "inside", AWKWARD]


def test_a_local_job_and_its_slots_find_all_of_it(job):
    said = submit(["--master", "local[1]", *SHIPPING, *RUNNING, "job.py"], {}, job)
    directory = job / "treadle-home/applications" / said.application
    assert said.code == 0, said.err
    assert (directory / "job.err").read_text() == "on standard error\n"
    assert json.loads((directory / "job.log").read_text().splitlines()[0]) == EXPECTED
    assert not (directory / "env").exists()
    said = submit(["--master", "local[1]", *SHIPPING, *RUNNING, "--", "python", "-c", JOB], {}, job)
    assert said.code == 0, said.err
    log = job / "treadle-home/applications" / said.application / "tm-0/slot-0.log"
    assert json.loads(log.read_text().splitlines()[0]) == EXPECTED


def test_a_module_that_was_not_shipped_is_warned_of_and_then_missed(job):
    said = submit(["--master", "local[1]", "job.py"], {}, job)
    assert said.code == 1
    assert f"warning: job.py imports mymodule, and {job}/mymodule.py is not shipped with it: add --py-files" in said.err
    assert "No module named 'mymodule'" in said.err


@pytest.mark.cluster
def test_on_yarn_a_job_finds_all_of_it_from_here_and_from_hdfs(cluster, job):
    import treadle

    filesystem, path = treadle.open_filesystem(f"{cluster.namenode_uri}/{job.name}")
    filesystem.create_dir(path)
    for name in ("env.tgz", "b.json"):
        with filesystem.open_output_stream(f"{path}/{name}") as stream:
            stream.write((job / name).read_bytes())
    of_hdfs = [
        "--files",
        f"a.csv,hdfs://{path}/b.json#c.json",
        "--archives",
        f"{cluster.namenode_uri}/{job.name}/env.tgz#env,data.zip#data",
    ]
    small = ["--memory", "512m", "-D", "jobmanager.memory.process.size=768m"]
    (job / "job.py").write_text(JOB + "import subprocess\n")
    said = submit([*small, *of_hdfs, "--py-files", "mymodule.py,lib.zip", *RUNNING, "--", "python", "-c", JOB], cluster.environment(), job)
    assert said.code == 0, said.err
    logs = [path for node in cluster.nodes for path in (cluster.layout.container_logs(node.name) / said.application).glob("*/slot-0.log")]
    assert [json.loads(log.read_text().splitlines()[0]) for log in logs] == [EXPECTED]
    said = submit([*small, *SHIPPING, *RUNNING, "job.py"], cluster.environment(), job)
    assert said.code == 0, said.err
    (log,) = (path for node in cluster.nodes for path in (cluster.layout.container_logs(node.name) / said.application).glob("*/job.log"))
    assert json.loads(log.read_text().splitlines()[0]) == EXPECTED
