"""Many TaskManagers of one node at once, as real processes: no device is had twice, none is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from driver_process import FAKES, ROOT

Herd = Iterator[dict[str, Any]]


@contextmanager
def herd(directory: Path, devices: int, count: int, amount: int, timeout_s: float) -> Iterator[Herd]:
    """Starts them; yields what each says."""
    arguments = [str(argument) for argument in (directory, devices, count, amount, timeout_s)]
    command = [sys.executable, str(FAKES / "lease_herd.py"), *arguments]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield map(json.loads, process.stdout)
        finally:
            process.stdin.close()


def test_fifty_at_once_on_sixteen_devices(tmp_path: Path) -> None:
    with herd(tmp_path / "leases", devices=16, count=50, amount=1, timeout_s=1) as said:
        lines = [next(said) for _ in range(50)]
    had = [line["uuids"] for line in lines if "uuids" in line]
    assert sorted(had) == sorted([f"GPU-{i}"] for i in range(16))
    refused = [line["cause"] for line in lines if "cause" in line]
    assert len(refused) == 34
    holders = {f"container_{line['pid']}" for line in lines if "uuids" in line}
    for cause in refused:
        assert cause.startswith("gpu: asked 1, found 16, of these 0 free after 1 s; ")
        assert holders == {word for word in cause.split() if word.startswith("container_")}


def test_those_that_need_several_have_all_or_none(tmp_path: Path) -> None:
    with herd(tmp_path / "leases", devices=16, count=20, amount=3, timeout_s=0) as said:
        lines = [next(said) for _ in range(20)]
    had = [uuid for line in lines for uuid in line.get("uuids", ())]
    assert (len(had), len(set(had))) == (15, 15), "five have three each: nobody held devices that would have made up another's three"
    assert sum("cause" in line for line in lines) == 15


def test_what_killed_ones_held_goes_to_those_who_wait(tmp_path: Path) -> None:
    chance = random.Random(4)
    holder_of: dict[str, int] = {}
    killed: set[int] = set()
    with herd(tmp_path / "leases", devices=8, count=40, amount=2, timeout_s=120) as said:
        for _ in range(40):
            line = next(said)
            assert "uuids" in line, line
            for uuid in line["uuids"]:
                assert holder_of.get(uuid) in killed | {None}, f"{uuid} is held by {holder_of[uuid]} and {line['pid']}"
                holder_of[uuid] = line["pid"]
            living = sorted(set(holder_of.values()) - killed)
            if len(living) == 4:
                for victim in chance.sample(living, chance.randint(1, 4)):
                    killed.add(victim)  # before it is dead: the next holder may speak at once
                    os.kill(victim, signal.SIGKILL)
    assert set(holder_of) == {f"GPU-{i}" for i in range(8)}
