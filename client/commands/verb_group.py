"""A group of verbs that is read generously: without words it shows its help, and words without a verb may be meant for one."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

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
                raise self._no_verb(words[0], ctx)
        return super().parse_args(ctx, args)

    def _no_verb(self, word: str, ctx: click.Context) -> ClientError:
        verbs, options = self.list_commands(ctx), [name for name in self._options(ctx) if name.startswith("--")]
        near = [_ELSEWHERE[word]] if _ELSEWHERE.get(word) in verbs else get_close_matches(word, [*verbs, *options], n=1)
        hint = f"did you mean `{ctx.command_path} {near[0]}`? " if near else ""
        remedy = f"{hint}the verbs are {', '.join(verbs)}; {self.else_accepted}"
        return ClientError(f"{word!r} is no verb of {ctx.command_path}", remedy, USAGE)

    def _options(self, ctx: click.Context) -> list[str]:
        return [name for parameter in self.get_params(ctx) for name in parameter.opts]
