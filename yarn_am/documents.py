"""What the server sends beside JSON: the files of the web page, and the headers that keep a browser from running anything else."""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass

POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy: no script, style or image from elsewhere or in the page's own text, whatever a job calls itself."""

HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
"""Sent with every answer. `Referrer-Policy`: a NodeManager's page is not told which application one came from."""

JSON = "application/json; charset=UTF-8"

_PAGE = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "elements.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Each file of the page and its Content-Type."""


@dataclass(frozen=True)
class Document:
    """An answer as it is sent: with this Content-Type, and saved under `file_name` unless that is empty."""

    content_type: str
    body: bytes
    file_name: str = ""


def json_of(tree: object) -> Document:
    """Returns JSON as it is sent."""
    return Document(JSON, json.dumps(tree).encode())


def download_of(tree: object, name: str) -> Document:
    """Returns JSON that a browser saves as `<name>.json`."""
    return Document(JSON, json.dumps(tree, indent=1).encode(), f"{name}.json")


def page() -> dict[str, Document]:
    """Returns the files of the page by their paths below its address; "" is the page itself."""
    folder = importlib.resources.files("yarn_am").joinpath("page")
    files = {name: Document(content_type, folder.joinpath(name).read_bytes()) for name, content_type in _PAGE.items()}
    return {"": files.pop("index.html"), **files}
