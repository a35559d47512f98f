"""How often one caller may ask: told beforehand, refused with how long to wait, and nobody else is."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from httpx import Client

from service.app import create_app
from service.context import Context, open_context
from service.runs.engine import Engine
from service.settings import Settings
from service.usecases.access import tokens
from service.usecases.hook import secret
from service.usecases.loop.advances import Advancing
from service.usecases.setup import connections
from tests.api.conftest import assert_problem, served
from tests.homes import furnish

REQUESTS, REFUSALS = 5, 3


@dataclass
class Door:
    """A service with low limits, asked over HTTP."""

    context: Context
    client: Client

    def token(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.create(self.context, name)}"}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    furnish(tmp_path)
    settings = Settings(
        _env_file=None,
        home=tmp_path,
        database_url=None,
        secret_key=None,
        requests_per_minute=REQUESTS,
        refusals_per_minute=REFUSALS,
    )
    with (
        closing(open_context(settings)) as context,
        served(create_app(context, Engine(context, Advancing()))) as url,
        Client(base_url=url, timeout=60) as client,
    ):
        yield Door(context, client)


def test_each_answer_says_how_many_requests_are_left(door: Door) -> None:
    token = door.token("one")

    answers = [door.client.get("/api/v1/me", headers=token) for _ in range(2)]

    assert [one.headers["ratelimit-policy"] for one in answers] == ['"requests";q=5;w=60'] * 2
    assert [one.headers["ratelimit"].partition(";t=")[0] for one in answers] == ['"requests";r=4', '"requests";r=3']


def test_one_token_that_asks_too_often_waits_and_others_do_not(door: Door) -> None:
    busy, other = door.token("busy"), door.token("other")

    answers = [door.client.get("/api/v1/me", headers=busy) for _ in range(REQUESTS + 1)]

    assert [one.status_code for one in answers] == [200] * REQUESTS + [429]
    assert "may send 5 requests within a minute" in assert_problem(answers[-1], "too-many-requests", 429)["detail"]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].headers["ratelimit"].startswith('"requests";r=0')
    assert door.client.get("/api/v1/me", headers=other).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer phl_wrong"}, {"Authorization": "Basic eDp5"}])
def test_attempts_that_prove_nothing_are_told_to_wait_and_whoever_proves_it_is_not(
    door: Door, headers: dict[str, str]
) -> None:
    answers = [door.client.get("/api/v1/me", headers=headers) for _ in range(REFUSALS + 1)]

    assert [one.status_code for one in answers] == [401] * REFUSALS + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert door.client.get("/api/v1/me", headers=door.token("one")).status_code == 200


def test_wrong_codes_of_links_are_told_to_wait(door: Door) -> None:
    here = {"Sec-Fetch-Site": "same-origin"}
    answers = [door.client.post("/sign-in", data={"code": f"pl_{n}"}, headers=here) for n in range(REFUSALS + 1)]

    assert [one.status_code for one in answers] == [422] * REFUSALS + [429]


def test_forged_deliveries_are_told_to_wait_and_true_ones_are_taken(door: Door) -> None:
    site = {"url": "https://example.atlassian.net", "email": "lead@example.com"}
    connections.put(door.context, "site", "jira", site, "a-token")
    whose = secret.owner(door.context, "site", trigger=False)
    secret.put(door.context, whose, "a-secret-that-is-long-enough")

    answers = [door.client.post("/hooks/site", json={"n": n}) for n in range(REFUSALS + 1)]
    body = b'{"webhookEvent": "jira:issue_updated"}'
    true = door.client.post("/hooks/site", content=body, headers=signed(body))

    assert [one.status_code for one in answers] == [401] * REFUSALS + [429]
    assert true.status_code == 202


def signed(body: bytes) -> dict[str, str]:
    """The headers that Jira sends."""
    digest = hmac.new(b"a-secret-that-is-long-enough", body, "sha256").hexdigest()
    return {"X-Hub-Signature": f"sha256={digest}", "Content-Type": "application/json"}


def test_health_is_never_limited(door: Door) -> None:
    assert {door.client.get("/healthz").status_code for _ in range(REQUESTS + REFUSALS + 2)} == {200}
