"""The service in this process: a real store, a real engine, a sandbox for a tracker, one of each for a test file."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from httpx import Client, Response
from sqlalchemy import update

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer, ThreadServer
from service.api.events import Pace
from service.app import create_app
from service.context import Context, open_context
from service.domain.access.roles import Role
from service.runs.engine import Engine
from service.settings import Settings
from service.store.tables import ProjectRow
from service.usecases.access import provider_sign_in, role_rules, tokens
from service.usecases.loop.advances import Advancing
from tests.api.provider_desk import LEADS, Desk, fresh
from tests.homes import furnish
from tests.sign_in_provider import CLIENT, SECRET, Bent, strict_provider
from tests.waiting import eventually

ML_TEAM = {
    "members": [
        {"person": "Product 1", "email": "pm-1@example.com", "roles": ["pm"]},
        {"person": "ML 1", "email": "ml-1@example.com", "roles": ["ml"]},
        {"person": "ML 2", "email": "ml-2@example.com", "roles": ["ml"]},
        {"person": "Data 1", "email": "data-1@example.com", "roles": ["data"]},
        {"person": "DevOps 1", "email": "devops-1@example.com", "roles": ["devops"]},
    ],
}

SMALL_TEMPLATE = """\
format: phaseloop/v1
kind: template
name: small
version: 1.0.0
title: Small
description: One phase.
parameters:
  method: {type: choice, description: How the team works, default: scrum, choices: [scrum, kanban]}
roles:
  scientist: {title: Scientist, core: true, responsibility: Experiments., skills: [statistics]}
  lead: {title: Lead, core: true, responsibility: Decisions., skills: [judgement]}
  engineer: {title: Engineer, core: true, responsibility: Systems., skills: [programming]}
cadence: {iteration_days: 14, start_date: 2026-03-02, iteration_name: "{{ phase.short }} {{ iteration.number }}"}
ceremonies:
  title: Meetings
  description: Tick them.
  role: lead
  events:
    - {key: planning, title: Planning, at: start, minutes: 60, purpose: It is clear what to do.}
record:
  title: Record {{ iteration.number }}
  description: What was tried.
  done: [It is written.]
  grace_working_days: 2
  sections:
    - {key: results, title: Results, prompt: What came out?}
phases:
  - key: ideation
    title: Ideation
    short: Idea
    focus: Find out what to predict.
    roles: [scientist, lead, engineer]
    iterations: 1
    epics:
      - {key: data, title: Data, description: Find and judge the data.}
    tickets:
      - key: goals
        title: Set goals
        epic: data
        role: lead
        description: Write them down.
        done: [They are written.]
        deliverable: Goals
        points: 1
      - key: explore
        title: Explore the data
        epic: data
        role: scientist
        description: Look at it.
        done: [It was looked at.]
        deliverable: A notebook
        points: 3
        needs: [goals]
    record: {epic: data, author: scientist, sign_off: lead, points: 1}
    exit: {output: A decision., needs: [explore]}
"""

SMALL_TEAM = [
    {"person": "ML 1", "email": "ml-1@example.com", "roles": ["scientist"]},
    {"person": "PM 1", "email": "pm-1@example.com", "roles": ["lead"]},
]


@dataclass
class Api:
    """A client with a token, and short words for what tests set up again and again."""

    app: FastAPI
    context: Context
    client: Client
    token: str
    sandbox: SandboxServer
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __call__(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
        """Ask as the holder of the token."""
        given = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        return self.client.request(method, path if path.startswith("/api") else f"/api/v1{path}", headers=given, **more)

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        return self._body(self("GET", path, **more), status)

    def post(self, path: str, body: Any = None, status: int = 201, **more: Any) -> Any:
        return self._body(self("POST", path, **({"json": body} if body is not None else {}), **more), status)

    @staticmethod
    def _body(answer: Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json()

    def new_name(self, word: str) -> str:
        """A name that no other test of the file has."""
        return f"{word}-{next(self._numbers)}"

    def new_connection(self, secret: str = DEMO_TOKEN, url: str = "") -> str:
        """Id of a new connection to the sandbox."""
        settings = {"url": url or self.sandbox.url, "email": DEMO_EMAIL}
        body = {"name": self.new_name("jira"), "kind": "jira", "settings": settings, "secret": secret}
        return str(self.post("/connections", body)["id"])

    def new_team(self) -> str:
        """Id of a new small team, which has no engineer."""
        return str(self.post("/teams", {"name": self.new_name("team"), "members": SMALL_TEAM})["id"])

    def new_project(self, key: str = "SCRUM", **more: Any) -> str:
        """Id of a new project from the small template; that of an earlier test has ended."""
        self.end(key)
        body = {
            "name": "Small",
            "key": key,
            "connection": self.new_connection(),
            "team": self.new_team(),
            "template": {"text": SMALL_TEMPLATE},
        }
        return str(self.post("/projects", body | more)["id"])

    def end(self, key: str) -> None:
        """Let the tracker's project be free for another test: each is set up once."""
        same = ProjectRow.key == key, ProjectRow.ended_at.is_(None), ProjectRow.site.is_not(None)
        with self.context.database.session() as session:
            session.execute(update(ProjectRow).where(*same).values(ended_at=self.context.now()))

    def wait_for_end(self, run: str) -> dict[str, Any]:
        """The run, when it has ended."""
        eventually(lambda: self.get(f"/runs/{run}")["finished_at"] is not None)
        ended: dict[str, Any] = self.get(f"/runs/{run}")
        return ended


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    home = tmp_path_factory.mktemp("home")
    furnish(home)
    many = {"requests_per_minute": 1_000_000, "refusals_per_minute": 1_000_000}  # a test file asks faster than anybody
    opened = open_context(Settings(_env_file=None, home=home, database_url=None, secret_key=None, **many))
    yield opened
    opened.close()


def bound() -> socket.socket:
    """A socket on a free port, for who has to know the address first."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


@contextmanager
def served(app: FastAPI, listener: socket.socket | None = None) -> Iterator[str]:
    """The app behind a real server in a thread; gives its address."""
    listener = listener or bound()
    listener.listen()  # clients may connect from here on, and wait until the server accepts
    config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=2)
    server = ThreadServer(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def api(context: Context, sandbox: SandboxServer) -> Iterator[Api]:
    app = create_app(context, Engine(context, Advancing()), pace=Pace(look=0.02, heartbeat=0.1))
    with served(app) as url, Client(base_url=url, timeout=60) as client:
        yield Api(app, context, client, tokens.create(context, "tests"), sandbox)


@pytest.fixture(scope="module")
def sign_in_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A service that people sign in to with a strict provider."""
    home = tmp_path_factory.mktemp("home")
    furnish(home)
    listener = bound()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with strict_provider() as provider:
        context = open_context(
            Settings(
                _env_file=None,  # type: ignore[call-arg]
                home=home,
                database_url=None,
                secret_key=None,
                public_url=url,  # type: ignore[arg-type]
                refusals_per_minute=1_000_000,
                oidc_issuer=provider.issuer,
                oidc_client_id=CLIENT,
                oidc_client_secret=SECRET,  # type: ignore[arg-type]
            )
        )
        role_rules.add(context, LEADS, Role.LEAD)
        with served(create_app(context, Engine(context, Advancing())), listener):
            yield Desk(context, provider, url)
        context.close()


@pytest.fixture
def desk(sign_in_service: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The service, with a provider that is as it should be and of which nothing is held."""
    monkeypatch.setattr(provider_sign_in, "MOST_LOGGED", 10_000)
    kept = dict(sign_in_service.provider.keys)
    sign_in_service.provider.bent, sign_in_service.provider.userinfo = Bent(), None
    sign_in_service.provider.asked.clear()
    fresh(sign_in_service)
    yield sign_in_service
    sign_in_service.provider.keys, sign_in_service.provider.signs_with = kept, "one"


@pytest.fixture
def browser(desk: Desk) -> Iterator[Client]:
    """The browser of somebody who is not signed in."""
    with desk.browser() as client:
        yield client


def assert_problem(answer: Response, code: str, status: int) -> dict[str, Any]:
    """That the answer is this problem, in the form that RFC 9457 asks for; returns its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:phaseloop:problem:{code}", body
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == f"urn:phaseloop:request:{answer.headers['x-request-id']}"
    return body
