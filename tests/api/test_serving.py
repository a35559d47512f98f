"""The service as it is started: one address, one token, one process for each home folder."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from service.api.middleware import Door
from service.api.patience import PatientProtocol
from service.app import create_app
from service.context import open_context
from service.runs.engine import Engine, HomeLock
from service.settings import Settings
from service.usecases.access import tokens
from service.usecases.loop.advances import Advancing
from tests import plain
from tests.api.conftest import assert_problem, served
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]


@contextmanager
def serving(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`phaseloop serve` as a process, and the lines it has printed until it listened."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PHASELOOP_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "serve", "--port", "0", *more],
        env={**clean, "PHASELOOP_HOME": str(home), "PYTHONWARNINGS": "ignore"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, [process.stdout.readline()]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=300)


def ready(address: str) -> bool:
    try:
        return plain.get(f"{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def address_in(line: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found is not None, line
    return found[0]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_service_stops_in_order_when_it_is_told_to(tmp_path: Path, end: signal.Signals) -> None:
    with serving(tmp_path) as (process, lines):
        address = address_in(lines[0])
        eventually(lambda: ready(address))
        process.send_signal(end)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert "Traceback" not in err
    lock = HomeLock(tmp_path)
    assert lock.acquire(), "the home folder is free again"
    lock.release()


def test_the_first_start_prints_a_token_that_works_and_no_later_one_does(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, lines):
        assert process.stdout is not None
        token = re.search(r"phl_\S+", process.stdout.readline())
        assert token is not None
        address = address_in(lines[0])
        eventually(lambda: ready(address))
        headers = {"Authorization": f"Bearer {token[0]}"}
        assert plain.get(f"{address}/api/v1/projects", headers=headers).json() == {"items": [], "next": None}
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert "phl_" not in out
        assert token[0] not in err
    with serving(tmp_path) as (process, lines):
        address = address_in(lines[0])
        eventually(lambda: ready(address))
        assert plain.get(f"{address}/api/v1/projects", headers=headers).status_code == 200
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=300)
        assert "phl_" not in out


def test_a_second_service_on_the_same_home_folder_is_refused_in_words(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, lines):
        address = address_in(lines[0])
        eventually(lambda: ready(address))
        with serving(tmp_path) as (second, _):
            out, err = second.communicate(timeout=300)
            assert second.returncode == 1
            assert "PHASELOOP_HOME" in out + err
            assert "Traceback" not in out + err
        assert ready(address)


def test_an_address_in_use_is_refused_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with serving(tmp_path, "--port", port) as (process, _):
            out, err = process.communicate(timeout=300)
            assert process.returncode == 1
            assert port in out + err
            assert "Traceback" not in out + err


def test_a_database_of_another_version_is_named_by_readiness(tmp_path: Path) -> None:
    context = open_context(Settings(_env_file=None, home=tmp_path, database_url=None, secret_key=None))
    try:
        with served(create_app(context, Engine(context, Advancing()))) as address:
            eventually(lambda: ready(address))
            with context.database.engine.begin() as connection:
                connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
            problem = assert_problem(plain.get(f"{address}/readyz"), "not-ready", 503)
            assert [error["subject"] for error in problem["errors"]] == ["schema"]
            assert "phaseloop db upgrade" in problem["errors"][0]["detail"]
    finally:
        context.close()


def test_a_disk_that_cannot_be_written_is_named_by_readiness(tmp_path: Path) -> None:
    context = open_context(Settings(_env_file=None, home=tmp_path / "home", database_url=None, secret_key=None))
    (tmp_path / "file").write_text("")
    elsewhere = context.settings.model_copy(update={"home": tmp_path / "file" / "home"})
    app = create_app(context, Engine(context, Advancing()))
    try:
        with served(app) as address:
            eventually(lambda: ready(address))
            app.state.context = replace(context, settings=elsewhere)
            problem = assert_problem(plain.get(f"{address}/readyz"), "not-ready", 503)
            assert [error["subject"] for error in problem["errors"]] == ["disk"]
            assert list((tmp_path / "home").glob(".probe*")) == []
    finally:
        context.close()


@pytest.mark.parametrize(
    "begun", [b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"]
)
def test_a_request_that_stops_coming_is_cut_off(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(PatientProtocol, "patience", 0.05)

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def ask() -> bytes:
        config = uvicorn.Config(app, http=PatientProtocol, lifespan="off", log_config=None)
        config.load()
        loop = asyncio.get_running_loop()
        state = uvicorn.server.ServerState()
        server = await loop.create_server(lambda: PatientProtocol(config, state, {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(begun)
        try:
            return await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()
            server.close()

    assert asyncio.run(ask()) == b""


def test_a_request_whose_body_ends_early_is_not_done(tmp_path: Path) -> None:
    """Half of a table is a table, too."""
    context = open_context(Settings(_env_file=None, home=tmp_path, database_url=None, secret_key=None))
    reached: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        reached.append(scope["path"])

    messages: list[Message] = [
        {"type": "http.request", "body": b"person,email,roles\nA,a@example.com,lead\n", "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    token = tokens.create(context, "t")
    headers = [(b"authorization", f"Bearer {token}".encode()), (b"content-type", b"text/csv")]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/teams", "headers": headers, "query_string": b"name=a"}
    asyncio.run(Door(app, context)(scope, receive, send))
    context.close()
    assert reached == []
    assert answered[0]["status"] == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_address_that_is_printed_is_the_one_that_answers_from_then_on(tmp_path: Path, host: str) -> None:
    with serving(tmp_path, "--host", host) as (_, lines):
        found = re.search(r"http://\S+:\d+", lines[0])
        assert found is not None
        assert plain.get(f"{found[0]}/healthz").status_code == 200
