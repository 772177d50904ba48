"""Whether this user can write to HDFS as an upload does, and what to do where not.

The attempt is a process of its own (`hdfs_attempt`): a DataNode that can't be reached keeps a client busy for minutes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

from client.doctor.finding import FAILURE, OK, SKIPPED, Finding
from client.errors import ClientError
from client.hadoop import hdfs_address, hdfs_remedies, namenode
from client.hadoop.configuration import HadoopConfiguration

CHECK = "hdfs write"

_TIMEOUT_S = 40.0


def examine(hadoop: HadoopConfiguration, environ: Mapping[str, str], user: str) -> Finding:
    """Writes a file where skein stages applications (`~/.skein` of the user, or the nearest directory above that is there)."""
    uri = hadoop.default_filesystem()
    try:
        namenode.check(hadoop)
    except ClientError as error:
        return Finding(CHECK, FAILURE, error.cause, error.remedy)
    if not uri.startswith("hdfs:"):
        return Finding(CHECK, SKIPPED, f"fs.defaultFS is {uri}: only HDFS is looked into", f"`hadoop fs -touchz {uri}/…` tells")
    staging = hdfs_address.staging(hadoop, user)
    asked = json.dumps({"url": hdfs_address.url(hadoop, uri), "staging": staging, "settings": hdfs_address.settings(hadoop)})
    command = [sys.executable, "-I", "-m", "client.doctor.hdfs_attempt"]
    try:
        ran = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=dict(environ))
    except subprocess.TimeoutExpired:
        cause = f"{uri} took no file within {_TIMEOUT_S:.0f} s: its NameNode answers, so that a DataNode can't be reached, as a rule"
        return Finding(CHECK, FAILURE, cause, hdfs_remedies.DATANODES)
    if ran.returncode:
        return _failure(uri, staging, (ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1])
    return judge(json.loads(ran.stdout), uri, user)


def judge(written: Mapping[str, str], uri: str, user: str) -> Finding:
    """Judges what the attempt said: `directory`, and `error` where it was refused."""
    directory, error = written["directory"], written.get("error")
    if not error:
        return Finding(CHECK, OK, f"{user} can write to {uri}{directory}")
    return _failure(uri, directory, error)


def _failure(uri: str, directory: str, error: str) -> Finding:
    return Finding(CHECK, FAILURE, f"{uri}{directory} takes no file: {error}", hdfs_remedies.remedy(error, directory))
