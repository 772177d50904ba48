"""What doctor asks the ResourceManager besides the preflight's questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from client.hadoop import rest


@dataclass(frozen=True)
class Address:
    """An address of a ResourceManager, and what answers there: with high availability `ha_state` is ACTIVE or STANDBY."""

    url: str
    version: str = ""
    ha_state: str = ""
    time: datetime | None = None
    error: str = ""


@dataclass(frozen=True)
class Access:
    """Whether a user may submit to a queue; None where the ResourceManager does not tell this user."""

    allowed: bool | None
    said: str = ""


def address(url: str) -> Address:
    """Asks one address; `info` is the one thing that a standby answers by itself (`RMWebAppFilter`)."""
    try:
        tree, time = rest.get_json_and_time(f"{url}/ws/v1/cluster/info")
        info = tree["clusterInfo"]
        return Address(url, str(info.get("resourceManagerVersion") or ""), str(info.get("haState") or "ACTIVE"), time)
    except rest.RestError as error:
        return Address(url, error=error.reason)
    except (KeyError, TypeError, AttributeError):
        return Address(url, error="something that is no ResourceManager answers")


def access(url: str, user: str, queue: str) -> Access:
    """Asks for the right SUBMIT_APPLICATIONS ("Cluster Application Queue ACL API"); YARN answers the queue's administrators only."""
    query = {"user": user, "queue-acl-type": "SUBMIT_APPLICATIONS", "user.name": user}
    path = f"ws/v1/cluster/queues/{quote(queue)}/access?{urlencode(query)}"
    try:
        # as XML, because 3.5.0 can't write this answer as JSON ("MessageBodyWriter not found")
        answer = ElementTree.fromstring(rest.get_text(f"{url}/{path}", "application/xml"))
    except rest.RestError as error:
        return Access(None, "its version has no such question" if error.status == HTTPStatus.NOT_FOUND else error.reason)
    except ElementTree.ParseError as error:
        return Access(None, f"its answer is no XML: {error}")
    return Access(answer.findtext("allowed") == "true", (answer.findtext("diagnostics") or "").strip())
