"""Who somebody is who signs in with a provider, and what they may."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import func, select, update

from connectors import oidc
from service.domain.access.roles import Role
from service.store.access_tables import GrantRow, OidcIdentityRow, PersonRow, SessionRow
from service.usecases.access import change_log, people, provider_identities, role_rules
from service.usecases.errors import Conflict
from tests.api.conftest import assert_problem
from tests.api.provider_desk import LEADS, Desk, login_in, refused


def test_an_address_that_is_verified_finds_the_person_who_was_invited_once(desk: Desk, browser: httpx.Client) -> None:
    people.put(desk.context, "Invited@example.com", Role.OPERATOR)
    mail = {"email": "invited@example.com", "email_verified": True, "groups": []}
    assert desk.sign_in(browser, sub="sub-invited", **mail).status_code == 303
    assert login_in(browser) == "Invited@example.com"
    browser.cookies.clear()

    other = desk.sign_in(browser, sub="sub-other", **mail)
    assert "nobody has given you a role" in refused(desk, browser, other, "no role here")
    changed = desk.sign_in(browser, sub="sub-invited", email="married@example.com", groups=[])
    assert changed.status_code == 303
    assert login_in(browser) == "Invited@example.com", "whoever the subject is"


@pytest.mark.parametrize("proved", [False, None, "false", 1, "yes"])
def test_an_address_that_is_not_verified_opens_nothing(desk: Desk, browser: httpx.Client, proved: object) -> None:
    people.put(desk.context, "boss@example.com", Role.ADMIN)
    claims = {"email": "boss@example.com", "preferred_username": "boss@example.com", "email_verified": proved}
    page = refused(desk, browser, desk.sign_in(browser, sub="sub-evil", groups=[], **claims), "no role here")
    assert "sub-evil" in page
    assert "boss@example.com" not in page

    assert desk.sign_in(browser, sub=f"sub-evil-{proved}", **claims).status_code == 303
    assert login_in(browser).startswith("oidc:"), "in a group, and not that person"
    assert browser.get("/api/v1/tokens").status_code == 403
    people.put(desk.context, "new-boss@example.com", Role.ADMIN)
    assert people.get(desk.context, "boss@example.com").row.login == "boss@example.com"


def test_an_address_and_its_proof_come_from_one_place() -> None:
    token = {"sub": "s", "email": "boss@example.com"}
    more = {"sub": "s", "email": "evil@example.com", "email_verified": True, "groups": ["g"]}

    assert oidc.together(token, more) == {"sub": "s", "email": "boss@example.com", "groups": ["g"]}


def test_where_two_people_have_the_address_nobody_is_found_by_it(desk: Desk, browser: httpx.Client) -> None:
    people.put(desk.context, "twice@example.com", Role.ADMIN)
    people.put(desk.context, "TWICE@example.com", Role.ADMIN)
    answer = desk.sign_in(browser, sub="sub-twice", email="twice@example.com", email_verified=True)
    assert answer.status_code == 303
    assert login_in(browser).startswith("oidc:")


def test_somebody_who_was_removed_is_answered_like_a_stranger(desk: Desk, browser: httpx.Client) -> None:
    desk.sign_in(browser, sub="sub-gone", email="gone@example.com", email_verified=True)
    people.remove(desk.context, "gone@example.com")
    people.put(desk.context, "gone-too@example.com", Role.ADMIN)
    people.remove(desk.context, "gone-too@example.com")
    browser.cookies.clear()

    def said(sub: str, **more: Any) -> str:
        page = refused(desk, browser, desk.sign_in(browser, sub=sub, email_verified=True, **more), "no role here")
        return page.replace(sub, "SUB").replace(str(more["email"]), "MAIL")

    stranger = said("sub-stranger", email="stranger@example.com", groups=["a"])
    assert said("sub-gone", email="gone@example.com", groups=["a"]) == stranger
    assert said("sub-gone-too", email="gone-too@example.com", groups=["a"]) == stranger
    assert "gone-too@example.com" in refused(
        desk, browser, desk.sign_in(browser, sub="x", email="gone-too@example.com", email_verified=True), "no role"
    ), "and a group does not let them in again"


def test_a_stranger_without_a_role_is_told_what_to_ask_and_leaves_no_trace_but_in_the_log(
    desk: Desk, browser: httpx.Client
) -> None:
    before = desk.count(PersonRow), desk.count(OidcIdentityRow), desk.count(SessionRow)
    claims = {"groups": ["sales", "<b>"], "email": "s@example.com", "email_verified": True}
    page = refused(desk, browser, desk.sign_in(browser, sub="sub-sales", **claims), "no role here")

    for word in ("sub-sales", desk.provider.issuer, "s@example.com", "sales, &lt;b&gt;", "Ask an administrator"):
        assert word in page
    assert (desk.count(PersonRow), desk.count(OidcIdentityRow), desk.count(SessionRow)) == before
    newest = change_log.page(desk.context, 1)[0]
    assert (newest.action, newest.thing, newest.body["after"]["subject"]) == ("refused", "sign-in", "sub-sales")
    assert "127.0.0.1" in newest.body["from"]


def test_somebody_who_has_lost_every_role_is_told_so_on_the_page_and_over_rest(
    desk: Desk, browser: httpx.Client
) -> None:
    desk.sign_in(browser, sub="sub-lost", email="lost@example.com", email_verified=True)
    browser.cookies.clear()
    assert desk.sign_in(browser, sub="sub-lost", groups=[]).status_code == 303

    assert "You have no role yet" in browser.get("/account").text
    told = assert_problem(browser.get("/api/v1/projects"), "forbidden", 403)["detail"]
    assert "Ask an administrator" in told


def test_roles_follow_the_groups_at_each_sign_in_and_those_given_by_hand_stay(
    desk: Desk, browser: httpx.Client
) -> None:
    def held() -> set[tuple[str, str]]:
        return {(one["role"], one["origin"]) for one in browser.get("/api/v1/me").json()["grants"]}

    rule = role_rules.add(desk.context, "auditors", Role.AUDITOR)
    people.put(desk.context, "both@example.com", Role.VIEWER)
    mail = {"sub": "sub-both", "email": "both@example.com", "email_verified": True}
    desk.sign_in(browser, **mail, groups=[LEADS, "auditors"])
    assert held() == {("viewer", "hand"), ("lead", "provider"), ("auditor", "provider")}
    desk.sign_in(browser, **mail, groups=["auditors"])
    assert held() == {("viewer", "hand"), ("auditor", "provider")}
    people.put(desk.context, "both@example.com", Role.OPERATOR)
    assert held() == {("operator", "hand"), ("auditor", "provider")}
    role_rules.remove(desk.context, rule.id)
    assert held() == {("operator", "hand"), ("auditor", "provider")}, "until the next sign-in"
    desk.sign_in(browser, **mail, groups=["auditors"])
    assert held() == {("operator", "hand")}


def test_an_administrator_by_a_group_does_not_count_as_the_last_one(desk: Desk, browser: httpx.Client) -> None:
    rule = role_rules.add(desk.context, "admins", Role.ADMIN)
    desk.sign_in(browser, sub="sub-admin", email="admin@example.com", email_verified=True, groups=["admins"])
    assert browser.get("/api/v1/tokens").status_code == 200
    role_rules.remove(desk.context, rule.id)
    people.put(desk.context, "last@example.com", Role.ADMIN)
    others = [one.row.login for one in people.listed(desk.context) if one.row.login != "last@example.com"]
    for login in others:
        people.remove(desk.context, login)
    with pytest.raises(Conflict, match="last administrator"):
        people.remove(desk.context, "last@example.com")
    with desk.context.database.session() as session:
        session.execute(update(PersonRow).values(disabled_at=None))


def test_groups_that_are_not_in_the_token_are_asked_for(desk: Desk, browser: httpx.Client) -> None:
    desk.provider.userinfo = {"sub": "sub-info", "groups": [LEADS]}
    assert desk.sign_in(browser, sub="sub-info", groups=None).status_code == 303
    browser.cookies.clear()
    desk.provider.userinfo = {"sub": "somebody-else", "groups": [LEADS]}
    refused(desk, browser, desk.sign_in(browser, sub="sub-info-2", groups=None), "about somebody else")


def test_an_administrator_says_who_somebody_is_where_no_address_does(desk: Desk, browser: httpx.Client) -> None:
    people.put(desk.context, "linked@example.com", Role.VIEWER)
    provider_identities.link(desk.context, "linked@example.com", "sub-linked")
    provider_identities.link(desk.context, "linked@example.com", "sub-linked")
    assert desk.sign_in(browser, sub="sub-linked", groups=[]).status_code == 303
    assert login_in(browser) == "linked@example.com"
    people.put(desk.context, "second@example.com", Role.VIEWER)
    with pytest.raises(Conflict):
        provider_identities.link(desk.context, "second@example.com", "sub-linked")
    with pytest.raises(Conflict):
        provider_identities.link(desk.context, "linked@example.com", "sub-another")

    assert provider_identities.unlink(desk.context, "linked@example.com")
    assert browser.get("/account").status_code == 303, "and their sessions ended"
    browser.cookies.clear()
    refused(desk, browser, desk.sign_in(browser, sub="sub-linked", groups=[]), "no role here")


def test_signing_in_is_in_the_log_with_where_it_came_from(desk: Desk, browser: httpx.Client) -> None:
    desk.sign_in(browser, sub="sub-logged", email="logged@example.com", email_verified=True)
    person = people.get(desk.context, "logged@example.com").row.id

    rows = change_log.page(desk.context, 10)
    told = {row.thing: row for row in reversed(rows) if person in json.dumps(row.body) or row.thing_id == person}
    assert set(told) >= {"person", "provider identity", "grant", "session"}
    assert told["session"].body["after"]["person_id"] == person
    host = urlsplit(desk.provider.issuer).netloc
    assert told["session"].body["from"] == f"sign-in with {host}, a browser, from 127.0.0.1"
    assert not change_log.verify(desk.context).breaks


def test_the_first_sign_in_in_two_tabs_at_once_makes_one_person(desk: Desk) -> None:
    desk.provider.claims = {"sub": "sub-twin", "groups": [LEADS], "email": "twin@example.com", "email_verified": True}
    with ExitStack() as stack:
        browsers = [stack.enter_context(desk.browser()) for _ in range(4)]
        backs = [desk.approved(desk.begin(one)) for one in browsers]
        with ThreadPoolExecutor(len(browsers)) as pool:
            answers = list(pool.map(lambda one, back: one.get(back), browsers, backs))

    assert [one.status_code for one in answers] == [303] * 4
    with desk.context.database.session() as session:
        mine = select(OidcIdentityRow.person_id).where(OidcIdentityRow.subject == "sub-twin")
        (person,) = session.scalars(mine)
        assert session.scalars(select(PersonRow.id).where(PersonRow.login == "twin@example.com")).all() == [person]
        held = select(func.count()).select_from(GrantRow).where(GrantRow.holder_id == person)
        assert session.scalar(held) == 1
