"""How the Trello connector removes what was made: cards, iterations with their labels, labels, lists and the board."""

from __future__ import annotations

import pytest

from connectors.errors import FieldProblem, OutcomeUnknown, TrackerUnavailable
from connectors.trello.tracker import TrelloTracker
from connectors.values import Creation, Done, ItemKey, ItemKind, Place, Rejected, RemoteRef, Severity
from sandbox.testing import SandboxServer
from sandbox.trello.state import Label
from tests import plain
from tests.contract.items import epic, iteration, ticket
from tests.contract.losing_proxy import LosingProxy
from tests.contract.trello.desk import HEADER, card, connected, label_names, made, spec, with_lists_of_ours

A, B = ItemKey("ticket:a"), ItemKey("ticket:b")
ONE, TWO = ItemKey("iteration:1"), ItemKey("iteration:2")
BOARD = ItemKey("project:churn")


@pytest.fixture
def place(tracker: TrelloTracker) -> Place:
    return tracker.create_project(spec("ML", name="Churn", create=True))


def by_hand(sandbox: SandboxServer, method: str, path: str, **body: object) -> None:
    """What a person does on the vendor's own pages."""
    plain.request(method, f"{sandbox.url}/1/{path}", json=body, headers=HEADER).raise_for_status()


def labels(sandbox: SandboxServer, place: Place) -> set[str]:
    return {one.name for one in sandbox.trello.labels_of(place.ref.id)}


def open_lists(sandbox: SandboxServer, place: Place) -> list[str]:
    return [one.name for one in sandbox.trello.lists_of(place.ref.id) if not one.closed]


def sent(tracker: TrelloTracker) -> tuple[int, int]:
    return tracker.usage.reads, tracker.usage.writes


def taken(before: tuple[int, int], after: tuple[int, int]) -> tuple[int, int]:
    """Reads and writes between two looks."""
    return after[0] - before[0], after[1] - before[1]


# --- cards ---


def test_cards_go_with_one_call_each_and_nothing_is_read(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    items = [ticket(f"n{n}", checklist=("One",)) for n in range(20)]
    refs = made(tracker, place, *(Creation(item) for item in items))
    before = sent(tracker)
    outcomes = tracker.delete(place, ItemKind.TICKET, [(item.key, ref) for item, ref in zip(items, refs, strict=True)])
    assert outcomes == [Done(item.key, ref) for item, ref in zip(items, refs, strict=True)]
    assert taken(before, sent(tracker)) == (0, 20)
    assert list(sandbox.trello.cards_of(place.ref.id)) == []


def test_what_was_removed_is_not_copied_by_the_next_ticket(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    first, second = ticket("a", checklist=("One",)), ticket("b", checklist=("One",))
    [ref] = made(tracker, place, Creation(first))
    tracker.finish(place, [(first, ref)])
    tracker.delete(place, ItemKind.TICKET, [(A, ref)])
    [done] = tracker.create(place, [Creation(second)])
    assert isinstance(done, Done)
    assert done.later == ("checklist",)


# --- iterations ---


def test_an_iteration_goes_with_its_label(sandbox: SandboxServer, tracker: TrelloTracker, place: Place) -> None:
    [ref] = made(tracker, place, Creation(iteration(1)))
    before = sent(tracker)
    assert tracker.delete(place, ItemKind.ITERATION, [(ONE, ref)]) == [Done(ONE, ref)]
    assert taken(before, sent(tracker)) == (2, 2)
    assert labels(sandbox, place) == set()
    assert list(sandbox.trello.cards_of(place.ref.id)) == []


def test_the_label_of_an_iteration_stays_with_the_tickets_that_carry_it(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    one, two = made(tracker, place, Creation(iteration(1)), Creation(iteration(2)))
    [kept] = made(tracker, place, Creation(ticket("a"), iteration=one))
    by_hand(sandbox, "PUT", f"cards/{kept.id}", closed=True)
    tracker.delete(place, ItemKind.ITERATION, [(ONE, one), (TWO, two)])
    assert label_names(sandbox, kept) == labels(sandbox, place) == {"Iteration 1"}


def test_a_label_that_a_person_put_on_an_iteration_is_not_taken_for_its_own(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    [ref] = made(tracker, place, Creation(iteration(1)))
    made(tracker, place, Creation(ticket("a", labels=("theirs",))))
    [theirs] = [one.id for one in sandbox.trello.labels_of(place.ref.id) if one.name == "theirs"]
    by_hand(sandbox, "PUT", f"cards/{ref.id}", idLabels=theirs)
    tracker.delete(place, ItemKind.ITERATION, [(ONE, ref)])
    assert labels(sandbox, place) == {"theirs", "Iteration 1"}


def test_a_label_that_was_there_before_the_iteration_stays(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    old = Label("5f000000" + "0" * 16, place.ref.id, "Iteration 1", None)
    sandbox.trello.data.labels[old.id] = old
    [ref] = made(tracker, place, Creation(iteration(1)))
    assert card(sandbox, ref).label_ids == [old.id]
    tracker.delete(place, ItemKind.ITERATION, [(ONE, ref)])
    assert labels(sandbox, place) == {"Iteration 1"}
    assert list(sandbox.trello.cards_of(place.ref.id)) == []


def test_an_iteration_whose_removal_broke_off_is_removed_whole_the_next_time(sandbox: SandboxServer) -> None:
    with LosingProxy(sandbox.url) as proxy, connected(proxy.url) as tracker:
        place = tracker.create_project(spec("ML", create=True))
        [ref] = made(tracker, place, Creation(iteration(1)))
        proxy.orders.lose.append(lambda one: one.method == "DELETE")
        with pytest.raises(OutcomeUnknown):
            tracker.delete(place, ItemKind.ITERATION, [(ONE, ref)])
        assert labels(sandbox, place) == set()
        assert tracker.delete(place, ItemKind.ITERATION, [(ONE, ref)]) == [Done(ONE, ref)]
        assert list(sandbox.trello.cards_of(place.ref.id)) == []


def test_a_ticket_taken_out_of_its_iteration_loses_the_label_and_the_dates_but_not_a_date_that_a_person_set(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    [turn] = made(tracker, place, Creation(iteration(1)))
    a, b = made(
        tracker, place, Creation(ticket("a", labels=("x",)), iteration=turn), Creation(ticket("b"), iteration=turn)
    )
    by_hand(sandbox, "PUT", f"cards/{b.id}", due="2026-12-24T12:00:00.000Z")
    before = sent(tracker)
    assert tracker.move(place, [(A, a), (B, b)], None) == [Done(A, a), Done(B, b)]
    assert taken(before, sent(tracker)) == (1, 4)  # the label is taken off by itself: people's may have come meanwhile
    assert (label_names(sandbox, a), card(sandbox, a).start, card(sandbox, a).due) == ({"x"}, None, None)
    assert (label_names(sandbox, b), card(sandbox, b).start) == (set(), None)
    assert card(sandbox, b).due is not None


# --- lists and labels ---


def test_labels_and_lists_are_told_when_they_are_made_and_go_when_nothing_needs_them(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    [turn] = made(tracker, place, Creation(iteration(1)))
    [ref] = made(tracker, place, Creation(ticket("a", labels=("phase:data", "role:ml")), iteration=turn))
    along = tracker.made_along()
    columns = {key: ref for key, ref in along.items() if key.startswith("column:")}
    tags = {key: ref for key, ref in along.items() if key.startswith("label:")}
    assert {ref.key for ref in columns.values()} == set(open_lists(sandbox, place))
    assert tags.keys() == {"label:phase:data", "label:role:ml"}
    assert all(ref.url == place.board_url and f"{key}".endswith(ref.key) for key, ref in along.items())
    tracker.delete(place, ItemKind.TICKET, [(A, ref)])
    tracker.delete(place, ItemKind.ITERATION, [(ONE, turn)])
    before = sent(tracker)
    for _ in range(2):
        for kind, things in ((ItemKind.LABEL, tags), (ItemKind.COLUMN, columns)):
            assert tracker.delete(place, kind, list(things.items())) == [Done(key, ref) for key, ref in things.items()]
    assert taken(before, sent(tracker)) == (8, 2 + 6)
    assert labels(sandbox, place) == set()
    assert open_lists(sandbox, place) == []


def test_a_label_on_an_archived_card_and_a_list_with_a_card_are_kept_and_it_says_why(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    old, new = made(tracker, place, Creation(ticket("a", labels=("x",))), Creation(ticket("b")))
    by_hand(sandbox, "PUT", f"cards/{old.id}", closed=True)
    along = tracker.made_along()
    label, column, empty = (along[ItemKey(key)] for key in ("label:x", "column:Backlog", "column:Review"))
    on = FieldProblem(None, "the label is on 1 card, archived ones included")
    assert tracker.delete(place, ItemKind.LABEL, [(ItemKey("label:x"), label)]) == [Rejected(ItemKey("label:x"), (on,))]
    held = FieldProblem(None, "the list holds 1 card")
    outcomes = tracker.delete(
        place, ItemKind.COLUMN, [(ItemKey("column:Backlog"), column), (ItemKey("column:Review"), empty)]
    )
    assert outcomes == [Rejected(ItemKey("column:Backlog"), (held,)), Done(ItemKey("column:Review"), empty)]
    tracker.delete(place, ItemKind.TICKET, [(B, new)])
    [outcome] = tracker.delete(place, ItemKind.COLUMN, [(ItemKey("column:Backlog"), column)])
    assert isinstance(outcome, Done)
    assert "Review" not in open_lists(sandbox, place)


def test_a_list_or_label_whose_answer_was_lost_is_made_once_and_told_all_the_same(sandbox: SandboxServer) -> None:
    for path, key in (("/1/labels", "label:x"), ("/1/lists", "column:Epics")):
        with LosingProxy(sandbox.url) as proxy, connected(proxy.url) as tracker:
            place = tracker.create_project(spec("ML" + path[3:], create=True))
            proxy.orders.lose.append(lambda one, path=path: one.path == path)  # type: ignore[misc]
            with pytest.raises(OutcomeUnknown):
                tracker.create(place, [Creation(ticket("a", labels=("x",)))])
            first = tracker.made_along()
            made(tracker, place, Creation(ticket("a", labels=("x",))))
            rest = tracker.made_along()
            assert key not in first
            assert key in rest
            assert len(first) + len(rest) == 7
            assert not first.keys() & rest.keys()
            assert labels(sandbox, place) == {"x"}
            assert len(open_lists(sandbox, place)) == 6


def test_what_was_made_before_a_refusal_is_told(sandbox: SandboxServer, tracker: TrelloTracker, place: Place) -> None:
    fault = {"action": "status", "method": "POST", "path": "^/1/cards$", "status": 429, "times": 1000}
    plain.post(f"{sandbox.url}/sandbox/faults", json=fault).raise_for_status()
    with pytest.raises(TrackerUnavailable):
        tracker.create(place, [Creation(ticket("a", labels=("x",)))])
    assert len(tracker.made_along()) == 7


# --- the board ---


def test_a_removed_board_is_closed_and_makes_way_for_a_new_one_of_its_key_and_name(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    assert tracker.delete(place, ItemKind.PROJECT, [(BOARD, place.ref)]) == [Done(BOARD, place.ref)]
    assert sandbox.trello.data.boards[place.ref.id].closed
    again = spec("ML", name="Churn", create=True)
    assert tracker.locate(again) is None
    assert tracker.locate(spec("Churn")) is None
    assert tracker.check(again, None, []) == []
    found = tracker.check(spec("Churn"), None, [])
    assert [(one.code, one.severity) for one in found] == [("board-closed", Severity.ERROR)]
    second = tracker.create_project(again)
    assert second.ref.id != place.ref.id
    located = tracker.locate(again)
    assert located is not None
    assert located.ref == second.ref
    by_id = tracker.locate(spec(place.ref.id))
    assert by_id is not None
    assert [one.code for one in tracker.check(spec(place.ref.id), by_id, [ticket("a")])] == ["board-closed"]


def test_a_new_board_whose_answer_was_lost_is_not_confused_with_the_closed_one(sandbox: SandboxServer) -> None:
    with LosingProxy(sandbox.url) as proxy, connected(proxy.url) as tracker:
        again = spec("ML", name="Churn", create=True)
        first = tracker.create_project(again)
        tracker.delete(first, ItemKind.PROJECT, [(BOARD, first.ref)])
        assert tracker.locate(again) is None
        proxy.orders.lose.append(lambda one: one.path == "/1/boards/")
        with pytest.raises(OutcomeUnknown):
            tracker.create_project(again)
        second = tracker.locate(again)
        assert second is not None
        assert second.ref.id != first.ref.id


def test_on_a_board_that_was_deleted_for_good_everything_counts_as_removed(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    [data] = made(tracker, place, Creation(epic("data")))
    along = tracker.made_along()
    by_hand(sandbox, "PUT", f"boards/{place.ref.id}", closed=True)
    by_hand(sandbox, "DELETE", f"boards/{place.ref.id}")
    things: list[tuple[ItemKind, ItemKey, RemoteRef]] = [
        (ItemKind.EPIC, ItemKey("epic:data"), data),
        (ItemKind.COLUMN, ItemKey("column:Epics"), along[ItemKey("column:Epics")]),
        (ItemKind.PROJECT, BOARD, place.ref),
    ]
    for kind, key, ref in things:
        assert tracker.delete(place, kind, [(key, ref)]) == [Done(key, ref)]


def test_only_an_admin_of_the_board_may_close_it_and_a_check_says_so(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    everything = [ItemKind.PROJECT, ItemKind.TICKET, ItemKind.COLUMN]
    assert tracker.check(spec("ML"), place, [], removing=everything) == []
    [mine] = sandbox.trello.data.boards[place.ref.id].memberships
    assert mine.member_id == tracker.whoami().id
    mine.type = "normal"
    assert tracker.check(spec("ML"), place, [], removing=[ItemKind.TICKET]) == []
    [found] = tracker.check(spec("ML"), place, [], removing=everything)
    assert (found.code, found.severity) == ("permission-missing", Severity.ERROR)
    assert "close the board ML" in found.message
    mine.type = "observer"
    [found] = tracker.check(spec("ML"), place, [], removing=everything)
    assert "may only look at" in found.message


# --- recovery ---


def test_an_interrupted_batch_takes_four_reads_in_all_after_a_restart(sandbox: SandboxServer) -> None:
    items = [ticket(f"n{n}", labels=("x",), checklist=("One",)) for n in range(30)]
    with LosingProxy(sandbox.url) as proxy, connected(proxy.url) as tracker:
        place = tracker.create_project(spec("ML", create=True))
        [turn] = made(tracker, place, Creation(iteration(1)))
        left = iter([False] * 9)
        proxy.orders.lose.append(lambda one: one.path == "/1/cards" and next(left, True))
        with pytest.raises(OutcomeUnknown):
            tracker.create(place, [Creation(item, iteration=turn) for item in items])
    with connected(sandbox.url) as restarted:
        found = restarted.recover(place, items, "", widely=True)
        missing = [Creation(item, iteration=turn) for item in items if item.key not in found]
        assert missing
        assert found
        made(restarted, place, *missing)
        assert (
            restarted.usage.reads == 4
        )  # cards and board, and the board once more as a late call may have added to it
    assert len(list(sandbox.trello.cards_of(place.ref.id))) == 31


@pytest.mark.parametrize("is_new", [True, False])
def test_what_a_process_made_along_before_it_died_is_told_by_the_one_that_recovers(
    sandbox: SandboxServer, is_new: bool
) -> None:
    with connected(sandbox.url) as tracker:
        found = tracker.create_project(spec("ML", create=True)) if is_new else with_lists_of_ours(tracker)
        for one in sandbox.trello.lists_of(found.ref.id):
            one.name = "Complete" if one.name == "Done" else one.name  # the sandbox made it a moment ago
        since = "" if is_new else tracker.watermark(found)
        made(tracker, found, Creation(ticket("a", labels=("x",))))
        told = tracker.made_along()
    with connected(sandbox.url) as restarted:
        assert set(restarted.recover(found, [ticket("a", labels=("x",))], since)) == {A}
        assert restarted.made_along() == told
        restarted.recover(found, [ticket("a", labels=("x",))], since)
        assert restarted.made_along() == {}
        assert len(told) == (7 if is_new else 4)


def test_labels_of_a_board_that_was_there_are_not_claimed(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    existing = tracker.locate(spec())
    assert existing is not None
    by_hand(sandbox, "POST", "labels", idBoard=existing.ref.id, name="x", color=None)
    with connected(sandbox.url) as restarted:
        assert restarted.recover(existing, [ticket("a", labels=("x",))], "") == {}
        assert restarted.made_along() == {}


def test_the_label_of_an_iteration_whose_card_was_refused_is_told(sandbox: SandboxServer) -> None:
    with LosingProxy(sandbox.url) as proxy, connected(proxy.url) as tracker:
        place = tracker.create_project(spec("ML", create=True))
        proxy.orders.fake.append((lambda one: one.path == "/1/cards", 400, b"invalid value for name"))
        [outcome] = tracker.create(place, [Creation(iteration(1))])
        assert isinstance(outcome, Rejected)
        label = ItemKey("label:Iteration 1")
        along = tracker.made_along()
        assert tracker.delete(place, ItemKind.LABEL, [(label, along[label])]) == [Done(label, along[label])]
        assert labels(sandbox, place) == set()
    with connected(sandbox.url) as tracker:
        made(tracker, place, Creation(iteration(1)))
        assert tracker.made_along() == {}
