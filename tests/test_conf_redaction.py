"""Which values of a configuration are hidden."""

import pytest

from conf.configuration import load_defaults
from conf.redaction import HIDDEN, is_sensitive, redacted


@pytest.mark.parametrize(
    "key",
    [
        "external-resource.gpu.param.password",
        "security.ssl.internal.key-password",
        "external-resource.rdma.param.API_KEY",
        "s3.secret-key",
        "s3.access-key",
        "fs.s3a.access.key",
        "fs.azure.account.key.store",
        "external-resource.gpu.param.licenseToken",
        "external-resource.gpu.param.credentials",
        "security.jaas.config",
    ],
)
def test_a_secret_is_hidden(key):
    assert redacted(key, "hunter2") == HIDDEN


@pytest.mark.parametrize(
    "key", ["external-resource.gpu.yarn.config-key", "taskmanager.memory.process.size", "yarn.application.name", "heartbeat.interval"]
)
def test_what_is_no_secret_is_shown(key):
    assert redacted(key, "yarn.io/gpu") == "yarn.io/gpu"


def test_an_empty_secret_is_shown_as_empty():
    assert redacted("a.password", "") == ""


def test_no_option_that_has_a_default_is_hidden():
    assert [key for key in load_defaults() if is_sensitive(key)] == []
