"""The error for a cluster that can't do what is asked of it."""

from __future__ import annotations

from conf.errors import ConfigError


class RefusedError(ConfigError):
    """Everything that this cluster would refuse, or never fulfil, in a configuration that is right by itself."""
