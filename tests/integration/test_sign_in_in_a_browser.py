"""People sign in with somebody else's provider in a real browser: in two tabs at once, and out again.

The provider is `oidc-provider-mock`, in a process of its own. What it is not strict about is held by
`tests/api/test_provider_answers.py`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from service.app import create_app
from service.context import Context, open_context
from service.domain.access.roles import Role
from service.runs.engine import Engine
from service.settings import Settings
from service.usecases.access import change_log, provider_identities, role_rules
from service.usecases.loop.advances import Advancing
from tests.api.conftest import bound, served
from tests.browser import Browser, needs_chromium
from tests.homes import furnish
from tests.waiting import eventually

USER = {"sub": "sub-ml-1", "email": "ml-1@example.com", "email_verified": True, "groups": ["ml-leads"]}


@contextmanager
def mock_provider() -> Iterator[str]:
    """The issuer of the provider, while the block runs."""
    with bound() as listener:
        port = listener.getsockname()[1]
    issuer = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce"]
    process = subprocess.Popen(
        [*command, "--user-claims", json.dumps(USER)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        eventually(lambda: process.poll() is None and _answers(issuer), 30)
        yield issuer
    finally:
        process.terminate()
        process.wait(10)


def _answers(issuer: str) -> bool:
    try:
        return httpx.get(f"{issuer}/.well-known/openid-configuration").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with mock_provider() as found:
        yield found


@pytest.fixture(scope="module")
def service(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Context, str]]:
    """The service and its address."""
    home = tmp_path_factory.mktemp("home")
    furnish(home)
    listener = bound()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    context = open_context(
        Settings(
            _env_file=None,  # type: ignore[call-arg]
            home=home,
            database_url=None,
            secret_key=None,
            public_url=url,  # type: ignore[arg-type]
            oidc_issuer=issuer,
            oidc_client_id="phaseloop",
            oidc_client_secret="oidc-s3cr3t of a client",  # type: ignore[arg-type]
        )
    )
    role_rules.add(context, "ml-leads", Role.LEAD)
    with served(create_app(context, Engine(context, Advancing())), listener):
        yield context, url
    context.close()


def test_the_check_finds_nothing_wrong_with_the_provider(service: tuple[Context, str]) -> None:
    found = provider_identities.check(service[0])

    assert [one for one in found if one.wrong] == []
    assert any(f"{service[1]}/sign-in/oidc/callback" in one.message for one in found)
    assert any("does not announce PKCE" in one.message for one in found)


def test_somebody_signs_in_with_somebody_else_s_provider(service: tuple[Context, str]) -> None:
    with httpx.Client(base_url=service[1], headers={"Accept": "text/html"}, timeout=60) as browser:
        leads_to = browser.get("/sign-in/oidc").headers["location"]
        back = httpx.post(leads_to, data={"sub": "sub-ml-1"})
        assert browser.get(back.headers["location"]).headers["location"] == "/"
        assert "ml-1@example.com" in browser.get("/account").text

        leads_to = browser.get("/sign-in/oidc").headers["location"]
        denied = httpx.post(leads_to, data={"action": "deny"}).headers["location"]
        assert browser.get(denied).status_code == 403
        assert browser.get("/account").status_code == 200, "a sign-in that was refused ends nobody's session"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    opened = Browser(tmp_path / "profile")
    yield opened
    opened.close()


@needs_chromium
def test_two_tabs_sign_in_at_once_and_one_signs_both_out(
    service: tuple[Context, str], issuer: str, browser: Browser
) -> None:
    _context, url = service
    there = f"location.href.startsWith('{issuer}/oauth2/authorize') && !!document.querySelector('[name=sub]')"
    first = browser.tab()
    browser.visit(f"{url}/sign-in?next=/account%3Ftab%3D1")
    browser.click("a.btn.main")
    browser.until(there)
    second = browser.tab()
    browser.visit(f"{url}/sign-in?next=/account%3Ftab%3D2")
    browser.click("a.btn.main")
    browser.until(there)

    for tab, number in ((second, 2), (first, 1)):
        browser.switch(tab)
        browser.click(f"button[value={USER['sub']}]")
        browser.until(f"location.href === '{url}/account?tab={number}' && document.readyState === 'complete'")
        text = browser.value("document.body.innerText")
        assert "ml-1@example.com" in text
        assert re.search(r"lead in all projects \(by your provider's groups\)", text)
    assert browser.value("document.cookie") == "", "no script reads the cookie"

    browser.click("form[action='/sign-out'] button")
    browser.until(f"location.href.startsWith('{issuer}/oauth2/end_session') && document.readyState === 'complete'")
    browser.click("form button")
    browser.until(f"location.href === '{url}/sign-in' && document.readyState === 'complete'")
    browser.switch(second)
    browser.visit(f"{url}/account")
    assert browser.value("location.pathname") == "/sign-in"
    of_ours = [one for one in browser.said if url in one or "Content Security Policy" in one]
    of_ours = [one for one in of_ours if "/favicon.ico" not in one]
    assert of_ours == [], "no page of ours asked for what its policy forbids"


@needs_chromium
def test_whoever_the_provider_does_not_let_in_sees_why(
    service: tuple[Context, str], issuer: str, browser: Browser
) -> None:
    context, url = service
    browser.visit(f"{url}/sign-in")
    browser.click("a.btn.main")
    browser.until("!!document.querySelector('[value=deny]')")
    browser.click("[value=deny]")
    browser.until(f"location.href.startsWith('{url}') && document.readyState === 'complete'")

    assert "did not let you in" in browser.value("document.body.innerText")
    newest = change_log.page(context, 1)[0]
    assert newest.action == "refused"
    assert "the provider answered access_denied" in newest.body["after"]["reason"]
