"""What the server sends beside JSON: the files of the web page, and the headers that keep a browser from running anything else."""

from __future__ import annotations

import json
from dataclasses import dataclass

from page import files

POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'"
"""Content-Security-Policy: no script, style or image from elsewhere or in the page's own text, whatever a job calls itself."""

HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
"""Sent with every answer. `Referrer-Policy`: a NodeManager's page is not told which application one came from."""

JSON = "application/json; charset=UTF-8"


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
    found = {name: Document(content_type, files.read(name)) for name, content_type in files.CONTENT_TYPES.items()}
    return {"": found.pop(files.INDEX), **found}
