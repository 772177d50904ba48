"""`make demo`: a YARN and HDFS cluster on this machine, the MNIST job on its (fake) GPUs, and what came of it.

Everything a user would type is shown as it is run.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import treadle
from conf.errors import ConfigError
from minicluster.cluster import Cluster, up
from minicluster.errors import ClusterError
from minicluster.spec import ClusterSpec

HERE = Path(os.path.relpath(Path(__file__).parent))
WORK = Path(".cluster")
GPU = "yarn.io/gpu"
DEVICES = ["--taskmanagers", "2", "--resource", "gpu=1:yarn.io/gpu", "-D", "external-resource.gpu.driver-factory.class=discovery-script"]
"""A GPU for each of two TaskManagers, found by our script, which asks nvidia-smi: there is no NVML here for the nvidia driver to ask."""

ENVIRONMENT_PROBLEM = 5


def say(text: str = "") -> None:
    """Writes a line of the demo's own."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def run(words: list[str], environment: Mapping[str, str], *, stdout: int | None = None) -> str:
    """Shows a command and runs it; a failure ends the demo with the command's exit code."""
    words = [_own(words[0]), *words[1:]]
    say(f"\n$ {shlex.join(words)}")
    done = subprocess.run(words, env=environment, check=False, stdout=stdout or sys.stderr, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return (done.stdout or "").strip()


class GrantsSeen:
    """Asks the ResourceManager, while the job runs, which nodes have GPUs in use, and remembers the most of each."""

    def __init__(self, cluster: Cluster) -> None:
        self._url = f"{cluster.resourcemanager_url}/ws/v1/cluster/nodes?states=RUNNING"
        self._total = {node.address: len(node.gpu_uuids) for node in cluster.nodes}
        self._most: dict[str, int] = {}
        self._stop = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watches for the time of a `with` block."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def lines(self) -> list[str]:
        """Returns what was seen, a line a node."""
        return [f"{node}  {GPU} {used} of {self._total.get(node, 0)} in use" for node, used in sorted(self._most.items()) if used]

    def _watch(self) -> None:
        while not self._stop.wait(0.3):
            with urllib.request.urlopen(self._url, timeout=5) as answer:
                for node in json.load(answer)["nodes"]["node"]:
                    self._most[node["nodeHostName"]] = max(self._most.get(node["nodeHostName"], 0), _gpus(node["usedResource"]))


def _gpus(resource: Mapping[str, Any]) -> int:
    entries = resource["resourceInformations"]["resourceInformation"]
    return sum(entry["value"] for entry in entries if entry["name"] == GPU)


def classify(cluster: Cluster, environment: Mapping[str, str]) -> None:
    """Prepares the digits, trains, submits the job and shows its result."""
    mnist = f"{cluster.namenode_uri}/mnist"
    output = f"{mnist}/predictions-{time.strftime('%H%M%S')}"
    if not _exists(f"{mnist}/model.npz"):
        run(["python", str(HERE / "prepare.py"), "--output", mnist], environment)
        run(["python", str(HERE / "train.py"), "--input", mnist, "--model", f"{mnist}/model.npz"], environment)
    job = [str(HERE / "classify.py"), "--input", f"{mnist}/test", "--model", f"{mnist}/model.npz", "--output", output]
    grants = GrantsSeen(cluster)
    with grants.watching():
        application = run(["submit", "run", "--name", "mnist", *DEVICES, *job], environment, stdout=subprocess.PIPE)
    _show_result(output, grants)
    _show_next(application, output, cluster)


def _exists(uri: str) -> bool:
    filesystem, path = treadle.open_filesystem(uri)
    return bool(filesystem.get_file_info(path).type.name != "NotFound")


def _show_result(output: str, grants: GrantsSeen) -> None:
    filesystem, path = treadle.open_filesystem(f"{output}/_summary.json")
    with filesystem.open_input_stream(path) as file:
        summary = json.loads(file.read())
    say(f"\naccuracy    {summary['accuracy']:.2%} of {summary['images']:,} test images")
    say(f"throughput  {summary['images_per_second']:,.0f} images per second")
    for line in grants.lines():
        say(f"granted     {line} (ResourceManager, while the job ran)")
    say(f"output      {output}")


def _show_next(application: str, output: str, cluster: Cluster) -> None:
    say("\nTry next, with the cluster up (make demo KEEP=1):")
    say(f'  eval "$({_own("python")} -m minicluster env)"')
    say(f"  {_own('submit')} run {shlex.join(DEVICES)} -- sh -c 'echo $RANK $CUDA_VISIBLE_DEVICES'")
    say(f"  yarn application -status {application}")
    say(f"  hdfs dfs -ls {output}")
    say(f"  {cluster.resourcemanager_url}/cluster")


def _own(program: str) -> str:
    return os.path.relpath(Path(sys.executable).parent / program)


def main() -> int:
    """Returns 0, or the exit code of the step that failed."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the cluster up")
    keep = parser.parse_args().keep
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    begin = time.monotonic()
    say(f"$ {_own('python')} -m minicluster up --nodes 2 --gpus 2")
    try:
        cluster = up(ClusterSpec(gpus=(2, 2)), WORK)
    except (ConfigError, ClusterError) as error:
        _explain(error)
        return ENVIRONMENT_PROBLEM
    try:
        classify(cluster, {**os.environ, **cluster.environment()})
        say(f"\ndone in {time.monotonic() - begin:.0f} s")
    finally:
        if keep:
            say(f"The cluster is up in {WORK}; end it with: make down")
        else:
            cluster.down()
            say("The cluster is down.")
    return 0


def _explain(error: ConfigError | ClusterError) -> None:
    if isinstance(error, ClusterError):
        say(f"{error.log_tail}\nerror: {error.cause}\nremedy: {error.remedy}".lstrip())
        return
    for problem in error.problems:
        say(f"error: {problem.cause}\nremedy: {problem.remedy}")


if __name__ == "__main__":
    sys.exit(main())
