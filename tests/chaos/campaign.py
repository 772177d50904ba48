"""Runs the job again and again while the schedule's strikes fall, watches all the while, and runs it once more in peace at the end."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chaos.applications import End, run
from chaos.arena import Arena
from chaos.faults import FAULTS, Blow
from chaos.invariants import devices_held_twice, devices_registered_twice, leaked_leases
from chaos.schedule import Strike

logger = logging.getLogger("chaos")

WATCH_S = 1.0


@dataclass
class Findings:
    """What came of it: `wrong` is empty when all held."""

    ends: list[End] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def note(self, what: str) -> None:
        """Adds what should not be, once."""
        if what not in self.wrong:
            logger.error("WRONG: %s", what)
            self.wrong.append(what)

    def text(self) -> str:
        """Returns the figures."""
        codes = Counter(end.code for end in self.ends)
        causes = Counter(end.cause[:90] for end in self.ends if end.code)
        lines = [f"{len(self.ends)} applications, by exit code: {dict(sorted(codes.items()))}"]
        lines += [f"  {count} x {cause}" for cause, count in causes.most_common()]
        lines += [f"{sum(self.struck.values())} strikes: {dict(sorted(self.struck.items()))}", f"{len(self.wrong)} things wrong"]
        return "\n".join([*lines, *(f"  {each}" for each in self.wrong)])


class Campaign:
    """One schedule on one cluster."""

    def __init__(self, arena: Arena, strikes: Sequence[Strike]) -> None:
        self._arena, self._strikes, self._findings = arena, strikes, Findings()
        self._over, self._calm = threading.Event(), threading.Event()

    def fight(self, *, in_peace: bool = True) -> Findings:
        """Runs until the last strike is over, and the application that it fell into; then one more must succeed, `in_peace`."""
        whole = self._arena.fault_free()
        threads = [threading.Thread(target=work, name=work.__name__, daemon=True) for work in (self._strike, self._watch)]
        for thread in threads:
            thread.start()
        number = 0
        while not self._calm.is_set():
            number += 1
            self._run(f"run-{number:03d}", whole)
        if in_peace and (last := self._run("in-peace", whole)).code:
            self._findings.note(f"an application in peace, after all strikes, ended so: {last}")
        self._over.set()
        for thread in threads:
            thread.join()
        for left in (*map(str, self._arena.processes()), *leaked_leases(self._arena)):
            self._findings.note(f"left after all: {left}")
        return self._findings

    def _run(self, name: str, whole: Mapping[str, str]) -> End:
        end = run(self._arena, name, whole)
        logger.info("%s", end)
        self._findings.ends.append(end)
        for each in end.wrong:
            self._findings.note(f"{name} ({end.application}): {each}")
        return end

    def _strike(self) -> None:
        """The schedule's clock starts with the first slot: until then there is little to strike."""
        while not any(each.role == "slot" for each in self._arena.processes()) and not self._over.wait(WATCH_S / 2):
            pass
        begin, passing = time.monotonic(), []
        for strike in self._strikes:
            self._over.wait(max(0.0, begin + strike.at_s - time.monotonic()))
            blow = self._blow(strike)
            if blow is None:
                continue
            logger.info("%5.0f s  %s: %s, for %g s", time.monotonic() - begin, strike.fault, blow.victim, strike.hold_s)
            self._findings.struck[strike.fault] += 1
            passing.append(threading.Thread(target=self._end, args=(strike, blow), daemon=True))
            passing[-1].start()
        for thread in passing:
            thread.join()
        self._calm.set()

    def _blow(self, strike: Strike) -> Blow | None:
        try:
            return FAULTS[strike.fault](self._arena, random.Random(strike.seed))
        except Exception as error:
            self._findings.note(f"{strike.fault} could not be done: {error!r}")
            return None

    def _end(self, strike: Strike, blow: Blow) -> None:
        if blow.end is None:
            return
        time.sleep(strike.hold_s)
        try:
            blow.end()
        except Exception as error:
            self._findings.note(f"the end of {strike.fault} on {blow.victim}: {error!r}")

    def _watch(self) -> None:
        while not self._over.wait(WATCH_S):
            for each in devices_held_twice(self._arena):
                self._findings.note(each)
            for application in {each.application for each in self._arena.processes() if each.role == "master"}:
                for each in devices_registered_twice(self._arena, application):
                    self._findings.note(f"{application}: {each}")
