"""What there is to know of an application beside its state: who submitted it, how, and where its logs are. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conf.redaction import redacted


@dataclass(frozen=True)
class About:
    """One application.

    `log_page` is the application master's own, "" in local mode. `epoch_s` is when the monotonic clock, by which
    the state counts, was at 0: in seconds since the epoch.
    """

    application_id: str
    user: str = ""
    log_page: str = ""
    epoch_s: float = 0.0
    configuration: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def timestamp(self, at: float) -> int:
        """Returns a time of the monotonic clock in milliseconds since the epoch, as Flink's REST gives times."""
        return round((self.epoch_s + at) * 1000)

    def container_log_page(self, http: str, container_id: str) -> str:
        """Returns where the NodeManager at `http` shows the container's logs, "" where none does."""
        return log_page(http, container_id, self.user) if http and self.user else ""

    def configuration_view(self) -> list[dict[str, Any]]:
        """Returns Flink's `/jobmanager/config`, and of each key where it stands; secrets are hidden."""
        return [
            {"key": key, "value": redacted(key, value), "origin": self.origins.get(key, "")}
            for key, value in sorted(self.configuration.items())
        ]


def log_page(http: str, container_id: str, user: str) -> str:
    """Returns the address of a NodeManager's page of a container's logs; without a scheme: that is its reader's, as in YARN's pages."""
    return f"//{http}/node/containerlogs/{container_id}/{user}"


def log_page_of_this_container(environ: Mapping[str, str]) -> str:
    """Returns the same for the container that this process is in, by the variables that the NodeManager sets; "" outside of one."""
    names = ("NM_HOST", "NM_HTTP_PORT", "CONTAINER_ID", "USER")
    host, port, container_id, user = (environ.get(name, "") for name in names)
    return log_page(f"{host}:{port}", container_id, user) if host and port and container_id else ""
