"""What people did to the cards of a board is told from what phaseloop did, though both may use one account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from connectors.trello.tracker import TrelloTracker
from connectors.values import Creation, Item, ItemKey, ItemKind, Place, RemoteRef, Traces
from sandbox.testing import SandboxServer
from sandbox.trello.card_making import comment
from tests import plain
from tests.contract.items import epic, iteration, ticket
from tests.contract.losing_proxy import LosingProxy
from tests.contract.trello.desk import HEADER, ML, card, connected, made, spec

DATA, TURN, A, B = (ItemKey(key) for key in ("epic:data", "iteration:1", "ticket:a", "ticket:b"))
BOARD = ItemKey("project:churn")
LONG = "A paragraph of some length.\n\n" * 1500 + "The end."


@dataclass
class Work:
    """A board with an epic, an iteration and two tickets in both, finished; and hands that work on it with the very
    account that phaseloop uses."""

    sandbox: SandboxServer
    tracker: TrelloTracker
    place: Place
    known: dict[ItemKey, RemoteRef]

    def by_hand(self, method: str, path: str, **body: object) -> dict[str, str]:
        url = f"{self.sandbox.url}/1/{path}"
        answer: dict[str, str] = plain.request(method, url, json=body, headers=HEADER).raise_for_status().json()
        return answer

    def changes(self, key: ItemKey, **body: object) -> None:
        self.by_hand("PUT", f"cards/{self.known[key].id}", **body)

    def traces(self, *keys: ItemKey) -> dict[ItemKey, Traces]:
        """What is seen, of things with traces only; by a tracker that remembers nothing."""
        with connected(self.sandbox.url) as fresh:
            seen = fresh.traces(self.place, self.known, keys or list(self.known))
        return {key: traces for key, traces in seen.items() if traces != Traces()}

    def list_id(self, name: str) -> str:
        return next(one.id for one in self.sandbox.trello.lists_of(self.place.ref.id) if one.name == name)

    def theirs(self, **body: object) -> RemoteRef:
        found = self.by_hand("POST", "cards", **{"idList": self.list_id("Backlog"), "name": "My own", **body})
        return RemoteRef(found["id"], found["shortLink"], found["shortUrl"])


def items() -> list[Item]:
    return [ticket(name, text=LONG, checklist=("One", "Two"), labels=("x",), assignee=ML) for name in ("a", "b")]


@pytest.fixture
def work(sandbox: SandboxServer) -> Iterator[Work]:
    with connected(sandbox.url, invite=True) as tracker:
        place = tracker.create_project(spec("ML", name="Churn", create=True))
        [data] = made(tracker, place, Creation(epic("data")))
        [turn] = made(tracker, place, Creation(iteration(1)))
        first, second = items()
        [a] = made(tracker, place, Creation(first, data, turn))
        tracker.finish(place, [(first, a)])
        [b] = made(tracker, place, Creation(second, data, turn))  # its checklist is a copy of the other's
        tracker.finish(place, [(second, b)])
        known = {BOARD: place.ref, DATA: data, TURN: turn, A: a, B: b, **tracker.made_along()}
        yield Work(sandbox, tracker, place, known)


# --- what is ours ---


def test_what_phaseloop_writes_after_the_creation_leaves_no_traces(work: Work) -> None:
    [later] = made(work.tracker, work.place, Creation(iteration(2)))
    work.known[ItemKey("iteration:2")] = later
    work.tracker.finish(work.place, list(zip(items(), (work.known[A], work.known[B]), strict=True)))
    for key in (A, DATA, TURN):
        work.tracker.mark(work.place, key, work.known[key])
    work.tracker.move(work.place, [(A, work.known[A]), (B, work.known[B])], later)
    work.tracker.move(work.place, [(B, work.known[B])], None)
    assert work.traces() == {}


def test_a_marker_that_was_lost_and_written_again_is_no_edit(work: Work) -> None:
    plain = card(work.sandbox, work.known[A]).desc.rpartition("[//]")[0]
    work.changes(A, desc=plain)
    work.tracker.mark(work.place, A, work.known[A])
    assert work.traces(A) == {}


def test_dates_that_an_iteration_had_before_are_not_a_persons(work: Work) -> None:
    work.tracker.update(
        work.place, ItemKind.ITERATION, work.known[TURN], iteration(2), ["starts", "ends"], None, known=work.known
    )
    work.tracker.move(work.place, [(A, work.known[A])], work.known[TURN])
    assert work.traces(A, B) == {}
    assert work.traces(TURN) == {TURN: Traces(edited=frozenset({"starts", "ends"}))}


def test_what_a_person_wrote_before_a_card_was_ours_is_no_edit_of_the_item(work: Work) -> None:
    ref = work.theirs(desc="Mine")
    work.by_hand("PUT", f"cards/{ref.id}", name="Still mine", desc="Mine, more of it")
    adopted = ItemKey("ticket:adopted")
    work.known[adopted] = ref
    work.tracker.mark(work.place, adopted, ref)
    assert work.traces(adopted) == {}
    work.by_hand("PUT", f"cards/{ref.id}", name="Renamed")
    assert work.traces(adopted) == {adopted: Traces(edited=frozenset({"title"}))}


# --- what is people's ---


def test_a_label_that_a_person_put_on_an_iteration_is_told(work: Work) -> None:
    theirs = work.by_hand("POST", "labels", name="theirs", color="red", idBoard=work.place.ref.id)
    labels = f"cards/{work.known[TURN].id}/idLabels"
    plain.post(f"{work.sandbox.url}/1/{labels}", json={"value": theirs["id"]}, headers=HEADER).raise_for_status()
    assert work.traces(TURN) == {TURN: Traces(("1 label",))}
    work.by_hand("DELETE", f"{labels}/{theirs['id']}")
    assert work.traces(TURN) == {}


def test_an_iteration_whose_own_label_a_person_took_off_is_told(work: Work) -> None:
    [own] = card(work.sandbox, work.known[TURN]).label_ids
    work.by_hand("DELETE", f"cards/{work.known[TURN].id}/idLabels/{own}")
    with connected(work.sandbox.url) as fresh:
        place = replace(work.place, memory=work.tracker.learned(work.place))
        seen = fresh.traces(place, work.known, [TURN])
    assert seen[TURN].additions == ("its own label taken off",)


def test_everything_that_a_person_adds_to_a_ticket_is_told(work: Work) -> None:
    path = f"cards/{work.known[A].id}"
    work.by_hand("POST", f"{path}/actions/comments", text="Looks good")
    work.by_hand("POST", f"{path}/attachments", url="https://example.com/report")
    work.by_hand("POST", f"{path}/attachments", url=work.known[B].url)
    work.by_hand("POST", "checklists", idCard=work.known[A].id, name="My own")
    [ours, _] = work.sandbox.trello.checklists_of(card(work.sandbox, work.known[A]))
    work.by_hand("PUT", f"{path}/checkItem/{ours.items[0].id}", state="complete")
    plain.post(f"{work.sandbox.url}/1/{path}/idMembers", json={"value": me(work)}, headers=HEADER).raise_for_status()
    work.sandbox.trello.data.boards[work.place.ref.id].prefs["voting"] = "members"
    work.by_hand("POST", f"{path}/membersVoted", value=me(work))
    field = work.by_hand(
        "POST", "customFields", idModel=work.place.ref.id, modelType="board", name="Effort", type="number", pos="top"
    )
    work.by_hand("PUT", f"{path}/customField/{field['id']}/item", value={"number": "3"})
    work.by_hand("PUT", f"{path}/checkItem/{ours.items[1].id}", idMember=me(work))
    work.changes(A, cover={"color": "red"}, dueReminder=1440, locationName="The lab", address="1 Main Street")
    additions = (
        "1 comment",
        "2 attachments",
        "1 checklist",
        "1 ticked line",
        "1 assigned or dated line",
        "1 more member",
        "1 vote",
        "1 custom field",
        "1 cover",
        "1 reminder",
        "1 location",
    )
    assert work.traces() == {A: Traces(additions), BOARD: Traces(("1 custom field",))}


def me(work: Work) -> str:
    return work.tracker.whoami().id


def test_a_line_that_a_person_adds_shows_when_the_ticket_is_read(work: Work) -> None:
    [ours] = work.sandbox.trello.checklists_of(card(work.sandbox, work.known[A]))
    work.by_hand("POST", f"checklists/{ours.id}/checkItems", name="Three")
    seen = work.tracker.find(work.place, work.known, only=[A])
    assert seen[A].fields["checklist"] == ["One", "Two", "Three"]


def test_a_card_that_was_moved_archived_dated_or_ticked_is_told(work: Work) -> None:
    work.changes(A, idList=work.list_id("In progress"), dueComplete=True)
    work.changes(B, closed=True, due="2026-12-24T12:00:00.000Z")
    work.changes(TURN, idList=work.list_id("Review"))
    assert work.traces() == {
        A: Traces(("moved to In progress", "ticked as done")),
        B: Traces(("archived", "dates of its own")),
        TURN: Traces(("moved to Review",)),
    }


def test_beginning_and_closing_an_iteration_leaves_no_traces_but_what_people_do_in_it_does(work: Work) -> None:
    work.tracker.start_iteration(work.place, iteration(1), work.known[TURN])
    assert work.traces() == {}
    work.changes(B, idList=work.list_id("In progress"))
    work.tracker.close_iteration(work.place, iteration(1), work.known[TURN])
    assert work.traces() == {B: Traces(("moved to In progress",))}
    work.changes(B, idList=work.list_id("Iteration"))
    work.tracker.move(work.place, [(A, work.known[A])], None)
    assert work.traces() == {}


def test_tickets_in_done_and_iterations_in_review_were_moved_by_people(work: Work) -> None:
    work.tracker.start_iteration(work.place, iteration(1), work.known[TURN])
    work.changes(A, idList=work.list_id("Done"))
    work.changes(TURN, idList=work.list_id("Review"))
    work.changes(DATA, idList=work.list_id("Iteration"))
    assert work.traces() == {
        A: Traces(("moved to Done",)),
        TURN: Traces(("moved to Review",)),
        DATA: Traces(("moved to Iteration",)),
    }


def test_tickets_of_others_that_were_moved_along_are_still_not_ours(work: Work) -> None:
    ref = work.theirs(urlSource=work.known[DATA].url)
    work.known[ItemKey(f"guest:{ref.id}")] = ref
    work.tracker.move(work.place, [(ItemKey(f"guest:{ref.id}"), ref)], work.known[TURN])
    theirs = Traces(("1 ticket that is not ours",))
    assert work.traces() == dict.fromkeys([BOARD, DATA, TURN, ItemKey("column:Backlog")], theirs)


def test_a_card_that_was_moved_back_and_a_list_that_was_renamed_leave_no_traces_on_cards(work: Work) -> None:
    home = card(work.sandbox, work.known[A]).list_id
    work.changes(A, idList=work.list_id("Review"), pos="top")
    work.changes(A, idList=home, pos="top")
    column = ItemKey("column:Backlog")
    work.by_hand("PUT", f"lists/{home}", name="Ideas")
    assert work.traces() == {column: Traces(edited=frozenset({"title"}))}


def test_texts_that_were_changed_are_named_as_fields(work: Work) -> None:
    work.changes(A, name="Otherwise")
    work.changes(B, desc="Otherwise")
    work.changes(TURN, desc="Another aim", due="2026-12-24T12:00:00.000Z")
    work.by_hand("PUT", f"boards/{work.place.ref.id}", name="Churn, renamed")
    assert {key: (one.additions, set(one.edited)) for key, one in work.traces().items()} == {
        A: ((), {"title"}),
        B: ((), {"text"}),
        TURN: ((), {"goal", "ends"}),
        BOARD: ((), {"title"}),
    }


def test_a_person_who_was_taken_off_a_card_is_told(work: Work) -> None:
    work.by_hand("DELETE", f"cards/{work.known[A].id}/idMembers/{ML}")
    assert work.traces() == {A: Traces(edited=frozenset({"assignee"}))}


def test_tickets_of_others_are_traces_of_all_that_they_stand_on(work: Work) -> None:
    labels = {one.name: one.id for one in work.sandbox.trello.labels_of(work.place.ref.id)}
    work.theirs(urlSource=work.known[DATA].url, idLabels=f"{labels['x']},{labels['Iteration 1']}")
    theirs = Traces(("1 ticket that is not ours",))
    places = {BOARD, DATA, TURN, ItemKey("label:x"), ItemKey("column:Backlog")}
    assert work.traces() == dict.fromkeys(places, theirs)


def test_lists_and_labels_of_others_are_traces_of_the_board(work: Work) -> None:
    made = work.by_hand("POST", "lists", idBoard=work.place.ref.id, name="Ideas")
    work.by_hand("POST", "lists", idBoard=work.place.ref.id, name="Empty")
    work.by_hand("POST", "labels", idBoard=work.place.ref.id, name="Urgent", color="red")
    work.changes(A, idList=made["id"])
    assert work.traces(BOARD) == {BOARD: Traces(("2 lists that are not ours", "1 label that is not ours"))}


def test_lists_labels_and_boards_that_people_removed_are_gone(work: Work) -> None:
    review = ItemKey("column:Review")
    work.by_hand("PUT", f"lists/{work.known[review].id}", closed=True)
    label = ItemKey("label:x")
    work.by_hand("DELETE", f"labels/{work.known[label].id}")
    assert set(work.tracker.traces(work.place, work.known, [review, label, A, BOARD])) == {A, BOARD}
    work.by_hand("PUT", f"boards/{work.place.ref.id}", closed=True)
    assert work.tracker.traces(work.place, work.known, [BOARD]) == {}


def test_odd_answers_about_what_happened_are_passed_over(work: Work) -> None:
    odd = b"""[5, {"id": "1"}, {"id": "2", "type": "updateCard", "data": null}, {"id": "3", "type": "updateCard",
        "data": {"card": {"id": "4"}, "old": []}}, {"id": "5", "type": "commentCard", "data": {"card": {}}}]"""
    with LosingProxy(work.sandbox.url) as proxy, connected(proxy.url) as tracker:
        proxy.orders.fake.append((lambda one: "/actions?" in one.path, 200, odd))
        assert set(tracker.traces(work.place, work.known, [A, B]).values()) == {Traces()}


# --- what it takes ---


def test_traces_take_a_request_for_the_board_its_cards_and_each_thousand_of_what_happened(work: Work) -> None:
    before = work.tracker.usage
    work.tracker.traces(work.place, work.known, list(work.known))
    assert work.tracker.usage.reads - before.reads == 3 + 1  # the custom fields of a board that is asked for
    work.tracker.traces(work.place, work.known, [ItemKey("label:x"), ItemKey("column:Backlog")])
    assert work.tracker.usage.reads - before.reads == 4 + 2
    work.changes(B, name="The first of all changes")
    trello = work.sandbox.trello
    for number in range(1001):
        comment(trello, trello.data.members[me(work)], card(work.sandbox, work.known[A]), f"Comment {number}")
    before = work.tracker.usage
    seen = work.tracker.traces(work.place, work.known, [A, B])
    assert work.tracker.usage.reads - before.reads == 4
    assert seen[A].additions == ("1001 comments",)
    assert seen[B].edited == {"title"}
