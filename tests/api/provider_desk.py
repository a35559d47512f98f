"""A service that people sign in to with a strict provider, and what tests say of a browser again and again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import func, select

from connectors.oidc import Provider
from service.context import Context
from service.usecases.access import change_log
from tests.sign_in_provider import StrictProvider

PAGE = {"Accept": "text/html"}
LEADS = "ml-leads"
WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass
class Desk:
    """A service that people sign in to with a provider."""

    context: Context
    provider: StrictProvider
    url: str

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=PAGE, timeout=60)

    def begin(self, browser: httpx.Client, following: str = "") -> str:
        """The provider's address that a tab is led to."""
        answer = browser.get("/sign-in/oidc", params={"next": following} if following else {})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def approved(self, leads_to: str) -> str:
        """Where the provider sends the browser back to."""
        answer = httpx.get(leads_to)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    def sign_in(self, browser: httpx.Client, **claims: Any) -> httpx.Response:
        """The whole way, as somebody of whom the provider says this."""
        self.provider.claims = {"sub": "sub-1", "groups": [LEADS], **claims}
        return browser.get(self.approved(self.begin(browser)))

    def refusals(self) -> list[str]:
        """Why people were refused, the newest first."""
        asked = change_log.Asked(thing="sign-in")
        return [str(row.body["after"]["reason"]) for row in change_log.page(self.context, 50, asked=asked)]

    def count(self, table: type) -> int:
        with self.context.database.session() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


def fresh(desk: Desk) -> None:
    """Have nothing of the provider held."""
    provider = desk.context.provider
    assert provider is not None
    provider.__dict__.update(Provider(provider.settings, desk.context.network).__dict__)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def login_in(browser: httpx.Client) -> str:
    found = re.search(r"signed in as ([^<]+)<", browser.get("/account").text)
    assert found is not None
    return found[1]


def refused(desk: Desk, browser: httpx.Client, answer: httpx.Response, reason: str) -> str:
    """That nobody was signed in, which the log says with this reason and the page does not; the page."""
    assert answer.status_code == 403, answer.text
    assert "phaseloop" not in browser.cookies
    assert reason in desk.refusals()[0]
    assert reason not in answer.text
    assert browser.get("/account").status_code == 303
    return answer.text
