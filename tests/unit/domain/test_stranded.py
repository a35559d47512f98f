"""What was prepared for a phase that was left before it came to it: to the backlog, unless people took it up."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from connectors.values import Capabilities, Item, ItemKey, ObservedItem
from service.domain.loop.course import Stage, back_to
from service.domain.plan import placement
from service.domain.plan.batches import Op, batches
from service.domain.plan.orphaned import taken_out
from service.domain.plan.plan import Action, Change, Purpose, Reason, Recorded
from service.domain.template.template import Template
from tests.unit.domain.samples import phase, template
from tests.unit.domain.samples import ticket as planned
from tests.unit.domain.test_batches import JIRA
from tests.unit.domain.test_overlay import BOARD, record, shown, ticket
from tests.unit.domain.test_seeding import drawn_along

BUILD = Stage("build")


def out(
    item: Item,
    seen: Mapping[ItemKey, ObservedItem],
    able: Capabilities = JIRA,
    put_off: Mapping[ItemKey, str] | None = None,
) -> tuple[list[Change], list[Item]]:
    return taken_out([item.key], put_off or {}, {item.key: record(item)}, seen, able)


def test_what_nobody_touched_goes_to_the_backlog_and_nothing_else_of_it_is_written() -> None:
    item = ticket("clean", 2, "role:ml")
    (change,), (left,) = out(item, {item.key: shown(item)})
    assert (change.action, change.reason, change.changed) == (Action.UPDATE, Reason.PASSED_BY, ("iteration",))
    assert (change.before, change.after) == ({"iteration": "iteration:2"}, {"iteration": None})
    assert change.note == "the phase was left before it came to this"
    assert (left.iteration, left.labels) == (None, ("role:ml",))
    (moved, *_) = [batch for batch in batches([change], [left], JIRA, Purpose.ADVANCE) if batch.op is Op.MOVE]
    assert (moved.keys, moved.target) == ((item.key,), None)


def test_without_iterations_the_label_of_the_iteration_goes_and_peoples_labels_stay() -> None:
    item = ticket("clean", 2, "role:ml", able=BOARD)
    seen = shown(item, labels=["iteration:2", "role:ml", "theirs"])
    (change,), (left,) = out(item, {item.key: seen}, BOARD)
    assert (change.changed, change.after) == (("labels",), {"labels": ["role:ml", "theirs"]})
    assert left.labels == ("role:ml",)


@pytest.mark.parametrize(
    "seen",
    [
        {"iteration": "iteration:1"},
        {"iteration": None},
        {"title": "Clean it well"},
        {"status": "doing"},
        {"status": "done"},
        None,
    ],
)
def test_what_people_took_up_is_let_go_of_and_stays_with_them(seen: dict[str, object] | None) -> None:
    item = ticket("clean", 2)
    status = str((seen or {}).get("status", "todo"))
    fields = {name: value for name, value in (seen or {}).items() if name != "status"}
    observed = {item.key: shown(item, status, **fields)} if seen is not None else {}
    (change,), items = out(item, observed)
    assert (change.action, change.reason, items) == (Action.FORGET, Reason.PASSED_BY, [])


def test_what_comes_later_is_taken_out_too_and_kept_where_people_took_it_up() -> None:
    item = ticket("clean", 2)
    (change,), (left,) = out(item, {item.key: shown(item)}, put_off={item.key: "Clean (7)"})
    assert (change.action, change.note) == (Action.UPDATE, "it comes later now")
    assert (change.after, left.title) == ({"iteration": None, "title": "Clean (7)"}, "Clean (7)")
    assert out(item, {item.key: shown(item, "doing")}, put_off={item.key: "Clean (7)"}) == ([], [])


@pytest.fixture
def loop() -> Template:
    return template(
        phase(planned("plan", 3), planned("make", 3, ("plan",)), iterations=2),
        phase(planned("watch"), key="run", epic="ops", recurring=True, iterations=1),
    )


def prepared(**numbers: int) -> dict[ItemKey, Recorded]:
    items = [ticket(name.replace("_", "@"), number) for name, number in numbers.items()]
    return {item.key: record(item) for item in items}


def test_only_what_was_prepared_for_an_iteration_to_come_and_is_not_carried_is_stranded(loop: Template) -> None:
    records = prepared(plan=1, make=2, watch_1=3)
    whole = drawn_along(loop, [BUILD], {"ticket:plan": 1}, coming=back_to(BUILD, "build"), live_from=0)
    make = ItemKey("ticket:make")
    assert placement.stranded(whole, records, 1, ()) == {make}
    assert placement.stranded(whole, records, 1, {make}) == frozenset()
    assert placement.stranded(whole, records, 2, ()) == frozenset()


def test_what_went_to_the_backlog_so_is_history_from_then_on(loop: Template) -> None:
    records = {**prepared(plan=1, watch_1=4), **{item.key: record(item) for item in [ticket("make", None)]}}
    stages = [BUILD, back_to(BUILD, "build")]
    whole, live = (drawn_along(loop, stages, {"ticket:plan": 1}, live_from=since) for since in (0, 2))
    assert placement.stranded(whole, records, 2, ()) == frozenset()
    assert set(placement.concerned(records, live, whole, 2, ())) == {"ticket:watch@1"}
