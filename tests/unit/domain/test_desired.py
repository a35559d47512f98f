"""Desired items: a blueprint with its people, fitted to what a tracker can do, nothing lost in silence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.values import Capabilities, Item, ItemKey, ItemKind, Priority, Severity
from service.domain.plan.assignment import Assignment, assign
from service.domain.plan.blueprint import Blueprint
from service.domain.plan.desired import desired_items, fitting_findings, ranks, surprises
from service.domain.team.calendar import Calendar
from service.domain.template.template import Template
from tests.effort import examples
from tests.unit.domain.samples import draw, person, phase, settled, team, template, ticket

EVERYTHING = Capabilities(
    create_batch=50,
    move_batch=50,
    read_batch=100,
    iterations=True,
    points=True,
    links=True,
    links_in_create=True,
    checklists=True,
    marks_iterations_apart=False,
    places_in_create=False,
    title_limit=255,
    iteration_title_limit=29,
    text_limit=32_767,
)

ACCOUNTS = {"ml-1@example.com": "account-1", "pm-1@example.com": "account-2"}


@pytest.fixture
def process() -> Template:
    return template(
        phase(ticket("make", 5, priority="high", role="feature"), ticket("test", 3, ("make",), role="qa"), iterations=2)
    )


@pytest.fixture
def drawn(process: Template) -> Blueprint:
    return draw(process)


@pytest.fixture
def assignment(process: Template, drawn: Blueprint) -> Assignment:
    crew = team(person("ml-1", "ml"), person("pm-1", "pm"))
    return assign(drawn, process, settled(process), crew, Calendar())


def by_key(items: list[Item]) -> dict[str, Item]:
    return {str(item.key): item for item in items}


def test_items_come_in_the_order_in_which_they_are_written(drawn: Blueprint, assignment: Assignment) -> None:
    assert [item.key for item in desired_items(drawn, assignment, ACCOUNTS, EVERYTHING)] == [
        "epic:work",
        "iteration:1",
        "iteration:2",
        "ceremonies:1",
        "ticket:make",
        "record:1",
        "ceremonies:2",
        "ticket:test",
        "record:2",
        "link:record:1>make",
        "link:test>make",
        "link:record:2>test",
    ]


def test_a_ticket_carries_all_that_the_blueprint_and_the_assignment_say(
    drawn: Blueprint, assignment: Assignment
) -> None:
    found = by_key(desired_items(drawn, assignment, ACCOUNTS, EVERYTHING))["ticket:make"]
    planned = next(one for one in drawn.tickets if one.key == "ticket:make")
    assert found == Item(
        key=ItemKey("ticket:make"),
        kind=ItemKind.TICKET,
        title="Do make",
        text=planned.text,
        checklist=("make is done",),
        labels=("phase:build", "role:ml"),
        assignee="account-1",
        points=5.0,
        priority=Priority.HIGH,
        epic=ItemKey("epic:work"),
        iteration=ItemKey("iteration:1"),
    )


def test_an_iteration_has_its_dates_and_its_aim(drawn: Blueprint, assignment: Assignment) -> None:
    found = by_key(desired_items(drawn, assignment, ACCOUNTS, EVERYTHING))["iteration:2"]
    planned = drawn.iterations[1]
    assert (found.title, found.goal, found.starts, found.ends) == (
        "ML Build 2",
        "Build for Churn.",
        planned.starts,
        planned.ends,
    )


def test_a_link_names_both_its_ends(drawn: Blueprint, assignment: Assignment) -> None:
    found = by_key(desired_items(drawn, assignment, ACCOUNTS, EVERYTHING))["link:test>make"]
    assert (found.kind, found.source, found.target) == (ItemKind.LINK, "ticket:test", "ticket:make")
    assert found.title == "Do test waits for Do make"


def test_a_vacancy_is_visible_on_the_ticket(drawn: Blueprint, assignment: Assignment) -> None:
    found = by_key(desired_items(drawn, assignment, ACCOUNTS, EVERYTHING))["ticket:test"]
    assert (found.assignee, found.labels) == (None, ("phase:build", "role:qa", "vacant:qa"))


def test_what_was_carried_over_often_says_so(drawn: Blueprint, assignment: Assignment) -> None:
    times = {ItemKey("ticket:make"): 3, ItemKey("record:1"): 2, ItemKey("ticket:test"): 11}
    found = by_key(desired_items(drawn, assignment, ACCOUNTS, EVERYTHING, times))
    assert found["ticket:make"].labels == ("phase:build", "role:ml", "carried:3")
    assert found["ticket:test"].labels[-1] == "carried:11"
    assert "carried:2" not in found["record:1"].labels


def test_needs_in_words_name_what_is_history_too(process: Template, drawn: Blueprint) -> None:
    history = {ItemKey("ticket:make"): "Do make"}
    later = tuple(one for one in drawn.tickets if one.iteration == "iteration:2")
    live = replace(drawn, iterations=drawn.iterations[1:], tickets=later, outside=history)
    assignment = assign(live, process, settled(process), team(person("pm-1", "pm")), Calendar())

    found = by_key(desired_items(live, assignment, {}, replace(EVERYTHING, links=False)))

    assert found["ticket:test"].text.startswith("**Needs:** Do make\n\n")


def test_records_and_meetings_are_labelled(drawn: Blueprint, assignment: Assignment) -> None:
    found = by_key(desired_items(drawn, assignment, ACCOUNTS, EVERYTHING))
    assert found["record:1"].labels == ("phase:build", "role:ml", "record")
    assert found["ceremonies:1"].labels == ("phase:build", "role:pm", "ceremonies")
    assert found["epic:work"].labels == ("phase:build",)


def test_somebody_without_an_account_is_not_assigned_and_is_no_vacancy(
    drawn: Blueprint, assignment: Assignment
) -> None:
    found = by_key(desired_items(drawn, assignment, {}, EVERYTHING))["ticket:make"]
    assert (found.assignee, found.labels) == (None, ("phase:build", "role:ml"))


def test_a_tracker_that_can_do_everything_leaves_nothing_to_report(drawn: Blueprint) -> None:
    assert fitting_findings(drawn, EVERYTHING) == []


def test_estimates_become_labels_where_there_are_none(drawn: Blueprint, assignment: Assignment) -> None:
    without = replace(EVERYTHING, points=False)
    found = by_key(desired_items(drawn, assignment, ACCOUNTS, without))
    assert (found["ticket:make"].points, found["ticket:make"].labels[-1]) == (None, "points:5")
    assert found["ceremonies:1"].labels == ("phase:build", "role:pm", "ceremonies")
    assert [(one.severity, one.code) for one in fitting_findings(drawn, without)] == [
        (Severity.INFO, "points-as-labels")
    ]


def test_what_a_new_project_cannot_show_after_all_is_told(drawn: Blueprint, assignment: Assignment) -> None:
    wanted = desired_items(drawn, assignment, ACCOUNTS, EVERYTHING)
    bare = replace(EVERYTHING, points=False, iterations=False, links=False)

    told = surprises(wanted, EVERYTHING, bare)

    assert [(one.severity, one.code) for one in told] == [(Severity.WARNING, "not-as-assumed")] * 3
    assert "without them" in told[0].message
    assert surprises(wanted, EVERYTHING, EVERYTHING) == surprises(wanted, bare, EVERYTHING) == []
    assert surprises([], EVERYTHING, bare) == []


def test_iterations_become_labels_where_there_are_none(drawn: Blueprint, assignment: Assignment) -> None:
    without = replace(EVERYTHING, iterations=False, iteration_title_limit=1)
    found = desired_items(drawn, assignment, ACCOUNTS, without)
    assert not any(item.kind is ItemKind.ITERATION or item.iteration for item in found)
    assert "iteration:2" in by_key(found)["ticket:test"].labels
    assert [one.code for one in fitting_findings(drawn, without)] == ["iterations-as-labels"]


def test_links_become_a_line_of_text_where_there_are_none(drawn: Blueprint, assignment: Assignment) -> None:
    without = replace(EVERYTHING, links=False)
    found = desired_items(drawn, assignment, ACCOUNTS, without)
    assert not any(item.kind is ItemKind.LINK for item in found)
    assert by_key(found)["ticket:test"].text.startswith("**Needs:** Do make\n\nHow to do test.")
    assert "Needs" not in by_key(found)["ticket:make"].text
    assert [one.code for one in fitting_findings(drawn, without)] == ["links-as-text"]


def test_what_is_too_long_is_cut_and_reported(drawn: Blueprint, assignment: Assignment) -> None:
    narrow = replace(EVERYTHING, title_limit=7, iteration_title_limit=9, text_limit=40)
    found = by_key(desired_items(drawn, assignment, ACCOUNTS, narrow))
    assert found["ticket:make"].title == "Do make"
    assert found["record:1"].title == "Record…"
    assert found["iteration:1"].title == "ML Build…"
    assert len(found["ticket:make"].text) == 40
    reported = {(one.code, one.subject) for one in fitting_findings(drawn, narrow)}
    assert ("title-shortened", "record:1") in reported
    assert ("title-shortened", "iteration:1") in reported
    assert ("text-shortened", "ticket:make") in reported
    assert ("title-shortened", "ticket:make") not in reported


def test_labels_have_no_spaces(drawn: Blueprint, assignment: Assignment) -> None:
    nothing = replace(EVERYTHING, points=False, iterations=False, links=False)
    for item in desired_items(drawn, assignment, ACCOUNTS, nothing):
        assert not any(" " in label for label in item.labels)


@settings(deadline=None, max_examples=examples(30))
@given(st.booleans(), st.booleans(), st.booleans(), st.integers(5, 60))
def test_items_fit_and_refer_only_to_items_before_them(iterations: bool, points: bool, links: bool, limit: int) -> None:
    process = template(
        phase(ticket("b", needs=("a",)), ticket("a"), iterations=2),
        phase(ticket("c", needs=("b",)), key="run", epic="ops", recurring=True, iterations=2),
    )
    drawn = draw(process)
    found = assign(drawn, process, settled(process), team(person("ml-1", "ml")), Calendar())
    fitted = replace(EVERYTHING, iterations=iterations, points=points, links=links, title_limit=limit, text_limit=limit)
    seen: set[ItemKey] = set()
    for item in desired_items(drawn, found, {}, fitted):
        assert {key for key in (item.epic, item.iteration, item.source, item.target) if key} <= seen
        assert len(item.text) <= limit
        assert item.kind is ItemKind.LINK or len(item.title) <= max(limit, 29)
        seen.add(item.key)


def test_people_meet_each_iteration_with_its_record_on_top_of_its_tickets() -> None:
    def item(key: str, kind: ItemKind, iteration: str | None = None) -> Item:
        return Item(ItemKey(key), kind, key, iteration=ItemKey(iteration) if iteration else None)

    items = [
        item("epic:a", ItemKind.EPIC),
        item("iteration:1", ItemKind.ITERATION),
        item("iteration:2", ItemKind.ITERATION),
        item("ticket:b", ItemKind.TICKET, "iteration:1"),
        item("record:1", ItemKind.TICKET, "iteration:1"),
        item("ticket:c", ItemKind.TICKET),
        item("ticket:d", ItemKind.TICKET, "iteration:2"),
        item("record:2", ItemKind.TICKET, "iteration:2"),
        item("link:b>d", ItemKind.LINK),
    ]

    assert list(ranks(items)) == [
        "epic:a",
        "iteration:1",
        "record:1",
        "ticket:b",
        "iteration:2",
        "record:2",
        "ticket:d",
        "ticket:c",
    ]
    assert list(ranks(items).values()) == list(range(1, 9))
