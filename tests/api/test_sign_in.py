"""People sign in with a link that works once, and what a browser sends by itself is not enough to change anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import select

from service.api.cookies import cookie_name, is_secure
from service.domain.access.roles import Role
from service.pages.assets import address
from service.settings import Settings
from service.store.access_tables import SessionRow, SignInLinkRow
from service.usecases.access import people, sessions, tokens
from service.usecases.errors import Conflict
from tests.api.conftest import Api, assert_problem


@pytest.fixture
def browser(api: Api) -> Iterator[httpx.Client]:
    """A browser of somebody who is not signed in."""
    with httpx.Client(base_url=api.client.base_url, headers={"Accept": "text/html"}, timeout=60) as client:
        yield client


def ours(browser: httpx.Client) -> dict[str, str]:
    """What a browser says of a request from one of our pages."""
    return {"Sec-Fetch-Site": "same-origin", "Origin": str(browser.base_url).rstrip("/")}


def assert_told(answer: httpx.Response, title: str, status: int) -> None:
    """That the answer is a page about this problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert f"<h1>{title}</h1>" in answer.text


def code_for(api: Api, login: str, role: Role = Role.ADMIN) -> str:
    people.put(api.context, login, role)
    return sessions.link(api.context, login)


def signed_in(api: Api, browser: httpx.Client, login: str = "ml-1@example.com", role: Role = Role.ADMIN) -> str:
    """Sign this browser in; its form token."""
    answer = browser.post("/sign-in", data={"code": code_for(api, login, role)}, headers=ours(browser))
    assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', browser.get("/account").text)
    assert found is not None
    return found[1]


def test_a_link_signs_in_once(api: Api, browser: httpx.Client) -> None:
    code = code_for(api, "once@example.com")
    shown = browser.get("/sign-in", params={"code": code})
    assert code in shown.text
    assert "set-cookie" not in shown.headers, "to look at a link spends nothing"

    first = browser.post("/sign-in", data={"code": code}, headers=ours(browser))
    assert first.status_code == 303
    assert "once@example.com" in browser.get("/account").text
    browser.cookies.clear()
    again = browser.post("/sign-in", data={"code": code}, headers=ours(browser))
    assert again.status_code == 422
    assert "signs nobody in" in again.text
    assert code not in again.text


def test_of_two_who_use_a_link_at_once_one_signs_in(api: Api) -> None:
    code = code_for(api, "race@example.com")
    assert sessions.sign_in(api.context, code, "one")
    with pytest.raises(sessions.SignInRefused):
        sessions.sign_in(api.context, code, "two")


def test_a_link_that_is_a_quarter_of_an_hour_old_and_one_that_never_was_are_refused_alike(
    api: Api, browser: httpx.Client
) -> None:
    code = code_for(api, "late@example.com")
    later = replace(api.context, now=lambda: api.context.now() + sessions.LINK_LASTS)
    with pytest.raises(sessions.SignInRefused):
        sessions.sign_in(later, code, "late")
    told = {browser.post("/sign-in", data={"code": one}, headers=ours(browser)).text for one in ("", "pl_x", "ü" * 90)}
    assert len(told) == 1


def test_nothing_that_opens_something_stands_in_the_database(api: Api, browser: httpx.Client) -> None:
    code = code_for(api, "kept@example.com")
    browser.post("/sign-in", data={"code": code}, headers=ours(browser))
    secret = browser.cookies["phaseloop"]

    with api.context.database.session() as session:
        rows = [*session.scalars(select(SessionRow.hash)), *session.scalars(select(SignInLinkRow.hash))]
    assert code not in rows
    assert secret not in rows
    log = api("GET", "/changes?limit=200").text
    assert code not in log
    assert secret not in log


def test_the_cookie_is_kept_from_scripts_and_other_sites(api: Api, browser: httpx.Client) -> None:
    answer = browser.post("/sign-in", data={"code": code_for(api, "c@example.com")}, headers=ours(browser))
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie


def test_over_https_the_cookie_belongs_to_this_host_alone(api: Api) -> None:
    settings = Settings(_env_file=None, home=api.context.settings.home, public_url="https://pl.example.com")  # type: ignore[call-arg,arg-type]
    public = replace(api.context, settings=settings)
    scope = {"type": "http", "scheme": "http", "headers": []}

    assert is_secure(public, scope)
    assert cookie_name(public, scope) == "__Host-phaseloop"
    assert not is_secure(api.context, scope)


def test_signing_in_ends_the_session_that_the_browser_came_with(api: Api, browser: httpx.Client) -> None:
    signed_in(api, browser, "first@example.com")
    former = browser.cookies["phaseloop"]
    signed_in(api, browser, "second@example.com")

    assert browser.cookies["phaseloop"] != former
    with pytest.raises(sessions.SessionOver):
        sessions.caller(api.context, former, "a test")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "OURS"},
    ],
)
def test_what_another_site_has_a_browser_send_changes_nothing(
    api: Api, browser: httpx.Client, headers: dict[str, str]
) -> None:
    token = signed_in(api, browser)
    said = {name: ours(browser)["Origin"] if value == "OURS" else value for name, value in headers.items()}
    form = {"form_token": token}

    assert_told(browser.post("/sign-out", data=form, headers=said), "You may not do this", 403)
    body = {"name": "x", "role": "admin"}
    more = {"X-Form-Token": token, **said}
    assert_problem(browser.post("/api/v1/tokens", json=body, headers=more), "forbidden", 403)
    assert_told(browser.post("/sign-in", data={"code": "x"}, headers=said), "You may not do this", 403)
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize("form", [{}, {"form_token": ""}, {"form_token": "0" * 64}, {"form_token": "ü"}])
def test_a_form_without_the_token_of_its_session_changes_nothing(
    api: Api, browser: httpx.Client, form: dict[str, str]
) -> None:
    signed_in(api, browser)
    assert_told(browser.post("/sign-out", data=form, headers=ours(browser)), "You may not do this", 403)
    answer = browser.post("/api/v1/tokens", json={"name": "x", "role": "admin"}, headers=ours(browser))
    assert_problem(answer, "forbidden", 403)


def test_a_person_uses_the_api_with_their_role_and_is_named_in_the_log(api: Api, browser: httpx.Client) -> None:
    token = signed_in(api, browser, "lead-1@example.com", Role.LEAD)
    headers = {**ours(browser), "X-Form-Token": token}
    body = {"name": api.new_name("team"), "members": []}

    assert_problem(
        browser.post("/api/v1/tokens", json={"name": "x", "role": "admin"}, headers=headers), "forbidden", 403
    )
    body["members"] = [{"person": "ML 1", "email": "ml-1@example.com", "roles": ["ml"]}]
    made = browser.post("/api/v1/teams", json=body, headers=headers)
    assert made.status_code == 201, made.text
    (change,) = [one for one in api.get("/changes?by=lead-1@example.com")["items"] if one["thing"] == "team"]
    assert change["by"]["kind"] == "person"
    assert change["from"] == "a browser, from 127.0.0.1"


def test_a_role_that_is_taken_away_is_gone_at_the_next_request(api: Api, browser: httpx.Client) -> None:
    people.put(api.context, "stays@example.com", Role.ADMIN)
    signed_in(api, browser, "demoted@example.com")
    assert browser.get("/api/v1/tokens").status_code == 200

    people.put(api.context, "demoted@example.com", Role.VIEWER)
    assert_problem(browser.get("/api/v1/tokens"), "forbidden", 403)
    people.remove(api.context, "demoted@example.com")
    assert_problem(browser.get("/api/v1/me"), "unauthorized", 401)


def test_who_is_not_signed_in_is_led_to_the_form_and_the_api_answers_as_before(api: Api, browser: httpx.Client) -> None:
    answer = browser.get("/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Faccount")
    assert_problem(browser.get("/api/v1/projects"), "unauthorized", 401)
    browser.cookies.set("phaseloop", "forged", domain=str(browser.base_url.host))
    assert browser.get("/account").headers["location"] == "/sign-in?next=%2Faccount&ended=true"
    token = tokens.create(api.context, "page")
    answer = browser.get("/account", headers={"Authorization": f"Bearer {token}"})
    assert_told(answer, "You may not do this", 403)
    as_program = api.client.get("/account", headers={"Authorization": f"Bearer {token}"})
    assert_problem(as_program, "forbidden", 403)


def test_signing_out_ends_the_session_and_another_one_can_be_ended(api: Api, browser: httpx.Client) -> None:
    signed_in(api, browser, "two@example.com")
    first = browser.cookies["phaseloop"]
    browser.cookies.clear()
    token = signed_in(api, browser, "two@example.com")
    other = re.search(r"/account/sessions/(ses_[0-9a-f]+)/revoke", browser.get("/account").text)
    assert other is not None
    form = {"form_token": token}
    assert browser.post(f"/account/sessions/{other[1]}/revoke", data=form, headers=ours(browser)).status_code == 303
    with pytest.raises(sessions.SessionOver):
        sessions.caller(api.context, first, "a test")

    second = browser.cookies["phaseloop"]
    assert browser.post("/sign-out", data=form, headers=ours(browser)).headers["location"] == "/sign-in"
    assert "phaseloop" not in browser.cookies
    with pytest.raises(sessions.SessionOver):
        sessions.caller(api.context, second, "a test")


def test_nobody_ends_the_session_of_somebody_else(api: Api, browser: httpx.Client) -> None:
    theirs = sessions.sign_in(api.context, code_for(api, "theirs@example.com"), "elsewhere")
    _caller, their_id = sessions.caller(api.context, theirs, "a test")
    token = signed_in(api, browser, "mine@example.com")

    path = f"/account/sessions/{their_id}/revoke"
    answer = browser.post(path, data={"form_token": token}, headers=ours(browser))
    assert_told(answer, "Not found", 404)
    assert sessions.caller(api.context, theirs, "a test")


@pytest.mark.parametrize("after", [sessions.IDLE, sessions.LASTS])
def test_a_session_ends_when_it_is_not_used_and_when_it_is_old(api: Api, after: timedelta) -> None:
    secret = sessions.sign_in(api.context, code_for(api, "old@example.com"), "a test")
    begun = api.context.now()
    if after == sessions.LASTS:
        hour = timedelta(hours=1)
        for number in range(int(sessions.LASTS / hour)):
            now = replace(api.context, now=lambda number=number: begun + number * hour)  # type: ignore[misc]
            sessions.used(now, sessions.caller(now, secret, "a test")[1])
    else:
        sessions.caller(replace(api.context, now=lambda: begun + after - timedelta(minutes=1)), secret, "a test")

    with pytest.raises(sessions.SessionOver):
        sessions.caller(replace(api.context, now=lambda: begun + after), secret, "a test")


def test_the_last_administrator_stays_one_whoever_asks(api: Api) -> None:
    for one in people.listed(api.context):
        if one.row.login != "last@example.com":
            people.put(api.context, "last@example.com", Role.ADMIN)
            people.remove(api.context, one.row.login)
    people.put(api.context, "last@example.com", Role.ADMIN)

    with pytest.raises(Conflict, match="last administrator"):
        people.remove(api.context, "last@example.com")
    with pytest.raises(Conflict, match="last administrator"):
        people.put(api.context, "last@example.com", Role.VIEWER)
    people.put(api.context, "other@example.com", Role.ADMIN)
    people.remove(api.context, "other@example.com")


@pytest.mark.parametrize(
    "path", ["/sign-in", "/account", address("style.css"), "/api/v1/projects", "/healthz", "/none"]
)
def test_every_answer_says_what_a_browser_may_do_with_it(api: Api, path: str) -> None:
    headers = api.client.get(path).headers

    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "strict-transport-security" not in headers, "only where people come over https"


def test_the_pages_need_nothing_that_the_policy_forbids(browser: httpx.Client) -> None:
    text = browser.get("/sign-in", params={"code": '"><script>alert(1)</script>'}).text

    assert "<script>" not in text
    assert "style=" not in text
    assert "<style" not in text
    assert browser.get(address("style.css")).headers["content-type"].startswith("text/css")


def test_a_form_is_read_as_far_as_it_can_be(browser: httpx.Client) -> None:
    body = urlencode({"code": "x" * 5000}) + "&" + "&".join(f"f{n}=1" for n in range(200))
    headers = {"Content-Type": "application/x-www-form-urlencoded", **ours(browser)}
    assert browser.post("/sign-in", content=body, headers=headers).status_code == 422
    assert browser.post("/sign-in", content=b"\xff\xfe", headers=headers).status_code == 422
