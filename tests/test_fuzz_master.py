"""Whatever TaskManagers, the job and the overlay say, in any order: the application master goes on, and shows what it knows as JSON."""

import dataclasses
import json
import threading
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cluster_state import running, state

from conf import configuration
from protocol import keys
from protocol.launch import Job, Launch
from protocol.records import VERSION, DeviceLost, Registration, RegistrationFailure, SlotResult, StopRequest
from protocol.store import Change
from protocol.usage import Heartbeat
from protocol.wire import MalformedRecordError, from_bytes, to_bytes
from yarn_am import views
from yarn_am.about import About
from yarn_am.events import Tick
from yarn_am.job_main import EVENTS_FILE, _events
from yarn_am.json_lines import follow
from yarn_am.messages import Messages
from yarn_am.metrics import exposition, metrics
from yarn_am.skein_containers import SkeinContainers

SETTINGS = configuration.load().settings()
ABOUT = About("application_1_0001")

NAMES = (
    st.sampled_from(["tm-0", "tm-1", "tm-2", "c0", "c1", "tm-0/slot-0", "tm-1/slot-0", "gpu", "GPU-0-0", "nm1", "127.0.0.11"]) | st.text()
)
NUMBERS = st.integers(-1, 3) | st.integers(1, 65535) | st.integers() | st.just(VERSION)


def plausible(kind):
    """Values of a record's type that name what there is, more often than not."""
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.fixed_dictionaries({field.name: plausible(hints[field.name]) for field in dataclasses.fields(kind)})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return st.lists(plausible(arguments[0]), max_size=2)
    if origin is not None and type(None) not in arguments:
        return st.dictionaries(NAMES, plausible(arguments[1]), max_size=2)
    if arguments:
        return st.none() | plausible(arguments[0])
    return {int: NUMBERS, float: st.floats(), str: NAMES}[kind]


KINDS = {
    keys.REGISTRATIONS: Registration,
    keys.FAILURES: RegistrationFailure,
    keys.LOST_DEVICES: DeviceLost,
    keys.RESULTS: SlotResult,
    keys.HEARTBEATS: Heartbeat,
}


def key_of(prefix, tree):
    name = tree["slot_id"] if "slot_id" in tree else tree["task_manager_id"]
    return keys.lost_device(name, tree["uuid"]) if prefix == keys.LOST_DEVICES else prefix + name


def changes_of(prefix):
    trees = plausible(KINDS[prefix]).filter(lambda tree: all(isinstance(value, str) and value.isprintable() for value in named(tree)))
    return trees.map(lambda tree: Change(key_of(prefix, tree), json.dumps(tree).encode()))


def named(tree):
    return [tree[name] for name in ("slot_id", "task_manager_id", "uuid") if name in tree]


CHANGES = st.one_of([changes_of(prefix) for prefix in KINDS]) | st.builds(Change, st.sampled_from(["taskmanagers/tm-0", ""]), st.none())


@pytest.mark.parametrize("cluster_of", [state, running, lambda: running("main")], ids=["starting", "a command", "a script"])
@given(changes=st.lists(CHANGES, max_size=6))
def test_the_master_handles_and_shows_whatever_its_task_managers_say(cluster_of, changes):
    cluster, messages = cluster_of(), Messages()
    for now, change in enumerate(changes, 10):
        if event := messages.event_of(change):
            cluster.handle(event, now)
            cluster.handle(Tick(), now)
    json.dumps(views.everything(cluster, SETTINGS, ABOUT, 100.0), allow_nan=False)
    exposition(metrics(cluster, 100.0)).body.decode()


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TAP = ("container", "node", "http", "resources", "exit_status", "diagnostics", "maximum", "containers", "state", "health")
OF_THE_TAP = st.dictionaries(st.sampled_from(TAP), TREES | st.dictionaries(st.text(), st.integers(), max_size=2)).flatmap(
    lambda tree: st.sampled_from(["granted", "completed", "registered", "preempting", "node"]).map(lambda event: {**tree, "event": event})
)
OF_THE_JOB = st.dictionaries(st.sampled_from(("address", "name", "done", "total", "rows", "report")), TREES).flatmap(
    lambda tree: st.sampled_from(["scheduler", "progress", "report"]).map(lambda event: {**tree, "event": event})
)
LINES = (
    (OF_THE_TAP | OF_THE_JOB).map(lambda tree: json.dumps(tree).encode()) | st.binary() | TREES.map(lambda tree: json.dumps(tree).encode())
)


class NoSkein:
    """An application that has no containers, and has ended when it is told to."""

    def get_containers(self, states):
        return []

    def shutdown(self, status, diagnostics):
        """Nothing has to end."""


@given(lines=st.lists(LINES, max_size=5))
def test_the_master_handles_and_shows_whatever_stands_in_the_files_of_overlay_and_job(lines, tmp_path_factory):
    directory = tmp_path_factory.mktemp("fuzz", numbered=True)
    (directory / EVENTS_FILE).write_bytes(b"\n".join(lines))
    ended = threading.Event()
    ended.set()
    containers = SkeinContainers(NoSkein(), directory / EVENTS_FILE)
    containers._ended = ended
    cluster = running("main")
    for event in (*containers.events(), *_events(follow(directory / EVENTS_FILE, ended))):
        cluster.handle(event, 10)
    json.dumps(views.everything(cluster, SETTINGS, ABOUT, 100.0), allow_nan=False)
    exposition(metrics(cluster, 100.0)).body.decode()


@given(user=NAMES, host=NAMES)
def test_whoever_stops_it_is_named_in_words_that_yarn_can_be_told(user, host):
    event = Messages().event_of(Change(keys.STOP, json.dumps({"user": user, "host": host}).encode()))
    (action,) = running().handle(event, 3)
    action.outcome.to_diagnostics().encode()
    assert event.request == StopRequest(user, host)


@pytest.mark.parametrize("version", [-1, 0, VERSION - 1, VERSION + 1, "2", None, 2.0, True])
def test_a_launch_file_of_another_version_says_what_to_do(version):
    tree = json.loads(to_bytes(Launch(VERSION, Job("main", ("job.py",)), {}, "/python", "/python")))
    with pytest.raises(MalformedRecordError) as caught:
        from_bytes(Launch, json.dumps({**tree, "version": version}).encode())
    if type(version) is int:
        assert "install the same Treadle on the edge node and the nodes" in str(caught.value)
