"""The application master's queue: time passes however much happens."""

import time

from yarn_am.events import Interrupted, MasterLost, Tick
from yarn_am.master import TICK_S, EventQueue


def test_time_passes_while_events_come_without_end():
    """As heartbeats of many TaskManagers do; a silent one among them is only noticed at a tick."""
    events = EventQueue()
    begin = time.monotonic()
    while time.monotonic() - begin < 3 * TICK_S:
        events.put(Interrupted("one of many"))
        if isinstance(events.get(), Tick):
            return
    raise AssertionError("no tick")


def test_time_passes_while_nothing_happens():
    begin = time.monotonic()
    assert isinstance(EventQueue().get(), Tick)
    assert time.monotonic() - begin >= 0.9 * TICK_S


def test_what_came_before_a_late_tick_is_told_before_it():
    """A master that was stopped for a while first reads the heartbeats that came meanwhile."""
    events = EventQueue()
    events.put(MasterLost("first"))
    time.sleep(1.1 * TICK_S)
    assert isinstance(events.get(), MasterLost)
    assert isinstance(events.get(), Tick)
