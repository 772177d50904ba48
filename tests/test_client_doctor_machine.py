"""What `submit doctor` makes of the machine it runs on: Java, Hadoop's client and configuration, drivers, the clock."""

from datetime import datetime, timedelta, timezone

import pytest

from client.doctor import hadoop, installation, java
from client.doctor.finding import FAILURE, OK, WARNING
from client.doctor.java import Java
from conf import configuration

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("said", "status", "text"),
    [
        ('openjdk version "17.0.9" 2023-10-17', OK, "Java 17, /j/bin/java (by JAVA_HOME)"),
        ('java version "1.8.0_392"', OK, "Java 8, /j/bin/java (by JAVA_HOME)"),
        ('openjdk version "11" 2018-09-25', OK, "Java 11, /j/bin/java (by JAVA_HOME)"),
        ('java version "1.7.0_80"', FAILURE, "Java 7, /j/bin/java (by JAVA_HOME) is too old"),
        ('openjdk version "25-ea"', WARNING, "Java 25, /j/bin/java (by JAVA_HOME) is none that Hadoop's clients are released for"),
        ("hello", WARNING, "/j/bin/java (by JAVA_HOME) tells no version: 'hello'"),
    ],
)
def test_java_is_judged_by_its_version(said, status, text):
    found = java.judge(Java("/j/bin/java", "JAVA_HOME", said))
    assert (found.status, found.text, bool(found.remedy)) == (status, text, status != OK)


def test_a_java_home_without_java_fails_with_the_variable_that_names_it(tmp_path):
    found = java.judge(java.look({"JAVA_HOME": str(tmp_path)}))
    assert (found.status, found.text) == (FAILURE, f"{tmp_path}/bin/java (by JAVA_HOME) can't be run: No such file or directory")


def test_a_java_that_ends_with_an_error_fails(tmp_path):
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    assert java.judge(java.look({"JAVA_HOME": str(tmp_path), "PATH": "/bin"})).text.endswith("can't be run: exit code 3")


@pytest.mark.parametrize(("minutes", "status"), [(0, OK), (-4, OK), (6, WARNING), (-600, WARNING)])
def test_clocks_are_compared(minutes, status):
    assert installation.clock(NOW, NOW + timedelta(minutes=minutes)).status == status


def test_a_server_that_tells_no_time_says_nothing_about_the_clock():
    assert installation.clock(NOW, None) is None


@pytest.mark.parametrize(("on_missing", "status"), [("fail", FAILURE), ("warn", WARNING)])
def test_a_driver_that_is_not_installed(on_missing, status):
    keys = {"external-resources": "gpu", "external-resource.gpu.amount": "1", "external-resource.gpu.driver-factory.class": "nvida"}
    keys["external-resource.gpu.on-missing"] = on_missing
    asked = configuration.load((), [(key, value, "-D") for key, value in keys.items()]).settings()
    (found,) = installation.drivers(asked)
    assert (found.status, "did you mean nvidia?" in found.remedy) == (status, True)


def test_a_configuration_without_a_file_system_fails(tmp_path):
    (tmp_path / "yarn-site.xml").write_text("<configuration/>")
    loaded, found = hadoop.load({"HADOOP_CONF_DIR": str(tmp_path)})
    assert loaded is not None
    assert (found.status, "no core-site.xml" in found.text) == (FAILURE, True)


def test_a_missing_hadoop_client():
    assert hadoop.client({"PATH": "/nowhere"}).status == FAILURE
