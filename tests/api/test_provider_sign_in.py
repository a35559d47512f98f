"""People sign in with a provider that is strict: the way there and back, and out again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from service.store.access_tables import OidcAttemptRow
from service.usecases.access import sessions
from tests.api.provider_desk import LEADS, WELL_KNOWN, Desk, fresh
from tests.sign_in_provider import CLIENT, Bent

# --- the way there and back ---


def test_somebody_in_a_group_that_has_a_role_signs_in_and_holds_it(desk: Desk, browser: httpx.Client) -> None:
    answer = desk.sign_in(browser, sub="sub-new", email="new@example.com", email_verified=True)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = browser.get("/api/v1/me").json()
    assert (me["kind"], me["name"]) == ("person", "new@example.com")
    assert [(one["role"], one["project"], one["origin"]) for one in me["grants"]] == [("lead", None, "provider")]
    assert desk.provider.refused == [], "PKCE, nonce, redirect address and client secret were as they have to be"


def test_the_request_to_the_provider_holds_what_it_has_to(desk: Desk, browser: httpx.Client) -> None:
    one, two = (parse_qs(urlsplit(desk.begin(browser)).query) for _ in range(2))

    assert one["redirect_uri"] == [f"{desk.url}/sign-in/oidc/callback"]
    assert one["scope"] == ["openid profile email"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(one[name][0]) == 43
        assert one[name] != two[name]


def test_the_cookie_of_an_attempt_is_kept_from_scripts_and_ends_with_it(desk: Desk, browser: httpx.Client) -> None:
    begun = browser.get("/sign-in/oidc")
    cookie = begun.headers["set-cookie"].lower()
    assert cookie.startswith("phaseloop-oidc-")
    for word in ("httponly", "samesite=lax", "path=/", "max-age=600"):
        assert word in cookie
    desk.provider.claims = {"sub": "sub-1", "groups": [LEADS]}
    browser.get(desk.approved(begun.headers["location"]))
    assert list(browser.cookies) == ["phaseloop"]


def test_what_the_database_holds_of_an_attempt_completes_nothing(desk: Desk, browser: httpx.Client) -> None:
    leads_to = desk.begin(browser)
    asked = parse_qs(urlsplit(leads_to).query)
    with desk.context.database.session() as session:
        row = session.scalars(select(OidcAttemptRow).order_by(OidcAttemptRow.created_at.desc())).first()
        assert row is not None
        held = repr({column.name: getattr(row, column.name) for column in OidcAttemptRow.__table__.columns})
    for secret in (*(asked[name][0] for name in ("state", "nonce")), *browser.cookies.values()):
        assert secret not in held


def test_two_tabs_sign_in_at_once_each_with_its_own_attempt(desk: Desk, browser: httpx.Client) -> None:
    desk.provider.claims = {"sub": "sub-1", "groups": [LEADS]}
    first, second = desk.begin(browser, "/account?tab=1"), desk.begin(browser, "/account?tab=2")
    two, one = desk.approved(second), desk.approved(first)

    assert browser.get(two).headers["location"] == "/account?tab=2"
    assert browser.get(one).headers["location"] == "/account?tab=1"
    assert browser.get("/account").status_code == 200


def test_signing_in_begins_a_new_session_and_ends_the_one_that_the_browser_came_with(
    desk: Desk, browser: httpx.Client
) -> None:
    browser.cookies.set("phaseloop", "chosen-by-somebody-else", domain="127.0.0.1")
    desk.sign_in(browser)
    former = browser.cookies["phaseloop"]
    assert former != "chosen-by-somebody-else"
    desk.sign_in(browser)

    assert browser.cookies["phaseloop"] != former
    with pytest.raises(sessions.SessionOver):
        sessions.caller(desk.context, former, "a test")


def test_the_session_ends_when_the_settings_say(desk: Desk, browser: httpx.Client) -> None:
    desk.sign_in(browser)
    secret, begun = browser.cookies["phaseloop"], desk.context.now()
    for hours, lasts in ((0, True), (11, True), (12, False)):
        at = replace(desk.context, now=lambda hours=hours: begun + timedelta(hours=hours))  # type: ignore[misc]
        if lasts:
            sessions.used(at, sessions.caller(at, secret, "a test")[1])
        else:
            with pytest.raises(sessions.SessionOver):
                sessions.caller(at, secret, "a test")


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\r\nLocation: https://evil.example",
        "javascript:alert(1)",
        "account",
        "/ä",
        "/" + "x" * 1500,
        " /account",
        "/\t/evil.example",
    ],
)
def test_nobody_is_led_to_another_site_afterwards(desk: Desk, browser: httpx.Client, following: str) -> None:
    desk.provider.claims = {"sub": "sub-1", "groups": [LEADS]}
    answer = browser.get(desk.approved(desk.begin(browser, following)))

    assert answer.headers["location"] == "/"
    assert "evil" not in browser.get("/sign-in", params={"next": following}).text


def test_the_page_to_sign_in_on_offers_the_provider_and_remembers_where_to_go(
    desk: Desk, browser: httpx.Client
) -> None:
    text = browser.get("/sign-in", params={"next": "/account?x=1"}).text

    assert 'href="/sign-in/oidc?next=%2Faccount%3Fx%3D1"' in text
    assert "your organization" in text


# --- signing out ---


def form_token(browser: httpx.Client) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', browser.get("/account").text)
    assert found is not None
    return found[1]


def test_signing_out_ends_our_session_and_leads_on_to_end_the_provider_s(desk: Desk, browser: httpx.Client) -> None:
    desk.sign_in(browser)
    secret, session_id = browser.cookies["phaseloop"], ""
    _caller, session_id = sessions.caller(desk.context, secret, "a test")
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = browser.post("/sign-out", data={"form_token": form_token(browser)}, headers=headers)

    assert answer.status_code == 200
    found = re.search(r'content="0; url=([^"]+)"', answer.text)
    assert found is not None
    leads_to = found[1].replace("&amp;", "&")
    query = parse_qs(urlsplit(leads_to).query)
    assert leads_to.startswith(f"{desk.provider.issuer}/logout?")
    assert query["client_id"] == [CLIENT]
    assert query["post_logout_redirect_uri"] == [f"{desk.url}/sign-in"]
    assert query["id_token_hint"][0].count(".") == 2
    assert "phaseloop" not in browser.cookies
    with pytest.raises(sessions.SessionOver):
        sessions.caller(desk.context, secret, "a test")
    assert sessions.id_token_of(desk.context, session_id) is None, "what was kept of the provider went with it"


def test_where_the_provider_announces_nothing_or_is_away_only_our_session_ends(
    desk: Desk, browser: httpx.Client
) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}
    for bent in (Bent(discovery={"end_session_endpoint": None}), Bent(answers={WELL_KNOWN: (503, b"")})):
        desk.provider.bent = Bent()
        fresh(desk)
        desk.sign_in(browser)
        token = form_token(browser)
        desk.provider.bent = bent
        fresh(desk)
        answer = browser.post("/sign-out", data={"form_token": token}, headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert "phaseloop" not in browser.cookies
