"""The Hadoop client of this machine: its configuration, and the program that skein's driver asks for Hadoop's jars."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from client.doctor.finding import FAILURE, OK, Finding
from client.errors import ClientError
from client.hadoop.configuration import HadoopConfiguration

CONFIGURATION, CLIENT = "hadoop configuration", "hadoop client"

_VARIABLES = ("HADOOP_CONF_DIR", "YARN_CONF_DIR", "HADOOP_HOME")


def load(environ: Mapping[str, str]) -> tuple[HadoopConfiguration | None, Finding]:
    """Returns the configuration that is found, None when none is, and where it is."""
    try:
        hadoop = HadoopConfiguration.load(environ)
    except ClientError as error:
        return None, Finding(CONFIGURATION, FAILURE, error.cause, error.remedy)
    by = next((name for name in _VARIABLES if environ.get(name)), "its usual place")
    text = f"{hadoop.conf_dir} (by {by}): {', '.join(hadoop.files)}"
    if "core-site.xml" in hadoop.files:
        return hadoop, Finding(CONFIGURATION, OK, text)
    remedy = f"put the cluster's core-site.xml there: without it fs.defaultFS is {hadoop.default_filesystem()}, where nothing can be staged"
    return hadoop, Finding(CONFIGURATION, FAILURE, f"{text}, no core-site.xml", remedy)


def client(environ: Mapping[str, str]) -> Finding:
    """Looks for `yarn`; skein's driver is started with what `yarn classpath` says."""
    program = shutil.which("yarn", path=environ.get("PATH"))
    if program is None:
        return Finding(CLIENT, FAILURE, "`yarn` is not on PATH", "put Hadoop's bin directory on PATH")
    return Finding(CLIENT, OK, program)
