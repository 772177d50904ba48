"""What `submit` hands to the application master and, unchanged, to every TaskManager: one file, `launch.json`, in the working directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.history import HistoryDirectory
from protocol.records import VERSION

FILE = "launch.json"
"""Name of the file that holds a `Launch`."""

TREADLE_ZIP = "treadle.zip"
"""Name of the archive that holds the package `treadle` and nothing else: all of ours that user code can import."""

CERTIFICATE, KEY = ".skein.crt", ".skein.pem"
"""Names of the application's TLS certificate (its own CA) and private key; skein puts them into every container so named."""

TAP_FILE = "containers.jsonl"
"""Name of the file in the AM's directory to which the overlay appends what YARN says of containers and nodes, one JSON object a line."""

FINAL_STATUS_FILE = "final-status"
"""Name of the file in the AM's directory that tells the overlay the final status to report, where skein must believe in another."""

EXCLUDED_NODES_FILE = "excluded-nodes"
"""Name of the file in the AM's directory that names, one host a line, the nodes on which the overlay wants no more containers."""

STOP_FILE = ".stop.json"
"""Name of the file in a local application's directory that holds the `StopRequest` behind the SIGTERM that follows it."""


@dataclass(frozen=True)
class Job:
    """What to run: `main` (a script with its arguments, once, in the AM's container) or `command` (in every slot)."""

    kind: str
    argv: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind not in ("main", "command"):
            raise ValueError(f"kind {self.kind!r} where 'main' or 'command' was expected")


@dataclass(frozen=True)
class Launch:
    """The application as submitted.

    `configuration` is the effective one, flat key → text, read again with `conf.configuration`; `python` (absolute, or relative to a
    container's directory) and `treadle_python` are paths on the nodes; `origins` says of each key where its value stands, as
    `conf.entry.Entry` does; `history` is where the application master leaves what happened, None for nowhere. A Treadle of another
    protocol version on a node can't read it and says so.
    """

    version: int
    job: Job
    configuration: Mapping[str, str]
    python: str
    treadle_python: str
    origins: Mapping[str, str] = field(default_factory=dict)
    history: HistoryDirectory | None = None

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise ValueError(
                f"protocol version {self.version} where {VERSION} was expected: install the same Treadle on the edge node and the nodes"
            )
