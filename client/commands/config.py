"""`submit config`: which options there are, which are in force, and why."""

from __future__ import annotations

import dataclasses
import json
import textwrap

import click

from client.commands import configuring, verbose

# \b is click's mark for lines that are to stay as they are
_HELP = """Show the effective configuration, each key with where its value comes from; or, with --keys, every option that there is.

\b
Examples:
  submit config --properties-file config.yaml -D parallelism.default=4
  submit config --keys
"""


@click.command(help=_HELP)
@configuring.files
@configuring.definitions
@click.option("--keys", is_flag=True, help="List every option with its default and meaning.")
@click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")
@verbose.option
def config(files: tuple[str, ...], definitions: tuple[str, ...], keys: bool, as_json: bool) -> None:
    """Asks no cluster."""
    from client.errors import USAGE, ClientError

    if keys and (files or definitions):
        raise ClientError("--keys together with a configuration", "leave --properties-file and -D out: --keys shows what can be set", USAGE)
    if keys:
        _show_keys(as_json)
    else:
        _show_entries(files, definitions, as_json)


def _show_entries(files: tuple[str, ...], definitions: tuple[str, ...], as_json: bool) -> None:
    from client.command_line.flags import Flags, overrides
    from client.table import aligned
    from conf import configuration
    from conf.redaction import redacted

    flags = Flags(definitions=definitions, files=files)
    loaded = configuration.load(flags.paths, overrides(flags, None)).entries
    rows = [(key, redacted(key, entry.value), entry.origin) for key, entry in sorted(loaded.items())]
    if as_json:
        tree = {key: {"value": value, "origin": origin} for key, value, origin in rows}
        click.echo(json.dumps({"configuration": tree}))
        return
    click.echo("\n".join(aligned([("KEY", "VALUE", "ORIGIN"), *rows])))


def _show_keys(as_json: bool) -> None:
    from client.command_line.option_table import described

    if as_json:
        click.echo(json.dumps({"keys": [dataclasses.asdict(option) for option in described()]}))
        return
    for option in described():
        default = "" if option.default is None else f", default {option.default}"
        click.echo(f"{option.key}  ({option.kind}{default})")
        click.echo(textwrap.fill(option.meaning, 96, initial_indent="    ", subsequent_indent="    "))
