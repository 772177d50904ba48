"""A small cluster as the preflight sees it, and settings that ask it for something."""

from client.yarn.cluster import ClusterView, Node, Queue
from conf import configuration


def settings(*overrides):
    return configuration.load([], [(*item.split("=", 1), "-D") for item in overrides]).settings()


def asks(**amounts):
    """Settings of a TaskManager that asks for these amounts of yarn.io/<name>."""
    names = ";".join(amounts)
    keys = [f"external-resource.{name}.amount={amount}" for name, amount in amounts.items()]
    types = [f"external-resource.{name}.yarn.config-key=yarn.io/{name}" for name in amounts]
    return settings(f"external-resources={names}", *keys, *types)


def node(host, memory=8192, vcores=16, labels=(), **types):
    total = {"memory-mb": memory, "vcores": vcores} | {f"yarn.io/{name}": amount for name, amount in types.items()}
    return Node(host, labels, total, total)


def queue(path, state="RUNNING", *, leaf=True, creates_children=False, **more):
    return Queue(path, state, leaf, creates_children, **more)


ROOT = queue("root", leaf=False)
VIEW = ClusterView(
    version="3.5.0",
    nodes=(node("n1", gpu=2, fpga=0), node("n2", memory=16384, vcores=8, gpu=1, fpga=1)),
    queues=(
        ROOT,
        queue("root.default"),
        queue("root.research.gpu", "STOPPED"),
        queue("root.research", leaf=False),
        queue("root.production"),
    ),
    types=frozenset({"memory-mb", "vcores", "yarn.io/gpu", "yarn.io/fpga"}),
    maximum={"memory-mb": 12288, "vcores": 16},
)
