"""Every key of the store, spelled once.

Keys of TaskManagers are *owned*: the store deletes them when their container ends, for whatever reason.
"""

from urllib.parse import quote

REGISTRATIONS = "taskmanagers/"
"""Prefix of `Registration`, one per TaskManager, owned by its container."""

FAILURES = "failures/"
"""Prefix of `RegistrationFailure`, one per TaskManager that could not register."""

LOST_DEVICES = "lost-devices/"
"""Prefix of `DeviceLost`, one per device that a TaskManager lost while it held it."""

EXCLUDED_DEVICES = "excluded-devices"
"""The one `DeviceExclusions`, written by the application master when devices were lost; a TaskManager reads it before it takes any."""

RESULTS = "results/"
"""Prefix of `SlotResult`, one per slot whose process ended."""

HEARTBEATS = "heartbeats/"
"""Prefix of `Heartbeat`, one per TaskManager, owned by its container, written again and again."""

READY = "ready"
"""Written by the application master once it watches; nobody else writes before. Skein opens a watch in two steps, and a change that comes
between them breaks the stream or the call that made it (seen: "sendHeaders has already been called")."""

JOB = "job"
"""The one `JobDeployment`, written by the application master when all TaskManagers are there."""

STOP = "stop"
"""The one `StopRequest`, written by whoever has the application's key and wants its end."""

ENDING = "ending"
"""The one `Ending`, written by the application master when it ends the application, whyever that is."""


def registration(task_manager_id: str) -> str:
    """Returns the key of a TaskManager's `Registration`."""
    return REGISTRATIONS + task_manager_id


def failure(task_manager_id: str) -> str:
    """Returns the key of a TaskManager's `RegistrationFailure`."""
    return FAILURES + task_manager_id


def lost_device(task_manager_id: str, uuid: str) -> str:
    """Returns the key of a device's `DeviceLost`."""
    return f"{LOST_DEVICES}{task_manager_id}/{quote(uuid, safe='')}"


def heartbeat(task_manager_id: str) -> str:
    """Returns the key of a TaskManager's `Heartbeat`."""
    return HEARTBEATS + task_manager_id


def result(slot_id: str) -> str:
    """Returns the key of a slot's `SlotResult`."""
    return RESULTS + slot_id
