"""Node-wide leases of devices, for nodes where YARN does not isolate them: one lock file per device, held by the kernel (`flock`).

A lease ends when its last holder closes the file or dies, by whatever means: no pid that could be reused, no file to clean up. Slot
processes inherit the descriptors, so that a device is not given away while a slot of a killed TaskManager still uses it.
"""

from __future__ import annotations

import errno
import fcntl
import getpass
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from drivers.device import DriverError

logger = logging.getLogger(__name__)

_SHARED_DIRECTORY, _SHARED_FILE = 0o1777, 0o666
_HOLDER_BYTES = 200

TURN = "turn"
"""The file whose lock is held by who is taking leases just now; a device's file ends in `.lock`."""

TURN_LIMIT_S = 10.0
"""Seconds that a turn may be waited for; it takes milliseconds, unless its holder was stopped in the midst of it."""

_TURN_POLL_S = 0.005


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

    @contextmanager
    def turn(self, limit_s: float = TURN_LIMIT_S) -> Iterator[None]:
        """While it lasts no other TaskManager of this node takes leases: two that need the last two devices would get one each.

        Args:
            limit_s: seconds that the turn may be waited for.

        Raises:
            DriverError: when the lease directory can't be used, or somebody's turn does not end.
        """
        deadline = time.monotonic() + limit_s
        while isinstance(lock := self._lock(TURN), str):
            # flock can wait, but not with a limit
            if time.monotonic() > deadline:
                cause = f"{lock} has been taking leases in {self._directory} for {limit_s:g} s, and keeps others from it"
                raise DriverError(cause, "It is stopped or hangs: end that process.")
            time.sleep(_TURN_POLL_S)
        try:
            self._sign(lock)
            yield
        finally:
            os.close(lock)

    def take(self, key: str) -> str | None:
        """Takes the lease of a device; returns None when this call has made it ours, else who holds it, which may be this process.

        Raises:
            DriverError: when the lease directory can't be used.
        """
        if self.holds(key):
            return f"another resource of {self._holder}"
        lock = self._lock(f"{quote(key, safe='')}.lock")
        if isinstance(lock, str):
            return lock
        self._descriptors[key] = lock
        self._sign(lock)
        return None

    def holds(self, key: str) -> bool:
        """Whether this process has leased the device."""
        return key in self._descriptors

    def give_back(self, keys: Sequence[str]) -> None:
        """Ends some leases of this process."""
        for key in keys:
            os.close(self._descriptors.pop(key))

    def descriptors(self) -> tuple[int, ...]:
        """Returns the descriptors that hold the leases, to be inherited by whoever uses the devices."""
        return tuple(self._descriptors.values())

    def close(self) -> None:
        """Gives up this process's share of every lease."""
        self.give_back(tuple(self._descriptors))

    def _lock(self, name: str) -> int | str:
        """Returns a descriptor that holds the lock, or who holds it."""
        try:
            self._make_directory()
            return _lock(self._directory / name)
        except OSError as error:
            cause = f"the device leases in {self._directory} can't be used: {error.strerror} ({error.filename or name})"
            raise DriverError(cause, _remedy(error, self._directory / name)) from error

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


def _remedy(error: OSError, path: Path) -> str:
    elsewhere = "or set treadle.lease.directory to another one"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"free some space and inodes there, {elsewhere}"
    if os.path.lexists(path):
        return f"delete {path} while no application runs on this node (it has to be a file that everybody may read), {elsewhere}"
    return f"make it a directory that all users may write to (mode 1777), {elsewhere}"


def _lock(path: Path) -> int | str:
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
    # nothing but a file belongs there, yet anybody may have put a pipe there, on which an open without O_NONBLOCK would wait
    flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
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
