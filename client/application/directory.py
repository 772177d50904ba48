"""Where the submitting user's own record of each application lies: `~/.treadle/applications/<id>`, or below TREADLE_HOME."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from client.errors import ENVIRONMENT, ClientError

ADDRESS_FILE = "am.json"
"""Name of the file in which a local application master writes `{"rest": "http://127.0.0.1:PORT"}` once it listens."""


def home(environ: Mapping[str, str]) -> Path:
    """Returns the directory of all applications; nothing is created."""
    return Path(environ.get("TREADLE_HOME") or "~/.treadle").expanduser().absolute() / "applications"


def histories(environ: Mapping[str, str]) -> Path:
    """Returns the directory of what local applications leave of themselves, beside that of the applications."""
    return home(environ).parent / "history"


def create(environ: Mapping[str, str], name: str) -> Path:
    """Creates an application's directory, readable by its owner only.

    Raises:
        ClientError: when it can't be created.
    """
    directory = home(environ) / name
    try:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700)
    except OSError as error:
        raise _uncreatable(directory, error) from error
    return directory


def ensure(environ: Mapping[str, str], name: str) -> Path:
    """Returns an application's directory, created when it was submitted from elsewhere.

    Raises:
        ClientError: when it can't be created.
    """
    directory = home(environ) / name
    return directory if directory.is_dir() else create(environ, name)


def create_unnamed(environ: Mapping[str, str]) -> Path:
    """Creates the directory of an application that has no id yet; `Path.rename` it to its id.

    Raises:
        ClientError: when it can't be created.
    """
    import tempfile  # 4 ms, which the verbs that only look are spared

    parent = home(environ)
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="submitting-", dir=parent))
    except OSError as error:
        raise _uncreatable(parent, error) from error


def _uncreatable(directory: Path, error: OSError) -> ClientError:
    return ClientError(
        f"{directory} can't be created: {error.strerror}", "set TREADLE_HOME to a directory that you can write to", ENVIRONMENT
    )
