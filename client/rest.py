"""JSON over HTTP GET and PUT, as the ResourceManager and the application master speak it."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from typing import Any

TIMEOUT_S = 10.0
"""How long one request may take, in seconds; a ResourceManager that is being restarted accepts connections and stays silent."""

_REFRESH = re.compile(r"url\s*=\s*(?P<url>\S+)", re.IGNORECASE)

# These servers are inside the cluster, where Hadoop's own clients know no proxy either; http_proxy is meant for the world outside.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class RestError(Exception):
    """A request without a usable answer; `status` is HTTP's, or None when nothing answered."""

    def __init__(self, url: str, reason: str, status: int | None = None) -> None:
        super().__init__(f"{url}: {reason}")
        self.url, self.reason, self.status = url, reason, status


def get_json(url: str, timeout_s: float = TIMEOUT_S) -> Any:
    """Returns the JSON behind `url`; follows redirects, and the `Refresh` header by which a standby ResourceManager names the active one.

    Raises:
        RestError: when nothing answers, or something that is not JSON, or with another status than 200.
    """
    body, refresh = _request(urllib.request.Request(url, headers={"Accept": "application/json"}), timeout_s)
    if refresh:
        body, refresh = _request(urllib.request.Request(refresh, headers={"Accept": "application/json"}), timeout_s)
    return _decode(url, body)


def put_json(url: str, tree: Any, timeout_s: float = TIMEOUT_S) -> Any:
    """Sends `tree` by PUT and returns the JSON that answers.

    Raises:
        RestError: as `get_json`.
    """
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=json.dumps(tree).encode(), headers=headers, method="PUT")
    return _decode(url, _request(request, timeout_s)[0])


def _request(request: urllib.request.Request, timeout_s: float) -> tuple[bytes, str | None]:
    try:
        with _OPENER.open(request, timeout=timeout_s) as response:
            refresh = _REFRESH.search(response.headers.get("Refresh", ""))
            return response.read(), refresh["url"] if refresh else None
    except urllib.error.HTTPError as error:
        with error:
            raise RestError(request.full_url, _message(error), error.code) from error
    except (OSError, http.client.HTTPException) as error:
        raise RestError(request.full_url, _reason(error)) from error


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
