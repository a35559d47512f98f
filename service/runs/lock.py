"""The lock on a home folder, for one process at a time, and what a process hears that may not run the engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO


class AlreadyRunning(Exception):
    """Another process runs the engine on this home folder."""


class Parked(BaseException):
    """This process releases a run; the journal keeps it as it is, for the next start or another replica.

    Not an Exception, so that nothing on the way records it as a failure.
    """


class SlotLost(Exception):
    """Another process has this one's place among the replicas: its connection to the database was lost for too long."""


class HomeLock:
    """A lock on the home folder: the embedded engine is for one process. Released by the system when we die."""

    def __init__(self, home: Path) -> None:
        self._path = home / "engine.lock"
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Take the lock; False if another process has it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = open(self._path, "a+", opener=_for_its_owner)  # noqa: SIM115 - held as long as the lock is
        if not _lock(file):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _lock(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
