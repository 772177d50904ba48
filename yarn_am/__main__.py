"""Runs in the AM container, or with `--local` on this machine: builds the parts of the application master and hands them over."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from pathlib import Path
from typing import Any

from conf.configuration import from_flat
from conf.settings import Settings
from protocol.launch import FILE, TAP_FILE, Launch
from protocol.local_store import SOCKET, LocalStoreServer
from protocol.memory_store import MemoryStore
from protocol.outcome import Outcome
from protocol.skein_store import SkeinStore
from protocol.store import Store
from protocol.wire import from_bytes
from yarn_am.cluster_state import ClusterState, Plan
from yarn_am.containers import Containers
from yarn_am.events import Interrupted
from yarn_am.job_main import JobMain, MainContext
from yarn_am.local_containers import LocalContainers
from yarn_am.master import EventQueue, Master, broken
from yarn_am.rest import RestServer
from yarn_am.skein_containers import SkeinContainers

logger = logging.getLogger("yarn_am")


def plan_of(launch: Launch, settings: Settings, *, on_yarn: bool) -> Plan:
    """Returns what is wanted; a local TaskManager's container is asked for nothing, since nobody grants anything."""
    asked = {resource.yarn_type: resource.amount for resource in settings.external_resources if resource.yarn_type}
    asked |= {"memory-mb": settings.task_manager.memory_mb, "vcores": settings.task_manager.vcores}
    return Plan(
        job_name=Path(launch.job.argv[0]).name,
        job_kind=launch.job.kind,
        command=launch.job.argv if launch.job.kind == "command" else (),
        task_managers=settings.task_manager.count,
        parallelism=settings.parallelism,
        asked=asked if on_yarn else {},
        registration_timeout_s=settings.task_manager.registration_timeout_s,
    )


def on_yarn() -> tuple[Store, Containers, str, str]:
    """Returns store, containers, application id and this host's address, all from skein's application master beside us."""
    import skein

    application: Any = skein.ApplicationClient.from_current()
    return SkeinStore(application, None), SkeinContainers(application, Path(TAP_FILE)), application.id, os.environ["NM_HOST"]


def on_this_machine(settings: Settings) -> tuple[Store, Containers, str, str]:
    """Returns the same of a local application, whose directory is the working one."""
    store = MemoryStore()
    LocalStoreServer(store, Path(SOCKET))
    return store, LocalContainers(Path.cwd(), settings.task_manager.count), Path.cwd().name, "127.0.0.1"


def run(launch: Launch, *, local: bool) -> Outcome:
    """Runs the application to its end."""
    settings = from_flat(launch.configuration).settings()
    store, containers, application_id, address = on_this_machine(settings) if local else on_yarn()
    events, lock = EventQueue(), threading.Lock()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: events.put(Interrupted(f"Stopped by {signal.Signals(number).name}")))
    state = ClusterState(plan_of(launch, settings, on_yarn=not local))
    log_directory = Path(os.environ.get("LOG_DIRS", ".").split(",")[0])
    main = JobMain(launch, MainContext(Path.cwd(), log_directory / "job.log", address, settings.parallelism), events.put)
    try:
        return Master(state, lock, events, store, containers, main).run(RestServer(state, lock, settings, application_id))
    except Exception as error:
        logger.exception("The application master failed")
        containers.finish(broken(error))
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
