"""Who submits, as Hadoop's clients see it."""

from __future__ import annotations

import getpass
from collections.abc import Mapping


def hadoop_user(environ: Mapping[str, str]) -> str:
    """Returns HADOOP_USER_NAME, which Hadoop believes without Kerberos, or else the user of this process."""
    return environ.get("HADOOP_USER_NAME") or getpass.getuser()
