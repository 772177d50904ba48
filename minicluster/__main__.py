"""`python -m minicluster up|down|status|env`."""

from __future__ import annotations

import logging
import shlex
import signal
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from conf.errors import ConfigError
from minicluster.cluster import Cluster, cluster_in, up
from minicluster.errors import ClusterError
from minicluster.jars import known_versions
from minicluster.spec import DEFAULT_HADOOP, ClusterSpec, parse_gpus, parse_resources

EXIT_CONFIGURATION = 2
EXIT_ENVIRONMENT = 5
EXIT_NOT_UP = 1

P = ParamSpec("P")
work_option = click.option(
    "--work", type=click.Path(path_type=Path, file_okay=False), default=Path(".cluster"), show_default=True, help="The cluster's directory."
)


def _explained(function: Callable[P, None]) -> Callable[P, None]:
    """Turn what is wrong into one line of cause, one of remedy and an exit code."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except ConfigError as error:
            for problem in error.problems:
                click.echo(f"error: {problem.cause}\nremedy: {problem.remedy}", err=True)
            sys.exit(EXIT_CONFIGURATION)
        except ClusterError as error:
            tail = f"{error.log_tail}\n" if error.log_tail else ""
            click.echo(f"{tail}error: {error.cause}\nremedy: {error.remedy}", err=True)
            sys.exit(EXIT_ENVIRONMENT)

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A real YARN and HDFS cluster on this machine, with fake GPUs."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)


@main.command("up")
@click.option("--hadoop", default=DEFAULT_HADOOP, show_default=True, help=f"Hadoop's version: {', '.join(known_versions())}.")
@click.option("--nodes", type=int, help="How many NodeManagers.  [default: 2]")
@click.option("--gpus", default="2", show_default=True, help="GPUs of each node, or one number per node: 2,4,0.")
@click.option(
    "--resource", "resources", multiple=True, help="A counted resource: example.com/rdma=3, or one number per node: rdma=3,0. Repeatable."
)
@click.option("--memory", default=ClusterSpec.memory_mb, show_default=True, help="Memory of each node in MiB.")
@click.option("--vcores", default=ClusterSpec.vcores, show_default=True, help="Virtual cores of each node.")
@work_option
@_explained
def bring_up(hadoop: str, nodes: int | None, gpus: str, resources: tuple[str, ...], memory: int, vcores: int, work: Path) -> None:
    """Start the daemons and wait until they serve; they run on until `down`.

    Nothing is kept from an earlier cluster in the same directory. Says "already up" when the same cluster is up there.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # as Ctrl-C: what was started so far is ended
    begin = time.monotonic()
    counts = parse_gpus(gpus, nodes)
    spec = ClusterSpec(hadoop, counts, parse_resources(resources, len(counts)), memory, vcores)
    cluster = up(spec, work)
    click.echo(
        f"Hadoop {hadoop}: {len(cluster.nodes)} nodes, {sum(counts)} GPUs, up in {time.monotonic() - begin:.1f} s\n"
        f"ResourceManager {cluster.resourcemanager_url}  HDFS {cluster.namenode_uri}  logs {cluster.layout.log}\n"
        f'to use it: eval "$(python -m minicluster env --work {shlex.quote(str(work))})"',
        err=True,
    )


@main.command("down")
@work_option
@_explained
def bring_down(work: Path) -> None:
    """End all that `up` started; logs and data stay until the next `up`."""
    cluster = cluster_in(work)
    if cluster is None:
        click.echo(f"nothing is up in {work}", err=True)
        return
    cluster.down()
    click.echo(f"the cluster in {work} is down", err=True)


@main.command()
@work_option
@_explained
def status(work: Path) -> None:
    """Show daemons and nodes; exit code 1 unless all daemons run."""
    cluster = _wanted(work)
    daemons = cluster.daemons()
    click.echo(f"Hadoop {cluster.description.spec.hadoop}  ResourceManager {cluster.resourcemanager_url}  HDFS {cluster.namenode_uri}")
    for name, runs in daemons.items():
        click.echo(f"{name:8}{'running' if runs else 'ended'}")
    for node in cluster.running_nodes():
        click.echo(f"{node.host:16}{node.http:24}" + "  ".join(f"{kind}={count}" for kind, count in sorted(node.totals.items())))
    if not all(daemons.values()):
        sys.exit(EXIT_NOT_UP)


@main.command("env")
@work_option
@_explained
def show_environment(work: Path) -> None:
    """Print what to export, for a shell's eval."""
    cluster = _wanted(work)
    for name, value in cluster.exports().items():
        click.echo(f"export {name}={shlex.quote(value)}")
    click.echo(f'export PATH={cluster.layout.bin}:"$PATH"')


def _wanted(work: Path) -> Cluster:
    cluster = cluster_in(work)
    if cluster is None:
        click.echo(f"error: nothing is up in {work}\nremedy: start it: python -m minicluster up --work {shlex.quote(str(work))}", err=True)
        sys.exit(EXIT_NOT_UP)
    return cluster


if __name__ == "__main__":
    main(prog_name="python -m minicluster")
