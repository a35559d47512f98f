"""The service: its composition root, and how it is served."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from connectors.addresses import is_loopback
from connectors.oidc_metadata import ProviderError
from service import __version__
from service.api import app as api
from service.api.events import Pace
from service.api.patience import PatientProtocol
from service.context import Context, open_context
from service.runs.engine import Engine, leave
from service.runs.lock import SlotLost
from service.settings import Settings
from service.usecases.access import local, people, sessions, tokens
from service.usecases.errors import UseCaseError
from service.usecases.hook.service import HookService
from service.usecases.loop.advances import Advancing
from service.usecases.notice.service import NoticeService
from service.usecases.run import cleanup, idempotency

log = logging.getLogger(__name__)


def create_app(context: Context, engine: Engine, *, pace: Pace | None = None) -> FastAPI:
    """The application. Its lifespan launches the engine and stops it; entering it may raise `AlreadyRunning`."""

    arriving = HookService(context, engine.start)
    telling = NoticeService(context)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(engine.launch)
        app.state.launched = True
        try:
            if context.settings.embedded:
                await run_in_threadpool(idempotency.release_abandoned, context)
            else:
                await run_in_threadpool(idempotency.release_of, context, engine.executor)
            arriving.start()
            telling.start()
            yield
        finally:
            app.state.launched = False
            await run_in_threadpool(arriving.stop)
            await run_in_threadpool(telling.stop)
            await run_in_threadpool(engine.stop)

    # The pages of the framework that show the document load scripts from elsewhere; the document itself does not.
    app = FastAPI(
        title="phaseloop",
        version=__version__,
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # where to is made from the Host header, which is whatever the caller says
    )
    api.install(app, context, engine.start, pace, arriving)
    app.state.peers = engine
    app.state.notices = telling
    return app


LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
"""How the service logs: of a line that somebody reads days later, when it was is half of what it says."""


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(settings: Settings, host: str, port: int, say: Callable[[str], None] = _say) -> None:
    """Serve until SIGINT or SIGTERM. `say` is given the address and, on the very first start, the token, once.

    Raises UseCaseError when the address cannot be used, NetworkMisconfigured, AlreadyRunning, SchemaMismatch,
    KeyProblem, SlotLost.
    """
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT, force=True)
    for ours in ("service", "connectors"):
        logging.getLogger(ours).setLevel(settings.log_level.upper())
    with contextlib.closing(_listener(host, port)) as listener:
        context = open_context(settings)
        code = 1
        try:
            context.network.check()
            context.check_key(fetched=False)
            asyncio.run(_serve(context, listener, host, say))
            code = 0
        finally:
            context.close()
            leave(code)


def _listener(host: str, port: int) -> socket.socket:
    """A bound socket: whether the address is free is known before anything else is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once; without, each may wait 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UseCaseError(
            "address-unusable",
            f"{host} port {port} cannot be listened on: {error.strerror or error}.",
            "Stop what listens there, or choose another with --host and --port.",
        ) from error
    return listener


class _Server(uvicorn.Server):
    """A server that says when it begins to stop, so that runs and requests have the same time to end."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests end, and meanwhile the current step of each run."""
        self._stopping()
        await super().shutdown(sockets)


async def _serve(context: Context, listener: socket.socket, host: str, say: Callable[[str], None]) -> None:
    lost = threading.Event()

    def give_up() -> None:
        lost.set()
        server.should_exit = True

    engine = Engine(context, Advancing(), chores=cleanup.clean, lost=give_up)
    app = create_app(context, engine)
    server = _Server(
        uvicorn.Config(
            app,
            http=PatientProtocol,
            lifespan="off",  # entered here instead, so that its errors reach the caller as they are
            log_config=None,
            timeout_keep_alive=75,  # longer than clients and load balancers keep it, so none sends into a closing one
            access_log=False,  # the middleware writes a line for each request, without the query
            timeout_graceful_shutdown=math.ceil(context.settings.grace_seconds),
            server_header=False,
        ),
        engine.park,
    )
    app.state.stopping = lambda: server.should_exit
    async with app.router.lifespan_context(app):
        listener.listen()  # who reads the address below may connect at once, and waits until it is served
        for line in await run_in_threadpool(_greeting, context, listener, host):
            say(line)
        threading.Thread(target=_ask_provider, args=(context,), daemon=True).start()
        with _signals_spent():
            await server.serve(sockets=[listener])
    if lost.is_set():
        raise SlotLost("Another process has this one's place among the replicas: see the log. Start it again.")


def _ask_provider(context: Context) -> None:
    """Say in the log where nobody can sign in with the provider as things are; the service does not wait for it."""
    if context.provider is None:
        return
    try:
        context.provider.metadata()
    except ProviderError as error:
        log.warning("nobody can sign in with the provider now: %s", error)


@contextlib.contextmanager
def _signals_spent() -> Iterator[None]:
    """Let nothing come of the signal that ended the server, which sends it again afterwards: the engine is still to
    be stopped, in order."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: None) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _greeting(context: Context, listener: socket.socket, host: str) -> list[str]:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    lines = [f"phaseloop listens on http://{shown}:{listener.getsockname()[1]}"]
    if tokens.count(context) == 0:
        lines.append(f"API token, shown only this once: {tokens.create(context, 'first')}")
    if is_loopback(host) and sessions.nobody_signed_in_yet(context):
        code = sessions.link(context, people.first_administrator(context, local.login().replace(" ", "-")).row.login)
        lines.append(f"Sign in, once within 15 minutes: {lines[0].split()[-1]}/sign-in?code={code}")
    if context.provider is not None:
        lines.append(f"People sign in with {context.provider.host} (PHASELOOP_OIDC_ISSUER), or a one-time link")
    allowed = ", ".join(context.settings.outbound) or "none"
    lines.append(f"Addresses that may be called besides public ones (PHASELOOP_ALLOWED_ADDRESSES): {allowed}")
    if context.settings.embedded:
        lines.append(f"Home folder (PHASELOOP_HOME): {context.settings.home.resolve()}")
    return lines
