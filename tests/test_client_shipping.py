"""What travels with a job: how it is written, and what is refused before anything is uploaded."""

import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from submitting import AWKWARD

from client.command_line.command_line import understand
from client.command_line.flags import Flags
from client.command_line.neighbours import unshipped
from client.submission.staging import Localised, link_shipped
from client.submission.unpacking import unpack
from conf.settings import ARCHIVE, PLAIN, PYTHON, Settings


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A directory with a job and all that it ships."""
    monkeypatch.chdir(tmp_path)
    for name in ("job.py", "a.csv", "b.json", "mymodule.py", "my file.csv", "lib.jar", "thing.tar.bz2"):
        Path(name).write_text("")
    Path("directory").mkdir()
    Path("bad.tgz").write_text("this is none")
    with zipfile.ZipFile("lib.zip", "w") as archive:
        archive.writestr("libpkg/__init__.py", "")
    with tarfile.open("env.tgz", "w:gz") as archive:
        archive.add("a.csv", "bin/python")
    return tmp_path


def understood(master="yarn", **flags):
    return understand(master, ["job.py"], Flags(**flags), is_command=False)


def settings(**flags) -> Settings:
    line = understood(**flags)
    assert [problem.cause for problem in line.problems] == []
    return line.request().settings


def shipped(**flags):
    return [(each.kind, each.source, each.name) for each in settings(**flags).shipped]


def test_spark_submits_spellings(here):
    assert shipped(shipped_files=("a.csv,b.json#c.json",), archives=("env.tgz#env", "lib.zip"), py_files=("mymodule.py",)) == [
        (PLAIN, "a.csv", "a.csv"),
        (PLAIN, "b.json", "c.json"),
        (ARCHIVE, "env.tgz", "env"),
        (ARCHIVE, "lib.zip", "lib.zip"),
        (PYTHON, "mymodule.py", "mymodule.py"),
    ]


def test_flinks_keys(here):
    definitions = ("yarn.ship-files=a.csv;b.json", "yarn.ship-archives=lib.zip", "python.archives=env.tgz#env", "python.files=mymodule.py")
    assert [name for _, _, name in shipped(definitions=definitions)] == ["a.csv", "b.json", "lib.zip", "env", "mymodule.py"]


def test_a_flag_goes_before_its_key(here):
    assert shipped(shipped_files=("a.csv",), definitions=("yarn.ship-files=b.json",)) == [(PLAIN, "a.csv", "a.csv")]


def test_what_is_on_hdfs_is_not_looked_for_here(here):
    assert shipped(shipped_files=("hdfs:///data/words.txt#w.txt,hdfs://nn:8020/x",)) == [
        (PLAIN, "hdfs:///data/words.txt", "w.txt"),
        (PLAIN, "hdfs://nn:8020/x", "x"),
    ]


def test_modules_come_from_zips_themselves_and_from_the_directory_of_a_py(here):
    assert settings(py_files=("lib.zip,mymodule.py,a.csv#other.py",)).module_paths == ("lib.zip", ".")


def test_a_variable_arrives_as_it_was_written(here):
    found = settings(variables=(f"V={AWKWARD}", "EMPTY=", "EQUALS=a=b"))
    assert found.slot_variables == found.master_variables == {"V": AWKWARD, "EMPTY": "", "EQUALS": "a=b"}


def test_a_variable_of_one_kind_of_process_only(here):
    found = settings(definitions=("containerized.taskmanager.env.A=1", "containerized.master.env.B=2"))
    assert (dict(found.slot_variables), dict(found.master_variables)) == ({"A": "1"}, {"B": "2"})


@pytest.mark.parametrize(
    ("flags", "cause", "remedy"),
    [
        ({"shipped_files": ("none.csv",)}, "none.csv of --files does not exist", "looked in"),
        ({"shipped_files": ("/none.csv",)}, "/none.csv of --files does not exist", "name an existing file"),
        ({"shipped_files": ("directory",)}, "directory of --files is a directory", "--archives directory.tgz#directory"),
        ({"py_files": ("directory",)}, "directory of --py-files is a directory", "zip -r directory.zip directory"),
        ({"shipped_files": ("/dev/null",)}, "/dev/null of --files is not a file", "name a file"),
        ({"shipped_files": ("a.csv#x/y",)}, "can't be shipped as 'x/y'", "a.csv#NAME"),
        ({"shipped_files": ("a.csv#..",)}, "can't be shipped as '..'", "a.csv#NAME"),
        ({"shipped_files": ("my file.csv",)}, "can't be shipped as 'my file.csv'", "my file.csv#NAME"),
        ({"shipped_files": ("a.csv#$(id)",)}, "can't be shipped as '$(id)'", "a.csv#NAME"),
        ({"shipped_files": ("a.csv#launch.json",)}, "a name of Treadle's or YARN's own", "another name"),
        ({"shipped_files": ("a.csv#.skein.pem",)}, "a name of Treadle's or YARN's own", "another name"),
        ({"shipped_files": ("a.csv#slot-1.log",)}, "a name of Treadle's or YARN's own", "another name"),
        ({"shipped_files": ("lib.jar",)}, "on the class path of the application master", "another name"),
        ({"shipped_files": ("a.csv#job.py",)}, "has the same name 'job.py' as the job's script", "a.csv#NAME"),
        ({"shipped_files": ("a.csv,b.json#a.csv",)}, "has the same name 'a.csv' as a.csv of --files", "b.json#NAME"),
        ({"shipped_files": ("a.csv#x.py",), "py_files": ("mymodule.py#x.py",)}, "has the same name 'x.py'", "mymodule.py#NAME"),
        ({"shipped_files": ("a.csv#",)}, "--files has 'a.csv#', neither path nor path#name", "write"),
        ({"shipped_files": ("a.csv,",)}, "--files has '', neither path nor path#name", "write"),
        ({"shipped_files": ("s3://bucket/key",)}, "is of the scheme s3:", "hdfs:// URI"),
        ({"shipped_files": ("hdfs://ProdHadoop/x",)}, "has capitals, @ or ? where skein loses them", "hdfs:///path"),
        ({"archives": ("bad.tgz#env",)}, "bad.tgz of --archives is not the archive that its name says", "make it anew"),
        ({"archives": ("thing.tar.bz2",)}, "is no archive that YARN unpacks", ".tar.gz"),
        ({"archives": ("a.csv",)}, "is no archive that YARN unpacks", "a file goes by --files"),
        ({"py_files": ("a.csv",)}, "is no .py, .zip or .egg file", "--archives env.tgz#env"),
        ({"py_files": ("bad.tgz#lib.zip",)}, "bad.tgz of --py-files is not the archive that its name says", "make it anew"),
        ({"definitions": ("yarn.ship-files=none.csv",)}, "none.csv of yarn.ship-files (-D) does not exist", "looked in"),
        ({"definitions": ("python.executable=env/bin/python",)}, "no archive is shipped as 'env'", "--archives FILE.tgz#env"),
        ({"variables": ("=x",)}, "--env is '=x', which names no variable", "--env NAME=VALUE"),
        ({"variables": ("FOO",)}, "--env is 'FOO', which has no =", "--env FOO=VALUE"),
        ({"definitions": ("containerized.master.env.=x",)}, "'': not a variable's name", "end the key in the variable's name"),
        ({"variables": ("RANK=1",)}, "RANK is Treadle's to set", "another name"),
        ({"variables": ("TREADLE_X=1",)}, "TREADLE_X is Treadle's to set", "another name"),
        ({"variables": (f"LONG={'x' * 140_000}",)}, "140005 bytes, and Linux takes 131071 at most", "--files"),
        ({"keytab": "none.keytab", "principal": "ann"}, "the keytab none.keytab does not exist", "that you can read"),
        ({"keytab": "a.csv"}, "without security.kerberos.login.principal", "give both"),
        ({"principal": "ann"}, "without security.kerberos.login.keytab", "give both"),
    ],
)
def test_what_cant_travel_is_refused_with_a_remedy(here, flags, cause, remedy):
    problems = [problem for problem in understood(**flags).problems if "kinit, which is not on PATH" not in problem.cause]
    assert [problem for problem in problems if cause in problem.cause and remedy in problem.remedy], problems
    assert len(problems) == 1, problems


def test_everything_is_told_at_once(here):
    line = understood(shipped_files=("none.csv,directory",), archives=("bad.tgz#e",), py_files=("a.csv",), keytab="none.keytab")
    assert len(line.problems) >= 6


@pytest.mark.parametrize(
    ("flags", "cause"),
    [
        ({"shipped_files": ("hdfs:///x",)}, "is on HDFS, which --master local does not use"),
        ({"shipped_files": ("a.csv#tm-0",)}, "has the same name 'tm-0' as a TaskManager's directory"),
        ({"proxy_user": "ben"}, "treadle.proxy-user has no effect with --master local"),
        ({"keytab": "a.csv", "principal": "ann"}, "security.kerberos.login.keytab has no effect with --master local"),
    ],
)
def test_what_local_mode_refuses(here, flags, cause):
    assert cause in next(problem.cause for problem in understood("local", **flags).problems)


def test_an_interpreter_in_an_archive_stays_relative_and_others_do_not(here):
    assert settings(archives=("env.tgz#env",), python="./env/bin/python").python == "./env/bin/python"
    assert settings(definitions=("python.archives=env.tgz#env",), python="env/bin/python").python == "env/bin/python"
    assert settings(archives=("env.tgz#other",), python="env/bin/python").python == str(here / "env/bin/python")


def test_a_module_beside_the_script_that_is_not_shipped_is_told(here):
    Path("job.py").write_text("import os, mymodule.part\nfrom directory import x\ndef f():\n    import mymodule\n")
    assert [warning.split(",")[0] for warning in unshipped(here / "job.py", ())] == [
        "job.py imports mymodule",
        "job.py imports directory",
    ]
    assert f"add --py-files {here / 'mymodule.py'}" in next(unshipped(here / "job.py", ()))
    assert understood(py_files=("mymodule.py,lib.zip#directory.zip",)).warnings == ()


def test_a_script_that_cant_be_parsed_is_left_to_python(here):
    Path("job.py").write_text("def (")
    assert list(unshipped(here / "job.py", ())) == []


def test_links_keep_what_yarn_tells_an_archive_by_and_lose_what_a_uri_would(here):
    staging = here / "staging"
    staging.mkdir()
    Path("odd?#name.csv").write_text("odd")
    found = settings(shipped_files=("odd?#name.csv#fine.csv,hdfs:///x",), archives=("env.tgz#env,lib.zip",))
    links = link_shipped(staging, found.shipped)
    assert links == (
        Localised("fine.csv", f"file://{staging}/0/fine.csv", False),
        Localised("x", "hdfs:///x", False),
        Localised("env", f"file://{staging}/2/env.tgz", True),
        Localised("lib.zip", f"file://{staging}/3/lib.zip", True),
    )
    assert (staging / "0/fine.csv").read_text() == "odd"


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz"])
def test_unpacking_keeps_what_can_be_executed(tmp_path, name):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    if name == "a.zip":
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.write(program, "bin/program")
    else:
        with tarfile.open(tmp_path / name, "w:gz" if name == "a.tgz" else "w") as archive:
            archive.add(program, "bin/program")
    unpack(tmp_path / name, tmp_path / "there")
    assert os.access(tmp_path / "there/bin/program", os.X_OK)
