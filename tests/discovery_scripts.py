"""Small real discovery scripts, and the driver that runs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from drivers.discovery_script import DiscoveryScriptDriver

WriteScript = Callable[..., Path]


def writer(directory: Path) -> WriteScript:
    """What writes an executable script into the directory and returns its path."""

    def write(body: str, first_line: str = "#!/bin/sh\n", name: str = "discover.sh") -> Path:
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{first_line}{body}\n")
        path.chmod(0o755)
        return path

    return write


def driver(path: Path, **params: str) -> DiscoveryScriptDriver:
    named = {f"discovery-script.{key}": value for key, value in params.items()}
    return DiscoveryScriptDriver({"discovery-script.path": str(path), **named})


def indices(path: Path, amount: int = 2, **params: str) -> list[str]:
    return [device.index for device in driver(path, **params).discover(amount)]
