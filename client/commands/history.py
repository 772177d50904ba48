"""`submit history`: applications that have ended, from what their application masters left on HDFS."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from client.commands import candidates, numbers, verbose
from client.commands.verb_group import VerbGroup

if TYPE_CHECKING:
    from client.history.text import Json

# \b is click's mark for lines that are to stay as they are
_HELP = """Look back at applications, from what their application masters left on HDFS (treadle.history.dir).

`submit history APP` is short for `submit history show APP`.

\b
Examples:
  submit history list
  submit history show application_1700000000000_0001 --events
  submit history page application_1700000000000_0001 --output run.html
"""

_LIST_HELP = """List the applications that left a history, that changed last first.

\b
Examples:
  submit history list --limit 100
  submit history list --local --json
"""

_SHOW_HELP = """Show how an application ended and why, what it cost, its devices; while it runs, what it was when this was written last.

\b
Examples:
  submit history show application_1700000000000_0001
  submit history show application_1700000000000_0001 --events --json
"""

_PAGE_HELP = """Write the page that an application had, with all that happened, as one HTML file.

A browser opens it without a server and without a network: to keep, or to send with a question.

\b
Examples:
  submit history page application_1700000000000_0001
  submit history page application_1700000000000_0001 --output - | ssh desk 'cat >run.html'
"""

_directory = click.option("--dir", "directory", metavar="DIR", help="Another directory, as treadle.history.dir would name it.")
_json = click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")


class _Histories(VerbGroup):
    """Takes an id without a verb."""

    else_accepted = "or write an application's id"

    def meant(self, words: Sequence[str]) -> str | None:
        """Reads `submit history APP …` as `submit history show APP …`."""
        from client.application.lookup import is_application_id

        return "show" if any(is_application_id(word) for word in words) else None


@click.group(cls=_Histories, help=_HELP)
@verbose.option
def history() -> None:
    """See `list`, `show` and `page`."""


@history.command("list", help=_LIST_HELP, short_help="List the applications that left a history.")
@click.option("--limit", type=numbers.COUNT, default=20, show_default=True, metavar="N", help="So many, that changed last.")
@click.option("--local", is_flag=True, help="Those of --master local, on this machine.")
@_directory
@_json
@verbose.option
def list_(limit: int, local: bool, directory: str | None, as_json: bool) -> None:
    """Reads a summary of each."""
    from client.history import text as history_text
    from client.history.histories import histories

    found = histories(os.environ, directory, local=local).latest(limit)
    if as_json:
        click.echo(json.dumps({"applications": [past.tree() for past in found]}))
        return
    for line in history_text.table(found):
        click.echo(line)


@history.command(help=_SHOW_HELP, short_help="Show how an application ended, and what it cost.")
@click.option("--events", is_flag=True, help="What happened, and when.")
@_directory
@_json
@verbose.option
@click.argument("application", metavar="APP", shell_complete=candidates.histories)
def show(application: str, events: bool, directory: str | None, as_json: bool) -> None:
    """Asks the ResourceManager, too, where no end was written."""
    from client.history import text as history_text
    from client.history.histories import histories_with

    known = histories_with(application, os.environ, directory)
    past = known.one(application)
    log: list[Json] = known.events(past) if events else []
    if as_json:
        click.echo(json.dumps(past.tree() | ({"events": log} if events else {})))
        return
    click.echo("\n".join([*history_text.lines(past), *history_text.event_lines(log)]))


@history.command(help=_PAGE_HELP, short_help="Write the page that an application had, as one HTML file.")
@click.option("--output", metavar="FILE", help="The file to write, - for stdout.  [default: APP.html]")
@_directory
@verbose.option
@click.argument("application", metavar="APP", shell_complete=candidates.histories)
def page(application: str, output: str | None, directory: str | None) -> None:
    """Says where the file is."""
    from client.errors import USAGE, ClientError
    from client.history.histories import histories_with
    from client.history.page import html_of

    html = html_of(histories_with(application, os.environ, directory), application)
    if output == "-":
        click.echo(html, nl=False)
        return
    file = Path(output or f"{application}.html")
    try:
        file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ClientError(f"{file} can't be written: {error.strerror}", "name another file with --output", USAGE) from error
    click.echo(file)
