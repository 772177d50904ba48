import json
import os
import subprocess
import sys
import zipfile

from client.submission.staging import stage, write_treadle_zip
from protocol.launch import Job, Launch
from protocol.records import VERSION
from protocol.wire import from_bytes

JOB = Job("main", ("job.py", "--epochs", "3"))
LAUNCH = Launch(VERSION, JOB, {"external-resources": "gpu"}, "/usr/bin/python3", "/opt/treadle/bin/python")


def test_what_is_staged(tmp_path):
    script = tmp_path / "job.py"
    script.write_text("print('hello')")
    target = tmp_path / "staging"
    target.mkdir()
    staged = stage(target, LAUNCH, script)
    assert sorted(path.name for path in target.iterdir()) == ["job.py", "launch.json", "treadle.zip"]
    assert from_bytes(Launch, staged.launch.read_bytes()) == LAUNCH
    assert staged.script is not None
    assert staged.script.read_text() == "print('hello')"


def test_a_command_has_no_script(tmp_path):
    assert stage(tmp_path, LAUNCH, None).script is None


def test_the_archive_holds_treadle_alone(tmp_path):
    write_treadle_zip(tmp_path / "treadle.zip")
    names = zipfile.ZipFile(tmp_path / "treadle.zip").namelist()
    assert "treadle/__init__.py" in names
    assert {name.partition("/")[0] for name in names} == {"treadle"}
    assert not [name for name in names if "__pycache__" in name]


def test_nothing_of_the_moment_enters_the_archive(tmp_path):
    write_treadle_zip(tmp_path / "treadle.zip")
    entries = zipfile.ZipFile(tmp_path / "treadle.zip").infolist()
    assert {(entry.date_time, entry.external_attr, entry.extra) for entry in entries} == {((1980, 1, 1, 0, 0, 0), 0o600 << 16, b"")}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)


def test_the_archive_can_be_imported_and_brings_nothing_else(tmp_path):
    write_treadle_zip(tmp_path / "treadle.zip")
    code = (
        "import importlib.util as u, json, treadle; print(json.dumps([treadle.__file__, *map(bool, map(u.find_spec, ['client', 'conf']))]))"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "treadle.zip")}
    done = subprocess.run([sys.executable, "-S", "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [str(tmp_path / "treadle.zip/treadle/__init__.py"), False, False]
