"""A turnover laid over a plan's changes: one change an item, carried, closed and begun, whatever else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.values import (
    Capabilities,
    Content,
    Item,
    ItemKey,
    ItemKind,
    ObservedItem,
    RemoteRef,
    Severity,
)
from service.domain.loop.course import Stage
from service.domain.loop.turnover import Carried, Move, Policy, Turnover, key_of
from service.domain.plan.batches import Batch, Op, batches, estimate
from service.domain.plan.diff import diff
from service.domain.plan.overlay import (
    extra_items,
    guest_refs,
    overlay,
    turnover_findings,
    without_carried,
)
from service.domain.plan.plan import Action, Change, Drift, Purpose, Reason, Recorded
from tests.unit.domain.test_batches import JIRA, TRELLO

relaxed = settings(deadline=None)
BOARD = replace(JIRA, iterations=False, points=False)
"""A project of a tracker that has no iterations: a label says in which one a ticket is."""
ONE, TWO, FIVE = (Item(ItemKey(f"iteration:{n}"), ItemKind.ITERATION, f"Turn {n}", goal="Continue.") for n in (1, 2, 5))


def ref(key: str) -> RemoteRef:
    return RemoteRef(f"id-{key}", key.partition(":")[2], "")


def ticket(name: str, number: int | None, *labels: str, able: Capabilities = JIRA) -> Item:
    """A ticket as it is desired in this iteration."""
    if able.iterations:
        where = ItemKey(f"iteration:{number}") if number is not None else None
        return Item(ItemKey(f"ticket:{name}"), ItemKind.TICKET, name, labels=tuple(labels), iteration=where)
    turns = (f"iteration:{number}",) if number is not None else ()
    return Item(ItemKey(f"ticket:{name}"), ItemKind.TICKET, name, labels=tuple(sorted((*labels, *turns))))


def record(item: Item) -> Recorded:
    return Recorded(item.key, item.kind, ref(item.key), item.fields(), item.fields())


def shown(item: Item, status: str = "todo", **fields: object) -> ObservedItem:
    return ObservedItem(item.key, item.kind, ref(item.key), {**item.fields(), **fields}, status)


def content(item: Item | None, name: str = "", status: str = "todo", *labels: str) -> Content:
    """How a ticket stands in the closing iteration; None for one of people's own."""
    if item is None:
        return Content(RemoteRef(name, f"ML-{name}", ""), f"Theirs {name}", status, labels=labels)
    return Content(ref(item.key), item.title, status, item.key, labels=tuple(item.labels))


def turnover(*contents: Content, policy: Policy = Policy.NEXT, times: int = 1, begins: int = 2) -> Turnover:
    carried = tuple(
        Carried(key_of(one), one.title, policy, begins if policy is Policy.NEXT else None, times) for one in contents
    )
    return Turnover(1, begins, Move.STAY, Stage("build"), carried=carried, contents=contents)


class Desk:
    """A plan to advance: what is desired, recorded and shown, and what comes of it."""

    def __init__(self, able: Capabilities = JIRA) -> None:
        self.able = able
        self.desired: list[Item] = []
        self.recorded: dict[ItemKey, Recorded] = {}
        self.observed: dict[ItemKey, ObservedItem] = {}
        self.drift: list[Drift] = []
        if able.iterations:
            self.has(ONE, status="active")
            self.recorded[ONE.key] = replace(self.recorded[ONE.key], brought_to="active")
            self.has(TWO, status="future")

    def has(self, was: Item, desired: Item | None = None, status: str = "todo", **fields: object) -> Item:
        """Something that we made as `was` and that is desired as `desired`; people made `fields` of it."""
        self.desired.append(desired or was)
        self.recorded[was.key] = record(was)
        self.observed[was.key] = shown(was, status, **fields)
        return was

    def changes(self, over: Turnover) -> dict[ItemKey, Change]:
        ordinary, drift = diff(self.desired, self.recorded, self.observed)
        self.drift = without_carried(drift, over, self.able)
        changes = overlay(ordinary, over, self.desired, self.observed, self.recorded, self.able)
        assert len({change.key for change in changes}) == len(changes)
        return {change.key: change for change in changes if change.action is not Action.KEEP}

    def items(self, over: Turnover) -> list[Item]:
        return [*self.desired, *extra_items(over, self.desired, self.recorded, self.able)]

    def batches(self, over: Turnover) -> list[Batch]:
        return batches(list(self.changes(over).values()), self.items(over), self.able, Purpose.ADVANCE)


def test_one_iteration_is_closed_and_the_next_one_begun() -> None:
    changes = Desk().changes(turnover())

    assert [(one.key, one.action, one.reason, one.changed, one.before, one.after) for one in changes.values()] == [
        (ONE.key, Action.UPDATE, Reason.CLOSES, ("state",), {"state": "active"}, {"state": "closed"}),
        (TWO.key, Action.UPDATE, Reason.BEGINS, ("state",), {"state": "future"}, {"state": "active"}),
    ]


def test_the_first_iteration_begins_and_the_last_one_only_ends() -> None:
    first = replace(turnover(), closes=0, begins=1)
    desk = Desk()
    desk.observed[ONE.key] = shown(ONE, "future")

    assert [(key, one.reason) for key, one in desk.changes(first).items()] == [(ONE.key, Reason.BEGINS)]
    assert [*Desk().changes(replace(turnover(), begins=0, move=Move.END, stage=None))] == [ONE.key]


def test_an_iteration_that_is_made_is_to_be_begun() -> None:
    desk = Desk()
    del desk.recorded[TWO.key], desk.observed[TWO.key]

    change = desk.changes(turnover())[TWO.key]

    assert (change.action, change.reason, change.after) == (
        Action.CREATE,
        Reason.NEW,
        {**TWO.fields(), "state": "active"},
    )


def test_what_else_is_written_to_an_iteration_is_written_in_the_same_change() -> None:
    desk = Desk()
    desk.desired[1] = replace(TWO, title="Turn two")

    change = desk.changes(turnover())[TWO.key]

    assert (change.reason, change.changed) == (Reason.BEGINS, ("state", "title"))
    assert change.after == {"title": "Turn two", "state": "active"}


def test_what_is_closed_already_is_not_closed_again_and_what_was_begun_by_hand_is_said() -> None:
    desk = Desk()
    desk.observed |= {ONE.key: shown(ONE, "closed"), TWO.key: shown(TWO, "active")}

    changes = desk.changes(turnover())

    assert [(key, one.note) for key, one in changes.items()] == [(TWO.key, "it was begun by hand")]


def test_a_ticket_that_is_carried_moves_and_takes_its_other_changes_along() -> None:
    desk = Desk()
    item = desk.has(ticket("a", 1, "role:ml"), ticket("a", 2, "carried:3", "role:ml"))

    change = desk.changes(turnover(content(item), times=3))[item.key]

    assert (change.action, change.reason, change.changed) == (Action.UPDATE, Reason.CARRIED, ("iteration", "labels"))
    assert change.before == {"iteration": "iteration:1", "labels": ["role:ml"]}
    assert change.after == {"iteration": "iteration:2", "labels": ["carried:3", "role:ml"]}
    assert change.note == "carried over, for the 3rd time"


def test_a_ticket_that_people_pulled_in_from_a_later_iteration_is_carried_and_no_drift() -> None:
    desk = Desk()
    desk.has(FIVE, status="future")
    item = desk.has(ticket("a", 5), ticket("a", 2), iteration="iteration:1")

    change = desk.changes(turnover(content(item)))[item.key]

    assert (change.before, change.after) == ({"iteration": "iteration:1"}, {"iteration": "iteration:2"})
    assert desk.drift == []


def test_drift_of_other_fields_stays_and_what_people_wrote_is_not_overwritten() -> None:
    desk = Desk()
    item = desk.has(ticket("a", 1), replace(ticket("a", 2), title="Ours"), title="Theirs")

    change = desk.changes(turnover(content(item)))[item.key]

    assert change.changed == ("iteration",)
    assert [entry.field for entry in desk.drift] == ["title"]


def test_what_goes_to_the_backlog_leaves_its_iteration_and_is_not_let_go_of() -> None:
    desk = Desk()
    item = desk.has(ticket("a", 1))
    desk.desired.remove(item)
    over = turnover(content(item), policy=Policy.BACKLOG)

    change = desk.changes(over)[item.key]

    assert (change.action, change.after) == (Action.UPDATE, {"iteration": None})
    assert [(batch.target, batch.keys) for batch in desk.batches(over) if batch.op is Op.MOVE] == [(None, (item.key,))]


def test_what_is_left_is_neither_moved_nor_let_go_of() -> None:
    desk = Desk()
    item = desk.has(ticket("a", 1))
    desk.desired.remove(item)

    assert item.key not in desk.changes(turnover(content(item), policy=Policy.LEAVE))


def test_what_is_done_is_not_written_to_any_more() -> None:
    desk = Desk()
    item = desk.has(ticket("a", 1), replace(ticket("a", 2), assignee="somebody-else"))

    assert item.key not in desk.changes(replace(turnover(), contents=(content(item, status="done"),)))
    assert item.key in desk.changes(turnover(content(item)))


def test_a_ticket_of_peoples_own_is_taken_note_of_and_moved_and_nothing_else() -> None:
    desk = Desk()
    over = turnover(content(None, "77"))

    change = desk.changes(over)[ItemKey("guest:77")]

    assert (change.kind, change.action, change.reason) == (ItemKind.GUEST, Action.ADOPT, Reason.CARRIED)
    assert (change.changed, change.after) == (("iteration",), {"iteration": "iteration:2"})
    assert guest_refs(over) == {"guest:77": RemoteRef("77", "ML-77", "")}
    assert {batch.op for batch in desk.batches(over) if "guest:77" in batch.keys} == {Op.NOTE, Op.MOVE, Op.READ_BACK}


def test_a_ticket_of_peoples_own_that_is_known_is_only_moved() -> None:
    desk = Desk()
    key = ItemKey("guest:77")
    desk.recorded[key] = Recorded(key, ItemKind.GUEST, ref(key), {"iteration": "iteration:1"}, given=True)

    assert desk.changes(turnover(content(None, "77")))[key].action is Action.UPDATE
    assert key not in desk.changes(turnover())


def test_what_an_earlier_attempt_moved_is_not_moved_again() -> None:
    desk = Desk()
    item = desk.has(ticket("a", 2))
    over = turnover(content(item), content(None, "77"))
    over = replace(over, carried=tuple(replace(one, moved=True) for one in over.carried))

    assert {*desk.changes(over)} == {ONE.key, TWO.key}
    assert guest_refs(over) == {}


def test_where_labels_say_the_iteration_carrying_is_a_change_of_labels_and_nothing_is_closed() -> None:
    desk = Desk(BOARD)
    item = desk.has(ticket("a", 1, "role:ml", able=BOARD), ticket("a", 2, "role:ml", able=BOARD))
    over = turnover(
        replace(content(item), labels=("iteration:1", "role:ml", "urgent")),
        content(None, "77", "todo", "iteration:1", "x"),
    )
    desk.observed[item.key] = shown(item, labels=["iteration:1", "role:ml", "urgent"])

    changes = desk.changes(over)

    assert changes[item.key].after == {"labels": ["iteration:2", "role:ml", "urgent"]}
    assert changes[ItemKey("guest:77")].after == {"labels": ["iteration:2", "x"]}
    assert [(batch.op, batch.keys) for batch in desk.batches(over)] == [
        (Op.NOTE, ("guest:77",)),
        (Op.UPDATE, (item.key,)),
        (Op.UPDATE, ("guest:77",)),
        (Op.READ_BACK, (item.key, "guest:77")),
    ]


def test_a_label_that_people_set_to_pull_a_ticket_in_gives_way_and_what_they_took_off_stays_off() -> None:
    desk = Desk(BOARD)
    item = desk.has(
        ticket("a", 5, "role:ml", able=BOARD), ticket("a", 2, "role:ml", able=BOARD), labels=["iteration:1"]
    )

    changes = desk.changes(turnover(replace(content(item), labels=("iteration:1",)), times=3))

    assert changes[item.key].after == {"labels": ["carried:3", "iteration:2"]}
    assert desk.drift == []


def test_where_labels_say_the_iteration_the_backlog_is_to_have_none() -> None:
    desk = Desk(BOARD)
    item = desk.has(ticket("a", 1, "x", able=BOARD))
    desk.desired.remove(item)
    over = turnover(content(item), policy=Policy.BACKLOG)

    assert desk.changes(over)[item.key].after == {"labels": ["x"]}
    assert desk.items(over)[-1].labels == ("x",)


# --- the order of calls -----------------------------------------------------------------------------------------------


def test_what_is_carried_is_moved_and_read_back_before_anything_is_closed_and_what_is_new_comes_after() -> None:
    desk = Desk()
    del desk.recorded[TWO.key], desk.observed[TWO.key]
    item = desk.has(ticket("a", 1), ticket("a", 2, "carried:3"))
    desk.desired.append(ticket("new", 2))

    plan = desk.batches(turnover(content(item), content(None, "77"), times=3))

    assert [(batch.op, batch.keys) for batch in plan] == [
        (Op.NOTE, (item.key, "guest:77")),
        (Op.CREATE, (TWO.key,)),
        (Op.MARK, (TWO.key,)),
        (Op.MOVE, (item.key, "guest:77")),
        (Op.READ_BACK, (TWO.key, item.key, "guest:77")),
        (Op.CLOSE, (ONE.key,)),
        (Op.CREATE, ("ticket:new",)),
        (Op.UPDATE, (item.key,)),
        (Op.MOVE, ("ticket:new",)),
        (Op.READ_BACK, (item.key, "ticket:new")),
        (Op.START, (TWO.key,)),
        (Op.READ_BACK, (ONE.key, TWO.key)),
    ]


def test_dates_are_written_before_an_iteration_is_closed_or_begun() -> None:
    desk = Desk()
    desk.desired[0], desk.desired[1] = replace(ONE, title="One"), replace(TWO, title="Two")

    plan = [(batch.op, batch.keys) for batch in desk.batches(turnover()) if batch.op is not Op.READ_BACK]

    assert plan == [
        (Op.UPDATE, (ONE.key,)),
        (Op.CLOSE, (ONE.key,)),
        (Op.UPDATE, (TWO.key,)),
        (Op.START, (TWO.key,)),
    ]


@pytest.mark.parametrize(("able", "writes"), [(JIRA, 2 + 3), (TRELLO, 120 + 1 + (1 + 120))])
def test_beginning_closing_and_carrying_are_counted(able: Capabilities, writes: int) -> None:
    desk = Desk(able)
    made = [desk.has(ticket(str(n), 1), ticket(str(n), 2)) for n in range(120)]
    over = turnover(*(content(item) for item in made))
    plan = desk.batches(over)

    told = estimate(plan, desk.items(over), able, creates_project=False, seconds_per_call=0.1)

    assert [len(batch.keys) for batch in plan if batch.op is Op.MOVE] == [50, 50, 20]
    assert told.writes == writes
    looks = able.costs.look * len([batch for batch in plan if batch.op is Op.MOVE])
    assert told.reads == len([batch for batch in plan if batch.op is Op.READ_BACK]) + looks + 2


@st.composite
def advances(draw: st.DrawFn) -> tuple[Desk, Turnover]:
    """Tickets of which some are carried, some go, some stay, some are new; of ours and of people's own."""
    desk = Desk(draw(st.sampled_from([JIRA, TRELLO, BOARD])))
    contents: list[Content] = []
    policies: list[Policy] = []
    for number in range(draw(st.integers(0, 70))):
        kind = draw(st.sampled_from(["ours", "guest", "new", "pulled", "done"]))
        if kind == "new":
            desk.desired.append(ticket(str(number), 2, able=desk.able))
            continue
        policies.append(draw(st.sampled_from(list(Policy))))
        if kind == "guest":
            contents.append(content(None, str(number), "todo", "iteration:1"))
            continue
        was = ticket(str(number), 5 if kind == "pulled" else 1, able=desk.able)
        there = {"iteration": "iteration:1"} if desk.able.iterations else {"labels": ["iteration:1"]}
        desk.has(was, ticket(str(number), 2, able=desk.able) if kind != "done" else was, **there)
        if policies[-1] is not Policy.NEXT or kind == "done":
            desk.desired.pop()
        contents.append(replace(content(was), status="done" if kind == "done" else "todo", labels=("iteration:1",)))
    over = turnover(*contents)
    carried = tuple(
        replace(one, policy=policy, to=one.to if policy is Policy.NEXT else None)
        for one, policy, there in zip(over.carried, policies, contents, strict=True)
        if there.status != "done"
    )
    desk.recorded = {key: one for key, one in desk.recorded.items() if key not in _done(contents)}
    return desk, replace(over, carried=carried)


def _done(contents: list[Content]) -> set[ItemKey]:
    return {key_of(one) for one in contents if one.status == "done"}


@relaxed
@given(advances())
def test_what_is_carried_is_in_place_before_the_close_and_nothing_done_or_left_is_touched(
    case: tuple[Desk, Turnover],
) -> None:
    desk, over = case
    plan = desk.batches(over)
    moving = {one.key for one in over.carried if one.policy.moves}
    completed = {one.key for one in over.carried if one.policy is Policy.COMPLETE}
    still = {one.key for one in over.carried if one.policy is Policy.LEAVE} | _done(list(over.contents))
    ops = [batch.op for batch in plan]

    assert not still & {key for batch in plan for key in batch.keys}
    assert desk.batches(over) == plan
    if desk.able.iterations:
        before, after = plan[: ops.index(Op.CLOSE)], plan[ops.index(Op.CLOSE) :]
        moved = [key for batch in before if batch.op is Op.MOVE for key in batch.keys]
        assert sorted(moved) == sorted(moving)
        assert moving <= {key for batch in before if batch.op is Op.READ_BACK for key in batch.keys}
        assert completed == {key for batch in before if batch.op is Op.COMPLETE for key in batch.keys}
        assert not moving & {key for batch in after if batch.op is Op.MOVE for key in batch.keys}
        assert ops.count(Op.CLOSE) == ops.count(Op.START) == 1
        assert ops[-2:] == [Op.START, Op.READ_BACK]
    else:
        assert not {Op.CLOSE, Op.START, Op.MOVE} & {*ops}
        assert sorted(key for batch in plan if batch.op is Op.UPDATE for key in batch.keys) == sorted(moving)
    assert sorted(key for batch in plan if batch.op is Op.COMPLETE for key in batch.keys) == sorted(completed)
    assert all(len(batch.keys) <= 50 for batch in plan if batch.op in (Op.MOVE, Op.COMPLETE))
    items = {item.key: item for item in desk.items(over)}
    for batch in plan:
        assert batch.op is not Op.MOVE or all(items[key].iteration == batch.target for key in batch.keys)


# --- what is said of it -----------------------------------------------------------------------------------------------


def codes(desk: Desk, over: Turnover) -> dict[str, Severity]:
    found = turnover_findings(over, desk.observed, desk.recorded, desk.able, "ML")
    return {finding.code: finding.severity for finding in found}


def test_an_advance_with_nothing_in_its_way_has_nothing_to_say() -> None:
    assert codes(Desk(), turnover(content(None, "77"))) == {}


def test_what_is_carried_the_third_time_is_flagged() -> None:
    assert codes(Desk(), turnover(content(None, "77"), times=3)) == {"carried-often": Severity.WARNING}
    assert codes(Desk(), turnover(content(None, "77"), times=3, policy=Policy.BACKLOG)) == {}


def test_a_phase_that_is_not_over_says_what_it_lacks() -> None:
    over = replace(turnover(), lacking=('"Train" is not begun',))

    assert codes(Desk(), over) == {"phase-goes-on": Severity.INFO}


@pytest.mark.parametrize("status", ["closed", None])
def test_without_the_iteration_that_is_to_begin_an_advance_cannot_go_on(status: str | None) -> None:
    desk = Desk()
    desk.observed.pop(TWO.key)
    if status is not None:
        desk.observed[TWO.key] = shown(TWO, status)

    assert codes(desk, turnover()) == {f"next-iteration-{status or 'deleted'}": Severity.ERROR}


def test_it_goes_on_without_the_iteration_that_ends() -> None:
    closed, deleted = Desk(), Desk()
    closed.observed[ONE.key] = shown(ONE, "closed")
    del deleted.observed[ONE.key]

    assert codes(closed, turnover()) == {"closed-by-hand": Severity.INFO}
    assert codes(deleted, turnover()) == {"closing-iteration-deleted": Severity.WARNING}
    assert ONE.key not in deleted.changes(turnover())


def test_where_there_are_no_iterations_none_is_missed() -> None:
    assert codes(Desk(BOARD), turnover()) == {}


def test_a_carried_ticket_that_waits_for_one_that_goes_to_the_backlog_is_named() -> None:
    first, second = ticket("first", 1), ticket("second", 1)
    link = Item(ItemKey("link:second>first"), ItemKind.LINK, "", source=second.key, target=first.key)
    over = turnover(content(first), content(second))
    apart = replace(over, carried=(replace(over.carried[0], policy=Policy.BACKLOG, to=None), over.carried[1]))
    recorded = {one.key: record(one) for one in (first, second, link)}

    def codes(turned: Turnover) -> list[tuple[str, str]]:
        return [(one.code, one.subject) for one in turnover_findings(turned, {}, recorded, BOARD, "ML")]

    assert codes(over) == []
    assert codes(apart) == [("waits-for-backlog", "ticket:second")]


def test_a_record_that_is_carried_often_is_not_to_be_cut_into_parts() -> None:
    kept = Item(ItemKey("record:1"), ItemKind.TICKET, "Record 1")
    over = turnover(content(kept), content(ticket("train", 1)), times=3)

    found = {one.subject: one.fix for one in turnover_findings(over, {}, {}, BOARD, "ML")}

    assert "Cut it into parts" in found["ticket:train"]
    assert "author complete it" in found["record:1"]
