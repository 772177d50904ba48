"""The drivers that run a program to find devices: any script (`discovery-script`), and Flink's GPU driver under its own class name."""

from __future__ import annotations

import logging
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from drivers.device import DriverError, FoundDevice
from drivers.script_output import ScriptOutput
from drivers.script_process import HEAD_BYTES, Ended, Output, run_to_end

logger = logging.getLogger(__name__)

PATH = "discovery-script.path"
ARGUMENTS = "discovery-script.args"
TIMEOUT = "discovery-script.timeout"
VISIBILITY = "visibility-variable"
KNOWN = (PATH, ARGUMENTS, TIMEOUT, VISIBILITY)

SHIPPED_SCRIPT = Path(__file__).with_name("nvidia-gpu-discovery.sh")
PROPERTIES_WANTED = "TREADLE_DISCOVERY_PROPERTIES"
"""Environment variable, `1` in the script: it may print properties (see `drivers.script_output`)."""

CUDA_VARIABLE = "CUDA_VISIBLE_DEVICES"
LONGEST_TIMEOUT = 3600.0
_SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "min": 60.0}
_DURATION = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?)\s*(?P<unit>ms|s|min|)")


class DiscoveryScriptDriver:
    """Runs a script with the amount and the configured arguments; it prints the devices' indices in one line, joined by commas.

    The protocol is that of Flink's GPU driver (`GPUDriver`), so its users' scripts run unchanged. The script is a direct child of the
    TaskManager: Flink's coordination file records a script's parent as the owner of devices.

    Args:
        params: all optional. `discovery-script.path`: default the shipped script for NVIDIA's GPUs; a relative one is found in FLINK_HOME
            if that is set, else in the working directory. `discovery-script.args`: words as a shell splits them.
            `discovery-script.timeout`: default 10 s, Flink's fixed limit; a number without a unit means seconds. `visibility-variable`: the
            environment variable that shows a process its devices, blank for none; default CUDA_VISIBLE_DEVICES for the shipped script.

    Attributes:
        remarks: the end of what the script said on stderr the last time, though it succeeded.

    Raises:
        DriverError: on construction, when a parameter is unknown or malformed, or the script can't be run.
    """

    def __init__(self, params: Mapping[str, str]) -> None:
        if unknown := sorted(params.keys() - set(KNOWN)):
            raise DriverError(f"the discovery-script driver has no parameter {', '.join(unknown)}", f"it takes {', '.join(KNOWN)}")
        self.remarks = ""
        self._script = _script(params[PATH]) if PATH in params else _runnable(SHIPPED_SCRIPT)
        self._arguments = _arguments(params.get(ARGUMENTS, ""))
        self._timeout = _seconds(params.get(TIMEOUT, "10 s"))
        self._variable = _variable(params.get(VISIBILITY, self._default_variable(params)))

    @staticmethod
    def _default_variable(params: Mapping[str, str]) -> str:
        return "" if PATH in params else CUDA_VARIABLE

    def discover(self, amount: int) -> Sequence[FoundDevice]:
        """Returns the devices that the script lists when asked for `amount`, in its order: perhaps more, fewer or none.

        Raises:
            DriverError: when the script can't be started, fails, or takes too long.
        """
        if amount <= 0:
            raise ValueError(f"the amount of devices to discover must be positive, not {amount}")
        devices = ScriptOutput.parse(self._output_of([str(self._script), str(amount), *self._arguments])).devices(self._variable)
        logger.info("Discovered with %s: %s", self._script, ", ".join(device.uuid for device in devices) or "nothing")
        return devices

    def _output_of(self, command: Sequence[str]) -> str:
        logger.debug("Running %s within %g s", shlex.join(command), self._timeout)
        try:
            ended = run_to_end(command, os.environ | {PROPERTIES_WANTED: "1"}, self._timeout)
        except OSError as error:
            raise DriverError(
                f"cannot start the discovery script {self._script}: {error.strerror}",
                "Check the interpreter in its first line, and that its file system is not mounted noexec.",
            ) from error
        self._check(ended, shlex.join(command))
        self.remarks = ended.stderr.end()
        if self.remarks:
            logger.info("The discovery script said on stderr:\n%s", self.remarks)
        if ended.stdout.is_cut():
            logger.warning("The discovery script printed %d bytes, of which %d were read", ended.stdout.size, HEAD_BYTES)
        return ended.stdout.beginning()

    def _check(self, ended: Ended, command: str) -> None:
        detail = "\n".join(_told("stderr", ended.stderr) + _told("stdout", ended.stdout))
        if ended.code is None:
            remedy = f"Run it on the node by hand to see where it hangs, or raise param.{TIMEOUT}."
            raise DriverError(f"the discovery script took longer than {self._timeout:g} s and was killed: {command}", remedy, detail)
        if ended.code != 0:
            how = f"exited with {ended.code}" if ended.code > 0 else f"was ended by signal {-ended.code}"
            raise DriverError(f"the discovery script {how}: {command}", "Its own words follow; run it on the node by hand.", detail)
        if ended.stdout.is_cut() and "\n" not in ended.stdout.beginning():
            remedy = "It has to print the indices in one line, joined by commas, and everything else on stderr."
            raise DriverError(f"the discovery script's first line is longer than {HEAD_BYTES} bytes: {command}", remedy, detail)


class GpuDiscoveryScriptDriver(DiscoveryScriptDriver):
    """Flink's GPU driver: whatever its script is, the devices are for CUDA."""

    @staticmethod
    def _default_variable(params: Mapping[str, str]) -> str:
        return CUDA_VARIABLE


def _told(name: str, output: Output) -> list[str]:
    return [f"{name}:", output.end()] if output.end() else []


def _script(text: str) -> Path:
    if not text.strip():
        raise DriverError(f"param.{PATH} is blank", "Name a script, or leave the key out for the shipped one for NVIDIA's GPUs.")
    return _runnable(Path(os.environ.get("FLINK_HOME", ""), text.strip()).absolute())


def _runnable(path: Path) -> Path:
    if not path.exists():
        remedy = f"Correct param.{PATH}; a relative path is found in FLINK_HOME if that is set, else in the working directory."
        raise DriverError(f"the discovery script {path} does not exist on this node", remedy)
    if not path.is_file():
        raise DriverError(f"the discovery script {path} is not a file", f"Name the script itself in param.{PATH}.")
    if not os.access(path, os.X_OK):
        raise DriverError(f"the discovery script {path} is not executable", f"chmod +x {shlex.quote(str(path))}")
    return path


def _arguments(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise DriverError(f"param.{ARGUMENTS} can't be split into words: {text!r}: {error}", "Close each quotation.") from error


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match["number"]) * _SECONDS[match["unit"]] if match else 0.0
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise DriverError(f"param.{TIMEOUT} is not a time limit: {text!r}", "Write one up to 60 min, such as 500 ms, 10 s or 1 min.")
    return seconds


def _variable(text: str) -> str | None:
    if text.strip() and not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", text.strip()):
        raise DriverError(
            f"param.{VISIBILITY} is no name of an environment variable: {text!r}",
            f"Letters, digits and '_', such as {CUDA_VARIABLE}; blank for none.",
        )
    return text.strip() or None
