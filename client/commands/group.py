"""The verbs of `submit`: imported when used, and `run` where none is written."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from client.commands import verbose
from client.commands.verb_group import VerbGroup

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_VERBS = {
    "run": "Run a script or a command, and follow it.",
    "list": "List Treadle's applications.",
    "status": "Show how an application is.",
    "top": "Show what applications and their devices do, again and again.",
    "devices": "Show which devices an application's slots hold.",
    "logs": "Show what an application's processes wrote.",
    "kill": "Kill applications.",
    "history": "Look back at applications that have ended.",
    "drivers": "List the drivers that are installed here.",
    "doctor": "Check this machine and the cluster.",
    "config": "Show the configuration, and where each value comes from.",
    "completion": "Print what makes a shell complete words.",
}
"""Verb → one line of help; the command of the same name is in the module of the same name in this package."""


class Verbs(VerbGroup):
    """Imports a verb's module only when it is called: each start of `submit` pays for what it uses."""

    else_accepted = "a job's file ends in .py, a command comes after --"

    def meant(self, words: Sequence[str]) -> str | None:
        """Reads `submit job.py …` as `submit run job.py …`, and so all that can be a file or begins with an option."""
        first = words[0]
        return "run" if first.startswith("-") or first.endswith(".py") or "/" in first or Path(first).exists() else None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the verbs in the order in which a user meets them."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns the verb's command."""
        if cmd_name not in _VERBS:
            return None
        command = getattr(importlib.import_module(f"client.commands.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offers verbs without importing them, and files for `submit job.py`."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return super(click.Group, self).shell_complete(ctx, incomplete)
        verbs = [CompletionItem(verb, help=words) for verb, words in _VERBS.items() if verb.startswith(incomplete)]
        return verbs or [CompletionItem(incomplete, type="file")]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


# \b is click's mark for lines that are to stay as they are
_HELP = """GPUs and other devices on Hadoop YARN, from Python.

`submit job.py` is short for `submit run job.py`.

\b
Examples:
  submit run --taskmanagers 2 --resource gpu=1 job.py --epochs 3
  submit run --resource gpu=2 -- python train.py
  submit list
  submit logs application_1700000000000_0001 -f
  submit kill application_1700000000000_0001
  submit doctor --probe
"""

_EXIT_CODES = """\b
Exit codes:
  0        the application succeeded
  1        it failed; when the job itself failed, the job's own code:
           127 for a command that can't be started, 128 + n for signal n
  2        wrong usage or configuration
  3        it was killed
  4        the cluster refuses it, or has no node for it
  5        something is wrong with this machine or the cluster
  124      it was killed for --timeout
  128 + n  submit itself got signal n; 130, Ctrl-C: no longer followed
"""


@click.group(cls=Verbs, help=_HELP, epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="treadle-yarn", prog_name="submit")
@verbose.option
def submit() -> None:
    """Runs nothing itself."""
