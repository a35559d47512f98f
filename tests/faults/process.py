"""Runs the real command line in processes forked from one warm interpreter; one can be made to die at its n-th call.

As a module it is the parent: `Launcher`. As a program it is the interpreter that forks: it reads one JSON order a line,
forks, answers with the child's id, waits for the child and answers with how it ended. A child is a process like any
other; what is saved is only the second that importing takes.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.warm import warm

ROOT = Path(__file__).parents[2]

Moment = Literal["before", "answered"]
"""When a process dies at a call: before it is sent, or when its answer is there and nothing was made of it."""


@dataclass(frozen=True)
class Death:
    """The call at which a process kills itself, counted from 1, and on which side of it."""

    at: int
    moment: Moment


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative: the signal), and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Launcher:
    """Starts commands, one after the other, each in a process of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._out, self._err = folder / "stdout", folder / "stderr"
        self._environment = dict(environment)
        self._parent = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.faults.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def close(self) -> None:
        """End the warm interpreter."""
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.close()
        self._parent.wait(timeout=300)
        self._parent.stdout.close()

    def run(
        self,
        *arguments: object,
        stdin: str = "",
        death: Death | None = None,
        watch: Callable[[], bool] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run a command to its end. `watch` is asked all the time; when it says yes, the process is killed."""
        order = {
            "argv": [str(argument) for argument in arguments],
            "env": {**self._environment, **(settings or {})},
            "out": str(self._out),
            "err": str(self._err),
            "stdin": stdin,
            "death": [death.at, death.moment] if death else None,
        }
        assert self._parent.stdin
        self._parent.stdin.write(json.dumps(order) + "\n")
        self._parent.stdin.flush()
        child = int(self._line())
        with _killed_when(child, watch):
            code = int(self._line())
        return Ended(code, self._out.read_text(), self._err.read_text())

    def _line(self) -> str:
        assert self._parent.stdout
        line = self._parent.stdout.readline()
        if not line:
            raise RuntimeError("the warm interpreter is gone")
        return line


@contextlib.contextmanager
def _killed_when(child: int, watch: Callable[[], bool] | None) -> Iterator[None]:
    """Kill the child as soon as `watch` says so. It is not waited for yet, so the id is still its own."""
    if watch is None:
        yield
        return
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.005):
            if watch():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                return

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


# -- the warm interpreter ------------------------------------------------------------------------------------------


def _main() -> None:
    warm()
    gc.collect()
    gc.freeze()  # a forked process need not look through, and so copy, what was there before it
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(order: dict[str, Any]) -> None:
    """In the child: take the order's environment and streams, and be the command line."""
    for name in [name for name in os.environ if name.startswith("PHASELOOP_")]:
        del os.environ[name]
    os.environ.update(order["env"])
    reading, writing = os.pipe()
    os.write(writing, order["stdin"].encode())
    os.close(writing)
    os.dup2(reading, 0)
    for stream, target in ((1, order["out"]), (2, order["err"])):
        opened = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, stream)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as the process lives
    sys.argv = ["phaseloop", *order["argv"]]
    if order["death"] is not None:
        at, moment = order["death"]
        die_at(Death(at, moment))
    from service.cli.main import main

    code: int | str | None = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def die_at(death: Death) -> None:
    """Have this process killed, as by the system, at its n-th call over HTTP. Both clients' transports are wrapped."""
    import httpx
    from requests.adapters import HTTPAdapter

    lock = threading.Lock()
    calls = 0

    def wrapped(send: Callable[..., Any], read: Callable[[Any], object]) -> Callable[..., Any]:
        def sent(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            with lock:
                calls += 1
                mine = calls == death.at
                if mine and death.moment == "before":
                    os.kill(os.getpid(), signal.SIGKILL)
            answer = send(*arguments, **named)
            if mine:
                read(answer)
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return sent

    HTTPAdapter.send = wrapped(HTTPAdapter.send, lambda answer: answer.content)  # type: ignore[method-assign]
    transport = httpx.HTTPTransport
    transport.handle_request = wrapped(transport.handle_request, lambda answer: answer.read())  # type: ignore[method-assign]


if __name__ == "__main__":
    _main()
