"""The options that say how much failing an application bears, and how it goes on."""

from __future__ import annotations

from typing import Any

from conf.kinds import BOOLEAN, DURATION_MS, INTERVAL_MS, RATE, one_of, whole_number
from conf.option import Option

HEARTBEAT_INTERVAL = Option(
    "heartbeat.interval", DURATION_MS, "How often a TaskManager gives a sign of life, with what its slots and devices use."
)
HEARTBEAT_TIMEOUT = Option(
    "heartbeat.timeout",
    DURATION_MS,
    "A TaskManager that is silent for so long is ended and replaced; one whose application master does not answer for so long ends.",
)
MAX_FAILURES = Option(
    "treadle.taskmanager.max-failures",
    whole_number(0),
    "How many failures of TaskManagers the application survives. Preemption, lost nodes and disks, and what YARN killed don't count. "
    "Unset: twice as many as there are TaskManagers, at least 3.",
)
FAILURE_RATE = Option(
    "resourcemanager.start-worker.max-failure-rate",
    RATE,
    "Up to so many failures a minute a TaskManager is replaced at once; above, after a pause.",
)
RETRY_INTERVAL = Option(
    "resourcemanager.start-worker.retry-interval",
    DURATION_MS,
    "That pause; it doubles with each further failure, up to a minute.",
)
IDLE_TIMEOUT = Option(
    "resourcemanager.taskmanager-timeout",
    DURATION_MS,
    "A TaskManager whose slots have all done their part, or have none, gives its container back after so long; unless the command may be "
    "started again.",
)
NODE_MAX_FAILURES = Option(
    "treadle.node.max-failures",
    whole_number(1),
    "After so many failures that speak against a node (devices missing or lost, no start, silence) it gets no TaskManager for a while.",
)
NODE_EXCLUSION = Option(
    "treadle.node.exclusion",
    DURATION_MS,
    "How long that is, and how long no TaskManager takes a device again that one has lost. The last known node is never excluded.",
)
RESTART_TYPE = Option(
    "restart-strategy.type",
    one_of("none", "fixed-delay"),
    "Whether a command that failed, or lost a TaskManager, is started again, in all slots at once.",
)
RESTART_ATTEMPTS = Option(
    "restart-strategy.fixed-delay.attempts",
    whole_number(1),
    "How often; with `fixed-delay`. What YARN did to it, such as preemption, does not count, nor what is lost until it starts again.",
)
RESTART_DELAY = Option("restart-strategy.fixed-delay.delay", INTERVAL_MS, "The pause before; with `fixed-delay`.")
ALLOWED_FAILURES = Option(
    "treadle.job.allowed-failures", whole_number(0), "In how many slots a command may fail without failing the application."
)

FAIL_FAST = Option(
    "treadle.job.fail-fast",
    BOOLEAN,
    "A command that fails in a slot ends the application although it could be started again: restarts are for lost TaskManagers then.",
)

TERMINATION_GRACE = Option(
    "treadle.job.termination-grace",
    DURATION_MS,
    "How long the job's script and the processes in slots have from SIGTERM to SIGKILL, when the application is stopped, the job fails or "
    "is started again. What YARN itself kills has what the NodeManager gives.",
)

FAILURE_OPTIONS: tuple[Option[Any], ...] = (
    HEARTBEAT_INTERVAL,
    HEARTBEAT_TIMEOUT,
    MAX_FAILURES,
    FAILURE_RATE,
    RETRY_INTERVAL,
    IDLE_TIMEOUT,
    NODE_MAX_FAILURES,
    NODE_EXCLUSION,
    RESTART_TYPE,
    RESTART_ATTEMPTS,
    RESTART_DELAY,
    ALLOWED_FAILURES,
    FAIL_FAST,
    TERMINATION_GRACE,
)
"""All of them."""
