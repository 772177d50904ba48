"""`python -m client.doctor.hdfs_attempt`: writes, reads and deletes one small file on HDFS by hdfs-native, without a JVM.

It reads `{"url", "staging", "settings"}` and writes `{"directory", "error"}`, without `error` where all went well.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Mapping
from typing import Any

_CONTENT = b"submit doctor\n"


def attempt(asked: Mapping[str, Any]) -> dict[str, str]:
    """Writes, reads and deletes a file in the nearest directory that is there: to make the others takes the same right."""
    import hdfs_native

    client = hdfs_native.Client(asked["url"], config=asked["settings"])
    directory = _nearest(client, asked["staging"])
    path = f"{directory.rstrip('/')}/.treadle-doctor-{uuid.uuid4().hex}"
    try:
        try:
            with client.create(path, hdfs_native.WriteOptions()) as file:
                file.write(_CONTENT)
            read = bytes(client.read(path).read())
        finally:
            client.delete(path, False)
    except (OSError, RuntimeError) as error:
        return {"directory": directory, "error": _first_line(error)}
    return {"directory": directory} if read == _CONTENT else {"directory": directory, "error": f"it gave {read[:50]!r} back"}


def _nearest(client: Any, path: str) -> str:
    while path:
        try:
            client.get_file_info(path)
        except FileNotFoundError:
            path = path.rpartition("/")[0]
        else:
            return path
    return "/"


def _first_line(error: Exception) -> str:
    # a Java trace comes with line ends, or as Rust prints a text, with their escapes
    return re.split(r"\n|\\n", str(error).strip(), maxsplit=1)[0]


if __name__ == "__main__":
    try:
        sys.stdout.write(json.dumps(attempt(json.loads(sys.stdin.read()))))
    except (OSError, RuntimeError) as error:
        sys.exit(_first_line(error))
