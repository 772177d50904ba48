"""The chaos test's short version, and its own parts."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from chaos.arena import opened
from chaos.campaign import Campaign
from chaos.faults import FAULTS, SURVIVED
from chaos.invariants import wrong_output
from chaos.schedule import EVERY_S, HOLD_S, schedule


def test_a_schedule_follows_from_its_seed_alone():
    strikes = schedule(7, 600, list(FAULTS))
    assert strikes == schedule(7, 600, list(FAULTS))
    assert strikes != schedule(8, 600, list(FAULTS))
    assert {strike.fault for strike in strikes} == FAULTS.keys()
    assert all(HOLD_S[0] <= strike.hold_s <= HOLD_S[1] for strike in strikes)
    times = [0.0, *(strike.at_s for strike in strikes)]
    assert all(EVERY_S[0] - 0.11 <= later - sooner <= EVERY_S[1] + 0.11 for sooner, later in itertools.pairwise(times))


WHOLE = {"part-00000.parquet": "a", "part-00001.parquet": "b", "_SUCCESS": ""}


@pytest.mark.parametrize(
    ("found", "succeeded", "wrong"),
    [
        (WHOLE, True, []),
        ({"part-00000.parquet": "a"}, False, []),
        ({}, False, []),
        ({}, True, ["the output lacks _SUCCESS, part-00000.parquet, part-00001.parquet"]),
        ({"part-00000.parquet": "a", "_SUCCESS": ""}, False, ["the output lacks part-00001.parquet"]),
        (WHOLE | {"part-00002.parquet": "a"}, True, ["the output has part-00002.parquet besides"]),
        ({"part-00002.parquet": "a"}, False, ["the output has part-00002.parquet besides"]),
        (WHOLE | {"part-00001.parquet": "a"}, True, ["part-00001.parquet of the output differs"]),
    ],
)
def test_an_output_is_whole_or_says_that_it_is_not(found, succeeded, wrong):
    assert wrong_output(found, WHOLE, succeeded=succeeded) == wrong


SEED, SECONDS = 83, 16
"""Takes a node out of service, then kills a TaskManager and a slot: see `schedule(SEED, SECONDS, SURVIVED)`."""


@pytest.mark.cluster
def test_what_is_meant_to_be_survived_is_survived(tmp_path: Path):
    with opened(tmp_path, repeat=36) as arena:
        findings = Campaign(arena, schedule(SEED, SECONDS, SURVIVED)).fight(in_peace=False)
    assert findings.struck.total() >= 2  # a kill that falls between two applications finds nobody
    assert findings.wrong == []
    assert [end for end in findings.ends if end.code] == []
