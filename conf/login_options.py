"""The options that say in whose name an application is submitted."""

from __future__ import annotations

from typing import Any

from conf.kinds import TEXT
from conf.option import Option

KEYTAB = Option(
    "security.kerberos.login.keytab",
    TEXT,
    "Keytab that `submit` takes a Kerberos ticket from, for itself alone: it stays on this machine, and no container has it.",
)
PRINCIPAL = Option("security.kerberos.login.principal", TEXT, "Principal of that ticket.")
PROXY_USER = Option(
    "treadle.proxy-user",
    TEXT,
    "User in whose name the application runs, where the cluster lets you (`hadoop.proxyuser.*` in its core-site.xml).",
)

LOGIN_OPTIONS: tuple[Option[Any], ...] = (KEYTAB, PRINCIPAL, PROXY_USER)
"""All of them."""
