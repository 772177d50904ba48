"""The nodes that YARN shall give no more containers on, told to the overlay in a file."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path


def write(path: Path, hosts: Collection[str]) -> None:
    """Replaces the file, atomically, so that the overlay never reads half of it.

    Args:
        path: `protocol.launch.EXCLUDED_NODES_FILE` in the application master's directory.
        hosts: all that are excluded from now on, as their NodeManagers registered (a grant's `node` without its port).

    Raises:
        ValueError: for what can't be one host's name.
        OSError: when the file can't be written; the one before then stays.
    """
    for host in hosts:
        if not host or host == "*" or any(character.isspace() for character in host):
            raise ValueError(f"excluded node {host!r} where a host name was expected")
    fresh = path.with_name(path.name + ".new")
    fresh.write_text("".join(f"{host}\n" for host in sorted(set(hosts))), encoding="utf-8")
    fresh.replace(path)
