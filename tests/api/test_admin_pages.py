"""Access, the change log, settings and the search over pages, as a browser without a script uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from cryptography.fernet import Fernet

from service.domain.access.roles import Role
from service.pages import project_settings
from service.settings import Settings
from service.store.tables import AnswerRow
from service.usecases.access import people, role_rules, sessions, tokens
from service.usecases.setup import projects
from service.usecases.setup.settings_in_force import in_force
from tests.api.test_pages import HOSTILE, words
from tests.pages_desk import Desk, Visitor, served_desk
from tests.statements import statements

SECRET = re.compile(r'id="secret-value" value="([^"]+)"')


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with served_desk(tmp_path_factory.mktemp("desk") / "home") as found:
        found.connect()
        yield found


@pytest.fixture(scope="module")
def admin(desk: Desk) -> Visitor:
    return desk.visitor()


@pytest.fixture(scope="module")
def projects_(desk: Desk, admin: Visitor) -> None:
    """Two projects, planned and applied."""
    for name, key in (("Support triage", "SUP"), ("Fraud scoring", "FRD")):
        plan = admin.press("/projects/new", "/projects/new", **desk.entries(name, key))
        desk.wait_for_end(admin.press(plan, f"{plan}/apply").rpartition("/")[2])


def sent(visitor: Visitor, page: str, action: str, **fields: str) -> httpx.Response:
    """A form of the page at that path, as it is."""
    return visitor.send(action, {**visitor.hidden(visitor.get(page)), **fields})


def cost(desk: Desk, visitor: Visitor, address: str) -> int:
    """Statements of a page; the fewest of several looks, for the service does things of its own meanwhile."""
    found = []
    for _ in range(4):
        with statements(desk.context, but="UPDATE sessions") as sent_:
            visitor.get(address)
        found.append(len(sent_))
    return min(found)


def person(desk: Desk, login: str) -> str:
    """The address of a person's page."""
    return f"/access/people/{people.get(desk.context, login).row.id}"


def roles(desk: Desk, login: str) -> set[tuple[str, str | None]]:
    return {(one.role.value, one.project) for one in people.get(desk.context, login).grants}


# --- people -----------------------------------------------------------------------------------------------------------


def test_a_person_is_added_with_a_link_that_lets_them_in_once_and_is_shown_once(desk: Desk, admin: Visitor) -> None:
    form = {**admin.hidden(admin.get("/access")), "login": "new-1@example.com", "role": "lead"}
    first, second = admin.send("/access", form), admin.send("/access", form)

    assert first.status_code == second.status_code == 200
    link = unescape(SECRET.findall(first.text)[0])
    assert link.startswith(f"{desk.url}/sign-in?code=")
    assert first.headers["cache-control"] == "no-store"
    assert SECRET.findall(second.text) == []
    assert "The link was shown once" in words(second.text)
    assert roles(desk, "new-1@example.com") == {("lead", None)}
    code = link.partition("code=")[2]
    with desk.context.database.session() as session:
        assert not [row for row in session.query(AnswerRow) if code in (row.body or "")], "it is kept nowhere"
    joined = Visitor(desk.url)
    desk.clients.append(joined.client)
    assert joined.client.post("/sign-in", data={"code": code}, headers=joined.ours).status_code == 303
    assert joined.client.get("/").status_code == 200
    assert joined.client.post("/sign-in", data={"code": code}, headers=joined.ours).status_code == 422


def test_roles_are_given_in_all_projects_and_in_some_and_taken_away_one_by_one(
    desk: Desk, admin: Visitor, projects_: None
) -> None:
    people.put(desk.context, "roles@example.com", Role.VIEWER)
    page = person(desk, "roles@example.com")
    assert sent(admin, page, f"{page}/roles", role="operator", projects="SUP, frd").status_code == 303
    given = roles(desk, "roles@example.com")
    assert {role for role, _ in given} == {"viewer", "operator"}
    assert len(given) == 3
    assert "operator in SUP" in words(admin.get(page))
    assert "operator in FRD" in words(admin.get("/access"))
    sup = next(project for role, project in given if role == "operator")
    assert sent(admin, page, f"{page}/roles/remove", role=f"operator:{sup}").status_code == 303
    assert roles(desk, "roles@example.com") == given - {("operator", sup)}


def test_the_last_administrator_stays_and_why_stands_beside_the_button(desk: Desk, admin: Visitor) -> None:
    page = person(desk, "lead-1@example.com")
    for action, more in ((f"{page}/remove", {}), (f"{page}/roles/remove", {"role": "admin:"})):
        answer = sent(admin, page, action, **more)
        assert answer.status_code == 409
        assert "lead-1@example.com is the last administrator" in words(answer.text)
        assert 'class="err"' in answer.text
        assert "phaseloop people add" not in answer.text, "a page names no command"
    again = sent(admin, "/access", "/access", login="lead-1@example.com", role="viewer")
    assert again.status_code == 422
    assert re.search(r'id="login-e".*?last administrator', again.text, re.DOTALL)
    assert ("admin", None) in roles(desk, "lead-1@example.com")


def test_who_is_removed_is_out_at_once_and_is_let_in_again_with_one_role(desk: Desk, admin: Visitor) -> None:
    visitor = desk.visitor("leaves@example.com", Role.LEAD)
    page = person(desk, "leaves@example.com")
    assert sent(admin, page, f"{page}/remove").status_code == 303
    assert visitor.client.get("/").status_code == 303, "led to the form"
    assert "Removed" in words(admin.get(page))
    assert sent(admin, page, f"{page}/roles", role="viewer").status_code == 303
    assert roles(desk, "leaves@example.com") == {("viewer", None)}
    assert people.get(desk.context, "leaves@example.com").row.disabled_at is None
    assert visitor.client.get("/").status_code == 303, "a session that has ended does not begin again"


def test_what_is_wrong_with_a_person_stands_beside_its_field_and_stays(desk: Desk, admin: Visitor) -> None:
    count = len(people.listed(desk.context))
    answer = sent(admin, "/access", "/access", login="two words", role="lead", projects="NONE")
    assert answer.status_code == 422
    assert 'value="two words"' in answer.text
    assert re.search(r'id="login-e".*?without blanks', answer.text, re.DOTALL)
    unknown = sent(admin, "/access", "/access", login="fits@example.com", role="lead", projects="NONE")
    assert unknown.status_code == 422
    assert re.search(r'id="projects-e".*?There is no project', unknown.text, re.DOTALL)
    assert 'value="lead" selected' in unknown.text
    assert len(people.listed(desk.context)) == count


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_is_ended_and_all_of_a_person_and_nobody_else_s(desk: Desk, admin: Visitor) -> None:
    one, two, other = (desk.visitor(f"{who}@example.com", Role.VIEWER) for who in ("ses", "ses", "other"))
    held = sessions.listed(desk.context, people.get(desk.context, "ses@example.com").row.id)
    assert len(held) == 2
    assert sent(admin, "/access/sessions", f"/access/sessions/{held[0].row.id}/end").status_code == 303
    assert {one.client.get("/").status_code, two.client.get("/").status_code} == {200, 303}
    page = person(desk, "ses@example.com")
    assert sent(admin, page, f"{page}/sessions/end").status_code == 303
    assert one.client.get("/").status_code == two.client.get("/").status_code == 303
    assert other.client.get("/").status_code == admin.client.get("/").status_code == 200
    assert "Not signed in anywhere." in words(admin.get(page))


def test_the_session_that_looks_is_marked_and_has_no_button_to_end_it(admin: Visitor) -> None:
    page = admin.get("/access/sessions")

    assert page.count("this one") == 1
    assert page.count("/end") == page.count("Begun ") - 1


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_is_made_with_role_and_end_shown_once_and_revoked(desk: Desk, admin: Visitor, projects_: None) -> None:
    form = {"name": "ci", "role": "viewer", "projects": "SUP", "days": "30"}
    fields = {**admin.hidden(admin.get("/access/tokens")), **form}
    first, second = (admin.send("/access/tokens", fields) for _ in range(2))
    token = SECRET.findall(first.text)[0]
    found = [one for one in tokens.listed(desk.context) if one.row.name == "ci"]

    assert len(found) == 1, "pressed twice is once"
    assert "It was shown once" in words(second.text)
    assert token not in second.text + admin.get("/access/tokens")
    assert found[0].row.expires_at is not None
    assert round((found[0].row.expires_at - found[0].row.created_at).total_seconds() / 86400) == 30
    headers = {"Authorization": f"Bearer {token}"}
    listed = httpx.get(f"{desk.url}/api/v1/projects", headers=headers).json()["items"]
    assert [one["key"] for one in listed] == ["SUP"]
    assert sent(admin, "/access/tokens", f"/access/tokens/{found[0].row.id}/revoke").status_code == 303
    assert httpx.get(f"{desk.url}/api/v1/projects", headers=headers).status_code == 401
    assert "Expired and revoked 1" in words(admin.get("/access/tokens"))


def test_a_token_without_a_name_is_refused_beside_the_field(desk: Desk, admin: Visitor) -> None:
    answer = sent(admin, "/access/tokens", "/access/tokens", name="", role="lead", days="7")

    assert answer.status_code == 422
    assert re.search(r'id="name-e".*?1 to 80 characters', answer.text, re.DOTALL)
    assert 'value="7" selected' in answer.text


# --- groups -----------------------------------------------------------------------------------------------------------


def test_a_rule_by_group_is_added_and_taken_away(desk: Desk, admin: Visitor, projects_: None) -> None:
    assert (
        sent(admin, "/access/groups", "/access/groups", value="ml-leads", role="lead", project="SUP").status_code == 303
    )
    found = role_rules.listed(desk.context)
    assert [(one.rule.value, one.rule.role) for one in found] == [("ml-leads", Role.LEAD)]
    assert "lead in SUP" in words(admin.get("/access/groups"))
    wrong = sent(admin, "/access/groups", "/access/groups", value="", role="lead", project="NONE")
    assert wrong.status_code == 422
    assert sent(admin, "/access/groups", f"/access/groups/{found[0].id}/remove").status_code == 303
    assert role_rules.listed(desk.context) == []


# --- for all of them --------------------------------------------------------------------------------------------------

PAGES = ("/access", "/access/tokens", "/access/sessions", "/access/groups")


@pytest.mark.parametrize("path", PAGES)
def test_who_may_not_administer_is_refused_and_sees_no_link_there(desk: Desk, path: str) -> None:
    reader = desk.visitor("reader@example.com", Role.LEAD)

    assert reader.client.get(path).status_code == 403
    assert 'href="/access"' not in reader.get("/")
    refused = reader.send(path, reader.hidden(reader.get("/account")))
    assert refused.status_code == (405 if path.endswith("sessions") else 403)


@pytest.mark.parametrize("value", [HOSTILE, "x" * 5000, "\N{ZERO WIDTH SPACE}", "\x00", "a,b,,c", "½"])
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/access", "login"),
        ("/access", "projects"),
        ("/access", "role"),
        ("/access/tokens", "name"),
        ("/access/tokens", "days"),
        ("/access/groups", "value"),
        ("/access/groups", "claim"),
        ("/access/groups", "project"),
    ],
)
def test_hostile_and_over_long_entries_are_text_or_refused(admin: Visitor, path: str, field: str, value: str) -> None:
    fits = {"login": "hostile@example.com", "role": "viewer", "name": "hostile", "days": "7", "value": "hostile"}
    answer = sent(admin, path, path, **{**fits, field: value})

    assert answer.status_code in (200, 303, 404, 422), answer.text
    assert "<script>alert" not in answer.text
    assert "<script>alert" not in admin.get(path)


def test_pages_take_as_many_statements_however_many_people_there_are(desk: Desk, admin: Visitor) -> None:
    few = [cost(desk, admin, path) for path in PAGES]
    for number in range(30):
        people.put(desk.context, f"many-{number}@example.com", Role.VIEWER)
        tokens.create(desk.context, f"many-{number}")
        role_rules.add(desk.context, f"many-{number}", Role.VIEWER)
        sessions.sign_in(desk.context, sessions.link(desk.context, f"many-{number}@example.com"), "a test")
    assert [cost(desk, admin, path) for path in PAGES] == few


def test_a_form_of_an_ended_session_leads_to_signing_in_and_back_to_its_page(desk: Desk) -> None:
    visitor = desk.visitor("ended@example.com")
    form = visitor.hidden(visitor.get("/access/tokens"))
    visitor.client.cookies.clear()
    answer = visitor.send("/access/tokens/tok_1/revoke", form)

    assert answer.headers["location"] == "/sign-in?next=%2Faccess%2Ftokens"


# --- the change log ---------------------------------------------------------------------------------------------------


def rows_of(page: str) -> list[str]:
    return [words(one) for one in re.findall(r"<tr><th scope=\"row\">.*?</tr>", page, re.DOTALL)]


def test_the_log_says_who_did_what_from_where_with_what_was_before_and_after(
    desk: Desk, admin: Visitor, projects_: None
) -> None:
    people.put(desk.context, "logged@example.com", Role.VIEWER)
    page = person(desk, "logged@example.com")
    sent(admin, page, f"{page}/roles", role="auditor", projects="SUP")
    newest = rows_of(admin.get("/changes"))[0]

    assert "lead-1@example.com a browser, from 127.0.0.1 Grant auditor of logged@example.com created in SUP" in newest
    assert "holder id after: logged@example.com (per_" in newest


def test_the_log_is_filtered_in_its_address_and_paged_by_a_cursor(desk: Desk, admin: Visitor) -> None:
    for number in range(60):
        tokens.create(desk.context, f"logged-{number}")
    address = "/changes?thing=token&since=2020-01-01&until=2999-12-31"
    page = admin.get(address)
    assert len(rows_of(page)) == 50
    assert all("Token logged-" in one for one in rows_of(page))
    older = re.search(r'href="(/changes\?[^"]*before=\d+)"', page)
    assert older is not None
    second = admin.get(unescape(older[1]))
    assert "thing=token" in unescape(older[1])
    assert not set(rows_of(page)) & set(rows_of(second))
    assert rows_of(admin.get("/changes?by=nobody")) == []
    assert "No change fits" in words(admin.get("/changes?until=2020-01-01"))
    links = [unescape(one) for one in re.findall(r'href="(/api/v1/changes[^"]*)"', page)]
    assert len(links) == 2
    for link in links:
        answer = admin.client.get(link)
        assert answer.status_code == 200, link
        assert "logged-59" in answer.text
        assert "grant" not in answer.text


def test_a_filter_that_cannot_be_understood_says_why_beside_its_field(admin: Visitor) -> None:
    answer = admin.client.get("/changes?since=someday&project=NONE")
    assert answer.status_code == 422
    assert re.search(r'id="since-e".*?is no day', answer.text, re.DOTALL)
    unknown = admin.client.get("/changes?project=NONE")
    assert unknown.status_code == 422
    assert re.search(r'id="project-e".*?There is no project', unknown.text, re.DOTALL)
    for name in ("by", "thing", "project", "since", "until"):
        hostile = admin.client.get("/changes", params={name: HOSTILE})
        assert hostile.status_code in (200, 422)
        assert "<script>alert" not in hostile.text


def test_the_log_is_held_against_its_seals_on_request(desk: Desk, admin: Visitor) -> None:
    assert "The log holds" not in admin.get("/changes")
    page = words(admin.get("/changes?verify=yes"))
    assert "The log holds:" in page
    assert "The newest is sealed" in page


def test_an_auditor_reads_the_log_and_a_lead_does_not(desk: Desk) -> None:
    auditor, lead = desk.visitor("auditor@example.com", Role.AUDITOR), desk.visitor("lead-9@example.com", Role.LEAD)

    assert 'href="/changes"' in auditor.get("/")
    assert "Change log" in auditor.get("/changes")
    assert lead.client.get("/changes").status_code == 403
    assert 'href="/changes"' not in lead.get("/")


def test_the_log_takes_as_many_statements_for_many_entries_as_for_few(desk: Desk, admin: Visitor) -> None:
    for number in range(2):
        people.put(desk.context, f"entry-{number}@example.com", Role.VIEWER)
    few = cost(desk, admin, f"/changes?thing=grant&since={desk.context.now():%Y-%m-%d}")
    for number in range(40):
        people.put(desk.context, f"entry-{number}@example.com", Role.LEAD)
    assert cost(desk, admin, f"/changes?thing=grant&since={desk.context.now():%Y-%m-%d}") == few


# --- settings ---------------------------------------------------------------------------------------------------------


def test_settings_say_what_is_in_force_and_from_where_and_no_secret(
    desk: Desk, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = words(admin.get("/settings"))
    assert "SQLite in" in page
    assert "1 key in a file in the home folder" in page
    assert re.search(r"PHASELOOP_REQUESTS_PER_MINUTE .*? 1000000 an option", page)
    assert re.search(r"PHASELOOP_PLAN_HOURS .*? 24.0 default", page)
    monkeypatch.setenv("PHASELOOP_PLAN_HOURS", "24")
    assert re.search(r"PHASELOOP_PLAN_HOURS .*? 24.0 environment", words(admin.get("/settings")))
    assert desk.visitor("lead-9@example.com", Role.LEAD).client.get("/settings").status_code == 403


def test_of_what_is_set_no_secret_is_shown() -> None:
    told = {
        "secret_key": Fernet.generate_key().decode(),
        "database_url": "postgresql://somebody:s3cr3t@db.example.com/phaseloop",
        "mlflow_token": "s3cr3t",
        "judge_url": "https://somebody:s3cr3t@judge.example.com/v1",
        "oidc_client_secret": "s3cr3t",
    }
    found = in_force(Settings(_env_file=None, **told))  # type: ignore[call-arg,arg-type]
    values = {one.name: one.value for one in found}

    assert "s3cr3t" not in str(values)
    assert told["secret_key"] not in str(values)
    assert values["PHASELOOP_DATABASE_URL"] == "postgresql://somebody:***@db.example.com/phaseloop"
    assert values["PHASELOOP_MLFLOW_TOKEN"] == "(secret)"


# --- going somewhere --------------------------------------------------------------------------------------------------


def hits(page: str) -> dict[str, str]:
    """What a search found: labels by address."""
    found = page[page.index("data-found=") :]
    return {unescape(href): words(said) for href, said in re.findall(r'<li><a href="([^"]+)">(.*?)</a>', found)}


def test_a_search_finds_pages_projects_and_what_may_be_done(desk: Desk, admin: Visitor, projects_: None) -> None:
    everything = hits(admin.get("/go"))
    assert {"/", "/runs", "/access", "/changes", "/settings", "/projects/new", "/account"} <= set(everything)
    found = hits(admin.get("/go?q=support+TRI"))
    sup = next(href for href, said in found.items() if said == "Support triage SUP")
    assert found[f"{sup}/audit"] == "Audit of Support triage SUP"
    assert f"{sup}/advance" in found
    assert set(hits(admin.get("/go?q=advance+sup"))) == {f"{sup}/advance"}
    assert hits(admin.get("/go?q=token")) == {"/access/tokens#add": "Make a token"}
    assert hits(admin.get("/go?q=nothing+of+the+kind")) == {}
    for href in everything:
        assert admin.client.get(href.partition("#")[0]).status_code == 200, href


def test_a_search_finds_nothing_that_somebody_may_not_see_or_do(desk: Desk, projects_: None) -> None:
    people.put(desk.context, "one@example.com", Role.VIEWER, ["SUP"])
    code = sessions.link(desk.context, "one@example.com")
    one = Visitor(desk.url)
    desk.clients.append(one.client)
    one.client.post("/sign-in", data={"code": code}, headers=one.ours)
    everything = hits(one.get("/go"))
    assert not {"/access", "/changes", "/settings", "/projects/new", "/access/tokens#add"} & set(everything)
    assert all(one.client.get(href).status_code == 200 for href in everything)
    assert hits(one.get("/go?q=frd")) == {}
    found = hits(one.get("/go?q=sup"))
    assert any(said.startswith("Audit of Support triage") for said in found.values())
    assert not any("Advance" in said for said in found.values())


def test_a_search_for_anything_is_text_and_its_part_is_the_results_alone(admin: Visitor) -> None:
    for query in (HOSTILE, "%", "_", "'", "x" * 200, "\N{ZERO WIDTH SPACE}"):
        answer = admin.client.get("/go", params={"q": query}, headers={"X-Part": "found"})
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<html" not in answer.text
        assert "data-found" in answer.text


# --- the settings of a project ----------------------------------------------------------------------------------------


def setting_of(desk: Desk, key: str) -> str:
    return f"/projects/{projects.get(desk.context, key).id}/settings"


def fields_of(page: str) -> dict[str, str]:
    """What the form of a page carries, as a browser sends it."""
    form = page[page.index('data-keep="settings') :]
    found = {name: unescape(value) for name, value in re.findall(r'name="(was_\w+)" value="([^"]*)"', form)}
    return {name: found[f"was_{name}"] for name in (one.removeprefix("was_") for one in found)} | found


def test_settings_are_changed_by_a_plan_that_is_shown_first(desk: Desk, admin: Visitor, projects_: None) -> None:
    address = setting_of(desk, "FRD")
    form = {**admin.hidden(admin.get(address)), **fields_of(admin.get(address))}
    unchanged = admin.send(address, form)
    assert unchanged.status_code == 200
    answer = admin.send(address, {**form, "name": "Fraud, scored", "press": ""})
    assert answer.status_code == 303, answer.text
    plan = answer.headers["location"]
    page = words(admin.get(plan))
    assert "Settings that come with it" in page
    assert "Fraud, scored" in page
    assert projects.get(desk.context, "FRD").name == "Fraud scoring", "nothing is changed before it is applied"
    desk.wait_for_end(admin.press(plan, f"{plan}/apply").rpartition("/")[2])
    assert projects.get(desk.context, "FRD").name == "Fraud, scored"


def test_who_is_second_is_told_what_changed_and_keeps_what_they_entered(
    desk: Desk, admin: Visitor, projects_: None
) -> None:
    address = setting_of(desk, "SUP")
    form = {**admin.hidden(admin.get(address)), **fields_of(admin.get(address)), "press": ""}
    row = projects.get(desk.context, "SUP")
    request = project_settings.asked(desk.context, row, {"name": "Of the first", "zone": "Europe/Vienna"}).request
    projects.put(desk.context, request)

    second = admin.send(address, {**form, "name": "Of the second"})
    assert second.status_code == 409
    page = words(second.text)
    assert "Somebody changed these settings meanwhile." in page
    assert "Time zone: Europe/Berlin → Europe/Vienna" in page
    assert re.search(r'id="name-e".*?changed it to “Of the first” meanwhile', second.text, re.DOTALL)
    assert 'value="Of the second"' in second.text
    assert projects.get(desk.context, "SUP").name == "Of the first"
    again = {**admin.hidden(second.text), **fields_of(second.text), "name": "Of the second", "press": ""}
    answer = admin.send(address, again)
    assert answer.status_code == 303, "told once, it is theirs to decide"
    assert "Of the second" in words(admin.get(answer.headers["location"]))


def test_wrong_settings_are_told_beside_their_field_and_takes_the_right_to_decide(
    desk: Desk, admin: Visitor, projects_: None
) -> None:
    address = setting_of(desk, "SUP")
    form = {**admin.hidden(admin.get(address)), **fields_of(admin.get(address)), "press": ""}
    for field, value in (("zone", "Mars"), ("p_iteration_days", "999"), ("name", "x" * 300), ("team", "none")):
        answer = admin.send(address, {**form, field: value})
        assert answer.status_code == 422, field
        assert f'id="{field}-e"' in answer.text
    hostile = admin.send(address, {**form, "zone": HOSTILE, "team": HOSTILE})
    assert "<script>alert" not in hostile.text
    operator = desk.visitor("operates@example.com", Role.OPERATOR)
    assert operator.client.get(address).status_code == 403
    assert "/settings" not in operator.get(address.removesuffix("/settings"))
