"""Who this TaskManager is, as YARN or local mode tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """`container_id` as YARN knows it, `node` as YARN names the host, `address` where other slots reach it, `logs` YARN's log directory."""

    task_manager_id: str
    container_id: str
    node: str
    address: str
    directory: Path
    logs: Path

    @property
    def group(self) -> str:
        """Returns the name of the group of TaskManagers that this one belongs to."""
        return self.task_manager_id.rpartition("-")[0]


def of_container(environ: Mapping[str, str], directory: Path) -> Identity:
    """Returns the identity of a YARN container; each group is a service, whose containers skein numbers (`train_0`)."""
    return Identity(
        task_manager_id="-".join(environ["SKEIN_CONTAINER_ID"].rsplit("_", 1)),
        container_id=environ["CONTAINER_ID"],
        node=environ["NM_HOST"],
        address=environ["NM_HOST"],
        directory=directory,
        logs=Path(environ["LOG_DIRS"].split(",")[0]),
    )


def of_process(task_manager_id: str, directory: Path) -> Identity:
    """Returns the identity of a local TaskManager, named as `yarn_am.local_containers` names it."""
    return Identity(task_manager_id, f"local-{task_manager_id}", "localhost", "127.0.0.1", directory, directory)
