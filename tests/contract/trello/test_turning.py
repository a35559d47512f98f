"""What a board looks like when iterations begin and end, with people on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from connectors.errors import NotVisible, OutcomeUnknown, TrackerRefused
from connectors.trello.tracker import TrelloTracker
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
    Traces,
)
from sandbox.testing import SandboxServer
from tests import plain
from tests.contract.items import epic, iteration, ticket
from tests.contract.losing_proxy import LosingProxy, Passing
from tests.contract.trello.desk import HEADER, ML, card, connected, label_names, list_name, made, spec

DATA, ONE, TWO = ItemKey("epic:data"), ItemKey("iteration:1"), ItemKey("iteration:2")
A, B, C = (ItemKey(f"ticket:{name}") for name in "abc")


@dataclass
class Work:
    """A board with two iterations, two tickets in the first and one in the second; and people at work on it, who use
    the account of the connection."""

    sandbox: SandboxServer
    tracker: TrelloTracker
    place: Place
    known: dict[ItemKey, RemoteRef]

    def change(self, ref: RemoteRef, **body: object) -> None:
        plain.put(f"{self.sandbox.url}/1/cards/{ref.id}", json=body, headers=HEADER).raise_for_status()

    def lists(self) -> dict[str, str]:
        return {one.name: one.id for one in self.sandbox.trello.lists_of(self.place.ref.id)}

    def put(self, key: ItemKey, name: str) -> None:
        self.change(self.known[key], idList=self.lists()[name])

    def later(self, hours: float) -> datetime:
        """Let so many hours pass; the moment then."""
        self.sandbox.trello.clock.advance(timedelta(hours=hours))
        return self.sandbox.trello.clock.now()

    def theirs(self, **body: object) -> RemoteRef:
        body = {"idList": self.lists()["Backlog"], "name": "My own", **body}
        answer = plain.post(f"{self.sandbox.url}/1/cards", json=body, headers=HEADER).raise_for_status().json()
        return RemoteRef(answer["id"], answer["shortLink"], answer["shortUrl"])

    def start(self, number: int) -> None:
        key = ItemKey(f"iteration:{number}")
        self.tracker.start_iteration(self.place, iteration(number), self.known[key])

    def close(self, number: int) -> None:
        key = ItemKey(f"iteration:{number}")
        self.tracker.close_iteration(self.place, iteration(number), self.known[key])

    def stands(self, key: ItemKey) -> str:
        return list_name(self.sandbox, self.known[key])

    def status(self, key: ItemKey) -> str:
        with connected(self.sandbox.url) as fresh:
            return fresh.find(self.place, self.known, only=[key])[key].status

    def contents(self, *keys: ItemKey) -> dict[ItemKey, list[Content]]:
        """What is in these iterations, by a tracker that remembers nothing."""
        with connected(self.sandbox.url) as fresh:
            wanted = {key: self.known[key] for key in keys or (ONE, TWO)}
            return {key: list(inside) for key, inside in fresh.contents(self.place, self.known, wanted, {}).items()}

    def traces(self, *keys: ItemKey) -> dict[ItemKey, Traces]:
        """What people left on these, of things with traces only."""
        with connected(self.sandbox.url) as fresh:
            seen = fresh.traces(self.place, self.known, keys)
        return {key: traces for key, traces in seen.items() if traces != Traces()}

    def label(self, name: str) -> str:
        return next(one.id for one in self.sandbox.trello.labels_of(self.place.ref.id) if one.name == name)


@pytest.fixture
def work(sandbox: SandboxServer) -> Iterator[Work]:
    with connected(sandbox.url, invite=True) as tracker:
        place = tracker.create_project(spec("ML", name="Churn", create=True))
        [data] = made(tracker, place, Creation(epic("data")))
        one, two = made(tracker, place, Creation(iteration(1)), Creation(iteration(2)))
        labels = ("points:5", "role:ml")
        a, b, c = made(
            tracker,
            place,
            Creation(ticket("a", labels=labels, assignee=ML), data, one, rank=1),
            Creation(ticket("b"), data, one, rank=2),
            Creation(ticket("c"), data, two, rank=3),
        )
        yield Work(sandbox, tracker, place, {DATA: data, ONE: one, TWO: two, A: a, B: b, C: c})


# --- begin ---


def test_the_card_of_an_iteration_that_begins_and_its_tickets_go_from_backlog_to_iteration_in_their_order(
    work: Work,
) -> None:
    work.start(1)
    assert [work.stands(key) for key in (ONE, A, B, TWO, C)] == [
        "Iteration",
        "Iteration",
        "Iteration",
        "Backlog",
        "Backlog",
    ]
    names = [one.name for one in work.sandbox.trello.cards_in(work.lists()["Iteration"])]
    assert names == ["Iteration 1", "Ticket a", "Ticket b"]
    assert (work.status(ONE), work.status(TWO), work.status(A)) == ("active", "future", "todo")


def test_beginning_twice_or_after_an_interruption_writes_only_what_is_missing(work: Work) -> None:
    work.put(A, "Iteration")
    writes = work.tracker.usage.writes
    work.start(1)
    assert work.tracker.usage.writes - writes == 2
    work.start(1)
    assert work.tracker.usage.writes - writes == 2


def test_cards_that_are_begun_done_archived_or_in_a_list_of_the_teams_stay_where_they_are(work: Work) -> None:
    made_list = {"name": "Blocked", "idBoard": work.place.ref.id}
    plain.post(f"{work.sandbox.url}/1/lists", json=made_list, headers=HEADER).raise_for_status()
    work.put(A, "Blocked")
    work.put(B, "In progress")
    ticked = work.theirs(idLabels=work.label("Iteration 1"))
    work.change(ticked, dueComplete=True)
    archived = work.theirs(idLabels=work.label("Iteration 1"))
    work.change(archived, closed=True)
    work.start(1)
    assert [work.stands(A), work.stands(B)] == ["Blocked", "In progress"]
    assert [list_name(work.sandbox, ref) for ref in (ticked, archived)] == ["Backlog", "Backlog"]


def test_a_card_of_peoples_own_that_waits_in_the_iteration_is_brought_along(work: Work) -> None:
    guest = work.theirs(idLabels=work.label("Iteration 1"))
    work.start(1)
    assert list_name(work.sandbox, guest) == "Iteration"


def test_a_list_that_somebody_archived_is_made_again_when_an_iteration_begins(work: Work) -> None:
    url = f"{work.sandbox.url}/1/lists/{work.lists()['Iteration']}"
    plain.put(url, json={"closed": True}, headers=HEADER).raise_for_status()
    work.start(1)
    assert work.stands(A) == "Iteration"
    assert not work.sandbox.trello.data.lists[card(work.sandbox, work.known[A]).list_id].closed
    assert "column:Iteration" in work.tracker.made_along()


def test_an_iteration_that_somebody_closed_is_not_begun_and_the_message_says_what_to_do(work: Work) -> None:
    work.put(ONE, "Done")
    with pytest.raises(TrackerRefused, match="'Iteration 1' is closed") as refused:
        work.start(1)
    assert "back into Backlog" in refused.value.fix
    work.change(work.known[TWO], closed=True)
    with pytest.raises(TrackerRefused, match="'Iteration 2' is archived"):
        work.start(2)
    assert (work.stands(A), work.stands(C)) == ("Backlog", "Backlog")


def test_an_iteration_whose_card_is_gone_or_has_no_label_is_not_begun(work: Work) -> None:
    plain.delete(f"{work.sandbox.url}/1/cards/{work.known[ONE].id}", headers=HEADER).raise_for_status()
    with pytest.raises(NotVisible):
        work.start(1)
    with pytest.raises(NotVisible):
        work.close(1)
    work.change(work.known[TWO], idLabels="")
    with pytest.raises(TrackerRefused, match="has no label"):
        work.start(2)
    assert work.contents() == {}


def test_an_answer_that_was_lost_on_the_way_is_made_up_for_by_beginning_again(work: Work) -> None:
    with LosingProxy(work.sandbox.url) as proxy, connected(proxy.url) as tracker:
        proxy.orders.lose.append(lambda one: one.method == "PUT")
        with pytest.raises(Exception, match="may"):
            tracker.start_iteration(work.place, iteration(1), work.known[ONE])
        tracker.start_iteration(work.place, iteration(1), work.known[ONE])
    assert [work.stands(key) for key in (ONE, A, B)] == ["Iteration"] * 3


# --- close ---


def test_an_iteration_that_ends_goes_to_done_and_what_nobody_began_in_it_back_to_backlog(work: Work) -> None:
    guest = work.theirs(idLabels=work.label("Iteration 1"))
    work.start(1)
    work.put(B, "Review")
    doing = work.theirs(idLabels=work.label("Iteration 1"), idList=work.lists()["In progress"])
    work.close(1)
    assert [work.stands(key) for key in (ONE, A, B)] == ["Done", "Backlog", "Review"]
    assert [list_name(work.sandbox, ref) for ref in (guest, doing)] == ["Backlog", "In progress"]
    assert [one.name for one in work.sandbox.trello.cards_in(work.lists()["Backlog"])] == [
        "Iteration 2",
        "Ticket a",
        "Ticket c",
        "My own",
    ]
    assert work.status(ONE) == "closed"
    assert label_names(work.sandbox, work.known[A]) >= {"Iteration 1"}
    assert {one.key for one in work.contents(ONE)[ONE]} == {A, B, None}
    assert work.traces(A, C) == {}


def test_closing_twice_or_after_an_interruption_writes_only_what_is_missing(work: Work) -> None:
    work.start(1)
    work.put(A, "Backlog")
    writes = work.tracker.usage.writes
    work.close(1)
    assert work.tracker.usage.writes - writes == 2
    work.close(1)
    assert work.tracker.usage.writes - writes == 2


def test_an_answer_that_was_lost_while_closing_is_made_up_for_by_closing_again(work: Work) -> None:
    work.start(1)
    with LosingProxy(work.sandbox.url) as proxy, connected(proxy.url) as tracker:
        for lost in range(3):
            proxy.orders.lose.append(_the_write(lost))
            with pytest.raises(OutcomeUnknown):
                tracker.close_iteration(work.place, iteration(1), work.known[ONE])
            tracker.close_iteration(work.place, iteration(1), work.known[ONE])
            assert [work.stands(key) for key in (ONE, A, B)] == ["Done", "Backlog", "Backlog"]
            for key in (ONE, A, B):
                work.put(key, "Iteration")


def test_what_is_left_of_an_iteration_that_a_person_closed_goes_back_to_backlog(work: Work) -> None:
    work.start(1)
    work.put(ONE, "Done")
    work.close(1)
    assert [work.stands(key) for key in (ONE, A, B)] == ["Done", "Backlog", "Backlog"]


def test_cards_that_are_done_archived_carried_or_in_another_list_stay_when_their_iteration_ends(work: Work) -> None:
    label = work.label("Iteration 1")
    work.start(1)
    work.start(2)
    ticked, archived = (work.theirs(idLabels=label, idList=work.lists()["Iteration"]) for _ in range(2))
    both = work.theirs(idLabels=f"{label},{work.label('Iteration 2')}", idList=work.lists()["Iteration"])
    work.change(ticked, dueComplete=True)
    work.change(archived, closed=True)
    made_list = {"name": "Blocked", "idBoard": work.place.ref.id}
    plain.post(f"{work.sandbox.url}/1/lists", json=made_list, headers=HEADER).raise_for_status()
    work.put(B, "Blocked")
    work.tracker.move(work.place, [(A, work.known[A])], work.known[TWO])
    work.close(1)
    assert [work.stands(key) for key in (ONE, A, B, C)] == ["Done", "Iteration", "Blocked", "Iteration"]
    assert [list_name(work.sandbox, ref) for ref in (ticked, archived, both)] == ["Iteration"] * 3


def test_an_iteration_that_never_began_is_not_closed(work: Work) -> None:
    with pytest.raises(TrackerRefused, match="'Iteration 1' has not begun"):
        work.close(1)


# --- move ---


def test_what_is_carried_keeps_its_list_and_what_goes_back_stands_in_backlog_again(work: Work) -> None:
    guest = work.theirs(idLabels=work.label("Iteration 1"))
    work.start(1)
    work.put(B, "In progress")
    key = ItemKey(f"guest:{guest.id}")
    outcomes = work.tracker.move(work.place, [(B, work.known[B]), (key, guest)], work.known[TWO])
    assert outcomes == [Done(B, work.known[B]), Done(key, guest)]
    assert (work.stands(B), list_name(work.sandbox, guest)) == ("In progress", "Iteration")
    assert label_names(work.sandbox, guest) == {"Iteration 2"}
    work.tracker.move(work.place, [(A, work.known[A]), (B, work.known[B])], None)
    assert (work.stands(A), work.stands(B)) == ("Backlog", "In progress")
    seen = work.tracker.find(work.place, work.known | {key: guest}, only=[key])[key]
    assert (seen.kind, seen.fields["iteration"]) == (ItemKind.GUEST, TWO)


def test_a_ticket_that_comes_into_an_iteration_that_goes_on_stands_in_its_list(work: Work) -> None:
    work.start(1)
    [new] = made(work.tracker, work.place, Creation(ticket("new"), iteration=work.known[ONE]))
    assert list_name(work.sandbox, new) == "Iteration"
    work.tracker.move(work.place, [(C, work.known[C])], work.known[ONE])
    assert work.stands(C) == "Iteration"


def test_tickets_follow_the_dates_of_their_iteration_but_keep_those_that_a_person_set(work: Work) -> None:
    work.change(work.known[B], due="2026-12-24T12:00:00.000Z")
    done = work.theirs(idLabels=work.label("Iteration 1"), due=_due(work, ONE).isoformat(), dueComplete=True)
    own = work.theirs(idLabels=work.label("Iteration 1"), due=_due(work, ONE).isoformat())
    copy = work.theirs(idCardSource=work.known[A].id, keepFromSource="all", due=_due(work, ONE).isoformat())
    shifted = iteration(3)
    writes = work.tracker.usage.writes
    known = {**work.known, ItemKey(f"guest:{own.id}"): own}
    work.tracker.update(work.place, ItemKind.ITERATION, work.known[ONE], shifted, ["ends"], None, known=known)
    assert {card(work.sandbox, ref).due for ref in (own, copy)} == {iteration(1).ends}
    assert work.tracker.usage.writes - writes == 2
    assert _due(work, A) == _due(work, ONE) == shifted.ends
    assert card(work.sandbox, work.known[A]).start == iteration(1).starts
    assert _due(work, B) == datetime(2026, 12, 24, 12, tzinfo=UTC)
    assert card(work.sandbox, done).due == iteration(1).ends
    work.tracker.update(work.place, ItemKind.ITERATION, work.known[ONE], shifted, ["starts", "ends"], None, known=known)
    assert card(work.sandbox, work.known[B]).start == shifted.starts
    assert work.traces(A, C) == {}


def test_the_name_that_people_gave_an_iterations_label_stays_and_ours_follows_the_title(work: Work) -> None:
    ids = {key: work.label(f"Iteration {number}") for number, key in ((1, ONE), (2, TWO))}
    body = {"name": "Ours to name", "color": "red"}
    plain.put(f"{work.sandbox.url}/1/labels/{ids[ONE]}", json=body, headers=HEADER).raise_for_status()
    for name in ("Round", "Lap"):
        with connected(work.sandbox.url) as fresh:
            for number, key in ((1, ONE), (2, TWO)):
                item = replace(iteration(number), title=f"{name} {number}")
                fresh.update(work.place, ItemKind.ITERATION, work.known[key], item, ["title"], None)
        shown = {one.id: (one.name, one.color) for one in work.sandbox.trello.labels_of(work.place.ref.id)}
        assert shown[ids[ONE]] == ("Ours to name", "red")
        assert shown[ids[TWO]][0] == f"{name} 2"
        assert card(work.sandbox, work.known[ONE]).name == f"{name} 1"
    [told] = [one for one in work.tracker.check(spec("ML"), work.place, []) if one.code == "label-renamed"][:1]
    assert '"Iteration 1" is called "Ours to name" now' in told.message


def test_a_label_that_a_process_renamed_before_it_died_follows_its_iteration_on(work: Work) -> None:
    place = replace(work.place, memory={**work.place.memory, **work.tracker.learned(work.place)})
    title = "Lap 1"
    with connected(work.sandbox.url) as dying:  # what it learned is kept by nobody
        item = replace(iteration(1), title=title)
        dying.update(place, ItemKind.ITERATION, work.known[ONE], item, ["title"], None)

    with connected(work.sandbox.url) as fresh:
        fresh.find(place, work.known)
        assert [one.code for one in fresh.check(spec("ML"), place, []) if one.code == "label-renamed"] == []
        fresh.update(place, ItemKind.ITERATION, work.known[ONE], iteration(1), ["title"], None)

    assert work.label("Iteration 1")


def test_dates_that_were_half_written_are_written_whole_by_the_next_attempt(work: Work) -> None:
    with LosingProxy(work.sandbox.url) as proxy, connected(proxy.url) as tracker:
        for lost in range(3):
            item = iteration(lost + 3)
            proxy.orders.lose.append(_the_write(lost))
            args = (work.place, ItemKind.ITERATION, work.known[ONE], item, ["starts", "ends"], None)
            with pytest.raises(OutcomeUnknown):
                tracker.update(*args, known=work.known)
            tracker.update(*args, known=work.known)
            assert {_due(work, key) for key in (ONE, A, B)} == {item.ends}


def test_an_iteration_that_lost_its_marker_is_still_the_one_that_was_made(work: Work) -> None:
    work.change(work.known[TWO], desc="Another aim")
    work.tracker.move(work.place, [(A, work.known[A])], work.known[TWO])
    with connected(work.sandbox.url) as fresh:
        seen = fresh.find(work.place, work.known, only=[A, C])
    assert {one.fields["iteration"] for one in seen.values()} == {TWO}
    work.start(2)
    assert (work.stands(C), {one.key for one in work.contents(TWO)[TWO]}) == ("Iteration", {A, C})


def test_what_is_carried_leaves_an_iteration_that_lost_its_marker(work: Work) -> None:
    work.change(work.known[ONE], desc="Another aim")
    work.tracker.move(work.place, [(A, work.known[A])], work.known[TWO])
    assert label_names(work.sandbox, work.known[A]) == {"points:5", "role:ml", "Iteration 2"}
    assert [one.key for one in work.contents(ONE)[ONE]] == [B]


def test_a_card_of_peoples_own_with_a_label_of_its_name_is_no_iteration(work: Work) -> None:
    label = {"name": "My own", "color": "green", "idBoard": work.place.ref.id}
    answer = plain.post(f"{work.sandbox.url}/1/labels", json=label, headers=HEADER).raise_for_status().json()
    theirs = work.theirs(idLabels=f"{work.label('Iteration 1')},{answer['id']}", due="2026-12-24T12:00:00.000Z")
    work.tracker.move(work.place, [(ItemKey(f"guest:{theirs.id}"), theirs)], work.known[TWO])
    assert label_names(work.sandbox, theirs) == {"My own", "Iteration 2"}
    assert {one.ref.id for one in work.contents(TWO)[TWO]} == {theirs.id, work.known[C].id}


def test_cards_of_peoples_own_are_never_made_written_or_removed(work: Work) -> None:
    theirs = work.theirs()
    key = ItemKey(f"guest:{theirs.id}")
    item = Item(key=key, kind=ItemKind.GUEST, title="Ours?")
    for call in (
        lambda: work.tracker.create(work.place, [Creation(item)]),
        lambda: work.tracker.update(work.place, ItemKind.GUEST, theirs, item, ["title"], None),
        lambda: work.tracker.delete(work.place, ItemKind.GUEST, [(key, theirs)]),
    ):
        with pytest.raises(ValueError, match=r"people's own|of one kind"):
            call()
    assert card(work.sandbox, theirs).name == "My own"


def test_an_iteration_whose_label_was_taken_off_takes_no_tickets(work: Work) -> None:
    work.change(work.known[TWO], idLabels="")
    [outcome] = work.tracker.move(work.place, [(A, work.known[A])], work.known[TWO])
    assert isinstance(outcome, Rejected)
    assert label_names(work.sandbox, work.known[A]) >= {"Iteration 1"}


# --- contents ---


def test_contents_tell_whose_a_ticket_is_what_it_is_about_and_how_far(work: Work) -> None:
    guest = work.theirs(idLabels=work.label("Iteration 1"), urlSource=work.known[DATA].url)
    [a, b, theirs] = work.contents(ONE)[ONE]
    assert (a.key, a.ref, a.title, a.status) == (A, work.known[A], "Ticket a", "todo")
    assert (a.points, a.assignee, a.labels, a.epic) == (5.0, ML, ("points:5", "role:ml"), "Epic data")
    assert a.person == work.sandbox.trello.data.members[ML].full_name
    assert (b.key, b.points, b.assignee, b.person) == (B, None, None, "")
    assert (theirs.key, theirs.ref, theirs.title, theirs.epic) == (None, guest, "My own", "Epic data")
    assert [one.key for one in work.contents(TWO)[TWO]] == [C]


def test_a_guest_that_is_known_stays_a_persons_and_a_copy_of_a_ticket_is_one(work: Work) -> None:
    guest = work.theirs(idLabels=work.label("Iteration 1"))
    copied = work.theirs(idCardSource=work.known[A].id, keepFromSource="all")
    work.known[ItemKey(f"guest:{guest.id}")] = guest
    inside = {one.ref.id: one.key for one in work.contents(ONE)[ONE]}
    assert inside == {work.known[A].id: A, work.known[B].id: B, guest.id: None, copied.id: None}
    del work.known[A]
    assert {one.ref.id: one.key for one in work.contents(ONE)[ONE]} == inside


def test_a_ticket_that_people_put_into_two_iterations_is_in_the_one_that_find_says(work: Work) -> None:
    work.change(work.known[A], idLabels=f"{work.label('Iteration 1')},{work.label('Iteration 2')}")
    inside = work.contents()
    [where] = [key for key, tickets in inside.items() if A in {one.key for one in tickets}]
    with connected(work.sandbox.url) as fresh:
        assert fresh.find(work.place, work.known, only=[A])[A].fields["iteration"] == where


def test_when_work_began_first_and_was_done_last_is_told_by_what_happened(work: Work) -> None:
    created = work.contents(ONE)[ONE][0].created_at
    assert created is not None
    began = work.later(5)
    work.put(A, "In progress")
    work.later(1)
    work.put(A, "Done")
    work.later(1)
    work.put(A, "Review")
    [a, b] = work.contents(ONE)[ONE]
    assert (_near(a.started_at, began), a.done_at) == (True, None)
    assert (b.started_at, b.done_at) == (None, None)
    done = work.later(24)
    work.put(A, "Done")
    work.later(1)
    work.change(work.known[A], closed=True)
    work.change(work.known[B], dueComplete=True)
    [a, b] = work.contents(ONE)[ONE]
    assert a.created_at == created
    assert _near(a.started_at, began)
    assert _near(a.done_at, done)
    assert b.status == "done"
    assert b.started_at is not None
    assert b.started_at == b.done_at


def test_a_card_that_people_made_where_work_is_under_way_began_when_it_was_made(work: Work) -> None:
    work.theirs(idLabels=work.label("Iteration 1"), idList=work.lists()["In progress"])
    theirs = next(one for one in work.contents(ONE)[ONE] if one.key is None)
    assert theirs.status == "doing"
    assert theirs.started_at == theirs.created_at is not None
    assert theirs.done_at is None


def test_beginning_and_closing_an_iteration_is_no_work_on_its_tickets(work: Work) -> None:
    work.start(1)
    work.close(1)
    assert [(one.started_at, one.done_at) for one in work.contents(ONE)[ONE]] == [(None, None)] * 2


def test_contents_take_four_requests_whatever_the_number_of_iterations_and_tickets(work: Work) -> None:
    many = [Creation(ticket(f"n{n}"), iteration=work.known[TWO]) for n in range(40)]
    made(work.tracker, work.place, *many)
    before = work.tracker.usage
    inside = work.tracker.contents(work.place, work.known, {ONE: work.known[ONE], TWO: work.known[TWO]}, {})
    assert work.tracker.usage.reads - before.reads == 4
    assert work.tracker.usage.writes == before.writes
    assert [len(inside[key]) for key in (ONE, TWO)] == [2, 41]
    assert work.tracker.contents(work.place, work.known, {}, {}) == {}
    assert work.tracker.usage.reads - before.reads == 4


def test_odd_answers_about_what_happened_are_passed_over_by_contents(work: Work) -> None:
    odd = b"""[5, {"id": "1"}, {"id": "2", "type": "updateCard", "data": null}, {"id": "3",
        "date": "2026-11-23T08:00:00Z", "data": {"card": {"id": "4"}, "old": []}},
        {"id": "5", "date": "soon", "data": {"card": {"id": "6"},
        "old": {"idList": "7"}}}]"""
    with LosingProxy(work.sandbox.url) as proxy, connected(proxy.url) as tracker:
        proxy.orders.fake.append((lambda one: "/actions?" in one.path, 200, odd))
        inside = tracker.contents(work.place, work.known, {ONE: work.known[ONE]}, {})[ONE]
    assert [(one.key, one.started_at) for one in inside] == [(A, None), (B, None)]


def _the_write(number: int) -> Callable[[Passing], bool]:
    """Means the change to a card of this number from now on, from 0."""
    numbers = count()
    return lambda passing: passing.method == "PUT" and next(numbers) == number


def _due(work: Work, key: ItemKey) -> datetime:
    due = card(work.sandbox, work.known[key]).due
    assert due is not None
    return due


def _near(seen: datetime | None, meant: datetime) -> bool:
    return seen is not None and abs(seen - meant) < timedelta(minutes=1)


# --- without a label ---


@pytest.mark.parametrize("path", ["labels/{label}", "cards/{card}/idLabels/{label}"])
def test_an_iteration_without_its_label_holds_nothing_until_its_title_is_written(work: Work, path: str) -> None:
    kept = {**work.place.memory, **work.tracker.learned(work.place)}
    [label] = card(work.sandbox, work.known[ONE]).label_ids
    url = f"{work.sandbox.url}/1/{path.format(label=label, card=work.known[ONE].id)}"
    plain.delete(url, headers=HEADER).raise_for_status()
    theirs = plain.post(
        f"{work.sandbox.url}/1/cards/{work.known[ONE].id}/labels",
        json={"name": "Urgent", "color": "red"},
        headers=HEADER,
    )
    theirs.raise_for_status()
    place = replace(work.place, memory=kept)

    with connected(work.sandbox.url) as fresh:
        seen = fresh.find(place, work.known, only=[ONE, TWO, A])
        assert ({key: one.holds for key, one in seen.items()}, seen[A].fields["iteration"]) == (
            {ONE: False, TWO: True, A: True},
            None,
        )
        fresh.update(place, ItemKind.ITERATION, work.known[ONE], iteration(1), ["title"], None)
        fresh.move(place, [(A, work.known[A])], work.known[ONE])

    assert label_names(work.sandbox, work.known[ONE]) == {"Iteration 1", "Urgent"}
    with connected(work.sandbox.url) as again:
        seen = again.find(place, work.known, only=[ONE, A])
    assert (seen[ONE].holds, seen[A].fields["iteration"]) == (True, ONE)
