"""The pages of operations over HTTP, as a browser without a script uses them: events, triggers, connections, schedule,
teams. What is true afterwards is asked of the store, and of the tracker where it is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from itertools import count
from typing import Any

import httpx
import pytest

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from service.api.problems import _PAGE as POLICY
from service.domain.access.roles import Role
from service.domain.hook.trigger import trigger_from_json
from service.domain.team.team import team_from_json
from service.usecases.audit import audit_reports, waiver_log
from service.usecases.hook import events, secret, triggers
from service.usecases.loop import scheduling
from service.usecases.overview.staffing import staffing
from service.usecases.run import run_views
from service.usecases.setup import connections, projects, teams
from tests.operations_shots import add_trigger, deliver
from tests.pages_desk import Desk, Visitor, served_desk
from tests.statements import statements
from tests.waiting import eventually

HOSTILE = "\"><script>alert(1)</script>{{ 7*7 }}'"
_numbers = count(1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with served_desk(tmp_path_factory.mktemp("desk") / "home") as found:
        found.connect()
        yield found


@pytest.fixture(scope="module")
def lead(desk: Desk) -> Visitor:
    return desk.visitor()


@pytest.fixture(scope="module")
def viewer(desk: Desk) -> Visitor:
    return desk.visitor("viewer@example.com", Role.VIEWER)


@pytest.fixture(scope="module")
def project(desk: Desk, lead: Visitor) -> str:
    """The id of a project whose first iteration is the current one."""
    start = str(desk.monday - timedelta(days=7))
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("Support triage", "SUP", p_start_date=start))
    run = lead.press(plan, f"{plan}/apply").rpartition("/")[2]
    desk.wait_for_end(run)
    found = run_views.progress(desk.context, run).project.id
    eventually(lambda: "Ideation &amp; Experimentation, iteration 1" in lead.get(f"/projects/{found}"))
    return found


def words(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


# --- events -----------------------------------------------------------------------------------------------------------


def test_a_failed_event_says_why_and_is_handled_again_once_its_cause_is_gone(
    desk: Desk, lead: Visitor, project: str
) -> None:
    trigger = add_trigger(desk, project="SUP", when="payload.go")
    event = deliver(desk, trigger, {"type": "model.promoted", "go": "yes", "api_token": "s3cr3t", "note": HOSTILE})
    page = lead.get(f"/events/{event}")
    assert "Failed" in words(page)
    assert "neither true nor false" in words(page)
    assert "s3cr3t" not in page
    assert "<script>alert" not in page
    listed = words(lead.get(f"/events?state=failed&sender={trigger}"))
    assert "1 event failed." in listed

    body = {**triggers.get(desk.context, trigger).body, "when": "payload.go == 'yes'"}
    triggers.put(desk.context, trigger_from_json(body), "tests", replace=True)
    form = lead.hidden(page)
    led = {lead.send(f"/events/{event}/replay", form).headers["location"] for _ in range(2)}
    assert led == {f"/events/{event}"}
    eventually(lambda: events.get(desk.context, event).state == "done")

    page = lead.get(f"/events/{event}")
    assert f'href="/triggers/{trigger}"' in page
    run = re.search(r'href="(/runs/react-[^"]+)"', page)
    assert run is not None
    assert "Support triage" in lead.get(run[1])
    assert "None failed." in words(lead.get(f"/events?sender={trigger}"))


def test_all_that_failed_of_one_sender_is_handled_again_and_nothing_else(desk: Desk, lead: Visitor) -> None:
    ours, others = (add_trigger(desk, project="NOWHERE") for _ in range(2))
    failed = [deliver(desk, ours, {"n": number}) for number in range(2)]
    other = deliver(desk, others, {"n": 3})
    page = lead.get(f"/events?sender={ours}")
    assert "Handle all 2 failed events again" in words(page)
    handled = events.get(desk.context, other).handled_at

    triggers.set_state(desk.context, ours, "off")
    led = lead.press(f"/events?sender={ours}", "/events/replay", sender=ours, source="")

    assert led == f"/events?sender={ours}"
    eventually(lambda: {events.get(desk.context, one).state for one in failed} == {"done"})
    assert events.get(desk.context, other).state == "failed"
    assert events.get(desk.context, other).handled_at == handled


def test_events_are_paged_newest_first_with_as_many_statements_however_many_there_are(
    desk: Desk, lead: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.pages.events.AT_ONCE", 2)
    trigger = add_trigger(desk, project="NOWHERE")
    sent = [deliver(desk, trigger, {"n": 0})]
    with statements(desk.context, events=True) as one:
        lead.get(f"/events?sender={trigger}")
    sent += [deliver(desk, trigger, {"n": number}) for number in (1, 2)]
    with statements(desk.context, events=True) as many:
        first = lead.get(f"/events?sender={trigger}")
    shown = re.findall(r'class="name" href="/events/(\w+)"', first)
    assert shown == sent[:0:-1]
    (older,) = re.findall(r'href="([^"]*before=[^"]*)"', first)
    assert re.findall(r'class="name" href="/events/(\w+)"', lead.get(unescape(older))) == sent[:1]
    own = [[each for each in found if "next_at" not in each.split("FROM")[-1]] for found in (one, many)]
    assert len(own[1]) <= len(own[0]) + 1


def test_an_event_is_only_looked_at_without_the_right(desk: Desk, lead: Visitor, viewer: Visitor) -> None:
    event = deliver(desk, add_trigger(desk, project="NOWHERE"), {"n": 1})
    page = viewer.get(f"/events/{event}")
    assert 'method="post"' not in page
    assert "/triggers/test" not in page
    assert 'method="post"' not in viewer.get("/events")
    form = viewer.hidden(viewer.get("/account"))
    before = events.get(desk.context, event)
    assert viewer.send(f"/events/{event}/replay", form).status_code == 403
    assert viewer.send("/events/replay", form).status_code == 403
    assert events.get(desk.context, event) == before


def test_who_may_see_one_project_alone_is_not_led_to_what_is_of_all(desk: Desk, project: str) -> None:
    own = desk.visitor("own@example.com", Role.LEAD, ("SUP",))
    assert 'href="/events"' not in own.get("/")
    for path in ("/events", "/triggers", "/triggers/test", "/connections", "/connections/new"):
        assert own.client.get(path).status_code == 403, path
    assert 'href="/events"' in desk.visitor().get("/")


# --- triggers ---------------------------------------------------------------------------------------------------------


def test_a_parked_trigger_says_why_and_is_switched_on_again(desk: Desk, lead: Visitor, viewer: Visitor) -> None:
    trigger = add_trigger(desk, project="NOWHERE", limits={"park_after": 1})
    deliver(desk, trigger, {"n": 1})
    page = lead.get(f"/triggers/{trigger}")
    assert "Parked" in words(page)
    assert "There is no project 'NOWHERE'" in words(page)
    assert "parked" in words(lead.get("/triggers"))
    assert 'method="post"' not in viewer.get(f"/triggers/{trigger}")

    assert lead.press(f"/triggers/{trigger}", f"/triggers/{trigger}/state", state="on") == f"/triggers/{trigger}"
    assert triggers.get(desk.context, trigger).state == "on"
    lead.press(f"/triggers/{trigger}", f"/triggers/{trigger}/state", state="off")
    assert triggers.get(desk.context, trigger).state == "off"
    assert lead.send(f"/triggers/{trigger}/state", {**lead.hidden(page), "state": "x" * 900}).status_code == 422


def test_a_trigger_is_removed_unless_others_have_its_events(desk: Desk, lead: Visitor) -> None:
    first = add_trigger(desk, project="SUP")
    name = triggers.get(desk.context, first).name
    body = {
        "name": f"second-{next(_numbers)}",
        "source": "generic",
        "project": "SUP",
        "action": "resync",
        "address_of": name,
    }
    second = triggers.put(desk.context, trigger_from_json(body), "tests").id
    page = lead.get(f"/triggers/{first}")
    assert f"{body['name']} has its events: remove that first." in words(page)
    assert f"/triggers/{first}/remove" not in page
    assert lead.send(f"/triggers/{first}/remove", lead.hidden(page)).status_code == 409

    assert lead.press(f"/triggers/{second}", f"/triggers/{second}/remove") == "/triggers"
    assert lead.press(f"/triggers/{first}", f"/triggers/{first}/remove") == "/triggers"
    assert {first, second} & {one.id for one in triggers.listed(desk.context)} == set()


def test_a_trigger_is_tried_with_the_plan_that_it_would_make_and_writes_nothing(
    desk: Desk, lead: Visitor, project: str
) -> None:
    given = "  ticket: ${payload.mark}\n  title: Look at ${payload.mark}\n  role: ml\n"
    yaml = f"kind: trigger\nname: tried\nsource: generic\nproject: SUP\naction: add-ticket\nwith:\n{given}"
    there = desk.sandbox.site.find_project("SUP")
    assert there is not None
    before = len(list(desk.sandbox.site.issues_of(there.id)))
    form = {**lead.hidden(lead.get("/triggers/test")), "yaml": yaml, "payload": '{"mark": "drift <b>", "type": "x"}'}
    page = lead.send("/triggers/test", form)

    assert page.status_code == 200
    assert "1 of 1 event would be acted on. Nothing was written." in words(page.text)
    assert "Look at drift <b>" in words(page.text)
    assert "<b>drift" not in page.text
    assert "name: tried" in page.text, "what was entered stays"
    assert len(list(desk.sandbox.site.issues_of(there.id))) == before
    assert "tried" not in {one.name for one in triggers.listed(desk.context)}


@pytest.mark.parametrize(
    ("yaml", "payload", "said"),
    [
        ("", "{}", "Trigger in YAML"),
        ("kind: trigger\nname: a\nsource: generic\naction: notify\nwith: {text: x}", "{}", "needs a project"),
        ("kind: trigger\nname: a\nsource: generic\nproject: ML\naction: resync\nwhen: a +", "{}", "trigger:6"),
        ("kind: trigger\nname: a\nsource: generic\nproject: ML\naction: resync", "[1", "it is not JSON"),
        (HOSTILE, HOSTILE, "it is not JSON"),
        ("x" * 300_000, "y" * 300_000, "it is not JSON"),
    ],
)
def test_what_is_wrong_with_a_trial_is_told_beside_its_field(lead: Visitor, yaml: str, payload: str, said: str) -> None:
    form = {**lead.hidden(lead.get("/triggers/test")), "yaml": yaml, "payload": payload}
    answer = lead.send("/triggers/test", form)

    assert answer.status_code == 422, answer.text
    assert said in words(answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert "<script>alert" not in answer.text


def test_a_trial_begins_with_what_is_there(desk: Desk, lead: Visitor) -> None:
    trigger = add_trigger(desk, project="NOWHERE", description=HOSTILE)
    event = deliver(desk, trigger, {"password": "hunter-two", "mark": "m1"})
    page = lead.get(f"/triggers/test?event={event}")
    assert f"name: {triggers.get(desk.context, trigger).name}" in page
    assert "hunter-two" not in page
    assert "<script>alert" not in page + lead.get(f"/triggers/{trigger}")
    form = {**lead.hidden(page), "yaml": unescape(re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)[0])}
    answer = lead.send("/triggers/test", {**form, "payload": "{}"})
    assert "Would fail" in words(answer.text)
    assert "There is no project 'NOWHERE'" in words(answer.text)


# --- connections ------------------------------------------------------------------------------------------------------


def added(desk: Desk, lead: Visitor, name: str, credential: str = DEMO_TOKEN, email: str = DEMO_EMAIL) -> str:
    """The path of a connection that was added by the form."""
    entered = {"c_kind": "jira", "c_name": name, "c_jira_url": desk.sandbox.url, "c_jira_email": email}
    return lead.press("/connections/new", "/connections/new", **entered, c_jira_secret=credential)


def hooks_there(desk: Desk) -> list[str]:
    """The addresses that the sandbox's Jira delivers to."""
    return [one.url for one in desk.sandbox.site.data.webhooks.values()]


def test_a_connection_is_added_checked_and_removed_once_nothing_uses_it(desk: Desk, lead: Visitor) -> None:
    form = lead.hidden(lead.get("/connections/new"))
    entered = {"c_kind": "jira", "c_name": "spare", "c_jira_url": "nowhere", "c_jira_email": DEMO_EMAIL}
    wrong = lead.send("/connections/new", {**form, **entered, "c_jira_secret": "s3cr3t-of-mine"})
    assert wrong.status_code == 422
    assert 'href="#c_jira_url"' in wrong.text
    assert 'value="spare"' in wrong.text
    assert "s3cr3t-of-mine" not in wrong.text

    path = added(desk, lead, "spare")
    assert "spare" in words(lead.get("/connections"))
    checked = lead.send(f"{path}/check", lead.hidden(lead.get(path)))
    assert checked.status_code == 200
    assert "Ready. Signed in as" in words(checked.text)

    assert lead.press(path, f"{path}/remove") == "/connections"
    assert "spare" not in {one.name for one in connections.listed(desk.context)}


def test_a_connection_that_is_used_says_by_what_and_stays(desk: Desk, lead: Visitor, project: str) -> None:
    page = lead.get("/connections/work")
    assert "The project SUP uses it, so it cannot be removed." in words(page)
    assert "/remove" not in page
    number = connections.get(desk.context, "work").id
    assert lead.send(f"/connections/{number}/remove", lead.hidden(page)).status_code == 409
    assert connections.get(desk.context, "work").id == number


def test_a_wrong_credential_is_told_by_the_check(desk: Desk, lead: Visitor) -> None:
    path = added(desk, lead, "refused", credential="not-the-token")
    checked = lead.send(f"{path}/check", lead.hidden(lead.get(path)))
    assert checked.status_code == 200
    assert "Not ready. What is below blocks it." in words(checked.text)
    failed = lead.send(f"{path}/hook/check", lead.hidden(lead.get(path)))
    assert failed.status_code == 503
    assert "not-the-token" not in checked.text + failed.text


def test_a_webhook_is_registered_once_checked_repaired_and_removed(desk: Desk, lead: Visitor, project: str) -> None:
    path = f"/connections/{connections.get(desk.context, 'work').id}"
    assert "No webhook" in words(lead.get(path))
    form = lead.hidden(lead.get(path))
    assert {lead.send(f"{path}/hook/register", form).headers["location"] for _ in range(2)} == {path}
    assert [one for one in hooks_there(desk) if one.endswith(path.rpartition("/")[2])] == [
        f"{desk.url}/hooks/{path.rpartition('/')[2]}"
    ]
    assert "Registered" in words(lead.get(path))
    assert "Registered" in words(lead.get("/connections"))

    checked = lead.send(f"{path}/hook/check", lead.hidden(lead.get(path)))
    assert "Everything is as it should be." in words(checked.text)
    (number,) = desk.sandbox.site.data.webhooks
    desk.sandbox.site.data.webhooks[number].enabled = False
    found = lead.send(f"{path}/hook/check", lead.hidden(lead.get(path)))
    assert "is switched off" in words(found.text)
    assert "Switched off" in words(lead.get("/connections"))
    assert "The webhook of 1 needs somebody." in words(lead.get("/connections"))
    lead.press(path, f"{path}/hook/register")
    assert desk.sandbox.site.data.webhooks[number].enabled

    assert lead.press(path, f"{path}/hook/remove") == path
    assert hooks_there(desk) == []
    assert "No webhook" in words(lead.get(path))


def test_a_new_secret_is_shown_once_and_kept_nowhere(desk: Desk, lead: Visitor) -> None:
    path = added(desk, lead, "rotated")
    number = path.rpartition("/")[2]
    form = lead.hidden(lead.get(path))
    first = lead.send(f"{path}/hook/secret", form)
    assert first.status_code == 200
    found = re.search(r"<code>([\w-]{40,})</code>", first.text)
    assert found is not None
    again = lead.send(f"{path}/hook/secret", form)
    assert (again.status_code, again.headers["location"]) == (303, path)
    assert found[1] not in again.text + lead.get(path)
    assert len(secret.present(desk.context, number)) == 1
    assert found[1].encode() not in b"".join(one.read_bytes() for one in desk.context.settings.home.glob("*.db*"))

    assert lead.send(f"{path}/hook/secret", lead.hidden(lead.get(path))).status_code == 200
    newest, former = secret.present(desk.context, number)
    assert newest is None
    assert former is not None
    assert "the former one counts until" in words(lead.get(path))


def test_the_secret_of_a_tracker_that_has_its_own_is_entered_and_not_shown(desk: Desk, lead: Visitor) -> None:
    settings = {"key": "power-up-key", "url": desk.sandbox.url}
    path = f"/connections/{connections.put(desk.context, 'boards', 'trello', settings, 'sandbox-token').id}"
    page = lead.get(path)
    assert "Make a new secret" not in page
    assert "power-up-key" not in page + lead.get("/connections")
    for wrong in ("", "x" * 5000, "with blanks in it"):
        answer = lead.send(f"{path}/hook/secret", {**lead.hidden(lead.get(path)), "secret": wrong})
        assert answer.status_code == 422
        assert re.search(r'id="secret-e".*?visible characters', answer.text, re.DOTALL)
    assert lead.press(path, f"{path}/hook/secret", secret="power-up-secret") == path
    assert len(secret.present(desk.context, path.rpartition("/")[2])) == 1
    assert "power-up-secret" not in lead.get(path)


def test_what_the_account_may_not_is_told_as_steps_for_who_may(desk: Desk, lead: Visitor) -> None:
    path = added(desk, lead, "member", credential="member-token", email="member@example.com")
    answer = lead.send(f"{path}/hook/register", lead.hidden(lead.get(path)))
    assert answer.status_code == 409, answer.text
    said = words(answer.text)
    assert "The webhook could not be registered" in said
    assert f"URL: {desk.url}/hooks/{path.rpartition('/')[2]}" in said
    assert "phaseloop hooks" not in said


def test_connections_are_only_looked_at_without_the_right(desk: Desk, lead: Visitor, viewer: Visitor) -> None:
    number = connections.get(desk.context, "work").id
    for path in ("/connections", f"/connections/{number}"):
        assert 'method="post"' not in viewer.get(path)
    operator = desk.visitor("operator@example.com", Role.OPERATOR)
    page = operator.get(f"/connections/{number}")
    assert set(re.findall(r'action="/connections/\w+/([^"]+)"', page)) == {"check", "hook/check"}
    form = operator.hidden(page)
    for one in ("remove", "hook/register", "hook/remove", "hook/secret"):
        assert operator.send(f"/connections/{number}/{one}", form).status_code == 403, one
    assert operator.client.get("/connections/new").status_code == 403
    assert hooks_there(desk) == []


# --- forms that are wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entered", ["   ", "y" * 1500])
@pytest.mark.parametrize(
    ("page", "path", "field"),
    [
        ("", "pause", "reason"),
        ("/schedule", "pause", "reason"),
        ("/schedule", "skip", "why"),
        ("/schedule", "freezes", "to"),
        ("/schedule", "freezes", "from"),
    ],
)
def test_what_is_wrong_with_a_form_of_a_project_is_told_beside_its_field(
    desk: Desk, lead: Visitor, project: str, page: str, path: str, field: str, entered: str
) -> None:
    shown = lead.get(f"/projects/{project}{page}")
    first = re.search(r'name="first" value="([^"]+)"', shown)
    form = {**lead.hidden(shown), "first": first[1] if first else "", "from": "2027-03-01", "to": "2027-03-02"}
    form |= {"back": page.strip("/"), "because": "A break"}

    answer = lead.send(f"/projects/{project}/{path}", {**form, field: entered})

    told_beside(answer, field, entered)


def told_beside(answer: httpx.Response, field: str, entered: str) -> None:
    """The same page again: what was entered is kept, what is wrong is beside its field, which has the focus."""
    assert answer.status_code == 422, answer.text
    said = words(answer.text)
    assert "To ask somebody about this" not in said, "a page of its own"
    assert re.search(rf'id="{field}-e"', answer.text)
    assert re.search(rf'id="{field}"[^>]* aria-invalid="true"[^>]* data-focus', answer.text)
    assert f"/{field}" not in said
    assert "--" not in said
    assert entered.strip() in answer.text


# --- roles ------------------------------------------------------------------------------------------------------------


def test_a_role_that_no_template_of_the_team_has_is_refused_with_what_may_be_meant(
    desk: Desk, lead: Visitor, project: str
) -> None:
    team = projects.get(desk.context, project).team_id
    form = lead.get(f"/teams/{team}/person")
    assert "deploy (nobody)" in words(form) or "(nobody)" in words(form)
    entered = {**lead.hidden(form), "was": "", "seen": "", "person": "DevOps 2", "email": "devops-2@example.com"}
    version = str(teams.get(desk.context, team).version)

    refused = lead.send(f"/teams/{team}/person", {**entered, "version": version, "roles": "devop"})

    assert refused.status_code == 422
    said = words(refused.text)
    assert 'no template of its projects has the role "devop"; did you mean "devops"?' in said
    assert 'value="DevOps 2"' in refused.text
    assert "DevOps 2" not in {one.person for one in teams.get(desk.context, team).team.members}


def test_a_role_that_nobody_s_template_has_is_told_where_the_team_has_no_project(desk: Desk, lead: Visitor) -> None:
    people = [{"person": "A", "email": "a@example.com", "roles": ["devop"]}]
    team = teams.put(desk.context, team_from_json({"name": "Idle", "members": people}, source="team")).id

    assert "A holds “devop”, which no built-in template has; did you mean “devops”?" in words(
        lead.get(f"/teams/{team}")
    ).replace('"devops"', "“devops”")


def test_pages_say_which_role_lacks_somebody_and_what_helps_by_its_cause(
    desk: Desk, lead: Visitor, project: str
) -> None:
    team = projects.get(desk.context, project).team_id
    plan = re.search(r"/plans/pln_\w+", lead.get(f"/runs/{run_views.listed(desk.context, project, 20)[-1].id}"))
    assert plan is not None
    for path in (plan[0], f"/projects/{project}", f"/teams/{team}"):
        page = words(lead.get(path))
        assert re.search(r"\w+ ?: \d+ tickets?, (nobody holds it|.*? had no room)", page), path
        assert "Have somebody of the team hold it." in page or "Raise what they can take" in page, path
        assert "this role" not in page, path
    assert f'href="/teams/{team}"' in lead.get(f"/projects/{project}")


def fields_of(desk: Desk, secret: str, **more: str) -> dict[str, str]:
    """What is entered to change the credential of a connection to the sandbox."""
    return {"c_jira_url": desk.sandbox.url, "c_jira_email": DEMO_EMAIL, "c_jira_secret": secret, **more}


def test_a_wrong_credential_is_told_when_it_is_added_and_changed_in_place(desk: Desk, lead: Visitor) -> None:
    entered = {"c_kind": "jira", "c_name": "mistyped", "c_jira_url": desk.sandbox.url, "c_jira_email": DEMO_EMAIL}
    path = lead.press("/connections/new", "/connections/new", **entered, c_jira_secret="not-the-token")
    said = words(lead.get(path))
    assert "Not ready, by the check" in said
    assert "change its credential" in said
    assert "Not ready" in words(lead.get("/connections"))
    assert re.search(r"The last check of \d failed\.", words(lead.get("/connections")))
    assert re.search(r"“mistyped”.*?: not ready", words(lead.get("/projects/new")))

    lead.press(path, f"{path}/credential", **fields_of(desk, DEMO_TOKEN))

    page = words(lead.get(path))
    assert "Not ready" not in page
    assert f"Signed in as {DEMO_EMAIL}." in page
    assert connections.check(desk.context, "mistyped").ok
    lead.press(path, f"{path}/remove")


def test_a_credential_that_does_not_work_takes_the_place_of_none_unless_that_is_chosen(
    desk: Desk, lead: Visitor
) -> None:
    path = added(desk, lead, "keeps", DEMO_TOKEN)
    refused = lead.send(f"{path}/credential", {**lead.hidden(lead.get(path)), **fields_of(desk, "wrong-one")})
    assert refused.status_code == 422
    assert "does not work, so the former one stays" in words(refused.text)
    assert "wrong-one" not in refused.text
    assert connections.check(desk.context, "keeps").ok

    lead.press(path, f"{path}/credential", **fields_of(desk, "wrong-one", unchecked="yes"))
    assert "Not ready, by the check" in words(lead.get(path))
    assert not connections.check(desk.context, "keeps").ok
    lead.press(path, f"{path}/remove")


def test_the_credential_of_another_account_is_told_as_that(desk: Desk, lead: Visitor) -> None:
    path = added(desk, lead, "moves", DEMO_TOKEN)

    lead.press(path, f"{path}/credential", **fields_of(desk, "member-token", c_jira_email="member@example.com"))

    assert f"Before, it was {DEMO_EMAIL}" in words(lead.get(path))


def test_a_name_that_is_taken_leads_to_the_connection_that_has_it(desk: Desk, lead: Visitor) -> None:
    number = connections.get(desk.context, "work").id
    entered = {"c_kind": "jira", "c_name": "work", "c_jira_url": desk.sandbox.url, "c_jira_email": DEMO_EMAIL}
    form = {**entered, "c_jira_secret": DEMO_TOKEN}
    refused = lead.send("/connections/new", {**lead.hidden(lead.get("/connections/new")), **form})
    assert refused.status_code == 422
    assert f'href="/connections/{number}#credential"' in refused.text
    again = lead.send("/projects/new/form", {**lead.hidden(lead.get("/projects/new")), "do": "connect", **form})
    assert f'href="/connections/{number}#credential"' in again.text


def test_a_broken_connection_is_not_what_a_new_project_begins_with(desk: Desk, lead: Visitor) -> None:
    path = added(desk, lead, "a-first-one", "not-the-token")
    page = lead.get("/projects/new")
    assert re.search(r'value="a-first-one"(?! selected)', page)
    chosen = re.search(r'name="connection".*?value="([^"]+)" selected', page, re.DOTALL)
    assert chosen is not None
    assert chosen[1] != "a-first-one"
    lead.press(path, f"{path}/remove")


def test_the_list_of_connections_takes_as_many_statements_however_many_there_are(desk: Desk, lead: Visitor) -> None:
    lead.get("/connections")
    with statements(desk.context, but="FROM loops", events=False) as few:
        lead.get("/connections")
    for number in range(5):
        added(desk, lead, f"many-{number}")
    with statements(desk.context, but="FROM loops", events=False) as many:
        lead.get("/connections")
    assert len(many) <= len(few) + 1


@pytest.mark.parametrize("length", [0, 100, 5000])
def test_hostile_and_over_long_connections_are_refused_beside_their_fields(lead: Visitor, length: int) -> None:
    entered = {"c_kind": "jira", "c_name": HOSTILE * length, "c_jira_url": HOSTILE, "c_jira_email": "x" * length}
    answer = lead.send("/connections/new", {**lead.hidden(lead.get("/connections/new")), **entered})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "<script>alert" not in answer.text


# --- schedule ---------------------------------------------------------------------------------------------------------


def test_skipping_says_what_it_means_and_moves_one_bound_however_often_it_is_pressed(
    desk: Desk, lead: Visitor, project: str
) -> None:
    path = f"/projects/{project}/schedule"
    page = lead.get(path)
    means = re.search(r"Iteration 2 begins on (.*?) instead of", words(page))
    assert means is not None
    before = scheduling.next_firings(desk.context, project, 3)
    form = {**lead.hidden(page), **dict(re.findall(r'name="(first)" value="([^"]+)"', page))}
    for wrong, said in ((" ", "this needs a reason"), (HOSTILE * 100, "1000 at most are kept")):
        answer = lead.send(f"/projects/{project}/skip", {**form, "why": wrong})
        assert answer.status_code == 422
        assert re.search(rf'id="why-e".*?{said}', answer.text, re.DOTALL)
        assert "<script>alert" not in answer.text
    assert scheduling.next_firings(desk.context, project, 3) == before

    sent = {**lead.hidden(lead.get(path)), "first": form["first"], "why": f"Half the team is away. {HOSTILE}"}
    assert {lead.send(f"/projects/{project}/skip", sent).headers["location"] for _ in range(2)} == {path}
    after = scheduling.next_firings(desk.context, project, 3)
    assert after[0].at - before[0].at == timedelta(days=14)
    assert means[1] in words(lead.get(path))
    stale = {**lead.hidden(lead.get(path)), "first": form["first"], "why": "An old page."}
    assert lead.send(f"/projects/{project}/skip", stale).status_code == 409
    assert scheduling.next_firings(desk.context, project, 3) == after
    assert "<script>alert" not in lead.get(f"/projects/{project}")


def test_a_freeze_is_shown_as_a_plan_counts_once_that_is_applied_and_is_taken_away_again(
    desk: Desk, lead: Visitor, project: str
) -> None:
    path = f"/projects/{project}/schedule"
    first, last = str(desk.monday + timedelta(days=70)), str(desk.monday + timedelta(days=76))
    before = scheduling.next_firings(desk.context, project, 20)
    for entered in ({"from": last, "to": first}, {"from": HOSTILE, "to": last}, {"from": "", "to": "9" * 500}):
        answer = lead.send(f"/projects/{project}/freezes", {**lead.hidden(lead.get(path)), **entered})
        assert answer.status_code == 422, answer.text
        assert 'aria-invalid="true"' in answer.text
        assert "<script>alert" not in answer.text
    plan = lead.press(path, f"/projects/{project}/freezes", **{"from": first, "to": last, "because": "A <b>fair</b>"})
    shown = lead.get(plan)
    assert "Settings that come with it" in words(shown)
    moved = re.search(r"<details open><summary><span>Iterations</span>.*?</details>", shown, re.DOTALL)
    assert moved is not None, "what moves is not folded"
    assert re.search(r"\d+ \w{3}( \d{4})? to \d+ \w{3}|\d+ to \d+ \w{3}", moved[0]), "with its dates"
    assert scheduling.next_firings(desk.context, project, 20) == before
    desk.wait_for_end(lead.press(plan, f"{plan}/apply").rpartition("/")[2])

    page = lead.get(path)
    assert "A &lt;b&gt;fair&lt;/b&gt;" in page
    after = scheduling.next_firings(desk.context, project, 20)
    assert after[-1].at > before[-1].at
    away = lead.press(path, f"/projects/{project}/freezes/remove", **{"from": first, "to": last})
    desk.wait_for_end(lead.press(away, f"{away}/apply").rpartition("/")[2])
    assert scheduling.next_firings(desk.context, project, 20) == before
    gone = {**lead.hidden(lead.get(path)), "from": first, "to": last}
    assert lead.send(f"/projects/{project}/freezes/remove", gone).status_code == 422


def test_a_paused_loop_is_said_and_resumed_on_its_schedule(desk: Desk, lead: Visitor, project: str) -> None:
    path = f"/projects/{project}/schedule"
    assert lead.press(path, f"/projects/{project}/pause", reason=f"A fair. {HOSTILE}", back="schedule") == path
    page = lead.get(path)
    assert "Paused By lead-1@example.com: A fair." in words(page)
    assert "Nothing before it is resumed." in words(page)
    assert "1 paused." in words(lead.get("/schedule"))
    assert "<script>alert" not in page + lead.get("/schedule")
    assert lead.press(path, f"/projects/{project}/resume", back="schedule") == path
    assert scheduling.next_firings(desk.context, project, 1) != []
    other = lead.press(path, f"/projects/{project}/pause", reason="Again.", back="https://elsewhere.example.com")
    assert other == f"/projects/{project}"
    lead.press(path, f"/projects/{project}/resume")


def test_the_schedule_shows_what_comes_where_somebody_may_look(desk: Desk, lead: Visitor, project: str) -> None:
    page = lead.get("/schedule")
    assert re.search(r"(Starts iteration 2|Proposes what to carry over)", words(page))
    assert f'href="/projects/{project}/schedule"' in page
    feed = re.search(r'href="(/feeds/[^"]+\.ics)"', lead.get(f"/projects/{project}/schedule"))
    assert feed is not None
    assert lead.client.get(feed[1]).text.startswith("BEGIN:VCALENDAR")
    own = desk.visitor("seer@example.com", Role.VIEWER, ("SUP",))
    assert 'method="post"' not in own.get(f"/projects/{project}/schedule")
    refused = own.send(f"/projects/{project}/skip", own.hidden(own.get("/account")))
    assert refused.status_code == 403


def test_the_schedule_takes_as_many_statements_however_many_projects_there_are(
    desk: Desk, lead: Visitor, project: str
) -> None:
    def cost() -> int:
        """The fewest of several looks, for the service does things of its own meanwhile."""
        found = []
        for _ in range(4):
            with statements(desk.context, but="FROM loops") as sent:
                lead.get("/schedule")
            found.append(len(sent))
        return min(found)

    few = cost()
    for number in range(3):
        lead.press("/projects/new", "/projects/new", **desk.entries(f"Other {number}", f"OTHER{number}"))
    assert cost() <= few + 1


# --- teams ------------------------------------------------------------------------------------------------------------


def filled(page: str) -> dict[str, str]:
    """What stands in the form of a person."""
    form = page.partition('<form class="stack"')[2].partition("</form>")[0]
    found = {name: unescape(value) for name, value in re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', form)}
    text = re.search(r'<textarea[^>]*name="absences"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    assert text is not None
    return {**found, "absences": unescape(text[1])}


def member(desk: Desk, person: str) -> dict[str, Any] | None:
    team = teams.get(desk.context, "Support triage")
    return next((dict(one) for one in team.body["members"] if one["person"] == person), None)


def test_a_team_shows_who_has_how_much_and_what_nobody_has(desk: Desk, lead: Visitor, project: str) -> None:
    number = teams.get(desk.context, "Support triage").id
    said = words(lead.get(f"/teams/{number}"))
    assert "5 people in" in said
    assert "without a person" in said
    assert re.search(r"ML 1 ml-1@example.com [\d.]+ of [\d.]+", said)
    assert f'href="/projects/{project}"' in lead.get(f"/teams/{number}")
    assert "Support triage" in words(lead.get("/teams"))


def test_what_people_have_in_several_projects_is_summed_in_as_many_statements(
    desk: Desk, lead: Visitor, project: str
) -> None:
    row = teams.get(desk.context, "Support triage")

    def cost() -> int:
        """The fewest of several looks, for the service does things of its own meanwhile."""
        found = []
        for _ in range(4):
            with statements(desk.context, but="FROM loops") as sent:
                lead.get(f"/teams/{row.id}")
            found.append(len(sent))
        return min(found)

    few = cost()
    one = staffing(desk.context, row)
    start = str(desk.monday - timedelta(days=7))
    entered = desk.entries("Second", "SECOND", team="Support triage", people="", p_start_date=start)
    plan = lead.press("/projects/new", "/projects/new", **entered)
    desk.wait_for_end(lead.press(plan, f"{plan}/apply").rpartition("/")[2])
    eventually(lambda: len(staffing(desk.context, row).people["ML 1"].shares) == 2)

    both = staffing(desk.context, row)
    assert [each.key for each in both.projects if each.key in ("SECOND", "SUP")] == ["SECOND", "SUP"]
    (share,) = one.people["ML 1"].shares
    assert (share.project.key, share.iteration) == ("SUP", 1)
    assert both.people["ML 1"].open == sum(each.open for each in both.people["ML 1"].shares) > one.people["ML 1"].open
    assert sum(both.vacant[project].values()) == sum(one.vacant[project].values()) == 5
    assert re.search(r"SECOND [\d.]+, SUP [\d.]+", words(lead.get(f"/teams/{row.id}")))
    assert cost() <= few + 1


def test_a_person_is_added_changed_and_removed_by_forms(desk: Desk, lead: Visitor, project: str) -> None:
    path = f"/teams/{teams.get(desk.context, 'Support triage').id}"
    form = {
        **filled(lead.get(f"{path}/person")),
        "person": "Ops 1",
        "email": "ops-1@example.com",
        "roles": "devops, ml",
    }
    form |= {"absences": "2027-02-01..2027-02-12\r\n2027-03-01"}
    assert {lead.send(f"{path}/person", form).headers["location"] for _ in range(2)} == {path}
    assert member(desk, "Ops 1") == {
        "person": "Ops 1",
        "email": "ops-1@example.com",
        "roles": ["devops", "ml"],
        "absences": [{"from": "2027-02-01", "to": "2027-02-12"}, "2027-03-01"],
    }

    page = lead.get(f"{path}/person?person=Ops%201")
    form = {**filled(page), "capacity": "8", "absences": "2027-03-01"}
    assert lead.send(f"{path}/person", form).headers["location"] == path
    assert member(desk, "Ops 1") == {
        "person": "Ops 1",
        "email": "ops-1@example.com",
        "roles": ["devops", "ml"],
        "capacity": 8,
        "absences": ["2027-03-01"],
    }
    page = lead.get(f"{path}/person?person=Ops%201")
    assert lead.send(f"{path}/person/remove", filled(page)).headers["location"] == path
    assert member(desk, "Ops 1") is None


def test_the_second_of_two_who_edit_a_team_is_told_what_changed_and_keeps_what_they_typed(
    desk: Desk, lead: Visitor, project: str
) -> None:
    path = f"/teams/{teams.get(desk.context, 'Support triage').id}"
    address = f"{path}/person?person=ML%202"
    ours, theirs = filled(lead.get(address)), filled(lead.get(address))
    assert lead.send(f"{path}/person", {**theirs, "capacity": "9"}).status_code == 303

    answer = lead.send(f"{path}/person", {**ours, "roles": "ml pm", "absences": "2027-04-01"})
    assert answer.status_code == 409
    assert "Points an iteration: was “12”, is “9” now" in words(answer.text)
    kept = filled(answer.text)
    assert (kept["roles"], kept["absences"], kept["capacity"]) == ("ml pm", "2027-04-01", "12")
    assert member(desk, "ML 2") == {"person": "ML 2", "email": "ml-2@example.com", "roles": ["ml"], "capacity": 9}

    assert lead.send(f"{path}/person", kept).headers["location"] == path
    found = member(desk, "ML 2")
    assert found is not None
    assert (found["roles"], found["capacity"]) == (["ml", "pm"], 12)
    stale = lead.send(f"{path}/person/remove", ours)
    assert stale.status_code == 409
    assert member(desk, "ML 2") is not None
    made_up = lead.send(f"{path}/person", {**ours, "press": "x" * 20, "seen": '{"absences": [[1]]}', "version": "x"})
    assert made_up.status_code == 409


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("person", "", "Name"),
        ("person", "ML 1", "list every person once"),
        ("email", "nobody", "is not an e-mail address"),
        ("roles", "", "Roles"),
        ("roles", HOSTILE, "Roles"),
        ("capacity", "-3", "Points an iteration"),
        ("capacity", "9" * 400, "Points an iteration"),
        ("absences", "2027-02-12..2027-02-01", "exchange the two"),
        ("absences", HOSTILE * 200, "Absences"),
        ("person", HOSTILE * 200, "Name"),
    ],
)
def test_what_is_wrong_with_a_person_is_told_beside_its_field_and_nothing_is_kept(
    desk: Desk, lead: Visitor, project: str, field: str, value: str, said: str
) -> None:
    row = teams.get(desk.context, "Support triage")
    path = f"/teams/{row.id}"
    right = {"person": "New 1", "email": "new-1@example.com", "roles": "ml"}
    answer = lead.send(f"{path}/person", {**filled(lead.get(f"{path}/person")), **right, field: value})
    assert answer.status_code == 422, answer.text
    assert said in words(answer.text)
    assert f'href="#{field}"' in answer.text
    assert "<script>alert" not in answer.text
    assert teams.get(desk.context, "Support triage") == row


def test_a_team_is_only_looked_at_without_the_right_and_not_seen_by_others(
    desk: Desk, lead: Visitor, project: str
) -> None:
    path = f"/teams/{teams.get(desk.context, 'Support triage').id}"
    own = desk.visitor("sees-one@example.com", Role.LEAD, ("SUP",))
    assert "Support triage" in words(own.get("/teams"))
    assert "/person" not in own.get(path)
    refused = own.send(f"{path}/person", {**own.hidden(own.get("/account")), "version": "1", "person": "X"})
    assert refused.status_code == 403
    assert member(desk, "X") is None


# --- all of them ------------------------------------------------------------------------------------------------------


def paths(desk: Desk, lead: Visitor, project: str) -> list[str]:
    """A page of each kind."""
    trigger = add_trigger(desk, project="SUP")
    event = deliver(desk, trigger, {"n": 1})
    team, work = teams.get(desk.context, "Support triage").id, connections.get(desk.context, "work").id
    found = ["/events", f"/events/{event}", "/triggers", f"/triggers/{trigger}", f"/triggers/test?event={event}"]
    found += ["/connections", f"/connections/{work}", "/connections/new", "/schedule", f"/projects/{project}/schedule"]
    return [*found, "/teams", f"/teams/{team}", f"/teams/{team}/person?person=ML%201"]


def test_a_link_leads_only_to_what_is_there_and_nothing_is_there_that_the_policy_forbids(
    desk: Desk, lead: Visitor, project: str
) -> None:
    seen: set[str] = set()
    for path in paths(desk, lead, project):
        answer = lead.client.get(path)
        assert answer.headers["content-security-policy"] == POLICY
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! type=\"module\" src)", answer.text), path
        seen |= {unescape(one) for one in re.findall(r'(?:href|src)="(/[^"#]*)', answer.text)}
    assert len(seen) > 30
    assert {path: status for path in seen if (status := lead.client.get(path).status_code) != 200} == {}


@pytest.mark.parametrize(
    "path",
    [
        "/events?state={}",
        "/events?sender={}",
        "/events?source={}",
        "/events?before={}",
        "/events/{}",
        "/connections/{}",
        "/projects/{}/schedule",
        "/teams/{}",
        "/triggers/{}",
        "/triggers/test?trigger={}",
        "/triggers/test?event={}",
    ],
)
def test_hostile_addresses_are_answered_with_a_page(lead: Visitor, path: str) -> None:
    answer = lead.client.get(path.format("%3Cscript%3Ealert(1)%3C%2Fscript%3E%C2%BD"))

    assert answer.status_code in (200, 404), answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    ("field", "entered"),
    [("reason", "  "), ("reason", "short"), ("reason", "y" * 1500), ("until", "2020-01-01"), ("until", "soon")],
)
def test_what_is_wrong_with_a_waiver_is_told_at_its_finding(
    desk: Desk, lead: Visitor, project: str, field: str, entered: str
) -> None:
    run = lead.press(f"/projects/{project}", f"/projects/{project}/audit")
    desk.wait_for_end(run.rpartition("/")[2])
    listed = re.findall(
        r'href="(/projects/\w+/audit\?finding=[\d.D]+)#finding"', lead.get(f"/projects/{project}/audit")
    )
    opened = next(one for one in listed if "Waive it" in lead.get(one))
    iteration, _, check = opened.rpartition("=")[2].partition(".")
    form = {**lead.hidden(lead.get(opened)), "iteration": iteration, "check": check}
    form |= {"reason": "Nobody works on models yet.", "until": str(desk.monday + timedelta(days=30))}

    answer = lead.send(f"/projects/{project}/waivers", {**form, field: entered})

    told_beside(answer, field, entered)
    if field == "until":
        assert "Nobody works on models yet." in answer.text


def test_what_follows_the_current_iteration_is_decided_and_taken_back(
    desk: Desk, lead: Visitor, viewer: Visitor, project: str
) -> None:
    path = f"/projects/{project}/schedule"
    wrong = lead.send(
        f"/projects/{project}/decision", {**lead.hidden(lead.get(path)), "move": "stay", "because_of": " "}
    )
    told_beside(wrong, "because_of", "")
    assert re.search(r'value="stay" selected', wrong.text)

    lead.press(path, f"/projects/{project}/decision", move="stay", because_of="The data is late")
    assert "Another iteration of the same phase, decided by lead-1@example.com: The data is late" in words(
        lead.get(path)
    )
    lead.press(path, f"/projects/{project}/decision/remove")
    assert "The data is late" not in words(lead.get(path))
    assert "Decide what follows" not in words(viewer.get(path))


def test_of_two_waivers_of_one_check_from_two_tabs_one_wins_and_the_other_is_told(
    desk: Desk, lead: Visitor, project: str
) -> None:
    form = {"check": "D05", "iteration": "1", "until": str(desk.monday + timedelta(days=30))}
    shown = lead.get(f"/projects/{project}/audit?finding=1.D05")
    tabs = [{**lead.hidden(shown), **form, "press": f"{name * 20}"} for name in "ab"]

    first = lead.send(f"/projects/{project}/waivers", {**tabs[0], "reason": "Nobody trains anything yet"})
    other = lead.send(f"/projects/{project}/waivers", {**tabs[1], "reason": "No model before March comes"})

    assert (first.status_code, other.status_code) == (303, 409)
    assert "lead-1@example.com has waived this until" in words(other.text)
    listed = [one for one in audit_reports.matrix(desk.context, project).waivers if one["check"] == "D05"]
    assert len(listed) == 1
    waiver_log.revoke(desk.context, str(listed[0]["id"]), by="lead")


def test_go_to_finds_what_is_done_on_the_schedule_of_a_project(lead: Visitor, project: str) -> None:
    found = lead.get("/go?q=pause+sup")
    assert f'href="/projects/{project}/schedule#pa"' in found
    assert "Go to" in words(lead.client.get("/nowhere-at-all").text)


def test_a_waiver_is_taken_back_where_it_is_shown(desk: Desk, lead: Visitor, project: str) -> None:
    day = desk.monday + timedelta(days=30)
    waiver_log.waive(desk.context, project, "D04", number=1, by="lead", reason="Nobody trains anything yet", until=day)
    path = f"/projects/{project}/audit"
    back = re.search(
        rf'action="({path}[^"]*|/projects/{project}/waivers/\w+/revoke)"', lead.get(path).partition("Waivers")[2]
    )
    assert back is not None

    lead.press(path, back[1])

    assert "taken back by lead-1@example.com" in words(lead.get(path))
    assert "/revoke" not in lead.get(path)
