"""Drivers in a process of their own, and the NVML that the nvidia driver finds there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FAKES = ROOT / "tests/fakes"
LIBRARY = "libnvidia-ml.so.1"


@dataclass(frozen=True)
class Answer:
    content: dict[str, Any]
    log: str

    @property
    def devices(self) -> list[dict[str, Any]]:
        return self.content["answers"][0]


def ask(factory: str, params: Mapping[str, str], environment: Mapping[str, str], python: tuple[str, ...] = ()) -> Answer:
    command = [sys.executable, *python, str(FAKES / "ask_driver.py"), factory, json.dumps(params), "1"]
    inherited = {name: value for name, value in os.environ.items() if name not in environment}
    done = subprocess.run(
        command, env=inherited | {"PYTHONPATH": str(ROOT)} | dict(environment), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return Answer(json.loads(done.stdout), done.stderr)


def build_nvml(directory: Path) -> Path:
    """Compile tests/fakes/nvml.c into the directory, under the name that pynvml loads."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.fail("no C compiler for tests/fakes/nvml.c, NVML's stand-in: install gcc (apt-get install gcc libc6-dev)", pytrace=False)
    source = str(FAKES / "nvml.c")
    done = subprocess.run(
        [compiler, "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(directory / LIBRARY), source],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"tests/fakes/nvml.c does not compile (its headers are in libc6-dev):\n{done.stderr}", pytrace=False)
    return directory


def nvml_environment(library: Path, state: Path, *lines: tuple[object, ...]) -> dict[str, str]:
    """The environment in which NVML is the fake in `library` and answers what the lines say, see tests/fakes/nvml.c."""
    state.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))
    return {"LD_LIBRARY_PATH": str(library), "FAKE_NVML": str(state)}
