"""Every key of the store, spelled once.

Keys of TaskManagers are *owned*: the store deletes them when their container ends, for whatever reason.
"""

REGISTRATIONS = "taskmanagers/"
"""Prefix of `Registration`, one per TaskManager, owned by its container."""

FAILURES = "failures/"
"""Prefix of `RegistrationFailure`, one per TaskManager that could not register."""

RESULTS = "results/"
"""Prefix of `SlotResult`, one per slot whose process ended."""

READY = "ready"
"""Written by the application master once it watches; nobody else writes before. Skein opens a watch in two steps, and a change that comes
between them breaks the stream or the call that made it (seen: "sendHeaders has already been called")."""

JOB = "job"
"""The one `JobDeployment`, written by the application master when all TaskManagers are there."""


def registration(task_manager_id: str) -> str:
    """Returns the key of a TaskManager's `Registration`."""
    return REGISTRATIONS + task_manager_id


def failure(task_manager_id: str) -> str:
    """Returns the key of a TaskManager's `RegistrationFailure`."""
    return FAILURES + task_manager_id


def result(slot_id: str) -> str:
    """Returns the key of a slot's `SlotResult`."""
    return RESULTS + slot_id
