"""Optional libraries of the user's environment: what to install when one is missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needed(package: str, purpose: str, *brought: str) -> Iterator[None]:
    """Turns the failing import of `package`, or of a module that it brings along, into one that says what to install, and where.

    Raises:
        ModuleNotFoundError: naming the purpose, the interpreter and the command.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in (package.replace("-", "_"), *brought):
            raise
        raise ModuleNotFoundError(
            f"{purpose} needs {package}, which {sys.executable} does not have. Install it there: {sys.executable} -m pip install {package}",
            name=error.name,
        ) from error
