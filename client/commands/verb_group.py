"""A group of verbs that is read generously: without words it shows its help, and words without a verb may be meant for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from client.commands import verbose
from client.errors import USAGE, ClientError

_ELSEWHERE = {"cancel": "kill", "stop": "kill", "ls": "list", "ps": "list"}
"""What other tools call a verb → ours."""


class VerbGroup(click.Group):
    """Knows its verbs by their names alone: none is imported to find out what a word means.

    `else_accepted` says what may stand in the place of a verb.
    """

    else_accepted: str

    def meant(self, words: Sequence[str]) -> str | None:
        """Returns the verb that words without one are for, None when there is none."""
        raise NotImplementedError

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the verb in that is meant, and says so of a word that is none."""
        place = next((index for index, word in enumerate(args) if word != verbose.NAME), len(args))
        words = args[place:]
        if not words and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(USAGE)
        if words and words[0] not in (*self.list_commands(ctx), *self._options(ctx)):
            if (verb := self.meant(words)) is not None:
                args = [*args[:place], verb, *words]
            elif not words[0].startswith("-") and not ctx.resilient_parsing:
                raise self._no_verb(words, ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Tells an error where it is from, which click leaves out where an option lacks its value."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            verb = self.get_command(ctx, ctx.invoked_subcommand or "")
            if error.ctx is None and verb is not None:
                error.ctx = click.Context(verb, parent=ctx, info_name=verb.name)
            raise

    def _no_verb(self, words: Sequence[str], ctx: click.Context) -> ClientError:
        near = self._nearest(words, ctx)
        hint = f"did you mean `{ctx.command_path} {near}`? " if near else ""
        remedy = f"{hint}the verbs are {', '.join(self.list_commands(ctx))}; {self.else_accepted}"
        return ClientError(f"{words[0]!r} is no verb of {ctx.command_path}", remedy, USAGE)

    def _nearest(self, words: Sequence[str], ctx: click.Context) -> str:
        from difflib import get_close_matches

        verbs, (first, *rest) = self.list_commands(ctx), words
        if first == "help" and rest[:1] and rest[0] in verbs:
            return f"{rest[0]} --help"
        if _ELSEWHERE.get(first) in verbs:
            return _ELSEWHERE[first]
        options = [name for name in self._options(ctx) if name.startswith("--")]
        return next(iter(get_close_matches(first, [*verbs, *options], n=1)), "")

    def _options(self, ctx: click.Context) -> list[str]:
        return [name for parameter in self.get_params(ctx) for name in parameter.opts]
