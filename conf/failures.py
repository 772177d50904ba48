"""Reads how much failing is borne."""

from __future__ import annotations

from conf import failure_options as options
from conf.errors import Problem
from conf.reading import Reader
from conf.settings import FailureSettings

_LEAST_FAILURES = 3


def read_failures(reader: Reader, task_managers: int) -> FailureSettings:
    """Returns the settings of an application of so many TaskManagers."""
    most = reader.optional(options.MAX_FAILURES)
    restarts = reader.required(options.RESTART_TYPE) == "fixed-delay"
    attempts = reader.required(options.RESTART_ATTEMPTS)
    settings = FailureSettings(
        heartbeat_interval_s=reader.required(options.HEARTBEAT_INTERVAL) / 1000,
        heartbeat_timeout_s=reader.required(options.HEARTBEAT_TIMEOUT) / 1000,
        max_failures=max(_LEAST_FAILURES, 2 * task_managers) if most is None else most,
        failures_validity_s=reader.required(options.FAILURES_VALIDITY) / 1000,
        failure_rate=reader.required(options.FAILURE_RATE),
        retry_interval_s=reader.required(options.RETRY_INTERVAL) / 1000,
        node_max_failures=reader.required(options.NODE_MAX_FAILURES),
        node_exclusion_s=reader.required(options.NODE_EXCLUSION) / 1000,
        restart_attempts=attempts if restarts else 0,
        restart_delay_s=reader.required(options.RESTART_DELAY) / 1000,
        allowed_failures=reader.required(options.ALLOWED_FAILURES),
        fail_fast=reader.required(options.FAIL_FAST),
        idle_timeout_s=reader.required(options.IDLE_TIMEOUT) / 1000,
        termination_grace_s=reader.required(options.TERMINATION_GRACE) / 1000,
    )
    interval, timeout = options.HEARTBEAT_INTERVAL.key, options.HEARTBEAT_TIMEOUT.key
    if settings.heartbeat_timeout_s <= settings.heartbeat_interval_s:
        cause = f"{timeout} is {settings.heartbeat_timeout_s:g} s, not longer than {interval}, {settings.heartbeat_interval_s:g} s"
        reader.problems.append(Problem(timeout, cause, f"set {timeout} to several times {interval}"))
    return settings
