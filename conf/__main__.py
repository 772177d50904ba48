"""`python -m conf`: print docs/configuration.md."""

from __future__ import annotations

import sys

from conf.reference import render

if __name__ == "__main__":
    sys.stdout.write(render())
