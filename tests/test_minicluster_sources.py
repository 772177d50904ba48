from __future__ import annotations

from pathlib import Path

import pytest

from conf.errors import ConfigError
from minicluster.cache import cache_directory, filled_once
from minicluster.errors import ClusterError
from minicluster.jars import jar_directory, known_versions
from minicluster.java import Java, find_java

JAVA = Java(Path("/jdk"), 17)


def program(path: Path, script: str) -> Path:
    """A small shell program that stands in for an installed one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def java_saying(home: Path, release: str) -> dict[str, str]:
    """An environment whose JAVA_HOME holds a Java of that release, and that has no other."""
    program(home / "bin" / "java", f"echo '    java.home = {home}\n    java.specification.version = {release}' >&2")
    return {"JAVA_HOME": str(home), "PATH": ""}


@pytest.mark.parametrize(("hadoop", "release"), [("3.5.0", "17"), ("3.5.0", "25"), ("3.1.4", "17"), ("3.1.4", "21")])
def test_a_java_that_will_do(tmp_path: Path, hadoop: str, release: str) -> None:
    assert find_java(hadoop, java_saying(tmp_path, release)) == Java(tmp_path, int(release))


@pytest.mark.parametrize(
    ("hadoop", "release", "cause"),
    [
        ("3.5.0", "11", "needs Java 17 or newer; .* is Java 11"),
        ("3.5.0", "1.8", "is Java 8"),
        ("3.1.4", "25", "needs Java 17 to 22; .* is Java 25"),
    ],
)
def test_a_java_that_will_not_do(tmp_path: Path, hadoop: str, release: str, cause: str) -> None:
    with pytest.raises(ClusterError, match=cause) as failure:
        find_java(hadoop, java_saying(tmp_path, release))
    assert "install a JDK" in failure.value.remedy


def test_an_old_java_home_is_passed_over_for_a_new_java_on_path(tmp_path: Path) -> None:
    new = java_saying(tmp_path / "new", "17")
    old = java_saying(tmp_path / "old", "8")
    assert find_java("3.5.0", {**old, "PATH": f"{new['JAVA_HOME']}/bin"}).home == tmp_path / "new"


def test_no_java_at_all() -> None:
    with pytest.raises(ClusterError, match="no Java found"):
        find_java("3.5.0", {"PATH": ""})


def test_the_cache_is_where_the_environment_says(tmp_path: Path) -> None:
    assert cache_directory("3.5.0", {"TREADLE_CACHE": str(tmp_path)}) == tmp_path / "hadoop-3.5.0"
    assert cache_directory("3.5.0", {}) == Path.home() / ".cache/treadle/hadoop-3.5.0"


def test_a_cache_that_could_not_be_filled_stays_empty(tmp_path: Path) -> None:
    def fill(target: Path) -> None:
        target.mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled_once(tmp_path / "lib", fill)
    assert list(tmp_path.iterdir()) == []


def test_of_two_that_fill_the_cache_the_first_wins(tmp_path: Path) -> None:
    def fill(target: Path) -> None:
        target.mkdir()
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "a.jar").touch()

    assert [path.name for path in filled_once(tmp_path / "lib", fill).iterdir()] == ["a.jar"]


def test_an_unknown_hadoop_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no Hadoop 2\.6\.0 here") as failure:
        jar_directory("2.6.0", JAVA)
    assert failure.value.problems[0].remedy == "choose one of 3.1.4, 3.5.0"
    assert known_versions() == ["3.1.4", "3.5.0"]


def test_maven_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TREADLE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ClusterError, match="no mvn on PATH") as failure:
        jar_directory("3.5.0", JAVA)
    assert failure.value.remedy.startswith("install Maven")


def test_maven_has_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin/mvn", "echo '[ERROR] Failed to collect dependencies: repo.maven.apache.org: Unknown host'; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin:/usr/bin")
    monkeypatch.setenv("TREADLE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ClusterError, match=r"could not fetch Hadoop 3\.5\.0's jars: Failed to collect dependencies: .* Unknown host"):
        jar_directory("3.5.0", JAVA)
    assert not (tmp_path / "cache/hadoop-3.5.0/lib").exists()
