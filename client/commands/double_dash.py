"""A click command that knows whether its words came after `--`, which click itself drops."""

from __future__ import annotations

import click


class DoubleDashCommand(click.Command):
    """Takes options up to the first word or `--`; everything from there on is the job's, whatever it looks like."""

    SEEN = "client.commands.double_dash.seen"
    """Key of `context.meta`: whether the words came after `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses as click does, and notes whether what it stopped at was `--`."""
        given = list(args)
        left = super().parse_args(ctx, args)
        words = ctx.params.get("words") or ()
        before = given[: len(given) - len(words)]
        ctx.meta[self.SEEN] = before[-1:] == ["--"]
        return left
