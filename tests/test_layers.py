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
        "skein": {"submission/specification", "skein_driver/skein_driver", "ending/master_stop"},
        "cryptography": {"skein_driver/credentials"},
        "gssapi": {"hadoop/negotiate"},
        "hdfs_native": {"doctor/hdfs_attempt", "history/files", "submission/staging_directories"},
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

ROOMS_OF_CLIENT = [
    "errors",
    "console",
    "stdout",
    "table",
    "hadoop",
    "yarn",
    "application",
    "skein_driver",
    "logs",
    "ending",
    "history",
    "following",
    "command_line",
    "submission",
    "subjects",
    "doctor",
    "api",
    "commands",
    "__main__",
]
"""Each imports only what stands before it."""


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
    module = path.relative_to(ROOT / package).with_suffix("").as_posix()
    assert {name for name in others if name not in allowed or (allowed[name] is not None and module not in allowed[name])} == set()


def rooms_imported(path):
    """The rooms of client/ that a module imports from, by `from client import room` or `from client.room… import …`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "client":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("client."):
            yield node.module.split(".")[1]


@pytest.mark.parametrize("path", modules("client"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_rooms_of_the_client_import_each_other_one_way_only(path):
    room = path.relative_to(ROOT / "client").parts[0].removesuffix(".py")
    if room != "__init__":
        assert set(rooms_imported(path)) <= set(ROOMS_OF_CLIENT[: ROOMS_OF_CLIENT.index(room) + 1])


def test_the_client_uses_no_store():
    stores = {"protocol.store", "protocol.skein_store", "protocol.local_store", "protocol.memory_store"}
    assert [path for path in modules("client") if stores & set(imported(path))] == []


def test_every_package_is_in_the_table_and_in_setup_cfg():
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "examples", "benchmarks"}
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert folders == OURS.keys() == {name.rstrip("*") for name in setup["options.packages.find"]["include"].split()}
