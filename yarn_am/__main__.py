"""Runs in the AM container, or with `--local` on this machine: builds the parts of the application master and hands them over."""

from __future__ import annotations

import argparse
import logging
import os
import pwd
import signal
import threading
import time
from pathlib import Path
from typing import Any

from conf.configuration import from_flat
from conf.settings import Settings, TaskManagerGroup
from protocol.launch import FILE, TAP_FILE, Launch
from protocol.local_store import SOCKET, LocalStoreServer
from protocol.memory_store import MemoryStore
from protocol.outcome import Outcome
from protocol.skein_import import import_skein
from protocol.skein_store import SkeinStore
from protocol.store import Store
from protocol.user_code import UserCode
from protocol.wire import from_bytes
from yarn_am import master_usage, signals, views
from yarn_am.about import About, log_page_of_this_container
from yarn_am.cluster_state import ClusterState
from yarn_am.containers import Containers
from yarn_am.event_log import EventLog
from yarn_am.history import NO_HISTORY, History, Views, Writer, WrittenHistory
from yarn_am.history_store import store_of
from yarn_am.history_summary import summary
from yarn_am.job_main import JobMain, MainContext
from yarn_am.local_containers import LocalContainers
from yarn_am.master import EventQueue, Master, broken
from yarn_am.plan import GroupPlan, Plan, Restart
from yarn_am.replacement import Limits
from yarn_am.rest import RestServer
from yarn_am.skein_containers import SkeinContainers

logger = logging.getLogger("yarn_am")


def plan_of(launch: Launch, settings: Settings, *, on_yarn: bool) -> Plan:
    """Returns what is wanted; a local TaskManager's container is asked for nothing, since nobody grants anything."""
    failures = settings.failures
    return Plan(
        job_name=Path(launch.job.argv[0]).name,
        job_kind=launch.job.kind,
        command=launch.job.argv if launch.job.kind == "command" else (),
        groups=tuple(_group_plan(group, on_yarn=on_yarn) for group in settings.groups),
        parallelism=settings.parallelism,
        registration_timeout_s=settings.registration_timeout_s,
        heartbeat_timeout_s=failures.heartbeat_timeout_s,
        limits=Limits(
            failures.max_failures,
            failures.failure_rate,
            failures.retry_interval_s,
            failures.node_max_failures,
            failures.node_exclusion_s,
        ),
        restart=Restart(failures.restart_attempts, failures.restart_delay_s),
        allowed_failures=failures.allowed_failures,
        one_node=not on_yarn,
        idle_timeout_s=failures.idle_timeout_s,
        fail_fast=failures.fail_fast,
        grace_s=failures.termination_grace_s,
    )


def _group_plan(group: TaskManagerGroup, *, on_yarn: bool) -> GroupPlan:
    asked = {resource.yarn_type: resource.amount for resource in group.external_resources if resource.yarn_type}
    asked |= {"memory-mb": group.memory_mb, "vcores": group.vcores}
    return GroupPlan(group.name, group.count, group.slots, asked if on_yarn else {})


def on_yarn(settings: Settings) -> tuple[Store, Containers, str, str]:
    """Returns store, containers, application id and this host's address, all from skein's application master beside us."""
    application: Any = import_skein().ApplicationClient.from_current()
    containers = SkeinContainers(application, Path(TAP_FILE))
    return SkeinStore(application, None), containers, application.id, os.environ["NM_HOST"]


def attempt_of(container_id: str) -> int:
    """Returns the attempt in a container's id, `container_e17_1700000000000_0001_02_000001`, whose epoch may be missing."""
    return int(container_id.split("_")[-2])


def on_this_machine(settings: Settings) -> tuple[Store, Containers, str, str]:
    """Returns the same of a local application, whose directory is the working one."""
    store = MemoryStore()
    LocalStoreServer(store, Path(SOCKET))
    counts = {group.name: group.count for group in settings.groups}
    containers = LocalContainers(Path.cwd(), counts, [shipped.name for shipped in settings.shipped])
    return store, containers, Path.cwd().name, "127.0.0.1"


def history_of(launch: Launch, settings: Settings, state: ClusterState, log: EventLog, about: About, attempt: int) -> History:
    """Returns where what happens is kept for `submit history`."""
    if launch.history is None:
        return NO_HISTORY
    shown = Views(
        lambda reserved, now: summary(state, settings, about, launch.job, attempt, reserved, now),
        lambda: views.everything(state, settings, about, time.monotonic()),
    )
    return WrittenHistory(log, shown, Writer(store_of(launch.history, about.application_id, os.environ)), attempt)


def own_user() -> str:
    """Returns whose process this is; a container may have a user without a name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def about_of(launch: Launch, application_id: str, *, local: bool) -> About:
    """Returns what there is to know of the application beside its state."""
    return About(
        application_id,
        own_user() if local else os.environ["USER"],
        "" if local else log_page_of_this_container(os.environ),
        time.time() - time.monotonic(),
        launch.configuration,
        launch.origins,
    )


def context_of(settings: Settings, application_id: str, address: str, *, local: bool) -> MainContext:
    """Returns what the job's main is told; a local application has a single attempt."""
    log_directory = Path(os.environ.get("LOG_DIRS", ".").split(",")[0])
    return MainContext(
        Path.cwd(),
        log_directory / "job.log",
        address,
        settings.parallelism,
        tuple(group.name for group in settings.groups),
        application_id,
        1 if local else attempt_of(os.environ["CONTAINER_ID"]),
        1 if local else settings.application.attempts,
    )


def run(launch: Launch, *, local: bool) -> Outcome:
    """Runs the application to its end."""
    settings = from_flat(launch.configuration).settings()
    store, containers, application_id, address = on_this_machine(settings) if local else on_yarn(settings)
    events, lock = EventQueue(), threading.Lock()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: events.put(signals.meaning(number, Path.cwd(), local=local)))
    state = ClusterState(plan_of(launch, settings, on_yarn=not local), time.monotonic())
    about = about_of(launch, application_id, local=local)
    context = context_of(settings, application_id, address, local=local)
    user = UserCode(launch.python, settings.module_paths, settings.master_variables)
    main = JobMain(launch.job, user, context, events.put, settings.failures.termination_grace_s)
    log = EventLog(state, context.attempt)
    history = history_of(launch, settings, state, log, about, context.attempt)
    if not local:
        master_usage.watch(settings.failures.heartbeat_interval_s, events.put)
    try:
        return Master(state, lock, events, store, containers, main, log, history).run(RestServer(state, lock, settings, about, log))
    except Exception as error:
        logger.exception("The application master failed")
        history.end(broken(error))
        history.wait()
        containers.finish(broken(error), retriable=True)
        raise


def main() -> int:
    """Returns the application's exit code."""
    parser = argparse.ArgumentParser(prog="python -m yarn_am", description="Treadle's application master; started by `submit run`.")
    parser.add_argument("--launch", type=Path, default=Path(FILE), help="the file that describes the application")
    parser.add_argument("--local", action="store_true", help="run the TaskManagers as processes of this machine, without YARN")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return run(from_bytes(Launch, arguments.launch.read_bytes()), local=arguments.local).exit_code


if __name__ == "__main__":
    raise SystemExit(main())
