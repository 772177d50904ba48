"""The option --verbose, which `submit` and each of its verbs take, and the log on stderr that it widens."""

from __future__ import annotations

import sys

import click

from client.console import Console

NAME = "--verbose"


def _widen(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Groups only remember it: the verb below them begins the log, so that a mere --help needs none."""
    console = context.obj
    if not isinstance(console, Console) or context.resilient_parsing:
        return
    console.verbose = console.verbose or wanted
    if not isinstance(context.command, click.Group):
        import logging

        level = logging.DEBUG if console.verbose else logging.WARNING
        logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


option = click.option(NAME, is_flag=True, expose_value=False, callback=_widen, help="Log more, and show tracebacks.")
