"""Judges what a probe brought back: how its application ended, what its slot reported, what its TaskManager said. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from client.doctor.finding import FAILURE, OK, WARNING, Finding
from client.yarn.cluster import ApplicationReport
from client.yarn.master_failure import outcome_of
from protocol.outcome import SUCCEEDED

CHECK = "probe"

_GPU = "gpu"


def judge(report: ApplicationReport, node: Mapping[str, Any] | None, words: Sequence[str], asked: Sequence[str]) -> Iterator[Finding]:
    """Yields what is to be said.

    Args:
        report: YARN's, at the end.
        node: what the slot wrote (`treadle.node_report.report`), None when nothing of it was found.
        words: lines of the logs.
        asked: names of the external resources that were asked for, one device of each.
    """
    outcome = outcome_of(report.final_status, report.diagnostics)
    if outcome.status != SUCCEEDED:
        cause = f"{report.id} ended {outcome.status}: {' '.join(outcome.diagnostics.split()) or 'without a word'}"
        yield Finding(CHECK, FAILURE, cause, f"`submit logs {report.id} --all` shows what its processes wrote")
        return
    if node is None:
        text = f"{report.id} succeeded, and its report is not among its logs"
        yield Finding(CHECK, WARNING, text, f"`submit logs {report.id}` may find it later")
        return
    yield Finding(CHECK, OK, f"{report.id} ran on {node['node']} ({node['system']})")
    yield Finding(CHECK, OK, f"Python {node['python']}, {node['executable']}")
    for name in asked:
        yield _devices(name, node["devices"].get(name) or [], words)
    if any(_GPU in name for name in asked) or node["smi"]:
        yield from _gpus(node)


def _devices(name: str, found: Sequence[Mapping[str, str]], words: Sequence[str]) -> Finding:
    if found:
        told = "; ".join(" ".join(f"{key}={value}" for key, value in device.items()) for device in found)
        return Finding(CHECK, OK, f"{name}: found {told}")
    why = next((line.partition("Going on with ")[2] for line in words if "Going on with " in line), "")
    text = f"{name}: granted by YARN, and the driver found none" + (f" ({why.partition(': ')[2]})" if why else "")
    return Finding(CHECK, FAILURE, text, f"mend the node, or give another driver: -D external-resource.{name}.driver-factory.class=…")


def _gpus(node: Mapping[str, Any]) -> Iterator[Finding]:
    if not node["smi"]:
        files = f"; {', '.join(node['device_files'])} are there" if node["device_files"] else "; there is no /dev/nvidia0 either"
        remedy = "install NVIDIA's driver there, or put nvidia-smi on the containers' PATH (yarn.nodemanager.admin-env)"
        yield Finding(CHECK, WARNING, f"no nvidia-smi on the PATH of {node['node']}{files}", remedy)
        return
    for error in node["errors"]:
        yield Finding(CHECK, WARNING, f"{node['smi']} says: {error}", "run it on the node as the user that containers run as")
    for gpu in node["gpus"]:
        text = "GPU {index} {name} ({uuid}), driver {driver_version}, {memory.used} of {memory.total} MiB used"
        for key, value in gpu.items():
            text = text.replace(f"{{{key}}}", value)
        yield Finding(CHECK, OK, text)
    if len(node["gpus"]) > 1:
        text = (
            f"nvidia-smi shows {len(node['gpus'])} GPUs in a container that was granted 1: YARN does not isolate them, Treadle's leases do"
        )
        yield Finding(CHECK, OK, text)
    for process in node["processes"]:
        text = f"{process['process_name']} (pid {process['pid']}) uses {process['gpu_uuid']}, {process['used_memory']} MiB"
        yield Finding(CHECK, WARNING, text, "it was not started by this probe: see whose it is on the node")
