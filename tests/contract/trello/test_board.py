"""What the Trello connector makes of a board, with people on it: beyond the promises that every tracker keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import OutcomeUnknown, TrackerRefused, TrackerUnavailable
from connectors.mapped import Choice, Role
from connectors.trello.tracker import TrelloTracker
from connectors.values import Creation, Done, Item, ItemKey, ItemKind, Place, Rejected, Severity
from sandbox.testing import SandboxServer
from sandbox.trello.seed import OBSERVER_EMAIL, member_id
from sandbox.trello.state import Membership
from tests import plain
from tests.contract.items import epic, iteration, ticket
from tests.contract.losing_proxy import LosingProxy
from tests.contract.trello.desk import (
    HEADER,
    ML,
    OUTSIDER,
    card,
    connected,
    label_names,
    list_name,
    made,
    requests,
    spec,
    with_lists_of_ours,
)


@pytest.fixture
def place(tracker: TrelloTracker) -> Place:
    found = tracker.locate(spec())
    assert found is not None
    return found


# --- what a board looks like ---


def test_no_list_is_put_between_those_of_a_team(sandbox: SandboxServer, tracker: TrelloTracker, place: Place) -> None:
    [data] = made(tracker, place, Creation(epic("data")))
    [turn] = made(tracker, place, Creation(iteration(1)))
    [ref] = made(tracker, place, Creation(ticket("a"), epic=data, iteration=turn))
    assert [one.name for one in sandbox.trello.lists_of(place.ref.id)] == ["To Do", "Doing", "Done"]
    assert {list_name(sandbox, one) for one in (data, turn, ref)} == {"To Do"}


def test_lists_that_mean_the_same_are_used_and_only_the_others_are_made_if_asked_for(
    sandbox: SandboxServer, tracker: TrelloTracker
) -> None:
    place = with_lists_of_ours(tracker)
    [ref] = made(tracker, place, Creation(ticket("a")))
    names = [one.name for one in sandbox.trello.lists_of(place.ref.id)]
    assert names == ["To Do", "Doing", "Done", "Epics", "Iteration", "Review"]
    assert list_name(sandbox, ref) == "To Do"


def test_a_list_of_ours_that_is_renamed_in_the_middle_of_a_run_is_not_made_again(
    sandbox: SandboxServer, tracker: TrelloTracker
) -> None:
    place = tracker.create_project(spec("ML", name="Churn", create=True))
    made(tracker, place, Creation(epic("data")))
    kept = {one.role: Choice(one.id, one.name, one.found) for one in tracker.mapped(place) if one.id}
    for one in sandbox.trello.lists_of(place.ref.id):
        plain.put(f"{sandbox.url}/1/lists/{one.id}", headers=HEADER, json={"name": f"{one.name[0]} neu"})
    tracker.check(spec("ML"), place, [ticket("a")])  # reads the board anew
    made(tracker, place, Creation(ticket("a")))
    with connected(sandbox.url) as another:  # the next step, in another process, with the place as the run keeps it
        another.remember({(place.site, place.ref.id): kept})
        made(another, place, Creation(ticket("b")))
        [turn] = made(another, place, Creation(iteration(1)))
    names = [one.name for one in sandbox.trello.lists_of(place.ref.id)]
    assert names == ["E neu", "B neu", "I neu", "I neu", "R neu", "D neu"]
    assert list_name(sandbox, turn) == "B neu"


def test_a_further_list_that_is_renamed_means_what_it_meant_until_somebody_says_otherwise(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    body = {"name": "WIP", "idBoard": place.ref.id, "pos": "bottom"}
    further = plain.post(f"{sandbox.url}/1/lists", headers=HEADER, json=body).json()["id"]
    located = tracker.locate(spec())
    assert located is not None
    place = located
    [ref] = made(tracker, place, Creation(ticket("a")))
    plain.put(f"{sandbox.url}/1/cards/{ref.id}", headers=HEADER, json={"idList": further})
    memory = tracker.learned(place)
    assert memory["further"] == {further: "In progress"}
    plain.put(f"{sandbox.url}/1/lists/{further}", headers=HEADER, json={"name": "Zimmer 3"})
    key = ItemKey("ticket:a")
    with connected(sandbox.url) as another:
        again = another.locate(spec(id=place.ref.id, memory=memory))
        assert again is not None
        assert another.find(again, {key: ref})[key].status == "doing"
        another.remember({(place.site, place.ref.id): {Role.DONE_LIST: Choice(further, "Zimmer 3")}})
        chosen = another.locate(spec(id=place.ref.id, memory=memory))
        assert chosen is not None
        assert another.find(chosen, {key: ref})[key].status == "done"


def test_a_new_board_has_the_lists_in_their_order_and_nothing_else(
    sandbox: SandboxServer, tracker: TrelloTracker
) -> None:
    place = tracker.create_project(spec("ML", name="Churn", create=True))
    made(tracker, place, Creation(epic("data")))
    board = sandbox.trello.data.boards[place.ref.id]
    assert board.name == "Churn"
    names = [one.name for one in sandbox.trello.lists_of(board.id)]
    assert names == ["Epics", "Backlog", "Iteration", "In progress", "Review", "Done"]
    assert sandbox.trello.labels_of(board.id) == []
    assert board.prefs["permissionLevel"] == "private"
    board.name = "Renamed by a person"
    found = tracker.locate(spec("ML"))
    assert found is not None
    assert (found.ref.id, found.ref.key) == (board.id, "ML")


def test_a_board_is_made_in_the_workspace_that_was_named(sandbox: SandboxServer) -> None:
    with connected(sandbox.url, workspace="demoworkspace") as tracker:
        place = tracker.create_project(spec("ML", create=True))
        board = sandbox.trello.data.boards[place.ref.id]
        assert sandbox.trello.data.organizations[board.organization_id or ""].name == "demoworkspace"
        assert board.prefs["permissionLevel"] == "org"
    with connected(sandbox.url, workspace="nowhere") as tracker:
        with pytest.raises(TrackerRefused, match="no workspace 'nowhere'"):
            tracker.create_project(spec("ML2", create=True))
        found = tracker.check(spec("ML2", create=True), None, [])
        assert [finding.code for finding in found if finding.severity is Severity.ERROR] == ["workspace-not-visible"]


def test_a_board_is_found_by_its_id_its_short_link_and_its_name(sandbox: SandboxServer, tracker: TrelloTracker) -> None:
    board = next(iter(sandbox.trello.data.boards.values()))
    for key in (board.id, board.short_link, board.name, board.name.upper()):
        found = tracker.locate(spec(key))
        assert found is not None
        assert found.ref.id == board.id
        assert found.ref.key == (key if key in {board.id, board.short_link} else board.name)


def test_two_boards_of_one_name_are_not_confused(tracker: TrelloTracker) -> None:
    first = tracker.create_project(spec("ONE", name="Twins", create=True))
    tracker.create_project(spec("TWO", name="Twins", create=True))
    with pytest.raises(TrackerRefused, match="Several boards are called 'Twins'"):
        tracker.locate(spec("Twins"))
    assert tracker.locate(spec("ONE")) == first


def test_each_phase_has_its_colour_and_a_label_is_made_once(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    items = [ticket(f"n{n}", labels=(f"phase:{n % 3}", "role:ml", "vacant:ml")) for n in range(12)]
    made(tracker, place, *(Creation(item) for item in items))
    with connected(sandbox.url) as another:
        made(another, place, Creation(ticket("later", labels=("phase:1", "role:ml"))))
    ours = {one.name: one.color for one in sandbox.trello.labels_of(place.ref.id) if one.name}
    assert ours == {"phase:0": "green", "phase:1": "yellow", "phase:2": "orange", "role:ml": None, "vacant:ml": "red"}
    assert requests(sandbox, "POST", "/1/labels") == 5


def test_a_ticket_is_linked_to_its_epic_put_into_its_iteration_and_ranked_by_the_call_that_creates_it(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    [data] = made(tracker, place, Creation(epic("data")))
    [turn] = made(tracker, place, Creation(iteration(1)))
    creations = [Creation(ticket(f"n{n}"), epic=data, iteration=turn, rank=9 - n) for n in range(5)]
    before = requests(sandbox, "POST", "/1/cards")
    refs = made(tracker, place, *creations)
    assert requests(sandbox, "POST", "/1/cards") - before == 5
    cards = [card(sandbox, ref) for ref in refs]
    assert {(one.start, one.due) for one in cards} == {(card(sandbox, turn).start, card(sandbox, turn).due)}
    assert all(label_names(sandbox, ref) == {"Iteration 1"} for ref in refs)
    assert all([attachment.url for attachment in one.attachments] == [data.url] for one in cards)
    assert [one.name for one in sorted(cards, key=lambda one: one.pos)] == [f"Ticket n{n}" for n in (4, 3, 2, 1, 0)]
    theirs = [one for one in sandbox.trello.cards_in(cards[0].list_id) if one not in cards and one.id != turn.id]
    assert max(one.pos for one in theirs) < min(one.pos for one in cards)


# --- people at work ---


def test_a_person_who_drags_a_card_loses_nothing(sandbox: SandboxServer, tracker: TrelloTracker) -> None:
    place = with_lists_of_ours(tracker)
    [data] = made(tracker, place, Creation(epic("data")))
    [turn] = made(tracker, place, Creation(iteration(1)))
    [ref] = made(tracker, place, Creation(ticket("a"), epic=data, iteration=turn))
    lists = {one.name: one.id for one in sandbox.trello.lists_of(place.ref.id)}
    known = {ItemKey("epic:data"): data, ItemKey("iteration:1"): turn, ItemKey("ticket:a"): ref}
    for name, status in (("Iteration", "todo"), ("Doing", "doing"), ("Review", "doing"), ("Done", "done")):
        plain.put(f"{sandbox.url}/1/cards/{ref.id}", json={"idList": lists[name]}, headers=HEADER).raise_for_status()
        seen = tracker.find(place, known)[ItemKey("ticket:a")]
        assert (seen.status, seen.fields["iteration"], seen.fields["epic"]) == (status, "iteration:1", "epic:data")
    assert label_names(sandbox, ref) == {"Iteration 1"}


def test_moving_into_another_iteration_takes_its_dates_but_not_a_date_that_a_person_set(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    one, two = made(tracker, place, Creation(iteration(1)), Creation(iteration(2)))
    a, b = made(
        tracker, place, Creation(ticket("a", labels=("x",)), iteration=one), Creation(ticket("b"), iteration=one)
    )
    theirs = datetime(2026, 12, 24, 12, tzinfo=UTC)
    due = {"due": theirs.isoformat()}
    plain.put(f"{sandbox.url}/1/cards/{b.id}", json=due, headers=HEADER).raise_for_status()
    tracker.move(place, [(ItemKey("ticket:a"), a), (ItemKey("ticket:b"), b)], two)
    assert label_names(sandbox, a) == {"x", "Iteration 2"}
    assert label_names(sandbox, b) == {"Iteration 2"}
    assert card(sandbox, a).due == card(sandbox, two).due
    assert card(sandbox, b).due == theirs
    assert card(sandbox, b).start == card(sandbox, two).start


def test_an_archived_card_is_done_and_not_gone(sandbox: SandboxServer, tracker: TrelloTracker, place: Place) -> None:
    [ref] = made(tracker, place, Creation(ticket("a")))
    plain.put(f"{sandbox.url}/1/cards/{ref.id}", json={"closed": True}, headers=HEADER).raise_for_status()
    assert tracker.find(place, {ItemKey("ticket:a"): ref})[ItemKey("ticket:a")].status == "done"
    assert tracker.recover(place, [ticket("a")], "") == {"ticket:a": ref}


def test_of_a_card_and_its_copy_the_first_is_ours(sandbox: SandboxServer, tracker: TrelloTracker, place: Place) -> None:
    [ref] = made(tracker, place, Creation(ticket("a", text="Text")))
    body = {"idList": card(sandbox, ref).list_id, "idCardSource": ref.id, "keepFromSource": "all"}
    copy = plain.post(f"{sandbox.url}/1/cards", json=body, headers=HEADER).raise_for_status().json()
    assert copy["id"] != ref.id
    assert tracker.find(place, {})[ItemKey("ticket:a")].ref == ref


def test_ticked_and_added_lines_stay_when_a_ticket_is_finished_again(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    item = ticket("a", checklist=("One", "Two"))
    [ref] = made(tracker, place, Creation(item))
    tracker.finish(place, [(item, ref)])
    [checklist] = sandbox.trello.checklists_of(card(sandbox, ref))
    checklist.items[0].complete = True
    checklist.items[1].name = "Two, as a person sees it"
    longer = replace(item, checklist=("One", "Two, as a person sees it", "Three"))
    tracker.update(place, ItemKind.TICKET, ref, longer, ["checklist"], None)
    assert [(one.name, one.complete) for one in checklist.items] == [
        ("One", True),
        ("Two, as a person sees it", False),
        ("Three", False),
    ]


def test_a_checklist_that_somebody_ticked_is_not_copied(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    first, second = ticket("a", checklist=("One", "Two")), ticket("b", checklist=("One", "Two"))
    [ref] = made(tracker, place, Creation(first))
    tracker.finish(place, [(first, ref)])
    sandbox.trello.checklists_of(card(sandbox, ref))[0].items[0].complete = True
    with connected(sandbox.url) as fresh:
        [done] = fresh.create(place, [Creation(second)])
        assert isinstance(done, Done)
        assert done.later == ("checklist",)
        fresh.finish(place, [(second, done.ref)])
        [checklist] = sandbox.trello.checklists_of(card(sandbox, done.ref))
        assert [(one.name, one.complete) for one in checklist.items] == [("One", False), ("Two", False)]


def test_people_and_labels_that_joined_a_card_stay_when_it_is_updated(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    first, friend, second = ML, member_id("data-1@example.com"), member_id("pm-1@example.com")
    [turn] = made(tracker, place, Creation(iteration(1)))
    [ref] = made(tracker, place, Creation(ticket("a", assignee=first, labels=("x",)), iteration=turn))
    card(sandbox, ref).member_ids.append(friend)
    item = ticket("a", assignee=second, labels=("y",))
    tracker.update(place, ItemKind.TICKET, ref, item, ["assignee", "labels"], None)
    assert card(sandbox, ref).member_ids == [second, friend]
    assert label_names(sandbox, ref) == {"y", "Iteration 1"}


def test_a_card_that_a_person_attached_is_no_epic_and_stays(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    old, new = made(tracker, place, Creation(epic("old")), Creation(epic("new")))
    [other] = made(tracker, place, Creation(ticket("other")))
    [ref] = made(tracker, place, Creation(ticket("a"), epic=old))
    path = f"{sandbox.url}/1/cards/{ref.id}/attachments"
    plain.post(path, json={"url": other.url}, headers=HEADER).raise_for_status()
    tracker.update(place, ItemKind.TICKET, ref, ticket("a"), ["epic"], new)
    assert {one.url for one in card(sandbox, ref).attachments} == {other.url, new.url}
    tracker.update(place, ItemKind.TICKET, ref, ticket("a"), ["epic"], None)
    assert {one.url for one in card(sandbox, ref).attachments} == {other.url}


def test_a_ticket_leaves_its_epic_also_when_somebody_wrote_over_the_whole_text_of_that(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    old, new = made(tracker, place, Creation(epic("old")), Creation(epic("new")))
    [ref] = made(tracker, place, Creation(ticket("a"), epic=old))
    mine = {"desc": "Mine"}
    for one in (old, new):
        plain.put(f"{sandbox.url}/1/cards/{one.id}", json=mine, headers=HEADER).raise_for_status()
    known = {ItemKey("epic:old"): old, ItemKey("epic:new"): new}
    for _ in range(2):
        tracker.update(place, ItemKind.TICKET, ref, ticket("a"), ["epic"], new, known=known)
        assert {one.url for one in card(sandbox, ref).attachments} == {new.url}


# --- what goes wrong ---


def test_a_label_or_list_that_somebody_deleted_is_made_again(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    made(tracker, place, Creation(ticket("a", labels=("x",))))
    [label] = [one for one in sandbox.trello.labels_of(place.ref.id) if one.name == "x"]
    plain.delete(f"{sandbox.url}/1/labels/{label.id}", headers=HEADER).raise_for_status()
    [ref] = made(tracker, place, Creation(ticket("b", labels=("x",))))
    assert label_names(sandbox, ref) == {"x"}


def test_a_card_to_copy_that_is_gone_is_done_without(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    first, second = ticket("a", checklist=("One",)), ticket("b", checklist=("One",))
    [ref] = made(tracker, place, Creation(first))
    tracker.finish(place, [(first, ref)])
    plain.delete(f"{sandbox.url}/1/cards/{ref.id}", headers=HEADER).raise_for_status()
    [done] = tracker.create(place, [Creation(second)])
    assert isinstance(done, Done)
    assert done.later == ("checklist",)


def test_a_text_that_is_too_long_goes_on_in_comments_which_are_written_once(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    item = ticket("a", text="A paragraph of some length.\n\n" * 1500 + "The end.")
    [done] = tracker.create(place, [Creation(item)])
    assert isinstance(done, Done)
    assert done.later == ("text",)
    for _ in range(2):
        tracker.finish(place, [(item, done.ref)])
    texts = [one.data["text"] for one in sandbox.trello.data.actions if one.type == "commentCard"]
    assert len(texts) == 2
    assert "The end." in texts[-1]
    assert len(card(sandbox, done.ref).desc) <= 16384


def test_when_the_rate_is_refused_before_anything_was_written_nothing_is_in_doubt(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    made(tracker, place, Creation(ticket("first")))
    fault = {"action": "status", "method": "POST", "path": "^/1/cards$", "status": 429, "times": 1000}
    plain.post(f"{sandbox.url}/sandbox/faults", json=fault).raise_for_status()
    with pytest.raises(TrackerUnavailable):
        tracker.create(place, [Creation(ticket(f"n{n}")) for n in range(5)])


def test_an_answer_lost_in_the_middle_leaves_each_card_once(sandbox: SandboxServer) -> None:
    with LosingProxy(sandbox.url) as proxy, connected(proxy.url) as tracker:
        place = tracker.locate(spec())
        assert place is not None
        items = [ticket(f"n{n}", checklist=("One",)) for n in range(40)]
        made(tracker, place, Creation(ticket("before")))
        left = iter([False] * 7)
        proxy.orders.lose.append(lambda one: one.path == "/1/cards" and next(left, True))
        with pytest.raises(OutcomeUnknown):
            tracker.create(place, [Creation(item) for item in items])
        found = dict(tracker.recover(place, items, ""))
        assert 7 < len(found) < 40
        missing = [item for item in items if item.key not in found]
        refs = made(tracker, place, *(Creation(item) for item in missing))
        found |= dict(zip((item.key for item in missing), refs, strict=True))
        tracker.finish(place, [(item, found[item.key]) for item in items])
        names = sorted(one.name for one in sandbox.trello.cards_of(place.ref.id) if one.name.startswith("Ticket n"))
        assert names == sorted(item.title for item in items)
        assert all(
            [[one.name for one in checklist.items] for checklist in sandbox.trello.checklists_of(card(sandbox, ref))]
            == [["One"]]
            for ref in found.values()
        )


def test_a_person_who_is_not_on_the_board_is_refused_by_name_of_the_field(
    sandbox: SandboxServer, tracker: TrelloTracker
) -> None:
    place = tracker.create_project(spec("ML", create=True))
    [outcome] = tracker.create(place, [Creation(ticket("a", assignee=ML))])
    assert isinstance(outcome, Rejected)
    assert [problem.field for problem in outcome.problems] == ["assignee"]


def test_people_are_let_in_when_that_was_asked_for_and_once(sandbox: SandboxServer) -> None:
    with connected(sandbox.url, invite=True) as tracker:
        place = tracker.create_project(spec("ML", create=True))
        people = tracker.people(place, ["ml-1@example.com"])
        assert people["ml-1@example.com"].assignable is True
        refs = made(tracker, place, *(Creation(ticket(f"n{n}", assignee=ML)) for n in range(3)))
        assert all(card(sandbox, ref).member_ids == [ML] for ref in refs)
        assert requests(sandbox, "PUT", f"/1/boards/{place.ref.id}/members/{ML}") == 1
    with connected(sandbox.url) as tracker:
        other = tracker.create_project(spec("ML2", create=True))
        assert tracker.people(other, ["ml-1@example.com"])["ml-1@example.com"].assignable is False


# --- what a check finds ---


def codes(tracker: TrelloTracker, place: Place | None, *items: Item, **more: Any) -> dict[str, Severity]:
    found = tracker.check(spec(**more), place, items)
    assert all(finding.message for finding in found)
    assert all(finding.fix for finding in found if finding.severity is not Severity.INFO)
    return {finding.code: finding.severity for finding in found if finding.code != "made-along"}


def made_along(tracker: TrelloTracker, place: Place | None, *items: Item, **more: Any) -> list[str]:
    return [one.message for one in tracker.check(spec(**more), place, items) if one.code == "made-along"]


def test_lists_and_labels_that_come_with_the_cards_are_told_before_they_are_made(
    sandbox: SandboxServer, tracker: TrelloTracker
) -> None:
    items = [epic("a"), ticket("a", labels=("phase:a", "role:ml")), iteration(1)]
    new = {"key": "NEW", "create": True}

    (told,) = made_along(tracker, None, *items, **new)

    assert told.startswith("Besides the cards, the board 'NEW' gets the lists Epics, Backlog, Iteration, In progress,")
    assert 'labels ("' in told
    assert '"phase:a"' in told
    assert '"role:ml"' in told
    assert "a label for each iteration" in told

    place = tracker.create_project(spec(**new))
    for item in items:
        made(tracker, place, Creation(item))
    board = place.ref.id
    assert {one.name for one in sandbox.trello.data.lists.values() if one.board_id == board} >= {"Epics", "Backlog"}
    assert all(f'"{one.name}"' in told or one.name == items[2].title for one in labels_of(sandbox, board))
    assert made_along(tracker, tracker.locate(spec(key="NEW")), *items, key="NEW") == []
    more = ticket("b", labels=("phase:b",))
    (later,) = made_along(tracker, tracker.locate(spec(key="NEW")), *items, more, key="NEW")
    assert later == "Besides the cards, the board 'NEW' gets 1 label (\"phase:b\")."


def labels_of(sandbox: SandboxServer, board: str) -> list[Any]:
    return [one for one in sandbox.trello.data.labels.values() if one.board_id == board]


def test_a_closed_board_is_named(sandbox: SandboxServer, tracker: TrelloTracker, place: Place) -> None:
    sandbox.trello.data.boards[place.ref.id].closed = True
    closed = tracker.locate(spec())
    assert codes(tracker, closed, ticket("a")) == {"board-closed": Severity.ERROR}


@pytest.mark.parametrize("kind", ["observer", None])
def test_an_account_that_may_only_look_is_named(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place, kind: str | None
) -> None:
    memberships = sandbox.trello.data.boards[place.ref.id].memberships
    mine = next(one for one in memberships if one.member_id == member_id("demo@example.com"))
    if kind is None:
        memberships.remove(mine)
    else:
        mine.type = kind
    assert codes(tracker, place, ticket("a")) == {"permission-missing": Severity.ERROR}


@pytest.mark.parametrize(
    ("limit", "most", "word"),
    [
        ("labels.perBoard", 10, "labels"),
        ("cards.openPerBoard", 10, "open cards"),
        ("cards.totalPerBoard", 10, "cards"),
        ("lists.openPerBoard", 5, "lists"),
        ("checklists.perBoard", 7, "checklists"),
        ("attachments.perBoard", 7, "attachments"),
    ],
)
def test_a_board_without_room_for_the_plan_is_named(
    sandbox: SandboxServer, tracker: TrelloTracker, limit: str, most: int, word: str
) -> None:
    place = with_lists_of_ours(tracker)
    more: dict[str, Any] = {"checklist": ("One",), "epic": ItemKey("epic:a")}
    items = [ticket(f"n{n}", labels=(f"l{n}",), **more) for n in range(8)]
    assert codes(tracker, place, *items) == {}
    plain.post(f"{sandbox.url}/sandbox/trello-limits", json={limit: most}).raise_for_status()
    found = [finding for finding in tracker.check(spec(), place, items) if finding.severity is Severity.ERROR]
    assert [finding.code for finding in found] == ["board-full"]
    assert f"{word} on the board Demo board" in found[0].message


def test_what_is_on_the_board_already_needs_no_more_room(
    sandbox: SandboxServer, tracker: TrelloTracker, place: Place
) -> None:
    items = [ticket(f"n{n}") for n in range(5)]
    made(tracker, place, *(Creation(item) for item in items))
    standing = len(list(sandbox.trello.cards_of(place.ref.id)))
    plain.post(f"{sandbox.url}/sandbox/trello-limits", json={"cards.openPerBoard": standing}).raise_for_status()
    assert codes(tracker, place, *items) == {}
    assert codes(tracker, place, *items, ticket("one-more")) == {"board-full": Severity.ERROR}


def test_a_checklist_that_is_too_long_is_named(sandbox: SandboxServer, tracker: TrelloTracker, place: Place) -> None:
    item = ticket("a", checklist=tuple(f"Line {n}" for n in range(201)))
    assert codes(tracker, place, item) == {"checklist-too-long": Severity.ERROR}


def test_a_free_workspace_with_all_its_boards_is_named(sandbox: SandboxServer) -> None:
    with connected(sandbox.url, workspace="freeworkspace") as tracker:
        assert codes(tracker, None, key="NEW0", create=True) == {}
        for number in range(10):
            tracker.create_project(spec(f"N{number}", create=True))
        assert codes(tracker, None, key="NEW1", create=True) == {"workspace-full": Severity.ERROR}


def test_people_who_are_missing_are_an_error_or_a_word_that_they_will_be_invited(sandbox: SandboxServer) -> None:
    item = ticket("a", assignee=ML)
    board = next(iter(sandbox.trello.data.boards.values()))
    with connected(sandbox.url) as tracker:
        assert codes(tracker, None, item, key="NEW", create=True) == {"member-missing": Severity.ERROR}
        board.memberships = [one for one in board.memberships if one.member_id != ML]
        assert codes(tracker, tracker.locate(spec()), item) == {"member-missing": Severity.ERROR}
    with connected(sandbox.url, invite=True) as tracker:
        assert codes(tracker, None, item, key="NEW", create=True) == {"members-to-invite": Severity.INFO}
    board.memberships.append(Membership("0" * 24, ML))
    with connected(sandbox.url) as tracker:
        assert codes(tracker, tracker.locate(spec()), item) == {}


def test_an_observer_is_not_assignable(tracker: TrelloTracker, place: Place) -> None:
    assert tracker.people(place, [OBSERVER_EMAIL])[OBSERVER_EMAIL].assignable is False


def test_people_are_found_by_user_name_and_by_nothing_less(tracker: TrelloTracker, place: Place) -> None:
    found = tracker.people(place, ["@ml1", "ml1", "@nobody-at-all", "@", "ml", OUTSIDER])
    assert {handle: account.id for handle, account in found.items()} == {"@ml1": ML, OUTSIDER: OUTSIDER}


def test_who_answers_to_an_address_is_searched_for_once_while_that_member_is_on_the_board(
    sandbox: SandboxServer, place: Place
) -> None:
    def found_in(*handles: str) -> int:
        """How many searches it takes to find these, each time by a tracker of its own."""
        before = requests(sandbox, "GET", "/1/search/members/")
        with connected(sandbox.url) as tracker:
            assert tracker.people(place, handles).keys() == set(handles)
        return requests(sandbox, "GET", "/1/search/members/") - before

    board = sandbox.trello.data.boards[place.ref.id]
    found_in("ml-1@example.com")
    assert found_in("ml-1@example.com") == 0
    assert found_in("ML-1@example.com") == 0

    membership = next(one for one in board.memberships if one.member_id == ML)
    membership.deactivated = True
    with connected(sandbox.url) as tracker:
        [account] = tracker.people(place, ["ml-1@example.com"]).values()
    assert (account.active, account.assignable) == (False, False), "only whose address it is was remembered"

    board.memberships.remove(membership)
    assert found_in("ml-1@example.com") == 1


def test_a_shade_that_is_refused_becomes_the_plain_colour_of_the_vendors_document(sandbox: SandboxServer) -> None:
    with LosingProxy(sandbox.url) as proxy, connected(proxy.url) as tracker:
        place = tracker.locate(spec())
        assert place is not None
        for _ in range(8):
            refusal = b"invalid value for color"
            proxy.orders.fake.append((lambda one: b"_light" in one.body or b"_dark" in one.body, 400, refusal))
        labels = ("priority:high", *(f"phase:p{number}" for number in range(9)))
        made(tracker, place, Creation(ticket("a", labels=labels)))
    colours = {one.name: one.color for one in sandbox.trello.data.labels.values()}
    assert colours["priority:high"] == "red"
    assert None not in {colours[name] for name in labels}
    assert not [colour for colour in colours.values() if colour and "_" in colour]


def test_a_shade_that_trello_takes_is_kept(sandbox: SandboxServer) -> None:
    with connected(sandbox.url) as tracker:
        place = tracker.locate(spec())
        assert place is not None
        made(tracker, place, Creation(ticket("a", labels=("priority:high",))))
    assert "red_light" in {one.color for one in sandbox.trello.data.labels.values()}
