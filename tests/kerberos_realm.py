"""A real MIT KDC on loopback, with all that it writes in one directory; from Debian's krb5-kdc, krb5-admin-server and krb5-user."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

REALM = "TEST.LOCAL"
USER = "ann"

_SEARCHED = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
_PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
_KRB5 = """[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{port}
 }}
"""
_KDC = """[kdcdefaults]
 kdc_listen = ""
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {realm} = {{
  database_name = {directory}/principal
  key_stash_file = {directory}/stash
  acl_file = {directory}/acl
  max_renewable_life = 7d
 }}
"""


@dataclass(frozen=True)
class Realm:
    """A realm with the user `ann` and the service HTTP/localhost; `keytab` holds both."""

    environment: Mapping[str, str]
    keytab: Path
    cache: Path

    def run(self, *command: str) -> str:
        program = shutil.which(command[0], path=_SEARCHED)
        environment = {**os.environ, **self.environment}
        ran = subprocess.run([str(program), *command[1:]], env=environment, capture_output=True, text=True, timeout=30, check=False)
        assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def kinit(self, *options: str) -> None:
        self.run("kinit", *options, "-k", "-t", str(self.keytab), USER)


@contextmanager
def realm(directory: Path) -> Iterator[Realm]:
    """Skips the test where there is no KDC to start."""
    if missing := [name for name in _PROGRAMS if shutil.which(name, path=_SEARCHED) is None]:
        pytest.skip(f"no KDC here: {', '.join(missing)} missing (Debian: krb5-kdc krb5-admin-server krb5-user)")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for name, text in (("krb5.conf", _KRB5), ("kdc.conf", _KDC)):
        (directory / name).write_text(text.format(realm=REALM, port=port, directory=directory))
    paths = {"KRB5_CONFIG": "krb5.conf", "KRB5_KDC_PROFILE": "kdc.conf", "KRB5CCNAME": "tickets", "KRB5_KTNAME": "all.keytab"}
    made = Realm({name: str(directory / file) for name, file in paths.items()}, directory / "all.keytab", directory / "tickets")
    made.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "of no worth")
    for principal in (USER, "HTTP/localhost"):
        made.run("kadmin.local", "-q", f"addprinc -randkey {principal}")
        made.run("kadmin.local", "-q", f"ktadd -norandkey -k {made.keytab} {principal}")
    kdc = subprocess.Popen([str(shutil.which("krb5kdc", path=_SEARCHED)), "-n"], env={**os.environ, **made.environment})
    with kdc:
        try:
            _wait_for(port)
            yield made
        finally:
            kdc.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the KDC did not start"
            time.sleep(0.05)
        else:
            return
