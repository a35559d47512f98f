"""Changes become as few calls as the tracker's limits allow."""

from __future__ import annotations

import sys
from dataclasses import replace
from math import ceil
from types import FrameType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.values import Capabilities, Costs, Item, ItemKey, ItemKind
from service.domain.plan.batches import (
    REMOVAL_ORDER,
    Batch,
    Op,
    batches,
    cheapest_stages,
    estimate,
    levels,
)
from service.domain.plan.diff import diff
from service.domain.plan.plan import COMMENT, SECTIONS, Action, Change, Purpose, Reason

relaxed = settings(deadline=None)
JIRA = Capabilities(
    create_batch=50,
    move_batch=50,
    read_batch=100,
    iterations=True,
    points=True,
    links=True,
    links_in_create=True,
    checklists=False,
    marks_iterations_apart=True,
    places_in_create=False,
    title_limit=255,
    iteration_title_limit=29,
    text_limit=32767,
)
PLAIN = replace(JIRA, links_in_create=False)
TRELLO = replace(
    PLAIN,
    links=False,
    checklists=True,
    marks_iterations_apart=False,
    places_in_create=True,
    checklists_in_create=False,
    costs=Costs(bulk=False, label=1, iteration=2, project=7, per_window=100, window=10.0, parallel=10),
)


def ticket(name: str, iteration: int | None = None) -> Item:
    where = ItemKey(f"iteration:{iteration}") if iteration is not None else None
    return Item(ItemKey(f"ticket:{name}"), ItemKind.TICKET, name, iteration=where)


def link(source: str, target: str) -> Item:
    return Item(
        ItemKey(f"link:{source}>{target}"),
        ItemKind.LINK,
        "",
        source=ItemKey(f"ticket:{source}"),
        target=ItemKey(f"ticket:{target}"),
    )


def laid_out(items: list[Item], capabilities: Capabilities = JIRA) -> list[Batch]:
    return batches(diff(items, {}, {})[0], items, capabilities)


def writes(plan: list[Batch]) -> int:
    return estimate(plan, [], JIRA, creates_project=False, seconds_per_call=0.1).writes


def test_fifty_one_epics_take_two_calls() -> None:
    items = [Item(ItemKey(f"epic:{n}"), ItemKind.EPIC, str(n)) for n in range(51)]

    assert [len(batch.keys) for batch in laid_out(items) if batch.op is Op.CREATE] == [50, 1]


def test_levels_that_hang_together_are_created_in_stages_so_that_their_links_ride() -> None:
    items = [ticket("a"), ticket("b"), ticket("c"), ticket("d")]
    items += [link("c", "a"), link("c", "b"), link("d", "a"), link("d", "b")]

    plan = laid_out(items)

    creates = [batch for batch in plan if batch.op is Op.CREATE]
    assert [batch.keys for batch in creates] == [("ticket:a", "ticket:b"), ("ticket:c", "ticket:d")]
    assert [batch.rides for batch in creates] == [(), ("link:c>a", "link:c>b", "link:d>a", "link:d>b")]
    assert writes(plan) == 2


def test_one_link_between_two_tickets_pays_no_second_stage() -> None:
    plan = laid_out([ticket("a"), ticket("b"), link("b", "a")])

    assert [batch.keys for batch in plan if batch.op is Op.CREATE] in (
        [("ticket:a", "ticket:b")],
        [("ticket:a",), ("ticket:b",)],
    )
    assert writes(plan) == 2


def test_links_that_cannot_ride_take_one_call_each() -> None:
    plan = laid_out([ticket("a"), ticket("b"), ticket("c"), link("b", "a"), link("c", "b")], PLAIN)

    assert [batch.keys for batch in plan if batch.op is Op.LINK] == [("link:b>a", "link:c>b")]
    assert writes(plan) == 3


def test_riding_links_stand_among_the_link_batches_too_in_case_the_site_drops_them() -> None:
    plan = laid_out([ticket("a"), ticket("b"), ticket("c"), link("b", "a"), link("c", "a")])

    riding = {key for batch in plan for key in batch.rides}
    assert riding == {"link:b>a", "link:c>a"}
    assert riding <= {key for batch in plan if batch.op is Op.LINK for key in batch.keys}


def test_a_link_to_a_ticket_that_exists_already_rides() -> None:
    items = [ticket("a"), ticket("b"), link("b", "a")]
    changes = [
        Change(items[0].key, ItemKind.TICKET, Action.KEEP, Reason.UNCHANGED, "a"),
        Change(items[1].key, ItemKind.TICKET, Action.CREATE, Reason.NEW, "b"),
        Change(items[2].key, ItemKind.LINK, Action.CREATE, Reason.NEW, ""),
    ]

    creates = [batch for batch in batches(changes, items, JIRA) if batch.op is Op.CREATE]

    assert [batch.rides for batch in creates] == [("link:b>a",)]


def test_an_iteration_is_marked_right_after_it_is_created() -> None:
    items = [Item(ItemKey(f"iteration:{n}"), ItemKind.ITERATION, str(n)) for n in (1, 2)]

    assert [(batch.op, batch.keys) for batch in laid_out(items) if batch.op is not Op.READ_BACK] == [
        (Op.CREATE, ("iteration:1",)),
        (Op.MARK, ("iteration:1",)),
        (Op.CREATE, ("iteration:2",)),
        (Op.MARK, ("iteration:2",)),
    ]


def test_tickets_are_not_moved_where_the_tracker_places_them_when_it_creates_them() -> None:
    items = [ticket("a", iteration=1), ticket("b", iteration=2)]

    assert [batch.op for batch in laid_out(items, replace(JIRA, places_in_create=True))] == [Op.CREATE, Op.READ_BACK]
    assert [batch.op for batch in laid_out(items)] == [Op.CREATE, Op.MOVE, Op.MOVE, Op.READ_BACK]


def test_unchanged_items_take_no_call() -> None:
    item = ticket("a")
    kept = [Change(item.key, item.kind, Action.KEEP, Reason.UNCHANGED, "a")]

    assert batches(kept, [item], JIRA) == []


def test_all_that_is_made_is_read_back_in_as_few_calls_as_the_tracker_allows() -> None:
    items = [Item(ItemKey("iteration:1"), ItemKind.ITERATION, "One"), *(ticket(str(n)) for n in range(450))]

    read = [batch.keys for batch in laid_out(items) if batch.op is Op.READ_BACK]

    assert [len(keys) for keys in read] == [100, 100, 100, 100, 51]
    assert {key for keys in read for key in keys} == {item.key for item in items}


def test_what_is_changed_is_read_back_too_for_trackers_rewrite_texts() -> None:
    item = ticket("a")
    change = Change(item.key, item.kind, Action.UPDATE, Reason.CHANGED, "a", changed=("text",))

    assert [batch.op for batch in batches([change], [item], JIRA)] == [Op.UPDATE, Op.READ_BACK]


def test_a_ticket_that_was_in_no_iteration_is_taken_out_again() -> None:
    item = ticket("a")
    change = Change(item.key, item.kind, Action.UPDATE, Reason.WRITTEN_BY_RUN, "a", changed=("iteration",))

    (move, _read_back) = batches([change], [item], JIRA)

    assert (move.op, move.keys, move.target) == (Op.MOVE, (item.key,), None)


def removals(count: int) -> tuple[list[Change], list[Item]]:
    """An undo of so many tickets, each of which waits for the first, and of one of everything else."""
    items = [ticket(str(n)) for n in range(count)] + [link(str(n), "0") for n in range(1, count)] + [link("x", "y")]
    rest = [kind for kind in ItemKind if kind in set(REMOVAL_ORDER) - {ItemKind.TICKET, ItemKind.LINK}]
    others = [Item(ItemKey(f"{kind}:1"), kind, "") for kind in rest]
    gone = [*items, *others]
    return [Change(one.key, one.kind, Action.DELETE, Reason.MADE_BY_RUN, one.title) for one in gone], gone


def test_what_others_refer_to_is_removed_after_them_and_the_project_last() -> None:
    changes, items = removals(60)

    plan = batches(changes, items, JIRA)

    assert [batch.op for batch in plan if batch.op not in (Op.DELETE, Op.UNLINK)] == []
    kinds = [batch.kind for batch in plan]
    assert list(dict.fromkeys(kinds)) == ["ticket", "link", "iteration", "epic", "label", "column", "project"]
    assert max(len(batch.keys) for batch in plan) == 25
    assert sorted(key for batch in plan for key in batch.keys) == sorted(item.key for item in items)


def test_links_that_go_with_their_tickets_are_not_counted_as_calls() -> None:
    changes, items = removals(10)

    told = estimate(batches(changes, items, JIRA), items, JIRA, creates_project=False, seconds_per_call=0.1)

    assert told.writes == 10 + 1 + len(REMOVAL_ORDER) - 2


def test_a_project_is_ended_after_everything_else() -> None:
    changes, items = removals(1)

    assert [batch.op for batch in batches([], [], JIRA, Purpose.REMOVE)] == [Op.END]
    assert batches(changes, items, JIRA, Purpose.REMOVE)[-1].op is Op.END
    assert Op.END not in {batch.op for batch in batches(changes, items, JIRA, Purpose.UNDO)}


@st.composite
def graphs(draw: st.DrawFn) -> list[Item]:
    """Tickets in iterations with dependencies that point backwards, as checked templates have them."""
    count = draw(st.integers(1, 120))
    tickets = [ticket(str(n), draw(st.integers(1, 4))) for n in range(count)]
    pairs = draw(
        st.sets(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda p: p[0] > p[1]), max_size=80
        )
    )
    return [*tickets, *(link(str(source), str(target)) for source, target in sorted(pairs))]


@relaxed
@given(graphs())
def test_every_item_is_written_once_and_after_what_it_needs(items: list[Item]) -> None:
    plan = laid_out(items)

    created = [key for batch in plan if batch.op is Op.CREATE for key in batch.keys]
    assert sorted(created) == sorted(item.key for item in items if item.kind is ItemKind.TICKET)
    order = {key: number for number, batch in enumerate(plan) if batch.op is Op.CREATE for key in batch.keys}
    by_key = {item.key: item for item in items}
    for batch in plan:
        for key in batch.rides:
            source, target = by_key[key].source, by_key[key].target
            assert source in batch.keys
            assert order[ItemKey(str(target))] < order[ItemKey(str(source))]
    moved = [key for batch in plan if batch.op is Op.MOVE for key in batch.keys]
    assert sorted(moved) == sorted(created)
    assert all(len(batch.keys) <= 50 for batch in plan if batch.op in (Op.CREATE, Op.MOVE))


@relaxed
@given(graphs())
def test_riding_never_costs_more_calls_than_linking_afterwards(items: list[Item]) -> None:
    assert writes(laid_out(items, JIRA)) <= writes(laid_out(items, PLAIN))


@relaxed
@given(graphs())
def test_without_riding_links_the_calls_are_the_lower_bound(items: list[Item]) -> None:
    tickets = [item for item in items if item.kind is ItemKind.TICKET]
    links = [item for item in items if item.kind is ItemKind.LINK]
    iterations = {item.iteration for item in tickets}
    moves = sum(ceil(sum(1 for item in tickets if item.iteration == i) / 50) for i in iterations)

    assert writes(laid_out(items, PLAIN)) == ceil(len(tickets) / 50) + moves + len(links)


@relaxed
@given(graphs())
def test_stages_hold_every_ticket_once(items: list[Item]) -> None:
    keys = [item.key for item in items if item.kind is ItemKind.TICKET]
    edges = [item for item in items if item.kind is ItemKind.LINK]

    stages = cheapest_stages(levels(keys, edges), edges, 50)

    assert sorted(key for stage in stages for key in stage) == sorted(keys)


def weighed(depth: list[list[ItemKey]], edges: list[Item], size: int) -> list[tuple[ItemKey, ...]]:
    """The stages as they are defined: every way to group the levels, counted out."""

    def inside(parts: list[tuple[ItemKey, ...]]) -> int:
        number = {key: at for at, part in enumerate(parts) for key in part}
        both = (one for one in edges if one.source in number and one.target in number)
        return sum(number[ItemKey(str(one.target))] >= number[ItemKey(str(one.source))] for one in both)

    best: list[tuple[int, list[tuple[ItemKey, ...]]]] = [(0, [])]
    for end in range(1, len(depth) + 1):
        options = []
        for start in range(end):
            keys = [key for level in depth[start:end] for key in level]
            parts = [tuple(keys[at : at + size]) for at in range(0, len(keys), size)]
            options.append((best[start][0] + len(parts) + inside(parts), best[start][1] + parts))
        best.append(min(options, key=lambda option: (option[0], len(option[1]))))
    return best[-1][1]


@relaxed
@given(graphs(), st.integers(1, 12))
def test_stages_are_the_cheapest_of_all_ways_to_group_the_levels(items: list[Item], size: int) -> None:
    keys = [item.key for item in items if item.kind is ItemKind.TICKET]
    edges = [item for item in items if item.kind is ItemKind.LINK]
    depth = levels(keys, edges)

    assert cheapest_stages(depth, edges, size) == weighed(depth, edges, size)


def test_tickets_that_wait_for_one_another_come_last_and_once() -> None:
    items = [ticket("a"), ticket("b"), ticket("c"), link("a", "b"), link("b", "a"), link("c", "a")]
    keys = [item.key for item in items if item.kind is ItemKind.TICKET]
    edges = [item for item in items if item.kind is ItemKind.LINK]

    assert levels(keys, edges) == [keys]
    assert cheapest_stages(levels(keys, edges), edges, 50) == [tuple(keys)]


def test_a_chain_of_a_thousand_is_laid_out_in_steps_that_grow_no_faster_than_its_square() -> None:
    def steps(length: int) -> int:
        keys = [ItemKey(str(number)) for number in range(length)]
        edges = [link(str(number), str(number - 1)) for number in range(1, length)]
        edges = [replace(one, source=ItemKey(str(n)), target=ItemKey(str(n - 1))) for n, one in enumerate(edges, 1)]
        seen = 0

        def count(_frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal seen
            seen += event == "line"
            return count

        before = sys.gettrace()
        sys.settrace(count)
        try:
            cheapest_stages(levels(keys, edges), edges, 50)
        finally:
            sys.settrace(before)
        return seen

    assert steps(200) < 4.5 * steps(100)


def listed(name: str, *lines: str, labels: tuple[str, ...] = ()) -> Item:
    return Item(ItemKey(f"ticket:{name}"), ItemKind.TICKET, name, checklist=lines, labels=labels)


def test_the_first_ticket_of_each_checklist_is_finished_before_the_others_are_created() -> None:
    items = [listed("a", "x", "y"), listed("b", "x", "y"), listed("c", "z"), listed("d"), listed("e", "z"), listed("f")]

    plan = [batch for batch in laid_out(items, TRELLO) if batch.op in (Op.CREATE, Op.FINISH)]

    assert [(batch.op, [key.removeprefix("ticket:") for key in batch.keys]) for batch in plan] == [
        (Op.CREATE, ["a", "c", "d", "f"]),
        (Op.FINISH, ["a", "c", "d", "f"]),
        (Op.CREATE, ["b", "e"]),
        (Op.FINISH, ["b", "e"]),
    ]


def test_where_a_create_call_carries_checklists_nothing_is_finished() -> None:
    assert [batch for batch in laid_out([listed("a", "x")], PLAIN) if batch.op is Op.FINISH] == []


def test_a_checklist_that_was_left_out_is_finished_and_not_updated() -> None:
    item = listed("a", "x", "y")
    change = Change(item.key, item.kind, Action.UPDATE, Reason.UNFINISHED, item.title, changed=("checklist", "title"))

    def writes(one: Change, capabilities: Capabilities) -> list[Op]:
        return [batch.op for batch in batches([one], [item], capabilities) if batch.op is not Op.READ_BACK]

    assert writes(change, TRELLO) == [Op.UPDATE, Op.FINISH]
    assert writes(replace(change, changed=("checklist",)), TRELLO) == [Op.FINISH]
    assert writes(change, PLAIN) == [Op.UPDATE]


def test_the_estimate_counts_each_card_label_list_and_line_of_its_own() -> None:
    items = [
        Item(ItemKey("iteration:1"), ItemKind.ITERATION, "One"),
        *(listed(f"n{n}", "x", "y", labels=("role:ml", f"phase:{n % 2}")) for n in range(60)),
    ]

    told = estimate(laid_out(items, TRELLO), items, TRELLO, creates_project=True, seconds_per_call=0.1)

    assert told.writes == 7 + 2 + 60 + 3 + (1 + 2)
    assert told.reads == 2 + 3


def test_the_estimate_does_not_promise_more_than_the_trackers_rate_allows() -> None:
    items = [listed(f"n{n}") for n in range(250)]
    plan = laid_out(items, TRELLO)

    def seconds(per_call: float) -> float:
        return estimate(plan, items, TRELLO, creates_project=False, seconds_per_call=per_call).seconds

    assert seconds(0.001) == 20.0
    assert seconds(2.0) > 50.0


# --- records ----------------------------------------------------------------------------------------------------------


def about_record(number: int, *changed: str) -> Change:
    key = ItemKey(f"record:{number}")
    return Change(key, ItemKind.TICKET, Action.UPDATE, Reason.FACTS, f"Document {number}", changed=changed)


def test_records_are_filled_before_anybody_is_reminded_of_them() -> None:
    changes = [about_record(1, COMMENT), about_record(2, SECTIONS, COMMENT), about_record(3, SECTIONS)]

    assert batches(changes, [], JIRA, Purpose.DOCUMENT) == [
        Batch(Op.FILL, ItemKind.TICKET, (ItemKey("record:2"), ItemKey("record:3"))),
        Batch(Op.COMMENT, ItemKind.TICKET, (ItemKey("record:1"),)),
        Batch(Op.COMMENT, ItemKind.TICKET, (ItemKey("record:2"),)),
    ]


def test_many_records_are_filled_in_several_steps_and_each_once() -> None:
    layout = batches([about_record(number, SECTIONS) for number in range(1, 48)], [], TRELLO, Purpose.DOCUMENT)

    assert [len(batch.keys) for batch in layout] == [20, 20, 7]
    assert len({key for batch in layout for key in batch.keys}) == 47


def test_what_a_look_at_the_records_takes_is_told_before_it_is_done() -> None:
    layout = batches([about_record(1, SECTIONS, COMMENT), about_record(2, SECTIONS)], [], JIRA, Purpose.DOCUMENT)

    expected = estimate(layout, [], JIRA, creates_project=False, seconds_per_call=0.1)

    # Two looks round the step that fills, a read and a write for each record and for the comment.
    assert (expected.reads, expected.writes) == (2 + 2 + 1, 2 + 1)


def test_items_that_change_go_a_hundred_to_a_batch_with_one_look_for_each() -> None:
    keys = [ItemKey(f"ticket:{number}") for number in range(250)]
    items = [Item(key, ItemKind.TICKET, "T") for key in keys]
    changes = [
        Change(key, ItemKind.TICKET, Action.UPDATE, Reason.CHANGED, "T", {}, {"title": "T"}, ("title",)) for key in keys
    ]

    plan = batches(changes, items, JIRA)
    told = estimate(plan, items, JIRA, creates_project=False, seconds_per_call=0.1)

    assert [len(batch.keys) for batch in plan if batch.op is Op.UPDATE] == [100, 100, 50]
    assert told.writes == 250
    assert told.reads == 3 + len([batch for batch in plan if batch.op is Op.READ_BACK])
