"""How an application is, by YARN and by itself: all that `submit status` tells."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.application import lookup, use_tables

if TYPE_CHECKING:
    from client.application.records import Application
    from client.yarn.application_details import ApplicationDetails
    from client.yarn.master_failure import MasterFailure
    from client.yarn.totals import Totals

_OF_THE_MASTER = ("master", "use", "taskmanagers", "slots", "devices", "jobs", "failures")


@dataclass(frozen=True)
class Status:
    """One application at one moment.

    Attributes:
        known: what YARN knows of it.
        told: what its master says, None while it does not answer.
        failure: why its master failed, None where it did not.
        waiting: why it waits for containers.
        queue: its queue's use, None where that is not told.
        cluster: the cluster's.
    """

    known: ApplicationDetails
    told: Application | None
    failure: MasterFailure | None
    waiting: Sequence[str]
    queue: Totals | None
    cluster: Totals | None

    def tree(self) -> dict[str, Any]:
        """Returns it as JSON; docs/using.md describes it. What only the master knows is null while it does not answer."""
        return {
            **dataclasses.asdict(self.known),
            **(_told(self.told) if self.told else dict.fromkeys(_OF_THE_MASTER)),
            "cause": self.failure.cause if self.failure else "",
            "remedy": self.failure.remedy if self.failure else "",
            "queue_totals": self.queue and dataclasses.asdict(self.queue),
            "cluster_totals": self.cluster and dataclasses.asdict(self.cluster),
            "waiting": [*self.waiting],
        }


def of(application: str, environ: Mapping[str, str]) -> Status:
    """Returns how an application is.

    Raises:
        ClientError: as `lookup.look`.
    """
    from client.yarn.master_failure import master_failure

    known, told = lookup.look(application, environ)
    waiting = [reason.cause for reason in lookup.why_waiting(known, told, environ)]
    failure = master_failure(known.diagnostics) if known.ended else None
    return Status(known, told, failure, waiting, *lookup.totals_for(known, environ))


def _told(told: Application) -> dict[str, Any]:
    present = [task_manager for task_manager in told.task_managers if task_manager.state != "ENDED"]
    slots = [slot for task_manager in present for slot in task_manager.slots]
    registered = sum(1 for task_manager in present if task_manager.slots)
    return {
        "master": use_tables.master(told),
        "use": use_tables.tree(told),
        "taskmanagers": {"registered": registered, "requested": told.requested},
        "slots": len(slots),
        "devices": len({(device.resource, device.uuid) for slot in slots for device in slot.devices}),
        "jobs": [{key: value for key, value in dataclasses.asdict(job).items() if key != "report"} for job in told.jobs],
        "failures": [dataclasses.asdict(failure) for failure in told.failures],
    }
