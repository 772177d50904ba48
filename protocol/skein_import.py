"""Imports skein 0.8.2 without distutils, of which it needs one comparison of grpcio's version, with 1.18.

Distutils left the standard library with Python 3.12, and where setuptools is installed, `import distutils` is an import of setuptools:
more than half of the time that skein's import takes, in every process of ours.
"""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType
from typing import Any

_lock = threading.Lock()


class LooseVersion:
    """What skein uses of `distutils.version.LooseVersion`."""

    def __init__(self, text: str) -> None:
        self._release = [int(part) for part in text.split(".")[:2]]

    def __lt__(self, other: str) -> bool:
        return self._release < LooseVersion(other)._release


def import_skein() -> Any:
    """Returns the module `skein`; every later import of it finds it imported."""
    with _lock:
        if "skein" in sys.modules or "distutils" in sys.modules:
            return importlib.import_module("skein")
        stand_in, version = ModuleType("distutils"), ModuleType("distutils.version")
        version.LooseVersion = LooseVersion  # type: ignore[attr-defined]  # a module made by hand
        sys.modules |= {"distutils": stand_in, "distutils.version": version}
        try:
            return importlib.import_module("skein")
        finally:
            del sys.modules["distutils"], sys.modules["distutils.version"]
