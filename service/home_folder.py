"""The home folder: what is in it is for its owner alone."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

FILES = ("phaseloop.db", "engine.db", "engine.lock", "key")
"""What phaseloop keeps there; databases have files beside them whose names begin with theirs."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def own_folder(home: Path) -> None:
    """Have the folder there, for its owner alone. One that holds other people's files as well is left as it is."""
    if not home.is_dir():
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
    elif all(entry.name.startswith((*FILES, ".key-", ".probe-")) for entry in home.iterdir()):
        _close(home)


def check_writable(home: Path) -> None:
    """Write a little into the folder and take it away again. Raises OSError where that cannot be done, because the disk
    is full or gone, or the folder is not ours."""
    probe = home / f".probe-{os.getpid()}"
    try:
        descriptor = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, bytes(4096))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


def own_files(home: Path) -> None:
    """Have our files in the folder for its owner alone, those that are to be databases before anything is in them: what
    SQLite puts beside a file is as open as the file."""
    for name in ("phaseloop.db", "engine.db"):
        os.close(os.open(home / name, os.O_CREAT | os.O_WRONLY, 0o600))
    for entry in home.iterdir():
        if entry.name.startswith(FILES) and entry.is_file():
            _close(entry)


def _close(path: Path) -> None:
    """Take the rights of others away, where there are any and the path is ours."""
    if not hasattr(os, "getuid"):  # Windows: a folder of a user is that user's there
        return
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS and found.st_uid == os.getuid():
        path.chmod(mode & ~_OTHERS)
