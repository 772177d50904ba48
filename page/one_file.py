"""The page of a history as a single file, which opens from a disk or as an attachment, without a server and without a network."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from page.files import INDEX, read

_SCRIPT = re.compile(r'<script src="([a-z.]+)"></script>')
_STYLE = '<link rel="stylesheet" href="page.css">'
_ICON = 'href="icon.svg"'
_CHARSET = '<meta charset="utf-8">'

_POLICY = "default-src 'none'; script-src {scripts}; style-src {style}; img-src data:; base-uri 'none'; form-action 'none'"

_INSTEAD = {"live.js": "history.js"}
"""The script that asks the application master, and the one that shows what the file holds."""


def one_file(tree: object) -> str:
    """Returns the page with its style, scripts and icon in it, and the JSON that `history.js` shows; its policy lets nothing else run."""
    index, style = _text(INDEX), _text("page.css")
    scripts = {name: _text(_INSTEAD.get(name, name)) for name in _SCRIPT.findall(index)}
    policy = _POLICY.format(scripts=_hashes(*scripts.values()), style=_hashes(style))
    before, first, after = index.partition("<script ")
    for place, content in (
        (_CHARSET, f'{_CHARSET}\n<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        (_STYLE, f"<style>{style}</style>"),
        (_ICON, f'href="data:image/svg+xml;base64,{base64.b64encode(read("icon.svg")).decode()}"'),
    ):
        before = before.replace(place, content)
    after = _SCRIPT.sub(lambda found: f"<script>{scripts[found[1]]}</script>", first + after)
    return f"{before}{_data(tree)}\n{after}"


def _data(tree: object) -> str:
    """Without "<" it can't end its element, whatever a job calls itself."""
    text = json.dumps(tree).replace("<", "\\u003c")
    return f'<script type="application/json" id="data">{text}</script>'


def _hashes(*texts: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def _text(name: str) -> str:
    return read(name).decode()
