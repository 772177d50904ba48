"""Help and errors, word for word: tests/snapshots/ holds what `submit` said when somebody last looked; `make snapshots` writes it anew."""

import os
import shlex
from functools import partial
from pathlib import Path

import pytest
from client_verbs import APPS, app, every_verb, resourcemanager, submitted

SNAPSHOTS = Path(__file__).parent / "snapshots"
REWRITE = "TREADLE_REWRITE_SNAPSHOTS"


HELP = {f"{'-'.join(['submit', *words])}.txt": words for words, _ in every_verb()}

WITHOUT_A_CLUSTER = """
submit statsu application_1_0001
submit help run
submit train
submit history shwo
submit run
submit run train
submit none.py
submit --master loca job.py
submit --master local --detach job.py
submit --master local[2] --taskmanagers 3 job.py
submit --detach --timeout 5min job.py
submit --timeout soon job.py
submit -D treadle.taskmanager=1 job.py
submit -D treadle.taskmanagers job.py
submit --memory 4096 job.py
submit --memory lots --slots -1 --vcores 0 job.py
submit --resource gpu job.py
submit --resource gpu=two job.py
submit --resource gpu=1 -D external-resource.gpu.driver-factory.class=nvida job.py
submit --properties-file none.yaml job.py
submit --files none.csv --archives job.py --py-files data.csv job.py
submit --env TOKEN job.py
submit --env =x job.py
submit --env RANK=1 job.py
submit --python no-such-python job.py
submit --keytab ann.keytab job.py
submit --resource gpu=1 job.py
submit list
submit list --states RUNING
submit list -a --states RUNNING
submit top --interval x
submit logs application_1_0001 --tail x
submit logs local-1
submit status local-1
submit history list --limit 0
submit history list --dir s3://bucket/history
submit history show job.py
submit history page local-1
submit config --keys -D a=b
"""

WITH_A_CLUSTER = """
submit status job.py
submit status application_1_0009
submit devices application_1_0001
submit devices application_1_0002
submit devices application_1_0003
submit kill application_1_0009
submit kill application_1_0004
submit kill local-1
submit logs application_1_0009
submit top application_1_0009
"""


@pytest.fixture
def submit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("TREADLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "job.py").write_text("")
    (tmp_path / "data.csv").write_text("")
    return partial(submitted, capsys)


def compare(name, text):
    file = SNAPSHOTS / name
    if os.environ.get(REWRITE):
        SNAPSHOTS.mkdir(exist_ok=True)
        file.write_text(text)
    assert file.read_text() == text, "if that is what it should say: make snapshots"


@pytest.mark.parametrize("name", HELP)
def test_help(submit, name):
    code, out, err = submit(*HELP[name], "--help")
    assert (code, err) == (0, "")
    compare(name, out)


def said(submit, line, **hidden):
    code, out, err = submit(*shlex.split(line)[1:])
    assert (code > 0, out) == (True, ""), line
    for name, text in hidden.items():
        err = err.replace(text, name.upper())
    return f"$ {line}\n{err}exit code {code}\n"


def test_errors_that_no_cluster_is_asked_for(submit, tmp_path):
    compare("errors.txt", "\n".join(said(submit, line, directory=str(tmp_path)) for line in WITHOUT_A_CLUSTER.split("\n") if line))


def test_errors_of_a_cluster(submit, tmp_path, monkeypatch):
    with resourcemanager(tmp_path, monkeypatch) as server:
        ended = {"state": "FINISHED", "finalStatus": "FAILED", "diagnostics": "the job ended with 7"}
        for number, fields in ((2, ended), (3, {"state": "ACCEPTED"}), (4, {"applicationTags": ""})):
            server.answer(f"{APPS}/application_1_{number:04}", {"app": app(number, **fields)})
        lines = [line for line in WITH_A_CLUSTER.split("\n") if line]
        compare("errors-of-a-cluster.txt", "\n".join(said(submit, line, resourcemanager=server.url) for line in lines))


def test_nothing_is_left_of_what_is_compared_no_more():
    assert {file.name for file in SNAPSHOTS.iterdir()} == {*HELP, "errors.txt", "errors-of-a-cluster.txt"}
