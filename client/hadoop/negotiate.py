"""SPNEGO (RFC 4559) for servers that answer 401 with `WWW-Authenticate: Negotiate`, as Hadoop's do on a cluster with Kerberos.

A handler of urllib's. Nothing is imported, and no ticket asked for, until a server wants it.
"""

from __future__ import annotations

import base64
import sys
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

from client.errors import ENVIRONMENT, ClientError

_HEADER = "Authorization"
_SCHEME = "Negotiate"
_SPNEGO = "1.3.6.1.5.5.2"
"""The mechanism's object identifier (RFC 4178)."""


def kerberos_token(host: str) -> bytes:
    """Returns the first token for `HTTP@host`, by the ticket of this process's user; Hadoop's servers want no second one.

    Raises:
        ClientError: when the library or the ticket is missing.
    """
    try:
        import gssapi
    except ImportError as error:  # of gssapi itself, or of the Kerberos library that it loads
        remedy = (
            f"{sys.executable} -m pip install 'treadle-yarn[kerberos]'; that compiles the package gssapi, which needs gcc and Kerberos' "
            "headers (Debian: libkrb5-dev, Red Hat: krb5-devel; conda has it compiled: python-gssapi)"
        )
        raise ClientError(f"{host} wants Kerberos (SPNEGO), and the library for it can't be used: {error}", remedy, ENVIRONMENT) from error
    name = gssapi.Name(f"HTTP@{host}", gssapi.NameType.hostbased_service)
    try:
        context = gssapi.SecurityContext(name=name, usage="initiate", mech=gssapi.OID.from_int_seq(_SPNEGO))
        return bytes(context.step())
    except gssapi.exceptions.GSSError as error:
        remedy = "run `kinit`; `submit doctor` looks at the ticket, `kvno HTTP/HOST` at the server's name"
        said = " ".join(str(error).replace("\0", " ").split())  # MIT ends its messages as C does
        raise ClientError(f"no Kerberos ticket for HTTP@{host}: {said}", remedy, ENVIRONMENT) from error


class NegotiateHandler(urllib.request.BaseHandler):
    """Repeats a request with a token, once, to the host that asked for one; after a redirect that is the new host."""

    def __init__(self, token: Callable[[str], bytes] = kerberos_token) -> None:
        self._token = token

    def http_error_401(self, request: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage) -> Any:
        """Called by urllib; None leaves the answer as it is."""
        offered = {value.split(" ")[0].lower() for value in headers.get_all("WWW-Authenticate", ())}
        if code != HTTPStatus.UNAUTHORIZED or _SCHEME.lower() not in offered or request.has_header(_HEADER):
            return None
        fp.read()
        token = base64.b64encode(self._token(urlsplit(request.full_url).hostname or "")).decode()
        # not sent on where that answer redirects to: the token is for this host
        request.add_unredirected_header(_HEADER, f"{_SCHEME} {token}")
        return self.parent.open(request, timeout=request.timeout)
