"""Node-wide leases of devices, for nodes where YARN does not isolate them: one lock file per device, held by the kernel (`flock`).

A lease ends when its last holder closes the file or dies, by whatever means: no pid that could be reused, no file to clean up. Slot
processes inherit the descriptors, so that a device is not given away while a slot of a killed TaskManager still uses it.
"""

from __future__ import annotations

import fcntl
import getpass
import logging
import os
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

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
        """Takes the lease of a device; returns None when this call has made it ours, else who holds it, which may be this process.

        Raises:
            DriverError: when the lease directory can't be used.
        """
        if key in self._descriptors:
            return f"another resource of {self._holder}"
        try:
            self._make_directory()
            lock = _lock(self._directory / f"{quote(key, safe='')}.lock")
        except OSError as error:
            raise DriverError(
                f"the device leases in {self._directory} can't be used: {error.strerror} ({error.filename or key})",
                "make that directory writable for all users (mode 1777, space left), or set treadle.lease.directory to one that is",
            ) from error
        if isinstance(lock, str):
            return lock
        self._descriptors[key] = lock
        self._sign(lock)
        return None

    def descriptors(self) -> tuple[int, ...]:
        """Returns the descriptors that hold the leases, to be inherited by whoever uses the devices."""
        return tuple(self._descriptors.values())

    def close(self) -> None:
        """Gives up this process's share of every lease."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()

    def _make_directory(self) -> None:
        if not self._directory.is_dir():
            self._directory.mkdir(parents=True, exist_ok=True)
            self._directory.chmod(_SHARED_DIRECTORY)  # mkdir's own mode is cut by the umask

    def _sign(self, descriptor: int) -> None:
        """Says who holds the lease, for information only: another user's file, or a full disk, does not matter."""
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{self._holder} (pid {os.getpid()}, user {getpass.getuser()})\n".encode(), 0)
        except (OSError, KeyError) as error:  # KeyError: before Python 3.13, a user id that has no name on this node
            logger.info("Could not sign a lease: %s", error)


def _lock(path: Path) -> int | str:
    """Returns a descriptor that holds the lock, or who holds it."""
    with ExitStack() as opened:
        descriptor = _open(path)
        opened.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.pread(descriptor, _HOLDER_BYTES, 0).decode(errors="replace").strip() or "a process that did not say who it is"
        if _is_at(path, descriptor):
            opened.pop_all()
            return descriptor
    # who tidies up old files has removed this one since it was opened: its lock keeps nobody out
    return _lock(path)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _open(path: Path) -> int:
    """Opens without O_CREAT, which `fs.protected_regular` forbids for others' files in a sticky directory; flock needs no write access."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, os.O_RDWR | flags)
    except PermissionError:
        return os.open(path, os.O_RDONLY | flags)
    except FileNotFoundError:
        _create(path)
        return _open(path)


def _create(path: Path) -> None:
    """Makes the file appear with its mode, which the umask would cut: another user may open it the moment it is there."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".") as new, suppress(FileExistsError):
        os.fchmod(new.fileno(), _SHARED_FILE)
        os.link(new.name, path)
