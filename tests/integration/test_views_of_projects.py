"""What the pages of projects show, as use cases make it: where each project is, its iterations and who has what in
them; and a new project that is only planned. In a tracker in memory, without HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from connectors import registry
from service import templates
from service.domain.problems import InvalidInput
from service.pages.timeline import timeline
from service.usecases.loop.course_view import course
from service.usecases.overview.needs import needs_someone
from service.usecases.overview.standing import project_standings
from service.usecases.plan import freezes
from service.usecases.plan.new_project import NotKept, entered, planned, wrong_but_for_people
from service.usecases.setup import projects, teams
from service.views.overview import PhaseName
from tests.contract.memory_tracker.kind import MEMORY
from tests.contract.memory_tracker.site import SITES
from tests.integration.test_third_tracker import FIRST, MemoryTable, memory_table
from tests.integration.turntable import START, TEMPLATE, team
from tests.statements import statements


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryTable]:
    monkeypatch.setitem(registry.KINDS, MEMORY.name, MEMORY)
    with memory_table(tmp_path / "home") as opened:
        yield opened
    SITES.clear()


def request(key: str = "NEW", **more: object) -> projects.Request:
    text = templates.TemplateText.of(TEMPLATE.read_text(), TEMPLATE.name)
    asked = projects.Request("New", key, "tracker", "Newcomers", text, {"start_date": START}, "UTC", create=True)
    return replace(asked, **more)


# --- where each project is --------------------------------------------------------------------------------------------


def test_a_project_stands_where_its_loop_is(table: MemoryTable) -> None:
    [before] = project_standings(table.context)
    assert (before.loop, before.iteration, before.tracker) == (None, None, MEMORY.title)
    assert before.phases[0] == PhaseName("data", "Data", "Data")
    table.plan_and_apply()
    table.turned(1, FIRST)

    [after] = project_standings(table.context)
    assert after.iteration is not None
    assert (after.iteration.number, after.iteration.phase) == (1, "data")
    assert (after.due_for, after.due is not None) == ("advance", True)
    assert after.to_json()["iteration"] == 1


def test_whoever_may_not_see_a_project_does_not_see_where_it_is(table: MemoryTable) -> None:
    assert project_standings(replace(table.context, sees=frozenset())) == []


def test_many_projects_cost_no_more_queries_than_one(table: MemoryTable) -> None:
    def asked() -> int:
        with statements(table.context) as sent:
            project_standings(table.context)
            needs_someone(table.context)
        return len(sent)

    one = asked()
    for number in range(5):
        projects.put(table.context, request(f"P{number}", name=f"P{number}", team=team().name))
    assert len(project_standings(table.context)) == 6
    assert asked() <= one


# --- the iterations of a project --------------------------------------------------------------------------------------


def test_before_the_first_iteration_its_tickets_are_shown_by_person(table: MemoryTable) -> None:
    table.plan_and_apply()

    found = course(table.context, "ML")

    assert [(one.number, one.phase, one.state) for one in found.iterations] == [
        (1, "data", "to come"),
        (2, "data", "to come"),
        (3, "model", "to come"),
        (4, "care", "to come"),
    ]
    assert (found.current, found.load_of) == (0, 1)
    assert sum(len(one.tickets) for one in found.load) == found.iterations[0].tickets > 0
    assert {one.status for person in found.load for one in person.tickets} == {""}
    assert {one.person for one in found.load} == {one.person for one in team().members}


def test_the_current_iteration_is_as_the_tracker_showed_it(table: MemoryTable) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)

    found = course(table.context, "ML")

    assert (found.current, found.iterations[0].state, found.iterations[1].state) == (1, "open", "to come")
    assert all(one.status for person in found.load for one in person.tickets)
    assert [one.title for one in found.exit] == ["Clean the data"]
    assert found.to_json()["load"][0]["person"] == found.load[0].person


def test_iterations_that_were_closed_early_end_before_the_next_one_begins(table: MemoryTable) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    table.set("2026-03-05T10:00")
    table.advanced(2)
    table.set("2026-03-10T10:00")
    table.advanced(3)

    found = course(table.context, "ML")

    first, second, third = found.iterations[:3]
    assert (first.state, second.state, third.state) == ("closed", "closed", "open")
    assert first.first <= first.last < second.first <= second.last < third.first
    assert first.last <= date(2026, 3, 5)
    shown = timeline(found, {}, date(2026, 3, 10))
    assert shown.today is not None
    assert shown.cells[2].x <= shown.today <= shown.cells[3].x


def test_an_iteration_begins_where_a_freeze_at_its_beginning_ends(table: MemoryTable) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    table.applied(freezes.plan_freeze(table.context, "ML", "2026-03-16", "2026-03-20", "Audit week"))

    second = course(table.context, "ML").iterations[1]

    assert second.first == second.starts.date() == date(2026, 3, 23)


def test_tickets_that_nobody_has_come_first(table: MemoryTable) -> None:
    left = tuple(one for one in team().members if "data" not in one.roles)
    teams.put(table.context, team().model_copy(update={"members": left}))
    table.plan_and_apply()

    nobody = course(table.context, "ML").load[0]

    assert (nobody.person, nobody.capacity) == ("", None)
    assert "Load the data" in {one.title for one in nobody.tickets}


# --- a new project ----------------------------------------------------------------------------------------------------


def newcomers() -> object:
    return team().model_copy(update={"name": "Newcomers"})


def test_a_new_project_and_its_people_are_there_once_its_plan_is_applied(table: MemoryTable) -> None:
    made = planned(table.context, request(), newcomers())  # type: ignore[arg-type]

    assert [one.key for one in projects.listed(table.context)] == ["ML"]
    assert "Newcomers" not in [one.name for one in teams.listed(table.context)]
    again = entered(table.context, made.id)
    assert (again.name, again.key, again.create, again.parameters["start_date"]) == ("New", "NEW", True, START)
    assert again.people is not None
    table.applied(made)  # type: ignore[arg-type]
    assert "NEW" in [one.key for one in projects.listed(table.context)]
    assert "Newcomers" in [one.name for one in teams.listed(table.context)]
    assert entered(table.context, made.id).people is None


def test_nothing_is_kept_of_a_new_project_that_could_never_be_built(table: MemoryTable) -> None:
    with pytest.raises(NotKept) as refused:
        planned(table.context, request(create=False), newcomers())  # type: ignore[arg-type]

    assert refused.value.plan.plan.blocked
    assert projects.only_planned(table.context) == []
    assert teams.proposed(table.context, newcomers()).version == 0  # type: ignore[arg-type]


def test_nothing_is_kept_of_a_new_project_of_which_something_is_wrong(table: MemoryTable) -> None:
    with pytest.raises(InvalidInput):
        planned(table.context, request(name="", parameters={"start_date": "never"}), newcomers())  # type: ignore[arg-type]

    assert projects.only_planned(table.context) == []


def test_what_is_wrong_besides_the_people_is_told_with_them(table: MemoryTable) -> None:
    wrong = wrong_but_for_people(table.context, request(name="", parameters={"start_date": "never"}))

    assert [(one.source, one.path) for one in wrong] == [("project", "name"), ("parameters", "start_date")]
