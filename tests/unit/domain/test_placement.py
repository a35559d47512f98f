"""Where tickets are by our records, and what of them a plan is about."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from connectors.values import ItemKey, RemoteRef, kind_of
from service.domain.loop.course import course
from service.domain.plan import placement
from service.domain.plan.blueprint import Blueprint, blueprint
from service.domain.plan.plan import Recorded
from service.domain.team.calendar import Calendar
from service.domain.template.parameters import settle
from service.domain.template.reader import read_template

TEMPLATE = Path(__file__).parents[2] / "integration" / "turning.yaml"


def record(key: str, *, made: bool = True, **wanted: object) -> Recorded:
    name = ItemKey(key)
    return Recorded(name, kind_of(name), RemoteRef(key, key, "") if made else None, dict(wanted))


def records(*found: Recorded) -> dict[ItemKey, Recorded]:
    return {one.key: one for one in found}


def drawn(live_from: int = 0, placed: dict[ItemKey, int | None] | None = None) -> Blueprint:
    template = read_template(TEMPLATE.read_text(), TEMPLATE.name)
    parameters = settle(template, {"start_date": "2026-03-02"}, date(2026, 3, 1))
    way = course(template, parameters, Calendar())
    return blueprint(template, parameters, "ML", "ML", Calendar(), way, placed, live_from=live_from)


def test_a_ticket_is_where_its_field_says_or_else_its_label() -> None:
    assert placement.iteration_of(record("ticket:load", iteration="iteration:2")) == 2
    assert placement.iteration_of(record("ticket:load", labels=["role:ml", "iteration:3"])) == 3
    assert placement.iteration_of(record("ticket:load", iteration=None, labels=["role:ml"])) is None


def test_what_is_in_an_iteration_that_has_begun_stays_and_what_is_to_come_does_not() -> None:
    found = records(
        record("ticket:goals", iteration="iteration:1"),
        record("ticket:clean", iteration="iteration:2"),
        record("ticket:load", iteration=None),
    )

    assert placement.placed(found, 1, {ItemKey("ticket:load")}) == {"ticket:goals": 1, "ticket:load": None}


def test_what_was_never_made_for_the_iteration_that_ends_is_due_in_the_next_one() -> None:
    whole = drawn()
    made = records(record("ticket:goals", iteration="iteration:1"), record("ticket:load", made=False))

    assert placement.overdue(whole, made, closing=1, due=2) == {"ticket:load": 2}
    assert placement.overdue(whole, {}, closing=1, due=2) == {"ticket:goals": 2, "ticket:load": 2}
    assert placement.overdue(whole, {}, closing=2, due=3) == {"ticket:clean": 3}


def test_a_plan_is_about_what_is_live_and_about_what_left_the_template_not_about_history() -> None:
    whole, live = drawn(), drawn(2)
    found = records(
        record("iteration:1"),
        record("iteration:2"),
        record("epic:data"),
        record("ticket:goals", iteration="iteration:1"),
        record("ticket:clean", iteration="iteration:2"),
        record("ticket:train", iteration=None),
        record("ticket:gone", iteration="iteration:2"),
        record("ticket:gone-long-ago", iteration="iteration:1"),
        record("link:load>goals", source="ticket:load", target="ticket:goals"),
        record("link:judge>train", source="ticket:judge", target="ticket:train"),
    )

    about = placement.concerned(found, live, whole, 2, shelved=())

    assert set(about) == {
        "iteration:2",
        "epic:data",
        "ticket:clean",
        "ticket:train",
        "ticket:gone",
        "link:judge>train",
    }


def test_nothing_is_prepared_beyond_the_last_iteration_that_something_was_made_for() -> None:
    found = records(
        record("iteration:3"), record("iteration:4", made=False), record("ticket:a", labels=["iteration:2"])
    )

    assert placement.last_prepared(found) == 3
    assert placement.last_prepared({}) == 0
