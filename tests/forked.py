"""Commands of ours as processes of their own, without importing everything anew for each: one process imports once, and
forks for every command. What a command does, prints and answers is what it does as `python -m service.cli`."""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.warm import warm

ROOT = Path(__file__).parents[1]
_NUMBER = struct.Struct("i")
_FDS = 4


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Forks:
    """The process that imports and forks. One for each process of tests; safe to be used by several threads."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.forked", str(theirs.fileno())]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PHASELOOP_")}
        environment = {**clean, "PYTHONWARNINGS": "ignore"}
        self._socket = ours
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL
        )
        theirs.close()

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        stdin: str = "",
        timeout: float = 600,
    ) -> Ended:
        """Run `phaseloop ARGUMENTS` in this environment. Raises TimeoutExpired, after having ended it."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin.encode())
            given.flush()
            given.seek(0)
            told, telling = os.pipe()
            try:
                order = {"arguments": list(arguments), "environment": dict(environment)}
                fds = [given.fileno(), out.fileno(), err.fileno(), telling]
                socket.send_fds(self._socket, [json.dumps(order).encode()], fds)
            finally:
                os.close(telling)
            try:
                code = _outcome(told, arguments, timeout)
            finally:
                os.close(told)
            printed = [file.read().decode() for file in (out, err) if file.seek(0) == 0]
        return Ended(code, *printed)


@lru_cache(maxsize=1)
def forks() -> Forks:
    """The one of this process; it ends with it."""
    return Forks()


def _outcome(told: int, arguments: Sequence[str], timeout: float) -> int:
    pid = _number(told, arguments, timeout)
    try:
        return _number(told, arguments, timeout)
    except subprocess.TimeoutExpired:
        os.kill(pid, signal.SIGKILL)
        raise


def _number(told: int, arguments: Sequence[str], timeout: float) -> int:
    ready, _, _ = select.select([told], [], [], timeout)
    if not ready:
        raise subprocess.TimeoutExpired(["phaseloop", *arguments], timeout)
    number: int = _NUMBER.unpack(os.read(told, _NUMBER.size))[0]
    return number


def _serve(connection: socket.socket) -> list[str] | None:
    """Fork for each request until nobody asks any more: None then. In a forked process, its command's arguments."""
    while True:
        message, fds, _flags, _address = socket.recv_fds(connection, 1 << 20, _FDS)
        if not message:
            return None
        while _reaped():
            pass
        if os.fork() == 0:
            return _command(connection, json.loads(message), fds)
        for fd in fds:
            os.close(fd)


def _reaped() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _command(connection: socket.socket, order: dict[str, Any], fds: Sequence[int]) -> list[str]:
    """Fork once more; wait for the command there and tell its pid and its end, and be the command here."""
    connection.close()
    stdin, out, err, telling = fds
    if (pid := os.fork()) != 0:
        os.write(telling, _NUMBER.pack(pid))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(telling, _NUMBER.pack(status))
        os._exit(0)
    for number, fd in enumerate((stdin, out, err)):
        os.dup2(fd, number)
    for fd in fds:
        os.close(fd)
    os.environ.clear()
    os.environ.update(order["environment"])
    arguments: list[str] = order["arguments"]
    return arguments


def main() -> None:
    """Import what commands use, then serve; a forked process continues as its command."""
    warm()
    from service.cli import main as command

    gc.collect()
    gc.freeze()  # a forked process need not look through, and so copy, what was there before it
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        arguments = _serve(connection)
    if arguments is None:
        return
    sys.argv = ["phaseloop", *arguments]
    try:
        command()
    except SystemExit as ended:
        _leave(ended.code)
    _leave(None)


def _leave(code: str | int | None) -> None:
    """End as the interpreter does, but for taking every module down: that takes a forked process half of its time."""
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main()
