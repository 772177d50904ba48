"""A ResourceManager that answers from a table, found by Hadoop's configuration, and `submit` called in this process."""

import sys
from contextlib import contextmanager

import click
from client_rest_server import serving

from client.__main__ import run
from client.commands.group import submit
from client.console import Console

ID = "application_1_0001"
APPS = "/ws/v1/cluster/apps"


def app(number=1, state="RUNNING", **fields):
    """The fields of 3.1 and 3.5 that both have, as recorded."""
    return {
        "id": f"application_1_{number:04}",
        "user": "ann",
        "name": f"job {number}",
        "queue": "root.default",
        "state": state,
        "finalStatus": "UNDEFINED",
        "progress": 0.0,
        "trackingUI": "ApplicationMaster",
        "diagnostics": "",
        "applicationType": "skein",
        "applicationTags": "treadle",
        "startedTime": 1700000000000 + number * 1000,
        "finishedTime": 0,
    } | fields


@contextmanager
def resourcemanager(directory, monkeypatch):
    """Serves one running application; `directory` becomes HADOOP_CONF_DIR, and its `home` TREADLE_HOME."""
    with serving() as server:
        (directory / "yarn-site.xml").write_text(
            "<configuration><property><name>yarn.resourcemanager.webapp.address</name>"
            f"<value>{server.url.removeprefix('http://')}</value></property></configuration>"
        )
        monkeypatch.setenv("HADOOP_CONF_DIR", str(directory))
        monkeypatch.setenv("HADOOP_USER_NAME", "ann")
        monkeypatch.setenv("TREADLE_HOME", str(directory / "home"))
        server.answer(f"{APPS}/{ID}", {"app": app()})
        yield server


def submitted(capsys, *arguments):
    """Returns exit code, stdout and stderr of a command line."""
    code = run(arguments, Console(sys.stderr))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def every_verb():
    """Yields `submit` itself and each verb, also those of a verb: its words and its options' names."""
    yield from _below(click.Context(submit, info_name="submit", **submit.context_settings))


def _below(context):
    command = context.command
    yield context.command_path.split()[1:], [name for parameter in command.get_params(context) for name in parameter.opts]
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        yield from _below(click.Context(command.get_command(context, name), info_name=name, parent=context))
