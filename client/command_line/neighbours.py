"""Modules that a job's script imports from beside itself, where no container will find them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from conf.settings import Shipped


def unshipped(script: Path, shipped: Sequence[Shipped]) -> Iterator[str]:
    """Yields a warning for each module beside the script that it imports and that nothing shipped is named for."""
    names = {Path(each.name).stem for each in shipped}
    for name in dict.fromkeys(_imported(script)):
        beside = next((path for path in (script.with_name(f"{name}.py"), script.with_name(name)) if path.exists()), None)
        if beside is None or name in names or beside == script:
            continue
        if beside.is_dir():
            remedy = f"(cd {script.parent} && zip -r {name}.zip {name}) and add --py-files {script.with_name(name)}.zip"
        else:
            remedy = f"add --py-files {beside}"
        yield f"{script.name} imports {name}, and {beside} is not shipped with it: {remedy}, unless the nodes' Python has one"


def _imported(script: Path) -> Iterator[str]:
    """What can't be read or parsed is told where it is run."""
    try:
        tree = ast.parse(script.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
