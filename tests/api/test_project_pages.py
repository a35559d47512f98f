"""The pages of a project over HTTP, as a browser without a script uses them: the iteration by day, and
what people changed. What is true
afterwards is asked of the store, and of the tracker where it is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from connectors.values import ItemKey
from service.domain.access.roles import Role
from service.store.tables import PlanRow
from service.usecases.audit.history import history
from service.usecases.plan import inventory, planning
from service.usecases.run import run_views
from tests import plain
from tests.pages_desk import Desk, Visitor, served_desk
from tests.waiting import eventually


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
    eventually(lambda: bool(history(desk.context, found).iterations))
    return found


def words(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_an_iteration_that_nobody_has_read_since_it_began_says_so_and_draws_nothing(
    lead: Visitor, project: str
) -> None:
    page = lead.get(f"/projects/{project}")

    assert "Nobody has read Jira for it since it began" in words(page)
    picture = page.partition('aria-labelledby="bu-p-t"')[2].partition("</svg>")[0]
    assert picture.count('class="plan"') == 1
    assert 'class="b1"' not in picture


def test_a_look_at_the_tracker_shows_what_is_done_by_today_and_keeps_nothing(
    desk: Desk, viewer: Visitor, project: str
) -> None:
    before = history(desk.context, project).iterations[0].tickets
    for one in before[:2]:
        desk.finish(one.remote_key)

    page = viewer.get(f"/projects/{project}/burn-up")

    shown = words(page)
    points = sum(one.points or 0 for one in before[:2])
    assert f"Planned at the beginning: {len(before)} tickets" in shown
    assert f"done: 2 tickets, {points:g} points" in shown
    today = desk.context.now().date()
    assert re.search(rf"{today.day} {today:%b} 2 tickets, {points:g} points", shown)
    assert 'class="b1"' in page
    assert history(desk.context, project).iterations[0].tickets == before
    assert "Nobody has read Jira" in words(viewer.get(f"/projects/{project}"))


def test_a_project_without_a_current_iteration_has_no_days_to_show(desk: Desk, lead: Visitor) -> None:
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("Later", "LAT"))
    run = lead.press(plan, f"{plan}/apply").rpartition("/")[2]
    desk.wait_for_end(run)
    later = run_views.progress(desk.context, run).project.id

    assert "by day" not in words(lead.get(f"/projects/{later}"))
    assert "has no current iteration" in words(lead.get(f"/projects/{later}/burn-up", 409))


@dataclass(frozen=True)
class Changed:
    """A project in which people gave one ticket another title, and deleted another one."""

    id: str
    renamed: str
    deleted: str


@pytest.fixture(scope="module")
def changed(desk: Desk, project: str) -> Changed:
    items = {one.key: one for one in inventory.page(desk.context, project, 500)}
    renamed, deleted = items[TITLED].remote_key, items[GONE].remote_key
    assert renamed
    assert deleted
    desk.jira("PUT", f"api/2/issue/{renamed}", {"fields": {"summary": "Our <b>goals</b>"}})
    desk.jira("DELETE", f"api/2/issue/{deleted}")
    return Changed(project, renamed, deleted)


TITLED, GONE = ItemKey("ticket:set-goals"), ItemKey("ticket:define-scope")


def changes_of(desk: Desk, plan: str) -> dict[str, tuple[str, str]]:
    """What a plan writes: the action and its reason by key."""
    found = planning.get(desk.context, plan.rpartition("/")[2]).plan
    return {str(one.key): (one.action.value, one.reason.value) for one in found.changes if one.writes}


def test_what_people_changed_is_shown_item_by_item_with_what_can_be_chosen(lead: Visitor, changed: Changed) -> None:
    page = lead.get(f"/projects/{changed.id}/drift")
    shown = words(page)

    assert 'title: "Set the goals" → "Our <b>goals</b>"' in shown
    assert re.findall(rf'name="choice.{TITLED}" value="(\w+)"( checked)?', page) == [
        ("keep", " checked"),
        ("restore", ""),
    ]
    assert re.findall(rf'name="choice.{GONE}" value="(\w+)"', page) == ["keep", "restore", "adopt"]
    assert f'name="other.{GONE}"' in page


def test_who_only_reads_sees_what_changed_and_can_choose_nothing(viewer: Visitor, changed: Changed) -> None:
    page = viewer.get(f"/projects/{changed.id}/drift")

    assert "Our <b>goals</b>" in words(page)
    assert f'action="/projects/{changed.id}/drift"' not in page
    assert 'name="choice.' not in page
    assert viewer.send(f"/projects/{changed.id}/drift", viewer.hidden(page)).status_code == 403


def plans_by_people(desk: Desk, project: str) -> set[str]:
    """The plans that somebody asked for: runs make some of their own meanwhile."""
    query = select(PlanRow.id).where(PlanRow.project_id == project, PlanRow.run_id.is_(None))
    with desk.context.database.session() as session:
        return set(session.scalars(query))


def test_to_keep_everything_makes_no_plan_and_says_so(desk: Desk, lead: Visitor, changed: Changed) -> None:
    before = plans_by_people(desk, changed.id)
    path = f"/projects/{changed.id}/drift"

    answer = lead.send(path, {**lead.hidden(lead.get(path)), f"choice.{TITLED}": "keep", f"choice.{GONE}": "keep"})

    assert answer.status_code == 200
    assert "Everything stays as people left it" in words(answer.text)
    assert plans_by_people(desk, changed.id) == before


def test_one_item_is_restored_by_a_plan_that_is_shown_first(desk: Desk, lead: Visitor, changed: Changed) -> None:
    path = f"/projects/{changed.id}/drift"
    titled = desk.jira("GET", f"api/2/issue/{changed.renamed}?fields=summary")["fields"]["summary"]

    plan = lead.press(path, path, **{f"choice.{TITLED}": "restore", f"choice.{GONE}": "keep"})

    assert re.fullmatch("/plans/pln_[0-9a-f]+", plan)
    assert changes_of(desk, plan) == {TITLED: ("update", "restored")}
    assert titled == "Our <b>goals</b>"  # nothing was written yet


def test_what_was_deleted_is_made_again_by_its_button(desk: Desk, lead: Visitor, changed: Changed) -> None:
    path = f"/projects/{changed.id}/drift"

    plan = lead.press(path, path, **{f"choice.{GONE}": "restore"})

    assert changes_of(desk, plan)[GONE] == ("create", "restored")
    assert TITLED not in changes_of(desk, plan)


def test_another_ticket_takes_the_place_of_one_that_is_gone(desk: Desk, lead: Visitor, changed: Changed) -> None:
    path = f"/projects/{changed.id}/drift"
    kind = desk.jira("GET", f"api/2/issue/{changed.renamed}?fields=issuetype")["fields"]["issuetype"]["id"]
    fields = {"project": {"key": "SUP"}, "summary": "Our own sketch", "issuetype": {"id": kind}}
    own = desk.jira("POST", "api/2/issue", {"fields": fields})["key"]

    plan = lead.press(path, path, **{f"choice.{GONE}": "adopt", f"other.{GONE}": own})

    assert changes_of(desk, plan) == {GONE: ("adopt", "given")}


def test_a_link_that_people_took_away_is_made_again_by_itself(desk: Desk, lead: Visitor, changed: Changed) -> None:
    links = desk.jira("GET", f"api/2/issue/{changed.renamed}?fields=issuelinks")["fields"]["issuelinks"]
    desk.jira("DELETE", f"api/2/issueLink/{links[-1]['id']}")
    path = f"/projects/{changed.id}/drift"
    shown = {unescape(one) for one in re.findall(r'name="choice\.(link:[^"]+)"', lead.get(path))}
    [key] = {one for one in shown if "define-scope" not in one}

    plan = lead.press(path, path, **{f"choice.{key}": "restore"})

    assert changes_of(desk, plan) == {key: ("create", "restored")}


def test_what_cannot_be_is_told_at_its_item_and_what_was_chosen_stays(lead: Visitor, changed: Changed) -> None:
    path = f"/projects/{changed.id}/drift"
    hidden = lead.hidden(lead.get(path))

    nothing = lead.send(path, {**hidden, f"choice.{GONE}": "adopt"})
    both = lead.send(
        path, {**hidden, f"choice.{TITLED}": "restore", f"choice.{GONE}": "adopt", f"other.{GONE}": "SUP-1"}
    )
    unknown = lead.send(path, {**hidden, f"choice.{GONE}": "adopt", f"other.{GONE}": "SUP-99999"})

    assert [nothing.status_code, both.status_code, unknown.status_code] == [422, 422, 422]
    assert "Nothing is named to take its place" in words(nothing.text)
    assert "annot be asked for together with adopt" in words(both.text)
    assert "is called 'SUP-99999'" in words(unknown.text)
    assert 'value="SUP-99999"' in unknown.text
    assert re.findall(rf'name="choice.{GONE}" value="(\w+)" checked', unknown.text) == ["adopt"]


def test_a_tracker_that_does_not_answer_says_so_and_nothing_of_what_changed(
    desk: Desk, lead: Visitor, changed: Changed
) -> None:
    body = {"action": "status", "status": 401, "path": "/rest/", "times": 50}
    plain.post(f"{desk.sandbox.url}/sandbox/faults", json=body).raise_for_status()
    try:
        shown = words(lead.get(f"/projects/{changed.id}/drift"))
    finally:
        plain.delete(f"{desk.sandbox.url}/sandbox/faults").raise_for_status()

    assert "Jira could not be read." in shown
    assert "Nothing:" not in shown


def test_the_page_of_the_project_leads_to_the_choices(lead: Visitor, viewer: Visitor, changed: Changed) -> None:
    assert "Look now, and choose what becomes of it" in words(lead.get(f"/projects/{changed.id}"))
    assert "choose what becomes of it" not in words(viewer.get(f"/projects/{changed.id}"))
