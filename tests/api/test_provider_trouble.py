"""A provider that is down, slow or wrong is told plainly, and asked again later."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from connectors import oidc
from connectors.oidc import Provider
from connectors.oidc_metadata import ProviderUnavailable
from service.app import _ask_provider, create_app
from service.context import open_context
from service.runs.engine import Engine
from service.settings import Settings
from service.usecases.loop.advances import Advancing
from tests.api.conftest import assert_problem, served
from tests.api.provider_desk import PAGE, WELL_KNOWN, Clock, Desk, fresh
from tests.homes import furnish
from tests.sign_in_provider import CLIENT, Bent


def test_a_provider_that_is_down_slow_or_talks_nonsense_is_told_plainly_and_asked_again_later(
    desk: Desk, browser: httpx.Client
) -> None:
    clock = Clock()
    provider = desk.context.provider
    assert provider is not None
    provider._clock = clock
    path = "/.well-known/openid-configuration"
    for content in ((503, b""), (200, b"<html>"), (200, b"[" * 100_000), (302, b"{}"), (200, b"{}")):
        desk.provider.bent.answers[path] = content
        before = desk.provider.count(path)
        for _ in range(3):
            answer = browser.get("/sign-in/oidc")
            assert answer.status_code == 503
            assert "one-time" not in answer.text
            assert "127.0.0.1" not in answer.text, "why is for the administrator"
        assert desk.provider.count(path) == before + 1
        clock.now += oidc.FAILED_FOR
    desk.provider.bent = Bent()
    assert desk.sign_in(browser).status_code == 303


@pytest.mark.parametrize("path", ["/token", "/jwks"])
def test_a_provider_that_fails_in_the_middle_signs_nobody_in(desk: Desk, browser: httpx.Client, path: str) -> None:
    for content in ((500, b""), (200, b"x" * (oidc.LARGEST + 1))):
        fresh(desk)
        leads_to = desk.begin(browser)
        desk.provider.bent.answers[path] = content
        answer = browser.get(desk.approved(leads_to))
        assert answer.status_code == 503, answer.text
        assert "phaseloop" not in browser.cookies
        assert desk.refusals()[0]


def test_an_answer_that_drips_ends_after_seconds(desk: Desk) -> None:
    settings = desk.context.provider
    assert settings is not None
    slow = Provider(settings.settings, desk.context.network, longest=0.3)
    desk.provider.bent.slow["/.well-known/openid-configuration"] = 0.05
    with pytest.raises(ProviderUnavailable, match="too long"):
        slow.metadata()


def test_a_wrong_client_secret_is_the_administrator_s_to_see(desk: Desk, browser: httpx.Client) -> None:
    provider = desk.context.provider
    assert provider is not None
    leads_to = desk.begin(browser)
    right, provider.settings = provider.settings, replace(provider.settings, client_secret="wrong")
    try:
        answer = browser.get(desk.approved(leads_to))
    finally:
        provider.settings = right
    assert answer.status_code == 503
    assert "client id or secret" in desk.refusals()[0]
    assert "secret" not in answer.text


def test_who_asks_for_no_page_is_answered_with_a_problem(desk: Desk, browser: httpx.Client) -> None:
    headers = {"Accept": "application/json"}
    assert_problem(browser.get("/sign-in/oidc/callback?state=x", headers=headers), "sign-in-refused", 403)
    desk.provider.bent.answers["/.well-known/openid-configuration"] = 503, b""
    answer = browser.get("/sign-in/oidc", headers=headers)
    assert_problem(answer, "sign-in-unavailable", 503)
    assert answer.headers["retry-after"]


def test_the_service_starts_without_its_provider_and_says_so_in_its_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    _ask_provider(desk.context)
    assert "nobody can sign in" not in caplog.text
    fresh(desk)
    desk.provider.bent.answers[WELL_KNOWN] = 503, b""
    _ask_provider(desk.context)

    assert "nobody can sign in with the provider now" in caplog.text
    assert "HTTP 503" in caplog.text


def test_refusals_are_counted_by_the_address_that_they_come_from(tmp_path: Path) -> None:
    furnish(tmp_path)
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        home=tmp_path,
        database_url=None,
        secret_key=None,
        public_url="https://phaseloop.example.com",  # type: ignore[arg-type]
        refusals_per_minute=2,
        oidc_issuer="https://login.example.com",
        oidc_client_id=CLIENT,
    )
    with (
        closing(open_context(settings)) as context,
        served(create_app(context, Engine(context, Advancing()))) as url,
        httpx.Client(base_url=url, headers=PAGE, timeout=60) as browser,
    ):
        told = [browser.get("/sign-in/oidc/callback?state=x").status_code for _ in range(3)]

    assert told == [403, 403, 429]
