"""Figures: what became of each ticket of an iteration, and what it adds up to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.values import Content, Item, ItemKey, ItemKind, RemoteRef
from service.domain.loop.figures import (
    Cycle,
    Figures,
    Outcome,
    Sum,
    TicketRecord,
    closed,
    count,
    cycle_times,
    planned,
    role_of,
    wip_finding,
)
from service.domain.loop.turnover import Carried, Policy

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ref(name: str) -> RemoteRef:
    return RemoteRef(name, f"ML-{name}", f"https://tracker.example.com/{name}")


def content(name: str, status: str = "todo", *, key: str | None = "", **more: object) -> Content:
    ours = None if key is None else ItemKey(key or f"ticket:{name}")
    return Content(ref=ref(name), title=name, status=status, key=ours, **more)  # type: ignore[arg-type]


def record(name: str, **more: object) -> TicketRecord:
    return TicketRecord(key=ItemKey(f"ticket:{name}"), title=name, remote_id=name, **more)  # type: ignore[arg-type]


def carry(key: str, policy: Policy = Policy.NEXT, times: int = 1) -> Carried:
    return Carried(ItemKey(key), key, policy, 2 if policy is Policy.NEXT else None, times)


def ticket(name: str, iteration: int | None, labels: tuple[str, ...] = (), assignee: str | None = None) -> Item:
    place = ItemKey(f"iteration:{iteration}") if iteration else None
    return Item(
        ItemKey(f"ticket:{name}"), ItemKind.TICKET, name, labels=labels, assignee=assignee, points=3, iteration=place
    )


def test_an_iteration_begins_with_its_tickets_that_exist() -> None:
    items = [
        ticket("here", 2, ("role:ml-engineer", "phase:data"), "acc-1"),
        ticket("later", 3),
        ticket("refused", 2),
        Item(ItemKey("epic:data"), ItemKind.EPIC, "Data"),
    ]
    refs = {ItemKey("ticket:here"): ref("here"), ItemKey("ticket:later"): ref("later")}
    [found] = planned(2, items, refs, {"acc-1": "ml-1@example.com"})
    assert (found.key, found.role, found.person, found.points) == ("ticket:here", "ml-engineer", "ml-1@example.com", 3)
    assert (found.remote_key, found.outcome, found.planned, found.times) == ("ML-here", Outcome.OPEN, True, 0)


def test_where_a_tracker_has_no_iterations_a_label_says_which_one_it_is() -> None:
    items = [ticket("here", None, ("iteration:2",)), ticket("later", None, ("iteration:20",))]
    refs = {item.key: ref(item.key) for item in items}
    assert [found.key for found in planned(2, items, refs, {})] == ["ticket:here"]


def test_where_a_tracker_has_no_estimates_a_label_tells_them() -> None:
    item = replace(ticket("here", 2, ("points:5", "points:later", "role:ml")), points=None)

    [found] = planned(2, [item], {item.key: ref("here")}, {})

    assert found.points == 5


def test_what_was_carried_in_is_planned_there_and_people_s_own_come_along() -> None:
    guest = Carried(ItemKey("guest:77"), "A fix", Policy.NEXT, 2, 1, person="ml-2@example.com", points=2)
    gone = Carried(ItemKey("guest:78"), "Another", Policy.BACKLOG, None, 1)
    carried = [Carried(ItemKey("ticket:here"), "here", Policy.NEXT, 2, 3), guest, gone]
    records = planned(2, [ticket("here", 2)], {ItemKey("ticket:here"): ref("here")}, {}, carried)
    assert [(found.key, found.times, found.remote_id) for found in records] == [
        ("ticket:here", 3, "here"),
        ("guest:77", 1, "77"),
    ]
    assert (records[1].person, records[1].points, records[1].title) == ("ml-2@example.com", 2, "A fix")


@pytest.mark.parametrize("place", ["iteration:1", "iteration:3", None])
def test_a_ticket_that_people_took_elsewhere_is_not_planned(place: str | None) -> None:
    key = ItemKey("ticket:here")
    assert planned(2, [ticket("here", 2)], {key: ref("here")}, {}, moved={key: place}) == []


def test_a_ticket_that_people_took_in_before_the_begin_is_planned() -> None:
    key = ItemKey("ticket:early")
    [found] = planned(2, [ticket("early", 1)], {key: ref("early")}, {}, moved={key: "iteration:2"})
    assert found.key == key


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [(Policy.NEXT, Outcome.CARRIED), (Policy.BACKLOG, Outcome.BACKLOG), (Policy.LEAVE, Outcome.LEFT)],
)
def test_an_unfinished_ticket_ends_as_was_decided(policy: Policy, outcome: Outcome) -> None:
    [found] = closed([record("a")], [content("a", "doing")], [carry("ticket:a", policy, times=2)])
    assert (found.outcome, found.status, found.times, found.planned) == (outcome, "doing", 2, True)


def test_an_unfinished_ticket_that_nothing_was_decided_about_was_left() -> None:
    [found] = closed([record("a")], [content("a", "doing")], [])
    assert found.outcome is Outcome.LEFT


def test_a_done_ticket_is_done_whatever_was_decided() -> None:
    [found] = closed([record("a")], [content("a", "done")], [carry("ticket:a")])
    assert found.outcome is Outcome.DONE


def test_a_planned_ticket_that_is_not_there_any_more_was_removed_and_keeps_what_was_known() -> None:
    [found] = closed([record("a", role="ml-engineer", person="ml-1@example.com", points=5.0)], [], [])
    assert (found.outcome, found.role, found.person, found.points) == (
        Outcome.REMOVED,
        "ml-engineer",
        "ml-1@example.com",
        5,
    )


def test_a_planned_ticket_that_the_advance_itself_moved_on_was_carried_not_removed() -> None:
    [found] = closed([record("a")], [], [carry("ticket:a", times=2)])
    assert (found.outcome, found.times) == (Outcome.CARRIED, 2)


def test_a_ticket_that_was_not_planned_was_added() -> None:
    mine, theirs = closed([], [content("a", "done"), content("9", key=None)], [carry("guest:9")])
    assert (mine.planned, mine.outcome) == (False, Outcome.DONE)
    assert (theirs.key, theirs.planned, theirs.outcome) == ("guest:9", False, Outcome.CARRIED)


def test_a_ticket_whose_marker_was_lost_is_still_the_one_that_was_planned() -> None:
    [found] = closed([record("a")], [content("a", "done", key=None)], [])
    assert (found.planned, found.outcome) == (True, Outcome.DONE)


def test_a_role_that_was_taken_off_the_ticket_is_kept_from_the_plan() -> None:
    [found] = closed([record("a", role="ml-engineer")], [content("a")], [])
    assert found.role == "ml-engineer"
    assert role_of(("phase:data", "role:data-steward")) == "data-steward"


def test_people_are_called_as_in_the_team_and_others_as_in_the_tracker() -> None:
    there = [
        content("a", assignee="acc-1", person="PM 1"),
        content("b", assignee="acc-2", person="A guest"),
        content("c", assignee="acc-3"),
        content("d"),
    ]
    found = closed([record("a", person="Product manager")], there, [], {"acc-1": "Product manager"})
    assert [each.person for each in found] == ["Product manager", "A guest", "acc-3", ""]


def test_figures_are_counted_in_all_and_by_role() -> None:
    records = [
        record("a", role="ml-engineer", points=0.1, outcome=Outcome.DONE),
        record("b", role="ml-engineer", points=0.2, outcome=Outcome.DONE, planned=False),
        record("c", role="data-steward", outcome=Outcome.CARRIED),
        record("d", points=8.0, outcome=Outcome.REMOVED),
    ]
    figures = count(records)
    assert figures.all.planned == Sum(3, 8.1)
    assert figures.all.added == Sum(1, 0.2)
    assert figures.all.done == Sum(2, 0.3)
    assert figures.all.carried == Sum(1, 0)
    assert figures.all.removed == Sum(1, 8)
    assert list(figures.by_role) == ["", "data-steward", "ml-engineer"]
    assert figures.by_role["ml-engineer"].done == Sum(2, 0.3)
    assert figures.cycle is None


def test_cycle_times_are_those_of_done_tickets_whose_history_is_known() -> None:
    def done(hours: float) -> TicketRecord:
        return record("a", outcome=Outcome.DONE, started=NOON, done=NOON + timedelta(hours=hours))

    others = [
        record("b", outcome=Outcome.DONE, done=NOON),
        record("c", outcome=Outcome.CARRIED, started=NOON),
        record("d", outcome=Outcome.CARRIED, started=NOON, done=NOON + timedelta(hours=900)),
    ]
    assert cycle_times([*(done(hours) for hours in (1, 2, 3, 40)), *others]) == Cycle(4, 2.5, 40)
    assert cycle_times([done(-1)]) == Cycle(1, 0, 0)
    assert cycle_times(others) is None


def test_too_much_in_progress_is_told_and_no_more_than_the_limit_is_not() -> None:
    contents = [content(name, "doing") for name in "abc"] + [content("d", "done"), content("e")]
    found = wip_finding(3, contents, 2)
    assert found is not None
    assert found.code == "wip-limit-exceeded"
    assert "3 tickets of iteration 3" in found.message
    assert wip_finding(3, contents, 3) is None
    assert wip_finding(3, contents, None) is None


def test_a_stored_record_of_a_later_version_is_read() -> None:
    stored = {**record("a", outcome=Outcome.DONE).to_json(), "colour": "green"}
    assert TicketRecord.from_json(json.loads(json.dumps(stored))) == record("a", outcome=Outcome.DONE)


names = st.sampled_from("abcdefgh")
policies = st.sampled_from(list(Policy))
statuses = st.sampled_from(["todo", "doing", "done"])
points = st.none() | st.integers(0, 40).map(lambda half: half / 2)
instants = st.none() | st.integers(0, 500).map(lambda hours: NOON + timedelta(hours=hours))
records = st.builds(
    lambda name, role, size: record(name, role=role, points=size),
    names,
    st.sampled_from(["", "ml-engineer", "data-steward"]),
    points,
)
contents = st.builds(
    lambda name, ours, status, size, started, done: content(
        name, status, key="" if ours else None, points=size, started_at=started, done_at=done
    ),
    names,
    st.booleans(),
    statuses,
    points,
    instants,
    instants,
)
carries = st.builds(
    lambda name, ours, policy, times: carry(f"{'ticket' if ours else 'guest'}:{name}", policy, times),
    names,
    st.booleans(),
    policies,
    st.integers(1, 5),
)


def by_id(each: TicketRecord) -> str:
    return each.remote_id


@given(
    st.lists(records, unique_by=by_id),
    st.lists(contents, unique_by=lambda each: each.ref.id),
    st.lists(carries, unique_by=lambda each: each.key),
)
def test_planned_and_added_are_what_was_done_carried_put_back_left_and_removed(
    begun: list[TicketRecord], there: list[Content], carried: list[Carried]
) -> None:
    ended = closed(begun, there, carried)
    assert len({each.remote_id for each in ended}) == len(ended)
    assert {each.remote_id for each in ended} == {each.remote_id for each in begun} | {each.ref.id for each in there}
    assert sum(each.planned for each in ended) == len(begun)
    assert all(each.outcome is not Outcome.OPEN for each in ended)
    figures = count(ended)
    for tally in (figures.all, *figures.by_role.values()):
        came = [tally.planned, tally.added]
        went = [tally.done, tally.carried, tally.backlog, tally.left, tally.removed]
        assert sum(each.tickets for each in came) == sum(each.tickets for each in went)
        assert sum(each.points for each in came) == sum(each.points for each in went)
    assert sum(tally.planned.tickets for tally in figures.by_role.values()) == figures.all.planned.tickets
    assert Figures.from_json(json.loads(json.dumps(figures.to_json()))) == figures
    assert [TicketRecord.from_json(json.loads(json.dumps(each.to_json()))) for each in ended] == ended


@given(st.lists(records, unique_by=by_id), st.lists(contents, unique_by=lambda each: each.ref.id))
def test_only_what_is_done_in_the_tracker_counts_as_done(begun: list[TicketRecord], there: list[Content]) -> None:
    done = {each.remote_id for each in closed(begun, there, []) if each.outcome is Outcome.DONE}
    assert done == {each.ref.id for each in there if each.status == "done"}
