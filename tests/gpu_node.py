"""A node whose GPUs a small nvidia-smi shows, and TaskManagers on it that run discovery scripts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from drivers.discovery_script import SHIPPED_SCRIPT

NVIDIA_SMI = """#!/usr/bin/env bash
# shows the GPUs that the file "gpus" beside it lists: <index>, <uuid>, <MiB>, <PCI bus id>, <name>
case $* in
  '--query-gpu=index --format=csv,noheader' | '--query-gpu=index --format=csv,noheader,nounits') cut -d, -f1 "${0%/*}/gpus" ;;
  '--query-gpu=index,uuid --format=csv,noheader') cut -d, -f1,2 "${0%/*}/gpus" ;;
  '--query-gpu=index,uuid,memory.total,pci.bus_id,name --format=csv,noheader,nounits') cat "${0%/*}/gpus" ;;
  *) echo "not understood: $*"; exit 2 ;;
esac
"""

# what takes part in coordination in another process: it says what it got, and lives until its input ends
OWNER = """
import os, subprocess, sys
os.setuid(int(sys.argv[1]))
run = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, text=True)
print(run.returncode, run.stdout.strip(), flush=True)
sys.stdin.read()
"""


class Node:
    """A node's nvidia-smi, its coordination file, and the TaskManagers on it."""

    def __init__(self, directory: Path) -> None:
        self.smi = directory / "nvidia-smi"
        self.file = directory / "gpu coordination"
        self.path = f"{directory}:{os.environ['PATH']}"
        self._gpus = directory / "gpus"
        self._owners: list[subprocess.Popen[str]] = []
        self.install(NVIDIA_SMI)
        self.show(4)

    def install(self, program: str) -> None:
        self.smi.write_text(program)
        self.smi.chmod(0o755)

    def show(self, count: int) -> None:
        self._gpus.write_text("".join(f"{i}, GPU-{i:04d}, 15360, 00000000:{16 + i:02X}:00.0, Tesla T4, old\n" for i in range(count)))

    def coordinated(self, amount: int) -> list[str]:
        return [str(amount), "--enable-coordination-mode", "--coordination-file", str(self.file)]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs the script with this process as its owner."""
        env = {"PATH": self.path} | environment
        return subprocess.run([SHIPPED_SCRIPT, *arguments], env=env, capture_output=True, text=True, check=False, timeout=60)

    def start_owner(self, *arguments: str, script: Path = SHIPPED_SCRIPT, user: int | None = None) -> subprocess.Popen[str]:
        """Starts another TaskManager, which runs the script once and lives on."""
        command = [sys.executable, "-c", OWNER, str(os.getuid() if user is None else user), str(script), *arguments]
        owner = subprocess.Popen(command, env={"PATH": self.path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._owners.append(owner)
        return owner

    def other_gets(self, amount: int, user: int | None = None) -> str:
        return answer(self.start_owner(*self.coordinated(amount), user=user))

    def dead(self) -> int:
        """Returns the pid of a TaskManager that is no more."""
        owner = subprocess.Popen(["true"])
        owner.wait()
        return owner.pid

    def living(self) -> int:
        """Returns the pid of another TaskManager."""
        return self.start_owner("0").pid

    def close(self) -> None:
        for owner in self._owners:
            owner.communicate(timeout=60)


def answer(owner: subprocess.Popen[str]) -> str:
    assert owner.stdout is not None
    return owner.stdout.readline().strip()
