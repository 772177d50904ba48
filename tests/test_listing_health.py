"""Devices that are well as long as they are listed."""

import pytest

from drivers.device import DriverError
from drivers.listing_health import ListingHealth


class Node:
    def __init__(self, *listings):
        self.listings, self.made = list(listings), 0

    def __call__(self):
        self.made += 1
        answer = self.listings.pop(0)
        if isinstance(answer, DriverError):
            raise answer
        return answer


def rounds(node, count, uuids=("a", "b")):
    health = ListingHealth(node, "gone")
    said = []
    for _ in range(count):
        try:
            said.append([health.of(uuid) for uuid in uuids])
        except DriverError as error:
            said.append(error.cause)
    return said


def test_one_listing_serves_a_round_over_all_devices():
    node = Node("ab", "ba", "ab")
    assert rounds(node, 3) == [[None, None]] * 3
    assert node.made == 3


def test_a_device_missing_twice_in_a_row_is_lost():
    assert rounds(Node("ab", "a", "a", "a"), 4) == [
        [None, None],
        [None, None],
        [None, "gone (2 times in a row)"],
        [None, "gone (3 times in a row)"],
    ]


def test_a_device_that_comes_back_is_not():
    assert rounds(Node("a", "ab", "a", "ab"), 4) == [[None, None]] * 4


def test_a_listing_that_fails_counts_neither_way():
    assert rounds(Node("a", DriverError("no", "mend"), "a"), 3) == [[None, None], "no", [None, "gone (2 times in a row)"]]


def test_a_failed_listing_is_not_made_again_for_each_device():
    node = Node(DriverError("no", "mend"), "ab")
    health = ListingHealth(node, "gone")
    for uuid in "ab":
        with pytest.raises(DriverError, match="no"):
            health.of(uuid)
    assert health.of("a") is None
    assert node.made == 2
