from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from conf import files
from conf.entry import Entry
from conf.errors import ConfigError


def write(directory: Path, text: str, name: str = "config.yaml") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def read_file(path: Path) -> Mapping[str, Entry]:
    """The entries of a file without a problem."""
    content = files.read_file(path)
    if content.problems:
        raise ConfigError(content.problems)
    return content.entries


def values(path: Path) -> dict[str, str]:
    return {key: entry.value for key, entry in read_file(path).items()}


def test_flat_and_nested_yaml_say_the_same(tmp_path: Path) -> None:
    flat = write(tmp_path, "external-resources: gpu\nexternal-resource.gpu.amount: 1\nexternal-resource.gpu.yarn.config-key: yarn.io/gpu\n")
    expected = values(flat)
    nested = "external-resources: gpu\nexternal-resource:\n  gpu:\n    amount: 1\n    yarn:\n      config-key: yarn.io/gpu\n"
    assert values(write(tmp_path, nested, "nested.yaml")) == expected


def test_an_entry_knows_its_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, "# first\na:\n  b: x\n")
    assert read_file(path) == {"a.b": Entry("x", f"{path}:3")}


@pytest.mark.parametrize(
    ("yaml", "text"),
    [
        ("true", "true"),
        ("yes", "true"),
        ("1.5", "1.5"),
        ("1.0", "1.0"),
        ("010", "8"),
        ("0x10", "16"),
        ("1_000", "1000"),
        ("'010'", "010"),
        ("''", ""),
        ("none", "none"),
        ("2020-13-45", "2020-13-45"),
        ("[gpu, fpga]", "[gpu, fpga]"),
        ("\n  - gpu\n  - fpga", "[gpu, fpga]"),
        ("[{a: 1}]", "[{a: '1'}]"),
        ("--enable-coordination   # a comment", "--enable-coordination"),
        ("\u00e9t\u00e9", "\u00e9t\u00e9"),
    ],
)
def test_yaml_values_become_text_as_flink_reads_them(tmp_path: Path, yaml: str, text: str) -> None:
    assert values(write(tmp_path, f"key: {yaml}\n")) == {"key": text}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_a_file_without_keys_is_empty(tmp_path: Path, text: str) -> None:
    assert read_file(write(tmp_path, text)) == {}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a: 1\nb: x: y\n", r"config\.yaml:2 is not YAML: mapping values are not allowed here"),
        ("a: [1\n", r"config\.yaml:2 is not YAML"),
        ("a: 1\n--- \nb: 1\n", r"config\.yaml:2 is not YAML"),
        ("a: \x01\n", r"config\.yaml is not YAML: special characters are not allowed"),
        ("just text\n", "holds no keys"),
        ("- a\n", "holds no keys"),
        ("a: 1\nb: 2\na: 3\n", r"a stands twice in .*: lines 1 and 3"),
        ("a.b: 1\na:\n  b: 2\n", r"a\.b stands twice in .*: lines 1 and 3"),
        ("a:\n  b: 1\na:\n  c: 2\n", r"a stands twice in .*: lines 1 and 3"),
        ("a:\n", r"a has no value \(.*config\.yaml:1\)"),
        ("? [a]\n: 1\n", "has a key that is not plain text"),
        ("x: &x {a: 1}\ny:\n  <<: *x\n", r"config\.yaml:3 has a key that is not plain text"),
        ("a: !!int x\n", r"a can't be read \(.*config\.yaml:1\): invalid literal"),
        ("a: " + "[" * 5000, "is not YAML: nested too deep"),
        ("a: &a {b: *a}\n", "is not YAML: nested too deep"),
        ("a: &a [*a]\n", "is not YAML: nested too deep"),
    ],
)
def test_broken_yaml_is_told_with_its_line(tmp_path: Path, text: str, cause: str) -> None:
    with pytest.raises(ConfigError, match=cause) as caught:
        read_file(write(tmp_path, text))
    for problem in caught.value.problems:
        assert problem.remedy
        assert "\n" not in problem.cause


def test_a_yaml_problem_does_not_show_the_text_of_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_file(write(tmp_path, "s3.secret-key: hush: hush\n"))
    assert "hush" not in str(caught.value)


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_file(write(tmp_path, "a:\nb:\nc:\n  d: 1\nc:\n  e: 1\n"))
    assert [problem.key for problem in caught.value.problems] == ["a", "b", "c"]


def test_flink_conf_yaml_is_read_by_the_rules_of_flink_1(tmp_path: Path) -> None:
    text = (
        "# a comment\n\n"
        "jobmanager.rpc.address : localhost # another\n"
        "env.java.opts: -Dx=y: z\n"
        "path: hdfs://host:8020/a\n"
        "quoted: 'gpu'\n"
        "color: red#blue\n"
    )
    assert values(write(tmp_path, text, "flink-conf.yaml")) == {
        "jobmanager.rpc.address": "localhost",
        "env.java.opts": "-Dx=y: z",
        "path": "hdfs://host:8020/a",
        "quoted": "'gpu'",
        "color": "red",
    }


def test_of_two_equal_keys_in_flink_conf_yaml_the_last_counts_and_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "a: 1\na: 2\n", "flink-conf.yaml")
    assert values(path) == {"a": "2"}
    assert files.read_file(path).warnings == (f"a stands twice in {path}: line 2 counts, not line 1",)


@pytest.mark.parametrize("line", ["no colon", "a:", "a:1", ": 1", "a:   # b"])
def test_a_line_that_flink_1_skips_with_a_warning_is_an_error(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=r"flink-conf\.yaml:2 is not `key: value`"):
        read_file(write(tmp_path, f"x: 1\n{line}\n", "flink-conf.yaml"))


def test_a_missing_file_a_directory_and_binary_data_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml can't be read: No such file"):
        read_file(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        read_file(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ConfigError, match=r"binary\.yaml can't be read: not UTF-8 text"):
        read_file(tmp_path / "binary.yaml")


@pytest.mark.parametrize(("name", "text"), [("config.yaml", "a: 1\nb:\nc: 3\n"), ("flink-conf.yaml", "a: 1\nb\nc: 3\n")])
def test_a_bad_line_leaves_the_good_ones(tmp_path: Path, name: str, text: str) -> None:
    content = files.read_file(write(tmp_path, text, name))
    assert ({key: entry.value for key, entry in content.entries.items()}, len(content.problems)) == ({"a": "1", "c": "3"}, 1)
