"""The wheel that `make wheel` builds: what the nodes and edge nodes get."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FILES = [
    "client/commands/run.py",
    "conf/defaults.yaml",
    "conf/hadoop/yarn-site.xml",
    "drivers/nvidia-gpu-discovery.sh",
    "minicluster/nvidia-smi",
    "minicluster/hadoop-3.5.0.pom.xml",
    "page/history.js",
    "page/icon.svg",
    "page/index.html",
    "page/page.css",
    "treadle/py.typed",
    "yarn_overlay/treadle-yarn-overlay.jar",
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy: a build in place leaves a folder that setuptools takes files from the next time."""
    directory = tmp_path_factory.mktemp("wheel")
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in [*listing.split("\n"), "yarn_overlay/treadle-yarn-overlay.jar"]:
        if name and (ROOT / name).is_file():
            (directory / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, directory / "source" / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(directory), str(directory / "source")]
    subprocess.run(command, check=True)
    (built,) = directory.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        yield archive


@pytest.mark.parametrize("name", FILES)
def test_it_holds_what_the_programs_need(wheel, name):
    assert name in wheel.namelist()


def test_it_holds_no_tests_and_no_examples(wheel):
    folders = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info" not in name}
    assert folders & {"tests", "examples", "benchmarks", "build"} == set()


def test_submit_and_the_drivers_are_declared(wheel):
    (entry_points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    text = wheel.read(entry_points).decode()
    assert "submit = client.__main__:main" in text
    assert "org.apache.flink.externalresource.gpu.GPUDriverFactory = drivers.discovery_script:GpuDiscoveryScriptDriver" in text


def test_the_discovery_script_stays_executable(wheel):
    assert wheel.getinfo("drivers/nvidia-gpu-discovery.sh").external_attr >> 16 & 0o111
