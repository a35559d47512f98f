"""A form that is sent after a session has run out: what was entered comes back once its sender has signed in, without a
script, and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from sqlalchemy import select, update

from service.domain.access.roles import Role
from service.store.access_tables import KeptFormRow, PersonRow, SessionRow
from service.usecases.access import kept_forms, people, sessions
from service.usecases.setup import connections
from tests.pages_desk import Desk, Visitor, served_desk

LOGIN = "lead-1@example.com"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with served_desk(tmp_path_factory.mktemp("desk") / "home") as found:
        found.connect()
        yield found


def run_out(desk: Desk, login: str = LOGIN) -> None:
    """Have the sessions of somebody run out, as they do after a week."""
    person = people.get(desk.context, login).row.id
    with desk.context.database.session() as session:
        session.execute(update(SessionRow).where(SessionRow.person_id == person).values(expires_at=desk.context.now()))


def sign_in(desk: Desk, visitor: Visitor, form: str, login: str = LOGIN) -> httpx.Response:
    """Sign in at that form by a code; what it leads to."""
    page = visitor.client.get(form).text
    following = re.search(r'name="next" value="([^"]*)"', page)
    assert following is not None
    code = {"code": sessions.link(desk.context, login), "next": unescape(following[1])}
    return visitor.client.post("/sign-in", data=code, headers=visitor.ours)


def kept_rows(desk: Desk) -> list[KeptFormRow]:
    with desk.context.database.session() as session:
        return list(session.scalars(select(KeptFormRow)))


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def sent(desk: Desk, visitor: Visitor, page: str, action: str, **fields: str) -> httpx.Response:
    """Open a page, let the session run out, and send the form of the page."""
    hidden = visitor.hidden(visitor.get(page))
    run_out(desk)
    return visitor.send(action, {**hidden, **fields})


def fields_of(page: str, action: str) -> dict[str, str]:
    """What the form with this action carries."""
    form = page.partition(f'action="{action}"')[2].partition("</form>")[0]
    return {unescape(name): unescape(value) for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', form)}


def test_what_was_entered_survives_the_sign_in_and_is_sent_by_one_press(desk: Desk) -> None:
    visitor = desk.visitor()
    entered = desk.entries("Kept for later", "KEPT")

    answer = sent(desk, visitor, "/projects/new", "/projects/new", **entered)
    form = answer.headers["location"]
    assert answer.status_code == 303
    assert form.startswith("/sign-in?next=%2Fkept%2Ffrm_")
    assert "What you entered is kept for an hour" in words(visitor.client.get(form).text)
    leads_to = sign_in(desk, visitor, form).headers["location"]

    page = visitor.get(leads_to)
    assert "Kept for later" in words(page)
    carried = fields_of(page, "/projects/new")
    assert {name: carried[name].replace("\r\n", "\n") for name in entered} == entered
    plan = visitor.send("/projects/new", carried)
    assert re.fullmatch("/plans/pln_[0-9a-f]+", plan.headers["location"])
    assert "Kept for later" in words(visitor.get(plan.headers["location"]))

    visitor.get(leads_to, 404)
    again = visitor.send("/projects/new", carried)
    assert again.headers["location"] == plan.headers["location"], "sent twice, it is done once"


def test_the_cookie_outlives_its_session_and_opens_nothing_by_then(desk: Desk) -> None:
    client = httpx.Client(base_url=desk.url, headers={"Accept": "text/html"})
    desk.clients.append(client)
    code = desk.link("late@example.com", Role.VIEWER).partition("code=")[2]

    answer = client.post("/sign-in", data={"code": code}, headers={"Sec-Fetch-Site": "same-origin"})

    [lasts] = re.findall(r"Max-Age=(\d+)", answer.headers["set-cookie"])
    assert int(lasts) > sessions.LASTS.total_seconds()
    run_out(desk, "late@example.com")
    assert client.get("/").headers["location"].startswith("/sign-in")


def test_nothing_is_done_by_sending_it_without_a_session_nor_by_looking_at_it(desk: Desk) -> None:
    visitor = desk.visitor()
    before = [one.name for one in connections.listed(desk.context)]
    entered = {"c_kind": "jira", "c_name": "other", "c_jira_url": desk.sandbox.url, "c_jira_email": "a@example.com"}

    form = sent(desk, visitor, "/connections/new", "/connections/new", **entered).headers["location"]
    visitor.get(sign_in(desk, visitor, form).headers["location"])

    assert [one.name for one in connections.listed(desk.context)] == before


def test_a_credential_is_kept_nowhere_and_asked_for_again(desk: Desk) -> None:
    visitor = desk.visitor()
    entered = {"kind": "slack", "name": "told", "channel": "C0000000002", "r_slack_secret": "xoxb-very-secret"}

    form = sent(desk, visitor, "/receivers/new", "/receivers/new", **entered).headers["location"]

    assert "very-secret" not in form
    stored = [desk.context.vault.kept(one.secret) for one in kept_rows(desk)]
    assert "very-secret" not in str(stored)
    assert "C0000000002" in str(stored)
    assert b"C0000000002" not in b"".join(one.secret for one in kept_rows(desk))
    page = visitor.get(sign_in(desk, visitor, form).headers["location"])
    assert "very-secret" not in page
    assert 'name="r_slack_secret" type="password"' in page
    assert "Credentials were not kept" in words(page)


def test_every_field_for_a_credential_is_known_as_one(desk: Desk) -> None:
    visitor = desk.visitor()
    pages = ["/connections/new", "/receivers/new", "/projects/new", "/connections/work"]
    found = {
        name for path in pages for field in re.findall(r"<input[^>]*type=\"password\"[^>]*>", visitor.get(path))
        for name in re.findall(r'name="([^"]*)"', field)
    }  # fmt: skip

    assert len(found) >= 3
    assert [one for one in found if not kept_forms.is_secret(one)] == []


def test_nobody_else_is_shown_it_or_told_that_it_is_there(desk: Desk) -> None:
    visitor, other = desk.visitor(), desk.visitor("other@example.com", Role.ADMIN)

    form = sent(desk, visitor, "/projects/new", "/projects/new", name="Mine").headers["location"]
    [mine] = re.findall(r"frm_[0-9a-f]+", form)

    there, nowhere = words(other.get(f"/kept/{mine}", 404)), words(other.get("/kept/frm_000000000000", 404))
    told = re.sub(r"frm_\w+|req_\w+", "", there)
    assert told == re.sub(r"frm_\w+|req_\w+", "", nowhere)
    assert other.send(f"/kept/{mine}/discard", other.hidden(other.get("/account"))).status_code == 404
    assert sign_in(desk, visitor, form).headers["location"] == f"/kept/{mine}"
    assert "Mine" in words(visitor.get(f"/kept/{mine}"))


def test_a_form_of_a_session_that_somebody_ended_is_not_kept(desk: Desk) -> None:
    visitor = desk.visitor()
    hidden = visitor.hidden(visitor.get("/projects/new"))
    before = len(kept_rows(desk))
    sessions.revoke_all(desk.context, people.get(desk.context, LOGIN).row.id)

    answer = visitor.send("/projects/new", {**hidden, "name": "Stolen"})

    assert answer.headers["location"] == "/sign-in?next=%2Fprojects%2Fnew&ended=true"
    assert len(kept_rows(desk)) == before


@pytest.mark.parametrize("spoilt", ["proof", "site", "cookie", "person", "nothing"])
def test_what_is_no_form_of_that_session_is_not_kept(desk: Desk, spoilt: str) -> None:
    login = f"{spoilt}@example.com"
    visitor = desk.visitor(login, Role.LEAD)
    fields = {**visitor.hidden(visitor.get("/projects/new")), "name": "Forged"}
    run_out(desk, login)
    before = {one.id for one in kept_rows(desk)}
    headers = dict(visitor.ours)
    if spoilt == "proof":
        fields["form_token"] = "0" * 64
    elif spoilt == "site":
        headers = {"Sec-Fetch-Site": "cross-site"}
    elif spoilt == "cookie":
        visitor.client.cookies.set("phaseloop", "made-up")
    elif spoilt == "person":
        people.remove(desk.context, login)
    else:
        fields.pop("name")

    answer = visitor.client.post("/projects/new", data=fields, headers=headers)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=%2Fprojects%2Fnew")
    assert {one.id for one in kept_rows(desk)} == before


def test_one_form_of_a_session_is_kept_the_last_one(desk: Desk) -> None:
    visitor = desk.visitor("twice@example.com", Role.LEAD)
    hidden = visitor.hidden(visitor.get("/projects/new"))
    run_out(desk, "twice@example.com")

    first, second = (visitor.send("/projects/new", {**hidden, "name": name}) for name in ("First", "Second"))

    assert first.headers["location"] != second.headers["location"]
    with desk.context.database.session() as session:
        person = session.scalar(select(PersonRow.id).where(PersonRow.login == "twice@example.com"))
    assert len([one for one in kept_rows(desk) if one.person_id == person]) == 1


def test_it_is_thrown_away_by_a_press_and_gone_after_an_hour(desk: Desk) -> None:
    visitor = desk.visitor()
    form = sent(desk, visitor, "/projects/new", "/projects/new", name="Gone").headers["location"]
    path = sign_in(desk, visitor, form).headers["location"]
    assert visitor.press(path, f"{path}/discard") == "/"
    visitor.get(path, 404)

    form = sent(desk, visitor, "/projects/new", "/projects/new", name="Late").headers["location"]
    path = sign_in(desk, visitor, form).headers["location"]
    with desk.context.database.session() as session:
        session.execute(update(KeptFormRow).values(expires_at=desk.context.now()))
    visitor.get(path, 404)
    with desk.context.database.session() as session:
        kept_forms.forget_old(session, desk.context.now())
    assert kept_rows(desk) == []


def test_a_form_with_hundreds_of_fields_is_one_of_its_session(desk: Desk) -> None:
    visitor = desk.visitor()
    hidden = visitor.hidden(visitor.get("/receivers/new"))
    many = {f"choice.{n}": "keep" for n in range(300)}

    answer = visitor.client.post("/receivers/new", data={**many, **hidden, "kind": "slack"}, headers=visitor.ours)

    assert answer.status_code == 422  # its credential is missing: it was read, and not refused as another session's
