"""Cards as evidence: what was written, said, attached, ticked and moved on them, and by whom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.errors import CredentialsRefused, NotVisible, PermissionMissing, TrackerUnavailable
from connectors.records import Part, text_digest
from connectors.values import Creation, ItemKey
from sandbox.testing import SandboxServer
from sandbox.trello.card_making import comment
from tests import plain
from tests.contract.items import ticket
from tests.contract.losing_proxy import LosingProxy
from tests.contract.trello.desk import HEADER, ML, card, connected, made, requests
from tests.contract.trello.record_desk import DATA, LONG, MEMBER, MEMBER_ID, OTHER, RECORD, TEXT, US, Desk, laid


@pytest.fixture
def desk(sandbox: SandboxServer) -> Iterator[Desk]:
    with laid(sandbox) as found:
        yield found


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_text_comes_without_its_marker_and_with_who_made_it(desk: Desk) -> None:
    read = desk.read()
    assert read.text == TEXT
    assert read.digest == text_digest(TEXT)
    assert (read.key, read.title, read.status, read.assignee) == (RECORD, "Ticket x", "todo", ML)
    assert read.labels == ("record",)
    assert read.created_by == US
    assert read.created_at is not None
    assert (read.edits, read.comments, read.attachments, read.links, read.unread) == ((), (), (), (), ())


def test_a_text_that_goes_on_in_comments_is_one_and_these_are_no_comments(desk: Desk) -> None:
    assert card(desk.sandbox, desk.known[OTHER]).comments > 1
    desk.by_hand("POST", f"cards/{desk.known[OTHER].id}/actions/comments", text="A word of mine")
    read = desk.read(OTHER)
    assert read.text == LONG
    assert [one.text for one in read.comments] == ["A word of mine"]
    assert read.edits == ()


@pytest.mark.parametrize(
    "text", ["x" * 40_000, "word " * 8_000 + "end", "| a | b |\n" * 4_000 + "end", "line\n" * 8_000 + "end"]
)
def test_a_long_text_comes_back_in_the_words_it_was_written_in_wherever_it_was_cut(desk: Desk, text: str) -> None:
    key = ItemKey("ticket:long")
    [desk.known[key]] = made(desk.tracker, desk.place, Creation(ticket("long", text=text)))
    desk.tracker.finish(desk.place, [(ticket("long", text=text), desk.known[key])])
    assert desk.read(key).digest == text_digest(text)


def test_a_text_that_was_longer_once_does_not_go_on_in_the_comments_of_then(desk: Desk) -> None:
    desk.changes(OTHER, desc="Now it is short.")
    read = desk.read(OTHER)
    assert (read.text, read.comments) == ("Now it is short.", ())
    assert [(one.by, one.digest) for one in read.edits] == [(MEMBER_ID, read.digest)]


def test_edits_tell_who_when_and_what_the_text_was_from_then_on(desk: Desk) -> None:
    begun = desk.sandbox.trello.clock.now()
    for hours, (ours, text) in enumerate([(False, "Mine"), (True, "Ours"), (False, "Mine again")], 1):
        desk.later(hours=1)
        desk.changes(RECORD, ours=ours, desc=text)
        assert desk.sandbox.trello.clock.now() == begun + timedelta(hours=hours)
    read = desk.read()
    assert [(one.by, one.person, one.digest) for one in read.edits] == [
        (MEMBER_ID, "Member", text_digest("Mine")),
        (US, "Demo Admin", text_digest("Ours")),
        (MEMBER_ID, "Member", text_digest("Mine again")),
    ]
    assert [(one.at - begun) // timedelta(hours=1) for one in read.edits] == [1, 2, 3]
    assert read.digest == read.edits[-1].digest


def test_a_marker_or_white_space_that_changed_is_no_edit(desk: Desk) -> None:
    desk.changes(RECORD, desc=TEXT)
    desk.tracker.mark(desk.place, RECORD, desk.known[RECORD])
    desk.changes(RECORD, desc=card(desk.sandbox, desk.known[RECORD]).desc.replace("\n\n", "\n\n\n"))
    assert desk.read().edits == ()


def test_a_part_of_a_long_text_that_was_changed_in_its_comment_is_an_edit(desk: Desk) -> None:
    path = f"cards/{desk.known[OTHER].id}/actions"
    actions = plain.get(f"{desk.sandbox.url}/1/{path}", params={"filter": "commentCard"}, headers=HEADER).json()
    last = actions[0]
    changed = last["data"]["text"].replace("The end.", "Another end.")
    desk.later(hours=1)
    desk.by_hand("PUT", f"{path}/{last['id']}/comments", ours=True, text=changed)
    read = desk.read(OTHER)
    assert read.text.endswith("Another end.")
    assert [(one.by, one.digest) for one in read.edits] == [(US, read.digest)]


def test_somebody_who_adds_a_part_to_our_text_has_edited_it(desk: Desk) -> None:
    path = f"cards/{desk.known[OTHER].id}/actions"
    actions = plain.get(f"{desk.sandbox.url}/1/{path}", params={"filter": "commentCard"}, headers=HEADER).json()
    forged = actions[0]["data"]["text"].replace("The end.", "Signed off by everybody.")
    desk.by_hand("POST", f"{path}/comments", text=forged)
    read = desk.read(OTHER)
    assert read.text.endswith("Signed off by everybody.")
    assert [one.by for one in read.edits] == [MEMBER_ID]


# --- what is said, attached, ticked and moved ------------------------------------------------------------------------


def test_comments_tell_who_said_what_and_whether_it_was_changed(desk: Desk) -> None:
    path = f"cards/{desk.known[RECORD].id}/actions"
    first = desk.by_hand("POST", f"{path}/comments", text="/approve")
    desk.later(minutes=5)
    desk.by_hand("POST", f"{path}/comments", ours=True, text="Thank you")
    desk.later(minutes=5)
    desk.by_hand("PUT", f"{path}/{first['id']}/comments", text="/approve, all of it")
    one, two = desk.read().comments
    assert (one.author, one.person, one.text) == (MEMBER_ID, "Member", "/approve, all of it")
    assert one.edited_at == one.at + timedelta(minutes=10)
    assert (two.author, two.text, two.edited_at) == (US, "Thank you", None)


def test_a_comment_that_was_deleted_is_gone(desk: Desk) -> None:
    path = f"cards/{desk.known[RECORD].id}/actions"
    said = desk.by_hand("POST", f"{path}/comments", text="/approve")
    desk.by_hand("DELETE", f"{path}/{said['id']}/comments")
    assert desk.read().comments == ()


def test_an_approval_that_was_copied_from_another_card_approves_nothing(desk: Desk) -> None:
    desk.by_hand("POST", f"cards/{desk.known[OTHER].id}/actions/comments", text="/approve\nfor good")
    desk.by_hand("POST", f"cards/{desk.known[RECORD].id}/copyComments", idCardSource=desk.known[OTHER].id)
    [copied] = desk.read().comments
    assert (copied.author, copied.text) == (MEMBER_ID, "> /approve\n> for good")


def test_files_and_addresses_are_told_apart_and_the_way_to_the_epic_is_neither(desk: Desk) -> None:
    path = f"cards/{desk.known[RECORD].id}/attachments"
    url = f"{desk.sandbox.url}/1/{path}"
    plain.post(url, files={"file": ("curve.png", b"1234", "image/png")}, headers=MEMBER).raise_for_status()
    desk.by_hand("POST", path, url="https://mlflow.example.com/runs/1", name="Run 1")
    desk.by_hand("POST", path, url="https://example.com/plain")
    desk.by_hand("POST", path, url=desk.known[OTHER].url)
    read = desk.read()
    [file] = read.attachments
    assert (file.name, file.kind, file.size, file.author) == ("curve.png", "image/png", 4, MEMBER_ID)
    assert file.at == desk.sandbox.trello.clock.now()
    assert file.url.startswith("http")
    assert [(one.url, one.title, one.author) for one in read.links] == [
        ("https://mlflow.example.com/runs/1", "Run 1", MEMBER_ID),
        ("https://example.com/plain", "", MEMBER_ID),
        (desk.known[OTHER].url, "", MEMBER_ID),
    ]


def test_ticks_tell_who_ticked_a_line_last_and_when(desk: Desk) -> None:
    first, second = desk.sandbox.trello.checklists_of(card(desk.sandbox, desk.known[RECORD]))[0].items
    path = f"cards/{desk.known[RECORD].id}/checkItem"
    desk.by_hand("PUT", f"{path}/{first.id}", ours=True, state="complete")
    desk.by_hand("PUT", f"{path}/{first.id}", state="incomplete")
    desk.later(hours=2)
    desk.by_hand("PUT", f"{path}/{first.id}", state="complete")
    desk.by_hand("PUT", f"{path}/{second.id}", state="complete")
    desk.by_hand("PUT", f"{path}/{second.id}", state="incomplete")
    ticked, open_again = desk.read().ticks
    assert (ticked.text, ticked.done, ticked.by, ticked.person) == ("Written", True, MEMBER_ID, "Member")
    assert ticked.at == desk.sandbox.trello.clock.now()
    assert (open_again.text, open_again.done, open_again.by, open_again.at) == ("Signed off", False, "", None)


def test_a_line_that_came_ticked_was_ticked_by_nobody(desk: Desk) -> None:
    checklist = desk.by_hand("POST", "checklists", idCard=desk.known[RECORD].id, name="More")
    desk.by_hand("POST", f"checklists/{checklist['id']}/checkItems", name="Signed off", checked=True)
    last = desk.read().ticks[-1]
    assert (last.text, last.done, last.by) == ("Signed off", True, "")


def test_steps_tell_who_moved_ticked_or_archived_the_card(desk: Desk) -> None:
    desk.changes(RECORD, idList=desk.list_id("In progress"))
    desk.changes(RECORD, idList=desk.list_id("Review"))
    desk.later(hours=1)
    desk.changes(RECORD, ours=True, idList=desk.list_id("Done"))
    desk.changes(RECORD, dueComplete=True)
    desk.later(hours=1)
    desk.changes(RECORD, idList=desk.list_id("Backlog"), dueComplete=False)
    desk.changes(RECORD, closed=True)
    read = desk.read()
    assert [(one.status, one.by) for one in read.steps] == [
        ("doing", MEMBER_ID),
        ("done", US),
        ("todo", MEMBER_ID),
        ("done", MEMBER_ID),
    ]
    assert read.steps[1].person == "Demo Admin"
    assert read.status == "done"


# --- what is gone, hidden or elsewhere -------------------------------------------------------------------------------


def test_a_card_that_was_deleted_or_went_to_another_board_is_missing(desk: Desk) -> None:
    desk.by_hand("DELETE", f"cards/{desk.known[RECORD].id}", ours=True)
    elsewhere = desk.by_hand("POST", "boards/", ours=True, name="Elsewhere")
    desk.changes(OTHER, ours=True, idBoard=elsewhere["id"])
    assert desk.tracker.documents(desk.place, desk.known, [RECORD, OTHER]) == {}


def test_a_card_that_came_from_another_board_brings_what_happened_there(desk: Desk) -> None:
    there = desk.by_hand("POST", "boards/", ours=True, name="Elsewhere")
    ref = desk.known[RECORD]
    desk.changes(RECORD, ours=True, idBoard=there["id"])
    desk.by_hand("POST", f"cards/{ref.id}/actions/comments", ours=True, text="Said elsewhere")
    desk.changes(RECORD, ours=True, desc=TEXT + " There!")
    desk.changes(RECORD, ours=True, idBoard=desk.place.ref.id, idList=desk.list_id("Backlog"))
    before = requests(desk.sandbox, "GET", f"/1/cards/{ref.id}/actions")
    read = desk.read()
    assert requests(desk.sandbox, "GET", f"/1/cards/{ref.id}/actions") == before + 1
    assert [one.text for one in read.comments] == ["Said elsewhere"]
    assert [one.digest for one in read.edits] == [read.digest]
    assert read.unread == ()


def test_an_account_that_may_not_see_the_board_reads_nothing(desk: Desk) -> None:
    with connected(desk.sandbox.url, token="member-token") as theirs:
        assert set(theirs.documents(desk.place, desk.known, [RECORD])) == {RECORD, OTHER}
        path = f"{desk.sandbox.url}/1/boards/{desk.place.ref.id}/members/{MEMBER_ID}"
        plain.delete(path, headers=HEADER).raise_for_status()
        with pytest.raises((PermissionMissing, NotVisible)):
            theirs.documents(desk.place, desk.known, [RECORD])
    with connected(desk.sandbox.url, token="not-the-token") as stranger, pytest.raises(CredentialsRefused):
        stranger.documents(desk.place, desk.known, [RECORD])


def test_what_happened_can_be_hidden_while_the_cards_are_not(desk: Desk) -> None:
    with LosingProxy(desk.sandbox.url) as proxy, connected(proxy.url) as tracker:
        refusal = b"unauthorized permission requested"
        proxy.orders.fake.append((lambda one: "/actions?" in one.path, 401, refusal))
        read = tracker.documents(desk.place, desk.known, [RECORD])
    assert read[RECORD].text == TEXT
    assert read[RECORD].unread == (Part.COMMENTS, Part.HISTORY)
    assert read[OTHER].unread == (Part.TEXT, Part.COMMENTS, Part.HISTORY)


def test_a_board_that_breaks_down_in_the_middle_is_read_by_nobody(desk: Desk) -> None:
    with LosingProxy(desk.sandbox.url) as proxy, connected(proxy.url) as tracker:
        proxy.orders.fake.append((lambda one: "/actions?" in one.path, 503, b"try later"))
        with pytest.raises(TrackerUnavailable):
            tracker.documents(desk.place, desk.known, [RECORD])


def test_answers_without_what_was_asked_for_leave_parts_unread(desk: Desk) -> None:
    ref = desk.known[RECORD]
    bare = json.dumps([{"id": ref.id, "shortLink": ref.key, "idList": desk.list_id("Backlog"), "checklists": []}])
    odd = b"""[5, {"id": "1", "date": "2026-01-01T00:00:00Z"}, {"id": "2", "date": "no", "data": {"card": {"id": "x"}}},
        {"id": "3", "type": "commentCard", "date": "2026-01-01T00:00:00Z", "data": {"card": {"id": "%s"}}}]"""
    with LosingProxy(desk.sandbox.url) as proxy, connected(proxy.url) as tracker:
        proxy.orders.fake.append((lambda one: "/cards/all?" in one.path, 200, bare.encode()))
        proxy.orders.fake.append((lambda one: "/actions?" in one.path, 200, odd % ref.id.encode()))
        read = tracker.documents(desk.place, desk.known, [RECORD])[RECORD]
    assert read.unread == (Part.TEXT, Part.ATTACHMENTS, Part.LINKS)
    assert [(one.author, one.text) for one in read.comments] == [("", "")]


# --- what it takes ---------------------------------------------------------------------------------------------------


def test_any_number_of_documents_takes_the_board_its_cards_and_each_thousand_of_what_happened(desk: Desk) -> None:
    with connected(desk.sandbox.url) as tracker:
        assert set(tracker.documents(desk.place, desk.known, [RECORD, OTHER])) == {RECORD, OTHER}
        assert tracker.usage.reads == 3
        trello = desk.sandbox.trello
        for number in range(2500):
            comment(trello, trello.data.members[MEMBER_ID], card(desk.sandbox, desk.known[RECORD]), f"No. {number}")
        read = tracker.documents(desk.place, desk.known, [RECORD])[RECORD]
        assert [one.text for one in read.comments] == [f"No. {number}" for number in range(2500)]
        assert tracker.usage.reads == 3 + 5
        assert tracker.usage.writes == 0


def test_nothing_is_asked_for_no_tickets(desk: Desk) -> None:
    with connected(desk.sandbox.url) as tracker:
        assert tracker.documents(desk.place, {DATA: desk.known[DATA]}, []) == {}
        assert tracker.usage.reads == 0
