"""The Trello tracker against answers that the sandbox does not give."""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import NotATracker, OutcomeUnknown, TrackerUnavailable
from connectors.trello.layout import CAPABILITIES
from connectors.trello.markup import marked
from connectors.values import Creation, Done, Item, ItemKey, ItemKind, Place, ProjectSpec, RemoteRef
from tests.unit.connectors.loopback import Asked, Say
from tests.unit.connectors.trello_loopback import Answers, tracker_for

BOARD = "5f00000000000000000000b0"
PLACE = Place(RemoteRef(BOARD, "ML", ""), CAPABILITIES, "", {"uid": "prj_1", "key": "ML", "board_id": BOARD, "url": ""})
SPEC = ProjectSpec(uid="prj_1", key="ML", name="ML")
LISTS = [
    {"id": f"5f0000000000000000000e0{number}", "name": name, "closed": False}
    for number, name in enumerate(("Epics", "Backlog", "Iteration", "In progress", "Review", "Done"))
]
WHOLE = Say(200, {"id": BOARD, "name": "ML", "lists": LISTS, "labels": [], "memberships": []})
BARE = Say(200, {"id": BOARD, "name": "ML"})


def ticket(name: str, **fields: Any) -> Item:
    return Item(ItemKey(f"ticket:{name}"), ItemKind.TICKET, f"Ticket {name}", **fields)


def raw(number: int, key: str = "", **fields: Any) -> dict[str, Any]:
    return {
        "id": f"5f0000000000000000{number:06d}",
        "shortLink": f"link{number:04d}",
        "shortUrl": f"https://trello.com/c/link{number:04d}",
        "name": key,
        "desc": marked("", "prj_1", key) if key else "",
        "idList": LISTS[1]["id"],
        "attachments": [],
        "checklists": [],
        **fields,
    }


def board(**more: Say) -> Answers:
    """A board that was read well, with these answers to its cards and to what is posted."""
    answers: Answers = {
        ("GET", f"/1/boards/{BOARD}"): WHOLE,
        ("GET", f"/1/boards/{BOARD}/cards/all"): more.get("cards", Say(200, [])),
    }
    if "posted" in more:
        answers["POST", "/1/cards"] = more["posted"]
    return answers


def of(asked: Asked, name: str) -> str:
    return parse_qs(urlsplit(asked.path).query).get(name, [""])[0]


# --- reading ---


def test_a_board_of_thousands_of_cards_is_read_a_thousand_a_call() -> None:
    cards = [raw(number, f"ticket:n{number}") for number in range(2300)]

    def page(asked: Asked) -> Say:
        older = [one for one in cards if not of(asked, "before") or one["id"] < of(asked, "before")]
        return Say(200, older[-int(of(asked, "limit")) :])

    with tracker_for({**board(), ("GET", f"/1/boards/{BOARD}/cards/all"): page}) as (tracker, server):
        found = tracker.find(PLACE, {})
        assert len(found) == 2300
        assert sum(1 for one in server.asked if "/cards/" in one.path) == 3


def test_fewer_cards_are_asked_for_when_they_are_too_many_for_one_call() -> None:
    cards = [raw(number, f"ticket:n{number}") for number in range(600)]

    def page(asked: Asked) -> Say:
        if int(of(asked, "limit")) > 250:
            return Say(403, {"error": "API_TOO_MANY_CARDS_REQUESTED", "message": "Too many cards requested"})
        older = [one for one in cards if not of(asked, "before") or one["id"] < of(asked, "before")]
        return Say(200, older[-int(of(asked, "limit")) :])

    with tracker_for({**board(), ("GET", f"/1/boards/{BOARD}/cards/all"): page}) as (tracker, server):
        assert len(tracker.find(PLACE, {})) == 600
        sizes = [of(one, "limit") for one in server.asked if "/cards/" in one.path]
        assert sizes == ["1000", "500", "250", "250", "250"]


def test_a_listing_that_never_ends_is_not_read_for_ever() -> None:
    same = [raw(number) for number in range(1000)]
    with tracker_for(board(cards=Say(200, same))) as (tracker, server):
        assert tracker.find(PLACE, {}) == {}
        assert sum(1 for one in server.asked if "/cards/" in one.path) == 2


def test_what_an_answer_leaves_out_of_a_board_is_asked_for_apart() -> None:
    card = {name: value for name, value in raw(1, "ticket:a").items() if name != "checklists"}
    checklist = {
        "id": "c1",
        "idCard": card["id"],
        "name": "Done means",
        "pos": 1,
        "checkItems": [{"name": "One", "pos": 1, "state": "incomplete"}],
    }
    answers: Answers = {
        ("GET", f"/1/boards/{BOARD}"): BARE,
        ("GET", f"/1/boards/{BOARD}/lists/all"): Say(200, LISTS),
        ("GET", f"/1/boards/{BOARD}/labels"): Say(200, [{"id": "l1", "name": "x", "color": None}]),
        ("GET", f"/1/boards/{BOARD}/memberships"): Say(200, []),
        ("GET", f"/1/boards/{BOARD}/cards/all"): Say(200, [{**card, "idLabels": ["l1"], "idList": LISTS[3]["id"]}]),
        ("GET", f"/1/boards/{BOARD}/checklists"): Say(200, [checklist, "odd"]),
    }
    with tracker_for(answers) as (tracker, _):
        seen = tracker.find(PLACE, {})[ItemKey("ticket:a")]
    assert (seen.status, seen.fields["labels"], seen.fields["checklist"]) == ("doing", ["x"], ["One"])


def test_a_member_without_boards_in_the_answer_is_asked_for_them() -> None:
    answers: Answers = {
        ("GET", "/1/members/me"): Say(200, {"id": "5f0000000000000000000001", "fullName": "Demo"}),
        ("GET", "/1/members/me/boards"): Say(200, [{"id": BOARD, "name": "ML", "url": "https://trello.com/b/x"}]),
        ("GET", "/1/members/me/organizations"): Say(200, []),
        ("GET", f"/1/boards/{BOARD}"): Say(200, {"id": BOARD, "lists": [], "labels": [], "memberships": []}),
    }
    with tracker_for(answers) as (tracker, _):
        place = tracker.locate(SPEC)
    assert place is not None
    assert place.ref == RemoteRef(BOARD, "ML", "https://trello.com/b/x")


def test_an_account_without_an_id_is_not_trellos() -> None:
    with (
        tracker_for({("GET", "/1/members/me"): Say(200, {"ok": True})}) as (tracker, _),
        pytest.raises(NotATracker, match="which account"),
    ):
        tracker.whoami()


# --- writing ---


def test_a_copy_that_kept_the_text_of_its_model_is_mended_at_once() -> None:
    lines = {"id": "c1", "name": "Done means", "checkItems": [{"name": "One", "pos": 1, "state": "incomplete"}]}
    model = raw(1, "ticket:model", checklists=[lines])
    answers = board(cards=Say(200, [model]), posted=Say(200, {**raw(2, "ticket:model"), "idChecklists": ["c2"]}))
    answers["PUT", f"/1/cards/{raw(2)['id']}"] = Say(200, raw(2, "ticket:new"))
    item = ticket("new", checklist=("One",), text="Mine")
    with tracker_for(answers) as (tracker, server):
        [done] = tracker.create(PLACE, [Creation(item)])
        assert done == Done(item.key, RemoteRef(raw(2)["id"], "link0002", "https://trello.com/c/link0002"))
        [put] = [one for one in server.asked if one.method == "PUT"]
        assert put.body == {"name": "Ticket new", "desc": marked("Mine", "prj_1", "ticket:new")}


def test_a_mending_that_failed_leaves_the_card_in_doubt() -> None:
    lines = {"id": "c1", "name": "Done means", "checkItems": [{"name": "One", "pos": 1, "state": "incomplete"}]}
    model = raw(1, "ticket:model", checklists=[lines])
    answers = board(cards=Say(200, [model]), posted=Say(200, raw(2, "ticket:model")))
    answers["PUT", f"/1/cards/{raw(2)['id']}"] = Say(429, "")
    with tracker_for(answers) as (tracker, _), pytest.raises(OutcomeUnknown):
        tracker.create(PLACE, [Creation(ticket("new", checklist=("One",)))])


@pytest.mark.parametrize("answer", [Say(200, {"ok": True}), Say(200, []), Say(200, "<html>", {"Content-Type": "x/y"})])
def test_a_card_whose_id_was_not_told_is_in_doubt(answer: Say) -> None:
    with tracker_for(board(posted=answer)) as (tracker, _), pytest.raises(OutcomeUnknown):
        tracker.create(PLACE, [Creation(ticket("a"))])


@pytest.mark.parametrize(
    ("statuses", "error"),
    [
        ([429] * 100, TrackerUnavailable),  # nothing was written
        ([200, *[429] * 100], OutcomeUnknown),  # something was
        ([500, *[200] * 100], OutcomeUnknown),
    ],
)
def test_a_batch_that_broke_off_is_in_doubt_if_anything_may_be_there(
    statuses: list[int], error: type[Exception]
) -> None:
    lock, numbers = threading.Lock(), iter(range(1, 1000))

    def post(_asked: Asked) -> Say:
        with lock:
            number = next(numbers)
        status = statuses[min(number, len(statuses)) - 1]
        return Say(status, raw(number) if status == 200 else "trouble")

    with tracker_for({**board(), ("POST", "/1/cards"): post}) as (tracker, _):
        with pytest.raises(error) as caught:
            tracker.create(PLACE, [Creation(ticket(f"n{n}")) for n in range(30)])
        assert type(caught.value) is error


def test_cards_that_were_not_begun_are_not_sent_after_a_lost_answer() -> None:
    with tracker_for(board(posted=Say(500, "trouble"))) as (tracker, server):
        with pytest.raises(OutcomeUnknown):
            tracker.create(PLACE, [Creation(ticket(f"n{n}")) for n in range(50)])
        assert sum(1 for one in server.asked if one.method == "POST") <= 11


def test_ten_calls_are_under_way_at_once_and_no_more() -> None:
    lock, barrier = threading.Lock(), threading.Barrier(10, timeout=10)
    numbers, now, most = iter(range(1, 1000)), [0], [0]

    def post(_asked: Asked) -> Say:
        with lock:
            number = next(numbers)
            now[0] += 1
            most[0] = max(most[0], now[0])
        barrier.wait()  # is passed only if ten are here together
        with lock:
            now[0] -= 1
        return Say(200, raw(number))

    with tracker_for({**board(), ("POST", "/1/cards"): post}) as (tracker, _):
        outcomes = tracker.create(PLACE, [Creation(ticket(f"n{n}")) for n in range(50)])
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert [outcome.key for outcome in outcomes] == [f"ticket:n{n}" for n in range(50)]
    assert most == [10]


def test_a_label_whose_answer_was_lost_is_found_by_its_name_and_not_made_twice() -> None:
    made: list[dict[str, Any]] = []

    def post(asked: Asked) -> Say:
        made.append({"id": f"l{len(made)}", "name": asked.body["name"], "color": None})
        return Say(act="reset") if len(made) == 1 else Say(200, made[-1])

    def read(_asked: Asked) -> Say:
        return Say(200, {"id": BOARD, "lists": LISTS, "labels": list(made), "memberships": []})

    answers: Answers = {
        **board(posted=Say(200, raw(1))),
        ("POST", "/1/labels"): post,
        ("GET", f"/1/boards/{BOARD}"): read,
    }
    with tracker_for(answers) as (tracker, server):
        with pytest.raises(OutcomeUnknown):
            tracker.create(PLACE, [Creation(ticket("a", labels=("x",)))])
        [done] = tracker.create(PLACE, [Creation(ticket("a", labels=("x",)))])
        assert isinstance(done, Done)
        assert [one["name"] for one in made] == ["x"]
        [card] = [one for one in server.asked if one.path == "/1/cards"]
        assert card.body["idLabels"] == "l0"


def test_two_iterations_of_one_title_have_labels_of_their_own() -> None:
    turn = raw(1, "iteration:1", name="Iteration", idLabels=["l1"])
    labels = [{"id": "l1", "name": "Iteration", "color": "blue"}]
    answers: Answers = {
        **board(cards=Say(200, [turn]), posted=Say(200, raw(2, "iteration:2"))),
        ("GET", f"/1/boards/{BOARD}"): Say(200, {"id": BOARD, "lists": LISTS, "labels": labels, "memberships": []}),
        ("POST", "/1/labels"): Say(200, {"id": "l2"}),
    }
    second = Item(ItemKey("iteration:2"), ItemKind.ITERATION, "Iteration")
    with tracker_for(answers) as (tracker, server):
        tracker.create(PLACE, [Creation(second)])
        posted = {one.path: one.body for one in server.asked if one.method == "POST"}
    assert posted["/1/labels"] == {"idBoard": BOARD, "name": "Iteration (2)", "color": "blue"}
    assert posted["/1/cards"]["idLabels"] == "l2"


def test_the_facts_of_a_place_are_plain_values() -> None:
    assert json.loads(json.dumps(dict(PLACE.facts))) == PLACE.facts
