"""The page's files, which lie beside this one."""

from __future__ import annotations

from pathlib import Path

INDEX = "index.html"

CONTENT_TYPES = {
    INDEX: "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "elements.js": "text/javascript; charset=utf-8",
    "events.js": "text/javascript; charset=utf-8",
    "sections.js": "text/javascript; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Each file of the live page and its Content-Type."""


def read(name: str) -> bytes:
    """Returns the content of a file."""
    return Path(__file__).with_name(name).read_bytes()
