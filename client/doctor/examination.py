"""Every check, in the order in which one builds on another; what can't be looked at is said, not left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone

from client.doctor import asking, cluster, hadoop, hdfs, installation, java, kerberos
from client.doctor.finding import FAILURE, OK, SKIPPED, Finding
from client.errors import ClientError
from client.hadoop.configuration import HadoopConfiguration
from client.hadoop.identity import hadoop_user
from client.yarn.cluster import ClusterView
from client.yarn.resourcemanager import ResourceManager
from conf.settings import Settings

_AUTHENTICATIONS = ("hadoop.security.authentication", "hadoop.http.authentication.type")
"""Keys of YARN's and HDFS's protocols, and of the web pages; either can be `kerberos`."""


def examine(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yields each finding as soon as it is there.

    Args:
        settings: what is to be run: its queue, resources and drivers are judged.
        environ: as `submit run` would use it.
    """
    yield java.judge(java.look(environ))
    configuration, found = hadoop.load(environ)
    yield found
    yield hadoop.client(environ)
    yield installation.overlay()
    yield installation.certificates(_now())
    yield from installation.drivers(settings)
    if configuration is None:
        blocked = (kerberos.CHECK, cluster.RESOURCEMANAGER, cluster.NODES, cluster.QUEUE, cluster.RIGHT, cluster.CONTAINERS, hdfs.CHECK)
        yield from _skipped(blocked, "without Hadoop's configuration")
        return
    yield _kerberos(configuration, environ)
    yield from _cluster(configuration, settings, hadoop_user(environ))
    yield hdfs.examine(configuration, environ, hadoop_user(environ))


def _kerberos(configuration: HadoopConfiguration, environ: Mapping[str, str]) -> Finding:
    kinds = [configuration.get(key, "simple") for key in _AUTHENTICATIONS]
    if "kerberos" in kinds:
        return kerberos.examine(environ, _now())
    return Finding(kerberos.CHECK, OK, f"no ticket needed: {_AUTHENTICATIONS[0]} is {kinds[0]}")


def _cluster(configuration: HadoopConfiguration, settings: Settings, user: str) -> Iterator[Finding]:
    blocked = (cluster.NODES, cluster.QUEUE, cluster.RIGHT, cluster.CONTAINERS)
    try:
        addresses = [asking.address(url) for url in configuration.resourcemanager_urls()]
        yield from cluster.resourcemanagers(addresses)
        active = cluster.serving(addresses)
        if active is None:
            yield from _skipped(blocked, "without an active ResourceManager")
            return
        if told := installation.clock(_now(), active.time):
            yield told
        view = ResourceManager([active.url], user).view()
        yield from cluster.nodes(view)
        yield from _queue(settings, view, active.url, user)
        yield from cluster.containers(settings, view)
    except ClientError as error:
        yield Finding(cluster.RESOURCEMANAGER, FAILURE, error.cause, error.remedy)
        yield from _skipped(blocked, "without the ResourceManager's answer")


def _queue(settings: Settings, view: ClusterView, url: str, user: str) -> Iterator[Finding]:
    found = cluster.queue(settings, view)
    yield from found
    if any(finding.status == FAILURE for finding in found):
        yield from _skipped((cluster.RIGHT,), "without such a queue")
        return
    queue = settings.application.queue
    yield cluster.right(asking.access(url, user, queue), user, queue)


def _skipped(checks: tuple[str, ...], why: str) -> Iterator[Finding]:
    return (Finding(check, SKIPPED, f"not looked at {why}") for check in checks)


def _now() -> datetime:
    return datetime.now(timezone.utc)
