"""`submit doctor`: whether this machine and this cluster can run an application, and what to do where they can't."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from client.commands import candidates, configuring, verbose
from client.console import Console

if TYPE_CHECKING:
    from client.doctor.finding import Finding
    from conf.configuration import Configuration

# \b is click's mark for lines that are to stay as they are
_HELP = """Check this machine and the cluster, and say what to do where something is wrong.

It looks at Java, Hadoop's configuration and client, Treadle's own files, a Kerberos ticket where one is needed, the ResourceManager, the
nodes and what they offer, the queue, the right to submit, and writes a small file to HDFS. With --probe it runs an application of one
container, too, and shows what there is on its node.

\b
Examples:
  submit doctor
  submit doctor --queue research --resource gpu=2
  submit doctor --probe --json

\b
Exit codes: 0 when nothing failed, else 5.
"""


@click.command(help=_HELP)
@click.option("--probe", is_flag=True, help="Run an application of one container, on a node with GPUs if there is one.")
@click.option("--queue", metavar="QUEUE", shell_complete=candidates.queues, help="YARN queue, by its leaf name or full path.")
@click.option("--resource", "resources", multiple=True, metavar="NAME=N[:TYPE]", help="Devices of each TaskManager, as for `submit run`.")
@configuring.definitions
@configuring.files
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@verbose.option
@click.pass_obj
def doctor(
    console: Console,
    probe: bool,
    queue: str | None,
    resources: tuple[str, ...],
    definitions: tuple[str, ...],
    files: tuple[str, ...],
    as_json: bool,
) -> int:
    """Writes each finding as soon as it is there."""
    from client.command_line.flags import Flags, overrides
    from client.doctor.examination import examine
    from client.doctor.finding import healthy
    from client.errors import ENVIRONMENT
    from conf import configuration

    flags = Flags(queue=queue, resources=resources, definitions=definitions, files=files)
    effective = configuration.load(flags.paths, overrides(flags, None))
    findings = _shown(examine(effective.settings(), os.environ), as_json)
    if probe:
        findings += _shown(_probed(effective, console, well=healthy(findings)), as_json)
    if as_json:
        click.echo(json.dumps({"healthy": healthy(findings), "findings": [dataclasses.asdict(finding) for finding in findings]}))
    return 0 if healthy(findings) else ENVIRONMENT


def _probed(effective: Configuration, console: Console, *, well: bool) -> Iterator[Finding]:
    from client.doctor import probe_findings
    from client.doctor.finding import SKIPPED, Finding
    from client.doctor.probe import examine

    if not well:
        return iter([Finding(probe_findings.CHECK, SKIPPED, "not run: something above failed")])
    return examine(effective, os.environ, console)


def _shown(findings: Iterable[Finding], as_json: bool) -> list[Finding]:
    """Writes them, unless as JSON at the end, and returns them."""
    seen = []
    for finding in findings:
        seen.append(finding)
        if not as_json:
            click.echo(f"{finding.status:7}  {finding.check:20}  {finding.text}")
            if finding.remedy:
                click.echo(f"{'':7}  {'':20}  remedy: {finding.remedy}")
    return seen
