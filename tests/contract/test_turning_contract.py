"""What every tracker promises about iterations as they turn: begun, closed, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from connectors.errors import NotVisible, TrackerError, TrackerRefused
from connectors.port import Tracker
from connectors.values import (
    Content,
    Creation,
    Done,
    Item,
    ItemKey,
    ItemKind,
    Place,
    Rejected,
    RemoteRef,
)
from tests.contract.benches import Bench
from tests.contract.items import epic, iteration, ticket
from tests.contract.promises import created, needs, promise


@dataclass
class Turns:
    """Iterations of one test. Where the tracker has none, a label says which a ticket is in.

    A board may bear one active iteration only: whatever is begun here and still continues is closed when the test ends.
    """

    bench: Bench
    tracker: Tracker
    place: Place
    refs: dict[ItemKey, RemoteRef] = field(default_factory=dict)
    labels: dict[ItemKey, str] = field(default_factory=dict)
    begun: dict[ItemKey, Item] = field(default_factory=dict)

    def plan(self, *numbers: int) -> None:
        """Make these iterations."""
        if self.place.capabilities.iterations:
            self.refs |= created(self.tracker, self.place, *map(iteration, numbers))
            for number in numbers:
                self.tracker.mark(self.place, _key(number), self.refs[_key(number)])
        self.labels |= {_key(number): _key(number) for number in numbers}

    def fill(self, number: int, *tickets: Item) -> dict[ItemKey, RemoteRef]:
        """Create tickets in an iteration."""
        if not self.place.capabilities.iterations:
            return created(
                self.tracker, self.place, *(replace(one, labels=(*one.labels, _key(number))) for one in tickets)
            )
        made = created(self.tracker, self.place, *tickets)
        self.move(made, number)
        return made

    def move(self, tickets: Mapping[ItemKey, RemoteRef], number: int) -> None:
        """Put tickets into an iteration."""
        outcomes = self.tracker.move(self.place, list(tickets.items()), self.refs[_key(number)])
        assert all(isinstance(one, Done) for one in outcomes), outcomes

    def guest(self, number: int) -> RemoteRef:
        """A ticket that a person made in an iteration."""
        if self.place.capabilities.iterations:
            return self.bench.person.adds_a_ticket(self.place, iteration=self.refs[_key(number)])
        return self.bench.person.adds_a_ticket(self.place, labels=[_key(number)])

    def start(self, number: int) -> None:
        """Begin an iteration."""
        self.begun[_key(number)] = iteration(number)
        self.tracker.start_iteration(self.place, iteration(number), self.refs[_key(number)])

    def close(self, number: int) -> None:
        """Close an iteration."""
        self.tracker.close_iteration(self.place, iteration(number), self.refs[_key(number)])
        del self.begun[_key(number)]

    def status(self, *numbers: int) -> list[str]:
        """How the tracker shows these iterations."""
        seen = self.tracker.find(self.place, self.refs, only=[_key(one) for one in numbers])
        return [seen[_key(one)].status for one in numbers]

    def contents(
        self, known: Mapping[ItemKey, RemoteRef], *numbers: int, by: Tracker | None = None
    ) -> Mapping[ItemKey, Sequence[Content]]:
        """What is in these iterations."""
        there = {_key(one): self.refs[_key(one)] for one in numbers if _key(one) in self.refs}
        labels = {} if self.place.capabilities.iterations else {_key(one): self.labels[_key(one)] for one in numbers}
        return (by or self.tracker).contents(self.place, known, there, labels)

    def end(self) -> None:
        """Leave no iteration active."""
        for key, item in self.begun.items():
            if self.tracker.find(self.place, self.refs, only=[key])[key].status == "active":
                self.tracker.close_iteration(self.place, item, self.refs[key])


def _key(number: int) -> ItemKey:
    return ItemKey(f"iteration:{number}")


@pytest.fixture
def turns(bench: Bench, tracker: Tracker, place: Place) -> Iterator[Turns]:
    """Iterations on the bench's board; none is left active."""
    made = Turns(bench, tracker, place)
    yield made
    bench.proxy.orders.lose.clear()
    made.end()


@pytest.fixture
def sprints(turns: Turns) -> Turns:
    """The same, where the tracker has iterations."""
    needs(turns.place.capabilities.iterations, "iterations")
    return turns


# --- begin and close ---


@promise("start_iteration")
def test_an_iteration_that_is_begun_is_active_and_beginning_it_again_is_success(sprints: Turns) -> None:
    sprints.plan(101, 102)
    assert sprints.status(101, 102) == ["future", "future"]
    for _ in range(2):
        sprints.start(101)
        assert sprints.status(101, 102) == ["active", "future"]
    seen = sprints.tracker.find(sprints.place, sprints.refs)[_key(101)]
    assert seen.fields["title"] == "Iteration 101"
    assert seen.fields["goal"] == "Goal 101"
    assert [datetime.fromisoformat(seen.fields[name]) for name in ("starts", "ends")] == [
        iteration(101).starts,
        iteration(101).ends,
    ]


@promise("start_iteration")
def test_an_iteration_begins_with_the_dates_of_its_item(sprints: Turns) -> None:
    sprints.plan(105)
    early = replace(iteration(105), starts=datetime(2026, 11, 24, 8, tzinfo=UTC))
    sprints.begun[early.key] = early
    sprints.tracker.update(sprints.place, ItemKind.ITERATION, sprints.refs[early.key], early, ["starts"], None)
    sprints.tracker.start_iteration(sprints.place, early, sprints.refs[early.key])
    seen = sprints.tracker.find(sprints.place, sprints.refs)[early.key]
    assert datetime.fromisoformat(seen.fields["starts"]) == early.starts
    assert datetime.fromisoformat(seen.fields["ends"]) == early.ends


@promise("close_iteration")
def test_an_iteration_that_is_closed_stays_so_and_closing_it_again_is_success(sprints: Turns) -> None:
    sprints.plan(111, 112)
    sprints.start(111)
    sprints.close(111)
    assert sprints.status(111, 112) == ["closed", "future"]
    sprints.tracker.close_iteration(sprints.place, iteration(111), sprints.refs[_key(111)])
    assert sprints.status(111, 112) == ["closed", "future"]
    sprints.start(112)
    assert sprints.status(111, 112) == ["closed", "active"]


@promise("close_iteration")
def test_an_iteration_that_never_began_cannot_be_closed(sprints: Turns) -> None:
    sprints.plan(121)
    with pytest.raises(TrackerRefused) as caught:
        sprints.tracker.close_iteration(sprints.place, iteration(121), sprints.refs[_key(121)])
    assert "Iteration 121" in caught.value.message
    assert caught.value.fix
    assert sprints.status(121) == ["future"]


@promise("start_iteration")
def test_a_closed_iteration_cannot_be_begun_again(sprints: Turns) -> None:
    sprints.plan(131)
    sprints.start(131)
    sprints.close(131)
    with pytest.raises(TrackerRefused) as caught:
        sprints.tracker.start_iteration(sprints.place, iteration(131), sprints.refs[_key(131)])
    assert "Iteration 131" in caught.value.message
    assert caught.value.fix
    assert sprints.status(131) == ["closed"]


@promise("start_iteration", "close_iteration")
def test_an_iteration_that_is_gone_is_not_visible(sprints: Turns) -> None:
    sprints.plan(141)
    ref = sprints.refs.pop(_key(141))
    sprints.tracker.delete(sprints.place, ItemKind.ITERATION, [(_key(141), ref)])
    for call in (sprints.tracker.start_iteration, sprints.tracker.close_iteration):
        with pytest.raises(NotVisible) as caught:
            call(sprints.place, iteration(141), ref)
        assert "Iteration 141" in caught.value.message or ref.key in caught.value.message
        assert caught.value.fix


@promise("start_iteration", "close_iteration")
def test_a_lost_answer_is_answered_by_calling_again(sprints: Turns) -> None:
    sprints.plan(151)
    tickets = sprints.fill(151, ticket("a"))
    calls: list[tuple[Callable[[Place, Item, RemoteRef], None], str]] = [
        (sprints.tracker.start_iteration, "active"),
        (sprints.tracker.close_iteration, "closed"),
    ]
    sprints.begun[_key(151)] = iteration(151)
    for call, status in calls:
        sprints.bench.lose_the_next_write()
        with pytest.raises(TrackerError):
            call(sprints.place, iteration(151), sprints.refs[_key(151)])
        call(sprints.place, iteration(151), sprints.refs[_key(151)])
        assert sprints.status(151) == [status]
    assert set(sprints.tracker.find(sprints.place, tickets)) >= {"ticket:a"}


@promise("start_iteration", "close_iteration")
def test_who_may_only_look_begins_and_closes_nothing(sprints: Turns) -> None:
    sprints.plan(161, 162)
    sprints.start(161)
    viewer = sprints.bench.tracker("viewer")
    calls: list[Callable[[], None]] = [
        lambda: viewer.start_iteration(sprints.place, iteration(162), sprints.refs[_key(162)]),
        lambda: viewer.close_iteration(sprints.place, iteration(161), sprints.refs[_key(161)]),
    ]
    for call in calls:
        with pytest.raises(TrackerRefused) as caught:
            call()
        assert caught.value.fix
    assert sprints.status(161, 162) == ["active", "future"]


@promise("start_iteration", "close_iteration")
def test_an_iteration_that_turns_touches_neither_titles_nor_peoples_places(sprints: Turns) -> None:
    sprints.plan(171)
    refs = sprints.fill(171, ticket("waits"), ticket("doing"), ticket("done"))
    apart = created(sprints.tracker, sprints.place, ticket("apart"))
    sprints.bench.person.begins(refs[ItemKey("ticket:doing")])
    sprints.bench.person.finishes(refs[ItemKey("ticket:done")])
    everything = {**refs, **apart, **sprints.refs}
    sprints.start(171)
    seen = sprints.tracker.find(sprints.place, everything)
    statuses = [seen[ItemKey(f"ticket:{name}")].status for name in ("waits", "doing", "done", "apart")]
    assert statuses == ["todo", "doing", "done", "todo"]
    places = [seen[ItemKey(f"ticket:{name}")].fields["iteration"] for name in ("waits", "done", "apart")]
    assert places == ["iteration:171", "iteration:171", None]
    sprints.close(171)
    seen = sprints.tracker.find(sprints.place, everything)
    assert seen[ItemKey("ticket:done")].fields["iteration"] == "iteration:171"
    assert [seen[ItemKey(f"ticket:{name}")].status for name in ("doing", "done")] == ["doing", "done"]


@promise("traces")
def test_that_an_iteration_turned_is_no_trace_of_people(sprints: Turns) -> None:
    sprints.plan(181, 182)
    refs = sprints.fill(181, ticket("a"), ticket("b"))
    sprints.start(181)
    sprints.move({ItemKey("ticket:b"): refs[ItemKey("ticket:b")]}, 182)
    sprints.close(181)
    sprints.start(182)
    known = {**refs, **sprints.refs}
    found = sprints.tracker.traces(sprints.place, known, list(known))
    assert {key: one.additions for key, one in found.items()} == dict.fromkeys(known, ())


# --- what is over ---


@promise("set_status")
def test_a_ticket_is_brought_to_a_status_and_back_and_bringing_it_again_is_success(turns: Turns) -> None:
    turns.plan(191)
    refs = turns.fill(191, ticket("meetings"), ticket("apart"))
    [key, apart] = refs
    if turns.place.capabilities.iterations:
        turns.start(191)
    for status in ("done", "done", "doing", "todo", "done", "todo"):
        assert turns.tracker.set_status(turns.place, [(key, refs[key])], status) == [Done(key, refs[key])]
        seen = turns.tracker.find(turns.place, {**refs, **turns.refs})
        assert (seen[key].status, seen[apart].status) == (status, "todo")
        assert seen[key].fields.get("iteration", "iteration:191") == "iteration:191"


@promise("set_status")
def test_what_cannot_be_brought_to_a_status_says_why_and_the_others_are_brought(turns: Turns) -> None:
    refs = created(turns.tracker, turns.place, ticket("stays"), ticket("goes"))
    [stays, goes] = refs
    turns.bench.person.deletes(refs[goes])
    viewer = turns.bench.tracker("viewer")
    [refused] = viewer.set_status(turns.place, [(stays, refs[stays])], "done")
    assert isinstance(refused, Rejected)
    assert str(refused.problems[0])
    gone, done = turns.tracker.set_status(turns.place, [(goes, refs[goes]), (stays, refs[stays])], "done")
    assert isinstance(gone, Rejected)
    assert done == Done(stays, refs[stays])
    assert turns.tracker.find(turns.place, refs)[stays].status == "done"


@promise("set_status")
def test_a_lost_answer_to_a_status_is_answered_by_bringing_it_there_again(turns: Turns) -> None:
    refs = created(turns.tracker, turns.place, ticket("lost"))
    items = list(refs.items())
    turns.bench.lose_the_next_write()
    with pytest.raises(TrackerError):
        turns.tracker.set_status(turns.place, items, "done")
    assert turns.tracker.set_status(turns.place, items, "done") == [Done(*items[0])]
    assert turns.tracker.find(turns.place, refs)[items[0][0]].status == "done"


# --- contents ---


@promise("contents")
def test_the_contents_are_the_tickets_inside_ours_and_peoples_own(turns: Turns) -> None:
    turns.plan(201, 202)
    epics = created(turns.tracker, turns.place, epic("data"))
    ours = turns.fill(201, ticket("a"), ticket("b"))
    other = turns.fill(202, ticket("c"))
    outside = created(turns.tracker, turns.place, ticket("d"))
    guest = turns.guest(201)
    known = {**epics, **ours, **other, **outside, **turns.refs}
    before = turns.bench.requests()
    found = turns.contents(known, 201, 202)
    assert turns.bench.requests()[1] == before[1]
    assert set(found) == {"iteration:201", "iteration:202"}
    assert {one.ref.id: one.key for one in found[_key(201)]} == {
        **{ref.id: key for key, ref in ours.items()},
        guest.id: None,
    }
    assert [one.key for one in found[_key(202)]] == ["ticket:c"]
    assert set(turns.contents(known, 202)) == {"iteration:202"}


@promise("contents")
def test_a_ticket_shows_what_it_is(turns: Turns) -> None:
    turns.plan(211)
    person = turns.tracker.people(turns.place, [turns.bench.known_email])[turns.bench.known_email]
    epics = created(turns.tracker, turns.place, epic("data"))
    item = ticket(
        "a", "What it is called", labels=("role:ml",), assignee=person.id, points=3, epic=ItemKey("epic:data")
    )
    if not turns.place.capabilities.iterations:
        item = replace(item, labels=("role:ml", _key(211)))
    [made] = turns.tracker.create(turns.place, [Creation(item, epic=epics[ItemKey("epic:data")])])
    assert isinstance(made, Done)
    if turns.place.capabilities.iterations:
        turns.move({made.key: made.ref}, 211)
    [one] = turns.contents({made.key: made.ref, **epics}, 211)[_key(211)]
    assert (one.key, one.ref, one.title) == ("ticket:a", made.ref, "What it is called")
    assert (one.status, one.started_at, one.done_at) == ("todo", None, None)
    assert (one.assignee, one.person) == (person.id, person.name)
    assert one.points == (3 if turns.place.capabilities.points else one.points)
    assert one.epic == "Epic data"
    assert "role:ml" in one.labels
    assert one.created_at is not None
    assert one.created_at.utcoffset() is not None


@promise("contents")
def test_a_ticket_of_nobody_without_an_estimate_says_so(turns: Turns) -> None:
    turns.plan(215)
    refs = turns.fill(215, ticket("plain"))
    [one] = turns.contents(refs, 215)[_key(215)]
    assert (one.points, one.assignee, one.person, one.epic) == (None, None, "", "")


@promise("contents")
def test_a_ticket_tells_when_work_on_it_began_and_when_it_was_done(turns: Turns) -> None:
    turns.plan(221)
    refs = turns.fill(221, ticket("waits"), ticket("doing"), ticket("done"), ticket("again"), ticket("straight"))
    person = turns.bench.person
    for name in ("doing", "done", "again"):
        person.begins(refs[ItemKey(f"ticket:{name}")])
    for name in ("done", "again", "straight"):
        person.finishes(refs[ItemKey(f"ticket:{name}")])
    person.begins(refs[ItemKey("ticket:again")])
    found = {one.key: one for one in turns.contents(refs, 221)[_key(221)]}
    told = {
        str(key).partition(":")[2]: (one.status, one.started_at is not None, one.done_at is not None)
        for key, one in found.items()
    }
    assert told == {
        "waits": ("todo", False, False),
        "doing": ("doing", True, False),
        "done": ("done", True, True),
        "again": ("doing", True, False),
        "straight": ("done", True, True),
    }
    done = found[ItemKey("ticket:done")]
    assert done.created_at is not None
    assert done.started_at is not None
    assert done.done_at is not None
    assert done.created_at <= done.started_at <= done.done_at
    again = found[ItemKey("ticket:again")]
    assert again.started_at is not None
    assert again.started_at <= done.done_at


@promise("contents")
def test_what_is_carried_is_in_the_next_iteration_and_what_is_done_stays(sprints: Turns) -> None:
    sprints.plan(231, 232)
    refs = sprints.fill(231, ticket("done"), ticket("left"))
    guest = sprints.guest(231)
    sprints.start(231)
    sprints.bench.person.finishes(refs[ItemKey("ticket:done")])
    carried = {ItemKey("ticket:left"): refs[ItemKey("ticket:left")], ItemKey(f"guest:{guest.id}"): guest}
    sprints.move(carried, 232)
    sprints.close(231)
    sprints.start(232)
    found = sprints.contents(refs, 231, 232)
    assert [one.key for one in found[_key(231)]] == ["ticket:done"]
    assert {one.ref.id for one in found[_key(232)]} == {refs[ItemKey("ticket:left")].id, guest.id}


@promise("contents")
def test_a_closed_iteration_holds_what_was_left_in_it(sprints: Turns) -> None:
    sprints.plan(235)
    refs = sprints.fill(235, ticket("done"), ticket("left"), ticket("out"))
    sprints.start(235)
    sprints.bench.person.finishes(refs[ItemKey("ticket:done")])
    sprints.tracker.move(sprints.place, [(ItemKey("ticket:out"), refs[ItemKey("ticket:out")])], None)
    sprints.close(235)
    found = {one.key: one.status for one in sprints.contents(refs, 235)[_key(235)]}
    assert found == {"ticket:done": "done", "ticket:left": "todo"}


@promise("move", "find")
def test_a_guest_is_moved_and_found_by_its_reference(sprints: Turns) -> None:
    sprints.plan(241, 242)
    guest = sprints.guest(241)
    key = ItemKey(f"guest:{guest.id}")
    known = {key: guest, **sprints.refs}
    assert sprints.tracker.find(sprints.place, known, only=[key])[key].fields["iteration"] == "iteration:241"
    for _ in range(2):
        sprints.move({key: guest}, 242)
        seen = sprints.tracker.find(sprints.place, known, only=[key])[key]
        assert (seen.kind, seen.ref.id, seen.fields["iteration"]) == (ItemKind.GUEST, guest.id, "iteration:242")
    [one] = sprints.contents({}, 242)[_key(242)]
    assert (one.key, one.ref.id) == (None, guest.id)


@promise("contents")
def test_an_iteration_that_is_gone_has_no_contents(sprints: Turns) -> None:
    sprints.plan(251, 252)
    ref = sprints.refs[_key(252)]
    sprints.tracker.delete(sprints.place, ItemKind.ITERATION, [(_key(252), ref)])
    assert sprints.contents({}, 251, 252) == {"iteration:251": []}
    del sprints.refs[_key(252)]


@promise("contents")
def test_a_ticket_that_is_gone_is_in_no_iteration(turns: Turns) -> None:
    turns.plan(255)
    refs = turns.fill(255, ticket("stays"), ticket("goes"))
    turns.bench.person.deletes(refs[ItemKey("ticket:goes")])
    assert [one.key for one in turns.contents(refs, 255)[_key(255)]] == ["ticket:stays"]


@promise("contents")
def test_tickets_of_ours_are_seen_without_the_index(turns: Turns) -> None:
    turns.plan(261)
    refs = turns.fill(261, ticket("a"), ticket("b"))
    turns.bench.blind_the_index(turns.bench.proxy)
    assert {one.key for one in turns.contents(refs, 261)[_key(261)]} == {"ticket:a", "ticket:b"}


@promise("contents")
def test_a_ticket_of_ours_that_is_not_known_is_named_by_its_marker(turns: Turns) -> None:
    turns.plan(265)
    turns.fill(265, ticket("lost"))
    assert [one.key for one in turns.contents({}, 265)[_key(265)]] == ["ticket:lost"]


@promise("contents")
def test_the_contents_of_many_tickets_take_few_requests(turns: Turns) -> None:
    turns.plan(271)
    known: dict[ItemKey, RemoteRef] = {}
    for start in range(0, 120, 10):
        known |= turns.fill(271, *(ticket(f"many-{start + step}") for step in range(10)))
    before = turns.bench.requests()
    found = turns.contents(known, 271)
    after = turns.bench.requests()
    assert len(found[_key(271)]) == 120
    assert after[0] - before[0] <= 8
    assert after[1] == before[1]


@promise("update", "contents")
def test_where_labels_say_the_iteration_a_guest_is_carried_by_its_labels(turns: Turns) -> None:
    if turns.place.capabilities.iterations:
        pytest.skip("this project has iterations")
    turns.plan(281, 282)
    guest = turns.guest(281)
    key = ItemKey(f"guest:{guest.id}")
    item = Item(key=key, kind=ItemKind.GUEST, title="My own ticket", labels=(_key(282),))
    for _ in range(2):
        turns.tracker.update(turns.place, ItemKind.GUEST, guest, item, ["labels"], None)
        found = turns.contents({}, 281, 282)
        assert [one.ref.id for one in found[_key(281)]] == []
        assert [(one.ref.id, one.labels) for one in found[_key(282)]] == [(guest.id, ("iteration:282",))]
    with pytest.raises(ValueError, match="people's own"):
        turns.tracker.update(turns.place, ItemKind.GUEST, guest, item, ["title"], None)
