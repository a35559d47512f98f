"""A sandbox for tests and benchmarks: a real server in a thread on a free loopback port."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import TracebackType

import uvicorn

from sandbox.app import KEEP_ALIVE, World, create_app, make_world
from sandbox.jira.state import Site, SiteData
from sandbox.slack.state import Slack
from sandbox.trello.state import Trello


class ThreadServer(uvicorn.Server):
    """A server in a thread of a process that outlives it: what is still open when its grace is over is closed."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End as any server does, then break off the requests that are still being answered."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # in which the sockets are closed


class SandboxServer:
    """``with SandboxServer() as sandbox:`` serves at ``sandbox.url``; its ``site``, ``trello`` and ``slack`` are live.

    The state may be read for assertions at any time; change it only between requests.
    """

    def __init__(self, data: SiteData | None = None) -> None:
        self.world: World = make_world(data)
        # With the protocol named, asyncio turns off Nagle's algorithm; without, every answer waits for 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        app = create_app(self.world)
        config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_keep_alive=KEEP_ALIVE)
        config.timeout_graceful_shutdown = 1  # a request that was told to hang must not hold up the end
        self._server = ThreadServer(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    @property
    def url(self) -> str:
        """The address to give to a client, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def site(self) -> Site:
        """The Jira site behind the server."""
        return self.world.jira

    @property
    def trello(self) -> Trello:
        """The Trello behind the server."""
        return self.world.trello.state

    @property
    def slack(self) -> Slack:
        """The Slack behind the server."""
        return self.world.slack.state

    def __enter__(self) -> SandboxServer:
        self._socket.listen()  # from here on a client may connect; it waits until the loop accepts
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()
