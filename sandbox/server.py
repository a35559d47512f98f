"""Runs the sandbox: binds, tells people where it is and how to log in, keeps its state, stops cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from sandbox import state_file
from sandbox.app import KEEP_ALIVE, World, create_app, make_world
from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.slack.state import TOKEN as SLACK_TOKEN
from sandbox.slack.state import WEBHOOK as SLACK_WEBHOOK
from sandbox.trello.seed import KEY, SECRET, TOKEN

SAVE_EVERY_SECONDS = 1.0


def free_port(preferred: int) -> int:
    """The preferred loopback port if nobody listens there, otherwise any free one."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("No free port on the loopback interface.")


def banner(host: str, port: int, state: Path | None) -> str:
    """What a person sees once at the start: address, credentials, pages, where the state is kept."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  shown, not bound
    url = f"http://{shown}:{port}"
    lines = [
        f"Jira, Trello and Slack sandbox on {url}",
        f"  Jira             {DEMO_EMAIL} / {DEMO_TOKEN}   (also member@example.com, viewer@example.com)",
        f"  REST            {url}/rest/api/3   /rest/api/2   /rest/agile/1.0",
        f"  Trello          key {KEY}, token {TOKEN}, secret {SECRET}",
        f"  REST            {url}/1",
        f"  Slack           {SLACK_TOKEN}; incoming webhook {url}/slack/services/{SLACK_WEBHOOK}",
        f"  Web API         {url}/slack/api",
        f"  pages           {url}/   {url}/jira/boards/1   {url}/slack",
        f"  controls        {url}/sandbox",
        f"  state           {state or 'in memory, gone when it stops'}",
        "Stop with Ctrl-C.",
    ]
    return "\n".join(lines) + "\n"


async def _keep(world: World, path: Path) -> None:
    """Write the state after changes, at most once a second."""
    saved = _revision(world)
    while True:
        await asyncio.sleep(SAVE_EVERY_SECONDS)
        if _revision(world) != saved:
            saved = _revision(world)
            _save(world, path)


def _revision(world: World) -> tuple[int, int, int]:
    return world.jira.revision, world.trello.state.revision, world.slack.state.revision


def _save(world: World, path: Path) -> None:
    state_file.save(path, world.jira.data, world.trello.state.data, world.slack.state.data)


class _Server(uvicorn.Server):
    """Leaves the signals alone: uvicorn's own way ends the process before its caller can keep the state."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install nothing."""
        yield


async def _serve(world: World, bound: socket.socket, state: Path | None, greeting: str) -> None:
    # With a bound on the end, because a request that was told to hang must not hold it up.
    config = uvicorn.Config(
        create_app(world),
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=KEEP_ALIVE,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    sys.stdout.write(greeting)  # only now: whoever reads it may send a signal at once
    sys.stdout.flush()
    keeper = asyncio.create_task(_keep(world, state)) if state else None
    try:
        await server.serve(sockets=[bound])
    finally:
        if keeper is not None and state is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
            _save(world, state)


def listening(host: str, port: int, family: int = socket.AF_INET) -> socket.socket:
    """A listening socket. Raises OSError when the address is taken.

    With the protocol named, asyncio turns off Nagle's algorithm; without, every second answer waits for 40 ms.
    """
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(128)
    except OSError:
        bound.close()
        raise
    return bound


def run(host: str, port: int, state: Path | None, limits: bool, quiet: bool) -> None:
    """Serve until SIGINT or SIGTERM.

    ``limits`` turns on the vendor's rate limits; ``state`` names the file to keep; port 0 takes any free one.

    Raises ``state_file.StateFileError`` for an unreadable state file and ``OSError`` when the port is taken.
    """
    data = state_file.load(state) if state else None
    kept = (state_file.load_trello(state), state_file.load_slack(state)) if state else (None, None)
    world = make_world(data, *kept)
    world.controls.limits.enabled = limits
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with listening(host, port, family) as bound:
        greeting = "" if quiet else banner(host, bound.getsockname()[1], state)
        asyncio.run(_serve(world, bound, state, greeting))
