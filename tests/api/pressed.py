"""Servers that die at a chosen moment of a request, as processes of their own: one process imports once, and forks for
every server. They serve the product as it is, but for an engine that does nothing unless it is asked for, so that what
a request did stays as it is and can be compared."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import Connection, event
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.warm import warm

ROOT = Path(__file__).parents[2]
_PID = struct.Struct("i")

AT_ANSWER = -1


class Stable:
    """The process that imports and forks. Use as a context manager."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PHASELOOP_")}
        command = [sys.executable, "-m", "tests.api.pressed", str(theirs.fileno())]
        self._socket = ours
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT, env=clean)
        theirs.close()

    def __enter__(self) -> Stable:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.wait(20)

    @contextmanager
    def server(self, home: Path, die_at: int = 0, *, working: bool = False) -> Iterator[str]:
        """The address of a server on this home folder. It kills itself in a request that carries an idempotency key:
        right before the `die_at`-th commit of something written, if there are so many, or with `AT_ANSWER` right before
        the answer is sent. Its engine works only if it is `working`. At the end it is gone, killed if need be."""
        listener = socket.create_server(("127.0.0.1", 0))
        told, telling = os.pipe()
        order = {"home": str(home), "die_at": die_at, "working": working}
        socket.send_fds(self._socket, [json.dumps(order).encode()], [listener.fileno(), telling])
        os.close(telling)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.close()  # the server's own is open, so clients may connect and wait until it accepts
        pid: int = _PID.unpack(os.read(told, _PID.size))[0]
        try:
            yield address
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            select.select([told], [], [], 20)
            assert os.read(told, 1) == b"", "the server is gone"
            os.close(told)


_armed: ContextVar[bool] = ContextVar("armed", default=False)
"""Whether the present request is one to die in."""


class _Death:
    """Counts the commits of a request, and dies at the chosen one."""

    def __init__(self, at: int) -> None:
        self._at, self._commits = at, 0

    def watch(self, app: ASGIApp, engine: Any) -> ASGIApp:
        """The app, to die in."""

        @event.listens_for(engine, "before_cursor_execute")
        def written(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
            if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
                connection.info["written"] = True

        @event.listens_for(engine, "commit")
        def committing(connection: Connection) -> None:
            if connection.info.pop("written", False) and _armed.get():
                self._commits += 1
                if self._commits == self._at:
                    os.kill(os.getpid(), signal.SIGKILL)

        @event.listens_for(engine, "rollback")
        def back(connection: Connection) -> None:
            connection.info.pop("written", None)

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and any(name == b"idempotency-key" for name, _ in scope["headers"]):
                _armed.set(True)

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start" and _armed.get() and self._at == AT_ANSWER:
                    os.kill(os.getpid(), signal.SIGKILL)
                await send(message)

            await app(scope, receive, sent)

        return watched


def _serve(order: dict[str, Any], listener: socket.socket) -> None:
    from service.app import create_app
    from service.context import open_context
    from service.runs.engine import Engine
    from service.settings import Settings
    from service.usecases.loop.advances import Advancing

    class Idle(Engine):
        """An engine that leaves every run where it is."""

        def launch(self) -> None:
            pass

        def stop(self) -> None:
            pass

        def start(self, workflow: str, partition: str) -> None:
            pass

    settings = Settings(_env_file=None, home=Path(order["home"]), database_url=None, secret_key=None)
    context = open_context(settings)
    app = create_app(context, (Engine if order["working"] else Idle)(context, Advancing()))
    if not order["working"]:
        app.state.hooks.start = lambda: None  # events are left as they are, too
        app.state.notices.start = lambda: None  # and what is to be told
    watched = _Death(order["die_at"]).watch(app, context.database.engine)
    config = uvicorn.Config(watched, log_config=None, lifespan="on")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def main() -> None:
    """Import what a server uses, then fork for each order; a forked process serves until it is killed."""
    warm()
    import service.app  # noqa: F401 - imported once for all

    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        while True:
            message, fds, _flags, _address = socket.recv_fds(orders, 1 << 16, 2)
            if not message:
                return
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if os.fork() == 0:
                os.write(fds[1], _PID.pack(os.getpid()))
                _serve(json.loads(message), socket.socket(fileno=fds[0]))
                os._exit(0)
            for fd in fds:
                os.close(fd)


if __name__ == "__main__":
    main()
