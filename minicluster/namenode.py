"""A freshly formatted NameNode directory, made once per Hadoop version: formatting would be a start's longest serial step."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

from minicluster.cache import cache_directory, filled_once
from minicluster.daemons import NAMENODE
from minicluster.errors import ClusterError
from minicluster.java import DAEMON_FLAGS, Java

logger = logging.getLogger(__name__)


def formatted_image(hadoop: str, java: Java, lib: Path) -> Path:
    """The directory to copy; clusters made of it share HDFS's cluster id, which only nodes of one cluster compare.

    Raises:
        ClusterError: `namenode -format` failed.
    """
    return filled_once(cache_directory(hadoop) / "namenode", lambda target: _format(java, lib, target))


def _format(java: Java, lib: Path, target: Path) -> None:
    logger.info("formatting a NameNode directory (only this once)")
    settings = ("-D", "fs.defaultFS=hdfs://127.0.0.1:8020", "-D", f"dfs.namenode.name.dir={target.as_uri()}")
    command = [str(java.binary), *DAEMON_FLAGS, "-cp", f"{lib}/*", NAMENODE.main, *settings, "-format", "-force", "-nonInteractive"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=target.parent, check=False)
    if run.returncode != 0:
        raise ClusterError(
            f"formatting {target} ended with exit code {run.returncode}",
            "see what the NameNode said, above; free space in the cache directory or set TREADLE_CACHE to another",
            run.stderr[-3000:],
        )
