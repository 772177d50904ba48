"""Stopping an application: its master is asked where it can be, and YARN where not, or where the master does not keep its word."""

import datetime
import socket

import pytest
from client_fake_skein import Store
from client_fake_skein import serving as serving_skein
from client_rest_server import serving

from client.ending import stopping
from client.ending.stopping import Stop
from client.skein_driver.credentials import mint
from client.yarn.resourcemanager import ResourceManager
from protocol import keys
from protocol.records import Ending, StopRequest
from protocol.wire import from_bytes, to_bytes

ID = "application_1_0001"
APP = f"/ws/v1/cluster/apps/{ID}"
PAIR, ANOTHER = (mint(datetime.datetime.now(datetime.timezone.utc)) for _ in range(2))


def ends_within(seconds):
    return lambda key, _value: {keys.ENDING: to_bytes(Ending(seconds))} if key == keys.STOP else {}


def silent(_key, _value):
    return {}


class Stopping:
    """A stop of an application whose master listens at `address`, with this pair in the user's directory."""

    def __init__(self, directory, server, pair):
        self.server, self.said, self.by_driver = server, [], []
        record = directory / "applications" / ID
        record.mkdir(parents=True)
        if pair:
            pair.save(record)
        environ = {"TREADLE_HOME": str(directory), "HADOOP_USER_NAME": "ann"}
        self.stop = Stop(ResourceManager([server.url], "ann"), ID, environ, self.by_driver.append, self.said.append)
        server.answer(f"{APP}/state", {"state": "KILLED"})

    def listens(self, address):
        self.server.answer(APP, {"app": {"id": ID, "state": "RUNNING", "amRPCAddress": address}})

    @property
    def kills(self):
        return len([method for method, _, _ in self.server.requests if method == "PUT"])


@pytest.fixture
def stopping_with(tmp_path):
    with serving() as server:
        yield lambda pair: Stopping(tmp_path, server, pair)


def test_the_master_is_asked_and_told_by_whom(stopping_with):
    store = Store(ends_within(7.5))
    stopping = stopping_with(PAIR)
    with serving_skein(store, PAIR) as address:
        stopping.listens(address)
        stopping.stop.begin()
        stopping.stop.insist()
    assert from_bytes(StopRequest, store.values[keys.STOP]) == StopRequest("ann", socket.gethostname())
    assert (stopping.kills, stopping.said, stopping.stop.overdue) == (0, [], False)


def test_a_master_that_does_not_keep_its_word_is_killed_once(stopping_with, monkeypatch):
    monkeypatch.setattr(stopping, "_LATENESS_S", 0.0)
    case = stopping_with(PAIR)
    with serving_skein(Store(ends_within(0.0)), PAIR) as address:
        case.listens(address)
        case.stop.begin()
    for _ in range(3):
        case.stop.insist()
    assert (case.kills, case.said) == (1, [f"{ID} is killed by YARN: it did not end within the time that its master said"])


@pytest.mark.parametrize(
    ("servers", "mine", "answers", "reason"),
    [
        (PAIR, None, silent, "its key pair is not in "),
        (PAIR, ANOTHER, silent, "its master does not answer at 127.0.0.1:"),
        (PAIR, PAIR, silent, "its master took the request and did nothing for 3 s"),
        (PAIR, PAIR, lambda _key, _value: {keys.ENDING: b"soon"}, "its master answered what makes no sense: Ending: not JSON"),
    ],
    ids=["no pair", "another application's pair", "hangs", "nonsense"],
)
def test_yarn_kills_what_can_not_be_asked_and_the_user_is_told_why(stopping_with, servers, mine, answers, reason):
    case = stopping_with(mine)
    store = Store(answers)
    with serving_skein(store, servers) as address:
        case.listens(address)
        case.stop.begin()
    assert case.kills == 1
    assert case.said[0].startswith(f"{ID} is killed by YARN, without its grace period: {reason}")
    assert (keys.STOP in store.values) == (mine is PAIR)


def test_a_firewall_that_swallows_everything_holds_nobody_up(stopping_with):
    case = stopping_with(PAIR)
    with socket.create_server(("127.0.0.1", 0), backlog=1) as mute:
        case.listens(f"127.0.0.1:{mute.getsockname()[1]}")
        case.stop.begin()
    assert (case.kills, len(case.said)) == (1, 1)


@pytest.mark.parametrize("app", [{"id": ID, "state": "ACCEPTED"}, {"id": ID, "state": "RUNNING", "amRPCAddress": None}])
def test_what_has_no_master_yet_is_killed_without_a_word(stopping_with, app):
    case = stopping_with(PAIR)
    case.server.answer(APP, {"app": app})
    case.stop.begin()
    assert (case.kills, case.said) == (1, [])


def test_where_web_users_may_not_kill_it_takes_the_driver(stopping_with):
    case = stopping_with(None)
    case.server.answers[f"{APP}/state"] = (403, {}, {"RemoteException": {"message": "not authenticated"}})
    case.stop.force()
    assert case.by_driver == [ID]
