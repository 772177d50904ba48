"""Which devices belong together: joined by NVLink, then on one NUMA node. Pure; the rules are in docs/drivers.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import combinations
from math import comb, factorial, prod

from drivers.device import FoundDevice

NVLINK = 2
SAME_NUMA_NODE = 1
MIG_WITH_ANOTHER = -100
"""CUDA uses the first MIG device that a process sees and nothing else, so that another device beside one is lost."""

MOST_WAYS = 10_000
"""How many ways are compared at most (some 50 ms): 8 devices in any hands, 12 in hands of 4. Beyond it hands grow by the nearest device."""

_Hand = tuple[int, ...]


def is_mig(device: FoundDevice) -> bool:
    """Returns whether this is a part of a GPU; whatever driver found it, NVIDIA's UUIDs tell."""
    return device.uuid.startswith("MIG-")


def closeness(one: FoundDevice, other: FoundDevice) -> int:
    """Returns how near two devices are to each other, by their properties `nvlink` (uuids between blanks) and `numa_node`."""
    if is_mig(one) or is_mig(other):
        return MIG_WITH_ANOTHER
    linked = other.uuid in one.properties.get("nvlink", "").split() or one.uuid in other.properties.get("nvlink", "").split()
    numa_node = one.properties.get("numa_node")
    return NVLINK * linked + SAME_NUMA_NODE * (numa_node is not None and numa_node == other.properties.get("numa_node"))


def split(devices: Sequence[FoundDevice], sizes: Sequence[int]) -> list[tuple[FoundDevice, ...]]:
    """Returns the devices in hands of these sizes, which add up to their number, the greatest first.

    The closeness of all pairs that share a hand is the greatest there can be, and of several such ways it is the one nearest to the order
    of the devices; with more than `MOST_WAYS` of them it is only a good one.
    """
    pairs = _Pairs(devices)
    wanted = tuple(sorted(filter(None, sizes), reverse=True))
    everything = tuple(range(len(devices)))
    hands: Sequence[_Hand]
    if pairs.are_alike or _ways(wanted) > MOST_WAYS:
        hands = _grown(pairs, wanted)
    else:
        hands = max(_all_ways(everything, wanted), key=lambda way: sum(map(pairs.within, way)))
    ordered = sorted(hands, key=lambda hand: (-len(hand), hand))
    return [tuple(devices[i] for i in hand) for hand in ordered]


def best(devices: Sequence[FoundDevice], count: int) -> tuple[FoundDevice, ...]:
    """Returns `count` of the devices, or all when there are fewer, which are nearest to each other; among equals the first by order.

    Devices that strangers use (property `busy`) are taken when the others don't suffice. With more than `MOST_WAYS` sets to choose from,
    those are compared that grow from each device.
    """
    free = [device for device in devices if not device.properties.get("busy")]
    if len(free) < count:
        busy = [device for device in devices if device not in free]
        return (*free, *busy[: count - len(free)])
    pairs = _Pairs(free)
    if pairs.are_alike:
        return tuple(free[:count])
    some = range(len(free))
    sets = combinations(some, count) if comb(len(free), count) <= MOST_WAYS else (_grow(pairs, i, set(some) - {i}, count) for i in some)
    return tuple(free[i] for i in max(sets, key=pairs.within))


class _Pairs:
    """The closeness of every two devices, by number."""

    def __init__(self, devices: Sequence[FoundDevice]) -> None:
        self._near = [[closeness(one, other) for other in devices] for one in devices]
        self.are_alike = len({self._near[i][j] for i, j in combinations(range(len(devices)), 2)}) <= 1

    def between(self, hand: _Hand, other: int) -> int:
        return sum(self._near[i][other] for i in hand)

    def within(self, hand: _Hand) -> int:
        return sum(self._near[i][j] for i, j in combinations(hand, 2))


def _ways(sizes: Sequence[int]) -> int:
    """In how many ways things can be split into hands of these sizes."""
    alike = prod(factorial(sizes.count(size)) for size in set(sizes))
    return factorial(sum(sizes)) // prod(map(factorial, sizes)) // alike


def _all_ways(left: _Hand, sizes: tuple[int, ...]) -> Iterator[tuple[_Hand, ...]]:
    """Each way once: the first that is left is in some hand, and what is in it besides is tried out."""
    if not left:
        yield ()
        return
    first, *others = left
    for size in sorted(set(sizes), reverse=True):
        at = sizes.index(size)
        for more in combinations(others, size - 1):
            rest = tuple(i for i in others if i not in more)
            for hands in _all_ways(rest, sizes[:at] + sizes[at + 1 :]):
                yield ((first, *more), *hands)


def _grown(pairs: _Pairs, sizes: tuple[int, ...]) -> list[_Hand]:
    """Each hand grows from the first device that is left."""
    left = set(range(sum(sizes)))
    hands = []
    for size in sizes:
        hands.append(_grow(pairs, min(left), left - {min(left)}, size))
        left.difference_update(hands[-1])
    return hands


def _grow(pairs: _Pairs, first: int, others: Set[int], size: int) -> _Hand:
    """Takes the nearest next device of the others, time and again."""
    hand: _Hand = (first,)
    left = sorted(others)
    while len(hand) < size:
        nearest = max(left, key=lambda i: pairs.between(hand, i))
        left.remove(nearest)
        hand += (nearest,)
    return tuple(sorted(hand))
