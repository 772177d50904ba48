"""Which devices are kept together: the rules, and what holds for any node."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.device import FoundDevice
from task_manager.closeness import best, closeness, split


def gpu(number, numa_node=None, links=(), busy=None):
    told = {"numa_node": numa_node, "nvlink": " ".join(f"GPU-{other}" for other in links), "busy": busy}
    return FoundDevice(str(number), f"GPU-{number}", {key: str(value) for key, value in told.items() if value not in (None, "")})


def mig(number):
    return FoundDevice(f"0:{number}", f"MIG-{number}", {"parent_uuid": "GPU-0", "numa_node": "0"})


def alternating(count, nodes=2):
    return [gpu(i, i % nodes) for i in range(count)]


BRIDGES = [gpu(0, 0, [2]), gpu(1, 0, [3]), gpu(2, 1, [0]), gpu(3, 1, [1])]
"""Two pairs of GPUs with an NVLink bridge between NUMA nodes."""

DGX1 = [gpu(i, i // 4, [j for j in range(8) if j != i and (j // 4 == i // 4 or j % 4 == i % 4)]) for i in range(8)]
"""NVIDIA DGX-1: each GPU reaches the other three of its NUMA node, and its opposite."""

NVSWITCH = [gpu(i, i // 4, [j for j in range(8) if j != i]) for i in range(8)]


def indices(hands):
    return [[device.index for device in hand] for hand in hands]


def near(hands):
    return sum(closeness(*pair) for hand in hands for pair in combinations(hand, 2))


@pytest.mark.parametrize(
    ("devices", "sizes", "hands"),
    [
        ([gpu(i) for i in range(4)], (2, 2), [["0", "1"], ["2", "3"]]),
        (alternating(4), (2, 2), [["0", "2"], ["1", "3"]]),
        (alternating(5), (3, 2), [["0", "2", "4"], ["1", "3"]]),
        (alternating(4), (1, 1, 1, 1), [["0"], ["1"], ["2"], ["3"]]),
        (BRIDGES, (2, 2), [["0", "2"], ["1", "3"]]),
        (DGX1, (4, 4), [["0", "1", "2", "3"], ["4", "5", "6", "7"]]),
        (DGX1[::-1], (4, 4), [["7", "6", "5", "4"], ["3", "2", "1", "0"]]),
        ([NVSWITCH[i] for i in (0, 4, 1, 5)], (2, 2), [["0", "1"], ["4", "5"]]),
        ([gpu(0, 0), gpu(1, 1), gpu(2, 1)], (2, 1), [["1", "2"], ["0"]]),
        ([mig(0), mig(1), gpu(2, 0), gpu(3, 0)], (2, 1, 1), [["2", "3"], ["0:0"], ["0:1"]]),
        ([], (), []),
    ],
)
def test_hands_are_made_of_near_devices(devices, sizes, hands):
    assert indices(split(devices, sizes)) == hands


@pytest.mark.parametrize(
    ("devices", "count", "chosen"),
    [
        ([gpu(i) for i in range(4)], 2, "01"),
        (alternating(4), 2, "02"),
        (alternating(4), 1, "0"),
        ([gpu(0, 0), gpu(1, 1), gpu(2, 1)], 2, "12"),
        ([BRIDGES[i] for i in (0, 1, 3)], 2, "13"),
        ([DGX1[i] for i in (0, 4, 5, 6, 7)], 4, "4567"),
        ([gpu(0, 0), gpu(1, 1), gpu(2, 0, busy=4711)], 2, "01"),
        ([gpu(0, 0), gpu(1, 1, busy=1), gpu(2, 1, busy=2)], 2, "01"),
        ([gpu(0, 0)], 2, "0"),
        ([], 1, ""),
    ],
)
def test_near_devices_are_taken_before_earlier_ones(devices, count, chosen):
    assert "".join(device.index for device in best(devices, count)) == chosen


def test_sixteen_devices_in_pairs_are_too_many_ways_to_compare_but_stay_on_their_nodes():
    hands = split(alternating(16), (2,) * 8)
    assert {len({device.properties["numa_node"] for device in hand}) for hand in hands} == {1}


def test_of_many_devices_a_good_set_is_taken():
    assert {device.properties["numa_node"] for device in best(alternating(40, nodes=4), 10)} == {"0"}


@st.composite
def nodes(draw, most=8):
    """Devices of one node: NUMA nodes, NVLink both ways, neither or both."""
    count = draw(st.integers(0, most))
    numa = draw(st.lists(st.sampled_from([None, 0, 1, 2]), min_size=count, max_size=count))
    links = draw(st.sets(st.tuples(st.integers(0, most), st.integers(0, most))))
    return [gpu(i, numa[i], [j for j in range(count) if j != i and ((i, j) in links or (j, i) in links)]) for i in range(count)]


def even(count, slots):
    return [count // slots + (i < count % slots) for i in range(slots)]


@given(nodes(most=14), st.integers(1, 6))
def test_every_device_is_in_one_hand_and_hands_have_their_sizes(devices, slots):
    sizes = even(len(devices), slots)
    hands = split(devices, sizes)
    assert Counter(device.uuid for hand in hands for device in hand) == Counter(device.uuid for device in devices)
    assert [len(hand) for hand in hands] == [size for size in sizes if size]
    assert split(devices, sizes) == hands


@given(nodes(), st.integers(1, 4), st.randoms())
def test_the_order_of_devices_changes_nothing_about_how_near_they_are(devices, slots, random):
    shuffled = random.sample(devices, len(devices))
    sizes = even(len(devices), slots)
    assert near(split(shuffled, sizes)) == near(split(devices, sizes))
    assert near([best(shuffled, slots)]) == near([best(devices, slots)])


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(1, 4), st.randoms())
def test_hands_are_of_one_numa_node_whenever_that_is_possible(hands_per_node, size, random):
    devices = [gpu(f"{node}-{i}", node) for node, hands in enumerate(hands_per_node) for i in range(hands * size)]
    hands = split(random.sample(devices, len(devices)), [size] * sum(hands_per_node))
    assert {len({device.properties["numa_node"] for device in hand}) for hand in hands} == {1}


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.randoms())
def test_a_set_is_of_one_numa_node_whenever_one_has_enough(sizes, random):
    devices = [gpu(f"{node}-{i}", node) for node, size in enumerate(sizes) for i in range(size)]
    chosen = best(random.sample(devices, len(devices)), max(sizes))
    assert len({device.properties["numa_node"] for device in chosen}) == 1
    assert len(chosen) == max(sizes)


@given(nodes(most=14), st.integers(1, 14))
def test_a_set_has_as_many_devices_as_there_are_or_wanted(devices, count):
    chosen = [device.uuid for device in best(devices, count)]
    assert len(set(chosen)) == len(chosen) == min(count, len(devices))
