"""Who submits, as Hadoop's clients see it."""

from __future__ import annotations

import getpass
from collections.abc import Mapping


def hadoop_user(environ: Mapping[str, str]) -> str:
    """Returns HADOOP_PROXY_USER, whom Hadoop's clients act for; HADOOP_USER_NAME, which it believes without Kerberos; or who runs this."""
    return environ.get("HADOOP_PROXY_USER") or environ.get("HADOOP_USER_NAME") or getpass.getuser()
