"""What an edge node's Hadoop configuration leads to, without a cluster: a ResourceManager that answers from a table, and addresses."""

import socket
from contextlib import contextmanager

from client_rest_server import serving
from test_client_cluster import METRICS, NODE_35, SCHEDULER_35


def write_site(directory, name, **properties):
    lines = [f"<property><name>{key}</name><value>{value}</value></property>" for key, value in properties.items()]
    (directory / name).write_text(f"<configuration>{''.join(lines)}</configuration>")


@contextmanager
def a_resourcemanager():
    with serving() as server:
        server.answer("/ws/v1/cluster/info", {"clusterInfo": {"resourceManagerVersion": "3.5.0"}})
        server.answer("/ws/v1/cluster/nodes", {"nodes": {"node": [NODE_35]}})
        server.answer("/ws/v1/cluster/scheduler", {"scheduler": {"schedulerInfo": SCHEDULER_35}})
        server.answer("/ws/v1/cluster/metrics", METRICS)
        yield server


@contextmanager
def a_listener():
    """An address that accepts connections, as a NameNode does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def nobody():
    """An address that nothing listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{unused.getsockname()[1]}"
