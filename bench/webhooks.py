"""Events that arrive: how many a second one process keeps for good before it says "accepted", and how long the slowest
of a hundred waits, beside a bare FastAPI route that verifies the same signature and keeps nothing.

Both are served by a process of their own and asked by the same client in the same run, one after the other, three times
over. The events are kept and not handled: what handling costs depends on what a trigger does.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import hmac
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from sqlalchemy import func, select

from sandbox.server import free_port
from service.api import app as api
from service.context import Context, open_context
from service.domain.hook.trigger import trigger_from_json
from service.settings import Settings
from service.store.hook_tables import HookEventRow
from service.usecases.hook import secret, triggers
from service.usecases.hook.service import HookService
from tests.postgres import scratch_database

EVENTS = 3000
WARMING = 100
"""Deliveries before those that are measured."""
CONNECTIONS = 32
ROUNDS = 3
SECRET = "secret-of-the-benchmark"
TRIGGER = {"name": "bench", "source": "github", "project": "ML", "action": "audit"}


@dataclass(frozen=True)
class Accepted:
    """How many deliveries a second were answered with success, and how long 99 of 100 waited at most, in milliseconds.
    `share` is the rate beside that of the bare route."""

    how: str
    rate: float
    p99: float
    share: float

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def measure(events: int = EVENTS) -> list[Accepted]:
    """The bare route, then SQLite and PostgreSQL; of each the median of its rounds."""
    payloads = [_payload(number) for number in range(ROUNDS * events)]
    found: dict[str, list[tuple[float, float]]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        stores = {"SQLite": "", "PostgreSQL": stack.enter_context(scratch_database(tables=True))}
        for name, url in stores.items():
            _prepare(folder / name, url)
        for turn in range(ROUNDS):
            part = payloads[turn * events : (turn + 1) * events]
            with _served("bare", folder, "") as port:
                found.setdefault("bare route", []).append(asyncio.run(_asked(port, "/bare", part)))
            for name, url in stores.items():
                with _served("hooks", folder / name, url) as port:
                    found.setdefault(name, []).append(asyncio.run(_asked(port, "/hooks/t/bench", part)))
        for name, url in stores.items():
            kept = _kept(folder / name, url)
            if kept != ROUNDS * events:
                msg = f"{name} kept {kept} of {ROUNDS * events} events"
                raise AssertionError(msg)
    middle = {name: [statistics.median(one) for one in zip(*turns, strict=True)] for name, turns in found.items()}
    bare = middle["bare route"][0]
    return [Accepted(name, rate, p99, rate / bare) for name, (rate, p99) in middle.items()]


def _payload(number: int) -> bytes:
    """A delivery of about two kilobytes, as bytes on the wire but for its path."""
    about = {"id": number, "name": f"repository-{number}", "description": "x" * 1600}
    body = json.dumps({"action": "created", "repository": about}).encode()
    signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        "Host: bench\r\nContent-Type: application/json\r\nX-GitHub-Event: repository\r\n"
        f"X-GitHub-Delivery: delivery-{number}\r\nX-Hub-Signature-256: sha256={signed}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _asked(port: int, path: str, payloads: list[bytes]) -> tuple[float, float]:
    """Deliver all of them over a few connections: how many a second, and what 99 of 100 waited at most."""
    took: list[float] = []
    line = f"POST {path} HTTP/1.1\r\n".encode()

    async def one(waiting: Iterator[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for payload in waiting:
            began = time.perf_counter()
            writer.write(line + payload)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            length = next(int(each[15:]) for each in head.lower().split(b"\r\n") if each.startswith(b"content-length:"))
            await reader.readexactly(length)
            if not 200 <= status < 300:
                msg = f"{path} answered {status}"
                raise AssertionError(msg)
            took.append(time.perf_counter() - began)
        writer.close()

    async def all_of(some: list[bytes]) -> float:
        began, waiting = time.perf_counter(), iter(some)
        await asyncio.gather(*(one(waiting) for _ in range(CONNECTIONS)))
        return time.perf_counter() - began

    await all_of(payloads[:WARMING])
    took.clear()
    seconds = await all_of(payloads[WARMING:])
    return len(took) / seconds, 1000 * statistics.quantiles(took, n=100)[98]


def _opened(home: Path, url: str) -> Context:
    return open_context(Settings(_env_file=None, home=home, database_url=url or None, secret_key=None))


def _prepare(home: Path, url: str) -> None:
    with closing(_opened(home, url)) as context:
        row = triggers.put(context, trigger_from_json(TRIGGER), "bench")
        secret.put(context, secret.owner(context, row.id, trigger=True), SECRET)


def _kept(home: Path, url: str) -> int:
    with closing(_opened(home, url)) as context, context.database.session() as session:
        return session.scalar(select(func.count()).select_from(HookEventRow)) or 0


@contextmanager
def _served(what: str, home: Path, url: str) -> Iterator[int]:
    """A process that serves this; its port."""
    port = free_port(8765)
    command = [sys.executable, "-m", "bench.webhooks", what, str(home), str(port)]
    environment = {**os.environ, "BENCH_DATABASE_URL": url}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it listens
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _bare() -> FastAPI:
    """A route that verifies the signature and does nothing else."""
    app = FastAPI()

    @app.post("/bare")
    async def bare(request: Request) -> dict[str, str]:
        body = await request.body()
        expected = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers.get("x-hub-signature-256", "")):
            raise HTTPException(401)
        return {"status": "accepted"}

    return app


def _hooks(home: Path, url: str) -> FastAPI:
    """The service's own routes, with nothing that handles what they keep."""
    context = _opened(home, url)
    app = FastAPI()
    api.install(app, context, lambda *_: None, arriving=HookService(context, lambda *_: None))
    return app


def _serve(what: str, home: Path, port: int) -> None:
    app = _bare() if what == "bare" else _hooks(home, os.environ["BENCH_DATABASE_URL"])

    class Telling(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            gc.collect()
            gc.freeze()  # as the command does: what was loaded stays, and looking through it takes 150 ms each time
            sys.stdout.write("listening\n")
            sys.stdout.flush()

    Telling(uvicorn.Config(app, "127.0.0.1", port, log_config=None, lifespan="off", access_log=False)).run()


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
