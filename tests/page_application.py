"""An application that never ran, served as the application master does it: for what its page and its metrics show."""

from __future__ import annotations

import math
import threading
import time

from conf import configuration
from protocol.records import VERSION, Device, Registration, RegistrationFailure, Slot
from protocol.usage import DeviceUsage, Heartbeat, SlotUsage
from yarn_am.about import About
from yarn_am.cluster_state import ClusterState
from yarn_am.event_log import EventLog
from yarn_am.events import Event, Granted, Heard, MasterUsed, Progress, Registered, RegistrationFailed
from yarn_am.plan import GroupPlan, Plan, Restart
from yarn_am.replacement import Limits
from yarn_am.rest import RestServer

EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
"""What a job, a device and a failure call themselves here."""

ASKED = {"memory-mb": 2048, "vcores": 2, "yarn.io/gpu": 2}
SAMPLES = 40
HEARTBEAT_S = 10.0

CONFIGURATION = configuration.load(
    overrides=[
        ("yarn.application.name", f"classify {EVIL}", "--name"),
        ("taskmanager.groups", "train;io", "-D"),
        ("taskmanager.group.train.count", "2", "-D"),
        ("taskmanager.group.io.count", "1", "-D"),
        ("taskmanager.numberOfTaskSlots", "2", "--slots"),
        ("external-resources", "gpu", "conf.yaml:3"),
        ("external-resource.gpu.amount", "2", "conf.yaml:4"),
        ("external-resource.gpu.driver-factory.class", "list", "conf.yaml:5"),
        ("external-resource.gpu.param.addresses", "0,1", "conf.yaml:6"),
        ("external-resource.gpu.param.licence-token", "hunter2", "conf.yaml:7"),
    ]
)


class PageApplication:
    """`state` starts empty; `hosts` are TaskManagers' ids to nodes. Times go back from now, so that samples have an age."""

    def __init__(self, application_id: str = "application_1_0001") -> None:
        self.began = time.monotonic() - SAMPLES * HEARTBEAT_S
        groups = (GroupPlan("train", 2, 2, ASKED), GroupPlan("io", 1, 2, {"memory-mb": 1024, "vcores": 1}))
        limits = Limits(failures=3, failure_rate=10, retry_interval_s=3, node_failures=1, exclusion_s=100)
        plan = Plan(EVIL, "main", (), groups, 6, 1e6, 1e6, limits, Restart(0, 1.0), allowed_failures=0, one_node=False)
        self.state, self.lock = ClusterState(plan, self.began), threading.Lock()
        flat, origins = CONFIGURATION.flat(), CONFIGURATION.origins()
        self.about = About(application_id, "alice", "//nm1:8042/am", time.time() - time.monotonic(), flat, origins)
        self.log = EventLog(self.state, 1)
        self.log.begin(time.time() - SAMPLES * HEARTBEAT_S)
        self.server = RestServer(self.state, self.lock, CONFIGURATION.settings(), self.about, self.log)
        self.server.start()

    def happens(self, event: Event, at: float = 0.0) -> None:
        with self.lock:
            actions = self.state.handle(event, self.began + at)
            self.log.note(event, actions, self.about.timestamp(self.began + at) / 1000)

    def register(self, name: str, node: str, devices: int) -> None:
        found = tuple(Device("gpu", str(i), f"GPU-{name}-{i}", {"name": f"A100 {EVIL}" if i else "A100-SXM4-80GB"}) for i in range(devices))
        slots = tuple(Slot(f"{name}/slot-{i}", found[i : i + 1]) for i in range(2))
        asked = ASKED if devices else {"memory-mb": 1024, "vcores": 1}
        self.happens(Granted(f"container_{name}", f"{node}:8041", asked, f"{node}:8042"))
        self.happens(Registered(Registration(VERSION, name, f"container_{name}", node, "127.0.0.11", (4000,), 1, slots)), 1)

    def beat(self, name: str, number: int, devices: int) -> None:
        wave = (1 + math.sin(number / 4 + len(name))) / 2
        slots = tuple(SlotUsage(f"{name}/slot-{i}", 300 + 20 * number, 100 * wave, 10.0 * number) for i in range(2))
        usages = tuple(DeviceUsage("gpu", f"GPU-{name}-{i}", round(100 * wave), 1000 * number, 81920, 61, 250.4) for i in range(devices))
        beat = Heartbeat(VERSION, name, f"container_{name}", number, 700 + 30 * number, 180 * wave, slots, usages)
        self.happens(Heard(beat), number * HEARTBEAT_S)

    def run(self) -> None:
        """Everything that a page can show while an application runs."""
        self.register("train-0", "nm1", 2)
        self.happens(Granted("container_train-1", "nm3:8041", ASKED, "nm3:8042"))
        self.happens(
            RegistrationFailed(
                RegistrationFailure(VERSION, "train-1", "container_train-1", "nm3", "gpu: asked 2, found 1", "Ask for less.", EVIL)
            ),
            1,
        )
        self.register("io-0", "nm2", 0)
        for number in range(1, SAMPLES + 1):
            self.beat("train-0", number, 2)
            self.beat("io-0", number, 0)
        self.happens(MasterUsed(420, 12.5))
        self.happens(Progress("classify", 3, 20, 1500))
