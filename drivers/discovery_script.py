"""The drivers that run a program to find devices: any script (`discovery-script`), and Flink's GPU driver under its own class name."""

from __future__ import annotations

import logging
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from drivers.device import DriverError, FoundDevice
from drivers.listing_health import ListingHealth
from drivers.script_gpu_uuids import gpu_uuids
from drivers.script_output import ScriptOutput
from drivers.script_process import HEAD_BYTES, Ended, Output, run_to_end

logger = logging.getLogger(__name__)

PATH = "discovery-script.path"
ARGUMENTS = "discovery-script.args"
TIMEOUT = "discovery-script.timeout"
VISIBILITY = "visibility-variable"
HEALTH = "discovery-script.health"
KNOWN = (PATH, ARGUMENTS, TIMEOUT, VISIBILITY, HEALTH)

SHIPPED_SCRIPT = Path(__file__).with_name("nvidia-gpu-discovery.sh")
PROPERTIES_WANTED = "TREADLE_DISCOVERY_PROPERTIES"
"""Environment variable, `1` in the script: it may print properties (see `drivers.script_output`)."""

HEALTH_RUN = "TREADLE_DISCOVERY_HEALTH"
"""Environment variable, `1` in a script that is run to learn which devices are there: it lists all, in use or not, and takes none."""

TAKEN = 75
"""Exit code of a script whose devices others use just now: EX_TEMPFAIL of sysexits.h. It is asked again, as `Driver.busy` says."""

COORDINATION = {"--enable-coordination-mode", "--enable-coordination"}
"""Words among a script's arguments that have it write into Flink's coordination file."""

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
            `discovery-script.health`: whether the script is run again, to watch the devices; default `true` for the shipped script only,
            since one written for Flink may leave out devices in use, or take more of them.

    Attributes:
        remarks: the end of what the script said on stderr the last time, though it succeeded.
        busy: whether it exited with 75 the last time.

    Raises:
        DriverError: on construction, when a parameter is unknown or malformed, or the script can't be run.
    """

    def __init__(self, params: Mapping[str, str]) -> None:
        if unknown := sorted(params.keys() - set(KNOWN)):
            raise DriverError(f"the discovery-script driver has no parameter {', '.join(unknown)}", f"it takes {', '.join(KNOWN)}")
        self.remarks, self.busy = "", False
        self._listed: dict[str, None] = {}
        self._uuids: dict[str, str] = {}
        self._script = _script(params[PATH]) if PATH in params else _runnable(SHIPPED_SCRIPT)
        self._arguments = _arguments(params.get(ARGUMENTS, ""))
        self._timeout = _seconds(params.get(TIMEOUT, "10 s"))
        self._variable = _variable(params.get(VISIBILITY, self._default_variable(params)))
        self._amount = 1
        watched = _truth(HEALTH, params.get(HEALTH, "false" if PATH in params else "true"))
        self._health = ListingHealth(self._there, f"{self._script} does not list it any more") if watched else None

    @staticmethod
    def _default_variable(params: Mapping[str, str]) -> str:
        return "" if PATH in params else CUDA_VARIABLE

    def discover(self, amount: int) -> Sequence[FoundDevice]:
        """Returns the devices that the script lists when asked for `amount`, in its order: perhaps more, fewer or none.

        GPUs (what `CUDA_VISIBLE_DEVICES` shows) that it gives by number only get their UUIDs from nvidia-smi: other drivers lease by these.

        Raises:
            DriverError: when the script can't be started, fails, or takes too long.
        """
        if amount <= 0:
            raise ValueError(f"the amount of devices to discover must be positive, not {amount}")
        self._amount = amount
        output = ScriptOutput.parse(self._output_of([str(self._script), str(amount), *self._arguments]))
        self._listed.update(dict.fromkeys(output.indices))
        devices = self._with_uuids(output).devices(self._variable)
        logger.info("Discovered with %s: %s", self._script, ", ".join(device.uuid for device in devices) or "nothing")
        return devices

    def health(self, device_uuid: str) -> str | None:
        """Returns None for a device that a script, run again, lists; or once does not. Without `discovery-script.health`: None.

        Raises:
            DriverError: when the script fails.
        """
        return self._health.of(device_uuid) if self._health else None

    def _there(self) -> set[str]:
        command = [str(self._script), str(self._amount), *self._arguments]
        output = ScriptOutput.parse(self._output_of(command, {HEALTH_RUN: "1"}))
        # a device whose UUID could not be told when it was found is held by its index
        return {device.uuid for device in self._with_uuids(output).devices(self._variable)} | set(output.indices)

    def _with_uuids(self, output: ScriptOutput) -> ScriptOutput:
        if self._variable != CUDA_VARIABLE or not output.bare():
            return output
        self._uuids.update(gpu_uuids(os.environ, self._timeout))
        return output.with_uuids(self._uuids)

    def release(self, device_uuids: Sequence[str]) -> None:
        """Removes this process's rows from Flink's coordination file, those of listed devices that were not leased in the end included.

        Raises:
            DriverError: when that fails; the rows are then reclaimed as a dead owner's.
        """
        if self._listed and COORDINATION.intersection(self._arguments):
            # Flink's own script can't
            self._output_of([str(SHIPPED_SCRIPT), "0", *self._arguments, "--release", ",".join(self._listed)])

    def _output_of(self, command: Sequence[str], environment: Mapping[str, str] = MappingProxyType({})) -> str:
        logger.debug("Running %s within %g s", shlex.join(command), self._timeout)
        try:
            ended = run_to_end(command, {**os.environ, PROPERTIES_WANTED: "1", **environment}, self._timeout)
        except OSError as error:
            raise DriverError(
                f"cannot start the discovery script {self._script}: {error.strerror}",
                "Check the interpreter in its first line, and that its file system is not mounted noexec.",
            ) from error
        self._check(ended, shlex.join(command))
        before, self.remarks = self.remarks, ended.stderr.end()
        if self.remarks and self.remarks != before:
            logger.info("The discovery script said on stderr:\n%s", self.remarks)
        if ended.stdout.is_cut():
            logger.warning("The discovery script printed %d bytes, of which %d were read", ended.stdout.size, HEAD_BYTES)
        return ended.stdout.beginning()

    def _check(self, ended: Ended, command: str) -> None:
        self.busy = ended.code == TAKEN
        detail = "\n".join(_told("stderr", ended.stderr) + _told("stdout", ended.stdout))
        if ended.code is None:
            remedy = f"Run it on the node by hand to see where it hangs, or raise param.{TIMEOUT}."
            raise DriverError(f"the discovery script took longer than {self._timeout:g} s and was killed: {command}", remedy, detail)
        if self.busy:
            remedy = f"Wait for their end (exit code {TAKEN} says that the devices are there), or lower the amount. Its own words follow."
            raise DriverError(f"the discovery script says that others use the devices: {command}", remedy, detail)
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
        remedy = (
            f"Correct param.{PATH}, or leave it out for the shipped script for NVIDIA's GPUs; a relative path is found in FLINK_HOME if "
            "that is set, else in the working directory."
        )
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


def _truth(key: str, text: str) -> bool:
    word = text.strip().lower()
    if word not in {"true", "false"}:
        raise DriverError(f"param.{key} is unknown: {text!r}", "Write true or false.")
    return word == "true"
