"""The pages of a project over HTTP, as a browser without a script uses them: the iteration by day. What is true
afterwards is asked of the store, and of the tracker where it is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest

from service.domain.access.roles import Role
from service.usecases.audit.history import history
from service.usecases.run import run_views
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
