"""Who may import whom: the table of docs/architecture.md, held against the source. Nothing is imported to find out."""

import ast
import configparser
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

OURS = {
    "conf": set(),
    "protocol": set(),
    "drivers": set(),
    "treadle": set(),
    "page": set(),
    "processes": set(),
    "yarn_overlay": set(),
    "minicluster": {"conf"},
    "client": {"conf", "protocol", "page"},
    "yarn_am": {"conf", "protocol", "page", "processes"},
    "task_manager": {"conf", "protocol", "drivers", "processes"},
}

OTHERS = {
    "conf": {"yaml": {"flink_yaml"}},
    "protocol": {"skein": {"skein_store", "skein_import"}},
    "drivers": {"pynvml": {"nvml"}},
    "treadle": None,  # the user's environment: what is imported where is checked by importing it without any of it
    "page": {},
    "processes": {},
    "yarn_overlay": {},
    "minicluster": {"click": {"__main__"}},
    "client": {
        "click": None,
        "skein": {"submission", "skein_driver", "master_stop"},
        "cryptography": {"credentials"},
        "gssapi": {"negotiate"},
        "hdfs_native": {"hdfs_attempt", "history_files", "staging_directories"},
        "pyarrow": {"storage"},
    },
    "yarn_am": {
        "skein": {"__main__", "skein_containers"},
        "tornado": {"rest"},
        "prometheus_client": {"metrics"},
        "hdfs_native": {"history_store"},
    },
    "task_manager": {},
}
"""Package → other people's library → our modules that may import it (None: any)."""


def modules(package):
    return sorted((ROOT / package).rglob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; the absolute name tells the layer"
            yield node.module


def top_level(path):
    return {name.partition(".")[0] for name in imported(path)}


ALL_MODULES = [(package, path) for package in OURS for path in modules(package)]
IDS = [str(path.relative_to(ROOT)) for _, path in ALL_MODULES]


@pytest.mark.parametrize(("package", "path"), ALL_MODULES, ids=IDS)
def test_our_packages_import_each_other_one_way_only(package, path):
    assert top_level(path) & OURS.keys() <= OURS[package] | {package}


@pytest.mark.parametrize(("package", "path"), ALL_MODULES, ids=IDS)
def test_other_libraries_stay_in_the_modules_named_for_them(package, path):
    allowed = OTHERS[package]
    if allowed is None:
        return
    others = top_level(path) - OURS.keys() - sys.stdlib_module_names
    assert {name for name in others if name not in allowed or (allowed[name] is not None and path.stem not in allowed[name])} == set()


def test_the_client_uses_no_store():
    stores = {"protocol.store", "protocol.skein_store", "protocol.local_store", "protocol.memory_store"}
    assert [path for path in modules("client") if stores & set(imported(path))] == []


def test_every_package_is_in_the_table_and_in_setup_cfg():
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "examples", "benchmarks"}
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert folders == OURS.keys() == {name.rstrip("*") for name in setup["options.packages.find"]["include"].split()}
