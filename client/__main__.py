"""The command `submit`: runs a verb, and turns whatever goes wrong into a line of cause, a line of remedy and an exit code."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import TextIO, cast

import click

from client.commands.group import submit
from client.console import Console
from client.errors import REJECTED, USAGE, ClientError
from client.stdout import Stdout
from client.submission.refusal import RefusedError
from conf.errors import ConfigError

_INTERNAL, _INTERRUPTED = 1, 130


def main() -> None:
    """Runs the command line of this process and ends it."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    if sys.stdout is not None:  # with `>&-` there is none
        sys.stdout = cast(TextIO, Stdout(sys.stdout))
    sys.exit(run(sys.argv[1:], Console(sys.stderr)))


def run(arguments: Sequence[str], console: Console) -> int:
    """Runs one command line and returns its exit code, one of those that `submit --help` lists."""
    try:
        result: object = submit.main(list(arguments), prog_name="submit", standalone_mode=False, obj=console)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        console.error(" ".join(error.format_message().split()), f"see `{context.command_path if context else 'submit'} --help`")
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        console.line("interrupted")
        return _INTERRUPTED
    except Exception as error:
        if console.verbose:
            traceback.print_exc()
        return _report(error, console)


def _report(error: Exception, console: Console) -> int:
    if isinstance(error, ClientError):
        console.error(error.cause, error.remedy)
        return error.exit_code
    if isinstance(error, ConfigError):
        for problem in error.problems:
            console.problem(problem)
        return REJECTED if isinstance(error, RefusedError) else USAGE
    remedy = "report the traceback above" if console.verbose else "run it again as `submit --verbose …` and report what it shows"
    console.error(f"{type(error).__name__}: {error}", f"this should not happen: {remedy}")
    return _INTERNAL


def _end(number: int, _frame: FrameType | None) -> None:
    """Leaves by way of every `finally`, so that nothing is left running."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
