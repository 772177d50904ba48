"""In whose name an application is submitted: a ticket from a keytab, another user's name; for the length of one command."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from client.errors import ENVIRONMENT, ClientError
from client.hadoop.configuration import HadoopConfiguration
from conf.errors import Problem
from conf.login_options import KEYTAB, PRINCIPAL, PROXY_USER
from conf.settings import Login

_CACHE = "KRB5CCNAME"
_PROXY_USER = "HADOOP_PROXY_USER"
"""Read by Hadoop's own clients (`UserGroupInformation.createLoginUser`), and so by skein's driver."""

_AUTHENTICATION = "hadoop.security.authentication"


def problems(login: Login, *, local: bool) -> Iterator[Problem]:
    """Yields what is wrong by itself; `local` is for `--master local`."""
    given = {KEYTAB.key: login.keytab, PRINCIPAL.key: login.principal, PROXY_USER.key: login.proxy_user}
    if local:
        for key in (key for key, value in given.items() if value):
            yield Problem(key, f"{key} has no effect with --master local", "leave it out: nobody there is asked who you are")
        return
    for key, other in ((KEYTAB.key, PRINCIPAL.key), (PRINCIPAL.key, KEYTAB.key)):
        if given[key] and not given[other]:
            yield Problem(
                key, f"{key} is {given[key]!r}, without {other}", "give both, --keytab and --principal, or `kinit` and give neither"
            )
    if login.keytab and not os.access(login.keytab, os.R_OK):
        what = "can't be read" if Path(login.keytab).exists() else "does not exist"
        yield Problem(KEYTAB.key, f"the keytab {login.keytab} {what}", "name one that you can read")
    if login.keytab and shutil.which("kinit") is None:
        yield Problem(KEYTAB.key, "a keytab needs kinit, which is not on PATH", "install it (Debian: krb5-user, Red Hat: krb5-workstation)")


@contextmanager
def logged_in(login: Login, environ: MutableMapping[str, str]) -> Iterator[None]:
    """Has `environ` name the ticket and the user while the context lasts; the ticket is gone afterwards.

    Raises:
        ClientError: when there is no ticket to be had.
    """
    before = {name: environ.get(name) for name in (_CACHE, _PROXY_USER)}
    with tempfile.TemporaryDirectory(prefix="treadle-login-") as directory:
        try:
            if login.keytab and login.principal:
                environ[_CACHE] = _ticket(login.keytab, login.principal, Path(directory), environ)
            if login.proxy_user:
                environ[_PROXY_USER] = login.proxy_user
            yield
        finally:
            for name, value in before.items():
                environ.pop(name, None)
                environ.update({name: value} if value is not None else {})


def _ticket(keytab: str, principal: str, directory: Path, environ: MutableMapping[str, str]) -> str:
    """Java reads caches of the kind FILE: only."""
    authentication = HadoopConfiguration.load(environ).get(_AUTHENTICATION, "simple")
    if authentication != "kerberos":
        cause = f"{KEYTAB.key} is {keytab}, but this cluster does not ask for tickets: {_AUTHENTICATION} is {authentication!r}"
        raise ClientError(cause, "leave --keytab and --principal out, or set HADOOP_CONF_DIR to the cluster's configuration", ENVIRONMENT)
    cache = f"FILE:{directory}/tickets"
    ran = subprocess.run(
        ["kinit", "-k", "-t", keytab, "-c", cache, principal],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        said = " ".join((ran.stderr or ran.stdout).split())
        remedy = f"`klist -kt {keytab}` lists its principals; that {principal} is none of the KDC's, or no KDC answers, kinit says itself"
        raise ClientError(f"no ticket for {principal} from {keytab}: {said}", remedy, ENVIRONMENT)
    return cache
