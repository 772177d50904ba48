"""Node-wide leases of devices, for nodes where YARN does not isolate them: one lock file per device, held by the kernel (`flock`).

A lease ends when its last holder closes the file or dies, by whatever means: no pid that could be reused, no file to clean up. Slot
processes inherit the descriptors, so that a device is not given away while a slot of a killed TaskManager still uses it.
"""

from __future__ import annotations

import fcntl
import getpass
import logging
import os
import re
from pathlib import Path
from types import TracebackType

from drivers.device import DriverError

logger = logging.getLogger(__name__)

_SHARED_DIRECTORY, _SHARED_FILE = 0o1777, 0o666
_HOLDER_BYTES = 200


class Leases:
    """The leases of this process.

    Args:
        directory: `treadle.lease.directory`, the same for every user of the node; made if missing.
        holder: who this is, for those who find a device taken: the container's id.
    """

    def __init__(self, directory: Path, holder: str) -> None:
        self._directory, self._holder = directory, holder
        self._descriptors: dict[str, int] = {}

    def __enter__(self) -> Leases:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def take(self, key: str) -> str | None:
        """Takes the lease of a device; returns None when it is ours now, else who holds it.

        Raises:
            DriverError: when the lease directory can't be used.
        """
        if key in self._descriptors:
            return None
        descriptor = self._open(self._directory / f"{_file_name(key)}.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, _HOLDER_BYTES, 0).decode(errors="replace").strip()
            os.close(descriptor)
            return holder or "a process that did not say who it is"
        self._descriptors[key] = descriptor
        self._sign(descriptor)
        return None

    def descriptors(self) -> tuple[int, ...]:
        """Returns the descriptors that hold the leases, to be inherited by whoever uses the devices."""
        return tuple(self._descriptors.values())

    def close(self) -> None:
        """Gives up this process's share of every lease."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()

    def _open(self, path: Path) -> int:
        try:
            self._make_directory()
            return _open_existing(path) if path.exists() else _create(path)
        except OSError as error:
            raise DriverError(
                f"the device leases in {self._directory} can't be used: {error.strerror} ({error.filename})",
                "make that directory writable for all users (mode 1777, space left), or set treadle.lease.directory to one that is",
            ) from error

    def _make_directory(self) -> None:
        if not self._directory.is_dir():
            self._directory.mkdir(parents=True, exist_ok=True)
            self._directory.chmod(_SHARED_DIRECTORY)  # mkdir's own mode is cut by the umask

    def _sign(self, descriptor: int) -> None:
        """Says who holds the lease, for information only: another user's file, or a full disk, does not matter."""
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{self._holder} (pid {os.getpid()}, user {getpass.getuser()})\n".encode(), 0)
        except OSError as error:
            logger.info("Could not sign a lease: %s", error.strerror)


def _open_existing(path: Path) -> int:
    """Opens without O_CREAT, which `fs.protected_regular` forbids for others' files in a sticky directory; flock needs no write access."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, os.O_RDWR | flags)
    except PermissionError:
        return os.open(path, os.O_RDONLY | flags)


def _create(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _SHARED_FILE)
    except FileExistsError:
        return _open_existing(path)
    os.fchmod(descriptor, _SHARED_FILE)
    return descriptor


def _file_name(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", lambda found: f"%{ord(found[0]):02x}", key)
