"""What every process of user code is started with, the job's main and the slots alike: interpreter, modules, variables. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from protocol.launch import TREADLE_ZIP


@dataclass(frozen=True)
class UserCode:
    """The user's interpreter, the paths that were shipped to import from, and the variables that were asked for.

    `python` and `module_paths` are relative to the container's directory, or absolute.
    """

    python: str
    module_paths: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def interpreter(self, directory: Path) -> str:
        """Returns the interpreter in a container with this directory; a bare name stays one, for PATH."""
        return str(directory / self.python) if "/" in self.python else self.python

    def environment(self, base: Mapping[str, str], directory: Path) -> dict[str, str]:
        """Returns the environment: `base`, over it what was asked for, over it what makes treadle and the shipped modules importable.

        The interpreter's directory comes first on PATH, so that `python` and what was installed beside it are found.
        """
        environment = {**base, "PYTHONUNBUFFERED": "1", **self.variables}
        own = self.variables.get("PYTHONPATH", "")
        modules = [str(directory / path) for path in (*self.module_paths, TREADLE_ZIP)]
        path = environment.get("PATH", "")
        environment["PYTHONPATH"] = ":".join([*modules, *([own] if own else [])])
        environment["PATH"] = f"{directory / Path(self.python).parent}:{path}" if "/" in self.python else path
        return environment
