"""What to do where HDFS takes no file, by what it said."""

from __future__ import annotations

import re

DATANODES = "`hdfs dfsadmin -report` lists the DataNodes; start them, or open their transfer port (9866) to this machine"

_REMEDIES = {
    "Permission denied|AccessControl": "have HDFS's superuser make your home directory and give it to you ({} is not yours to write to)",
    "(?i)safe mode": "wait until the NameNode leaves safe mode; `hdfs dfsadmin -safemode get` tells",
    "(?i)quota": "delete something, or have the quota raised; `hdfs dfs -count -q` tells",
    "complete file in time|minReplication|replicated to|DataNode": f"no DataNode takes blocks: {DATANODES}",
    "ConnectException|Connection refused|no answer": "start HDFS's daemons; `hdfs dfsadmin -report` tells which answer",
    "(?i)GSS|Kerberos|SASL": "run `kinit`; hdfs-native needs libgssapi_krb5.so.2 (Debian: libgssapi-krb5-2, Red Hat: krb5-libs)",
}
"""By what an error says; the first that matches counts, `{}` is the directory."""


def remedy(error: str, directory: str) -> str:
    """Returns what to do after this error of writing in `directory`."""
    found = (text.format(directory) for said, text in _REMEDIES.items() if re.search(said, error))
    return next(found, f"try `hdfs dfs -touchz {directory}/x`")
