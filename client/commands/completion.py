"""`submit completion`: what a shell has to be told to complete `submit`'s words; click's own scripts."""

from __future__ import annotations

import click

from client.commands import verbose

# \b is click's mark for lines that are to stay as they are
_HELP = """Print what makes a shell complete verbs, options, ids of applications, queues and keys of -D.

\b
Put one of these lines where your shell starts from:
  eval "$(submit completion bash)"      # ~/.bashrc
  eval "$(submit completion zsh)"       # ~/.zshrc, below compinit
  submit completion fish | source       # ~/.config/fish/config.fish
"""


@click.command(help=_HELP)
@verbose.option
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Writes the script; the shell then calls `submit` with `_SUBMIT_COMPLETE` set."""
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(context.find_root().command, {}, "submit", "_SUBMIT_COMPLETE").source())
