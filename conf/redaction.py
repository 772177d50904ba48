"""Which values of a configuration are shown to nobody: told by the key, as Flink does it. Pure."""

from __future__ import annotations

HIDDEN = "******"
"""What is shown in place of a secret (Flink's `GlobalConfiguration.HIDDEN_CONTENT`)."""

_OF_FLINK = (
    "password",
    "secret",
    "fs.azure.account.key",
    "apikey",
    "api-key",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
)
"""Flink's `GlobalConfiguration.SENSITIVE_KEYS`."""

_OURS = ("passwd", "passphrase", "credential", "access-key", "access.key", "private-key", "private.key", "account-key", "encryption-key")
"""What else sites call a secret. Plain `key` isn't among them: `external-resource.<name>.yarn.config-key` names a resource type."""

_SENSITIVE = (*_OF_FLINK, *_OURS)


def is_sensitive(key: str) -> bool:
    """Returns whether the value of this key is a secret: the key has one of the words in it, in capitals or not."""
    lowered = key.lower().replace("_", "-")
    return any(word in lowered for word in _SENSITIVE)


def redacted(key: str, value: str) -> str:
    """Returns the value as anybody may see it."""
    return HIDDEN if is_sensitive(key) and value else value
