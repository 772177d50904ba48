"""JSON over HTTP GET and PUT, as the ResourceManager and the application master speak it."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPMessage
from typing import Any

from client.hadoop.negotiate import NegotiateHandler

TIMEOUT_S = 10.0
"""How long one request may take, in seconds; a ResourceManager that is being restarted accepts connections and stays silent."""

_JSON = {"Accept": "application/json"}

_REFRESH = re.compile(r"url\s*=\s*(?P<url>\S+)", re.IGNORECASE)

# These servers are inside the cluster, where Hadoop's own clients know no proxy either; http_proxy is meant for the world outside.
# Who has shown a ticket once gets a cookie, and is not asked again for some hours.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(), NegotiateHandler())


class RestError(Exception):
    """A request without a usable answer; `status` is HTTP's, or None when nothing answered."""

    def __init__(self, url: str, reason: str, status: int | None = None) -> None:
        super().__init__(f"{url}: {reason}")
        self.url, self.reason, self.status = url, reason, status


def get_json(url: str, timeout_s: float = TIMEOUT_S) -> Any:
    """Returns the JSON behind `url`; follows redirects, and the `Refresh` header by which a standby ResourceManager names the active one.

    Raises:
        RestError: when nothing answers, or something that is not JSON, or with another status than 200.
        ClientError: when Kerberos is wanted, and its library or a ticket is missing.
    """
    return get_json_and_time(url, timeout_s)[0]


def get_json_and_time(url: str, timeout_s: float = TIMEOUT_S) -> tuple[Any, datetime | None]:
    """Returns the JSON behind `url` as `get_json` does, and the server's clock, an aware time; None where it does not tell.

    Raises:
        RestError, ClientError: as `get_json`.
    """
    body, headers = _request(urllib.request.Request(url, headers=_JSON), timeout_s)
    if refresh := _REFRESH.search(headers.get("Refresh", "")):
        body, headers = _request(urllib.request.Request(refresh["url"], headers=_JSON), timeout_s)
    return _decode(url, body), _time(headers)


def get_text(url: str, media_type: str = "text/plain", timeout_s: float = TIMEOUT_S) -> str:
    """Returns the text behind `url` in a form that it can be had in, such as a NodeManager's view of a log.

    Raises:
        RestError, ClientError: as `get_json`.
    """
    return _request(urllib.request.Request(url, headers={"Accept": media_type}), timeout_s)[0].decode(errors="replace")


def put_json(url: str, tree: Any, timeout_s: float = TIMEOUT_S) -> Any:
    """Sends `tree` by PUT and returns the JSON that answers.

    Raises:
        RestError, ClientError: as `get_json`.
    """
    headers = _JSON | {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=json.dumps(tree).encode(), headers=headers, method="PUT")
    return _decode(url, _request(request, timeout_s)[0])


@contextmanager
def stream(url: str, timeout_s: float = TIMEOUT_S) -> Iterator[http.client.HTTPResponse]:
    """Opens what is behind `url`, to be read piece by piece; `timeout_s` is for each piece.

    Raises:
        RestError, ClientError: as `get_json`, RestError also while it is read.
    """
    with _answer(urllib.request.Request(url), timeout_s) as response:
        yield response


def _request(request: urllib.request.Request, timeout_s: float) -> tuple[bytes, HTTPMessage]:
    with _answer(request, timeout_s) as response:
        return response.read(), response.headers


@contextmanager
def _answer(request: urllib.request.Request, timeout_s: float) -> Iterator[http.client.HTTPResponse]:
    try:
        with _OPENER.open(request, timeout=timeout_s) as response:
            yield response
    except urllib.error.HTTPError as error:
        with error:
            raise RestError(request.full_url, _message(error), error.code) from error
    except (OSError, http.client.HTTPException) as error:
        raise RestError(request.full_url, _reason(error)) from error


def _time(headers: HTTPMessage) -> datetime | None:
    try:
        moment = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    return str(getattr(cause, "strerror", None) or cause) or type(cause).__name__


def _message(error: urllib.error.HTTPError) -> str:
    """YARN explains a refusal as {"RemoteException": {"message"}}."""
    try:
        return str(json.loads(error.read())["RemoteException"]["message"])
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        return f"HTTP {error.code} {error.reason}"


def _decode(url: str, body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise RestError(url, f"no JSON: {body[:60]!r}") from error
