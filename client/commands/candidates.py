"""What the shell offers for a word that is being typed. Whatever fails offers nothing: an error would spoil the line being typed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_PATIENCE_S = 1.0
"""How long the ResourceManager may take for an answer: somebody waits with a finger on the tab key."""


def applications(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Returns the ids of one's own applications that have not ended, but for those on the line already."""
    from client.yarn.application_details import STATES
    from client.yarn.cluster import ENDED

    named = context.params.get(parameter.name or "") or ()
    offered = _on_yarn(tuple(state for state in STATES if state not in ENDED))
    return _beginning(begun, ((name, said) for name, said in offered if name not in named))


def histories(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Returns the ids of one's own applications that have ended, as far as YARN remembers them, and of local ones that left a history."""
    from client.application import directory
    from client.yarn.application_details import STATES
    from client.yarn.cluster import ENDED

    try:
        local = sorted((each.name for each in directory.histories(os.environ).iterdir()), reverse=True)
    except OSError:
        local = []
    offered = [*_on_yarn(tuple(state for state in STATES if state in ENDED)), *((name, "on this machine") for name in local)]
    return _beginning(begun, offered)


def states(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Returns YARN's states for the last word of a list, but for those in it already."""
    from client.yarn.application_details import STATES

    before, comma, _ = begun.rpartition(",")
    return _beginning(begun, ((f"{before}{comma}{state}", "") for state in STATES if state not in before.split(",")))


def queues(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Returns the full paths of the queues that take applications."""
    from client.application.lookup import connect
    from client.errors import ClientError

    try:
        view = connect(os.environ, _PATIENCE_S).view()
    except ClientError:
        return []
    return _beginning(begun, ((name, queue.state) for queue in view.queues if queue.leaf for name in (queue.path, queue.name)))


def keys(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Returns `key=` of every option."""
    from conf.options import OPTIONS

    return _beginning(begun, ((f"{option.key}=", option.description) for option in OPTIONS))


def files(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Leaves it to the shell to offer files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(begun, type="file")]


def _on_yarn(states: tuple[str, ...]) -> list[tuple[str, str]]:
    from client.application.lookup import connect
    from client.errors import ClientError
    from client.hadoop.identity import hadoop_user

    try:
        found = connect(os.environ, _PATIENCE_S).applications(states, hadoop_user(os.environ))
    except ClientError:
        return []
    return [(app.id, f"{app.name} {app.state}") for app in found]


def _beginning(begun: str, offered: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(word, help=" ".join(said.split())) for word, said in offered if word.startswith(begun)]
