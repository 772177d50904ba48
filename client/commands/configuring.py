"""The options of more than one verb that set the configuration."""

from __future__ import annotations

import click

from client.commands import candidates

definitions = click.option(
    "-D",
    "--conf",
    "definitions",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=candidates.keys,
    help="Any option of the configuration.",
)
files = click.option(
    "--properties-file",
    "files",
    multiple=True,
    metavar="FILE",
    shell_complete=candidates.files,
    help="Flink's config.yaml or flink-conf.yaml.",
)
