"""Items become cards and cards become items, without a call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.trello.layout import COMMENTS, PHASE_COLORS, TEXT_LIMIT, ListRole, color_for, role_of
from connectors.trello.mapping import (
    Card,
    Checklist,
    Line,
    Turn,
    View,
    card_body,
    card_of,
    first_text,
    label_names,
    missing_lines,
    observed,
    ours,
)
from connectors.trello.markup import description, marked, marker_line, marks, normalised, part_line, without_marker
from connectors.values import Creation, Item, ItemKey, ItemKind, Priority, RemoteRef

UID = "prj_1"
EPIC = RemoteRef("64e0", "epicLink", "https://trello.com/c/epicLink")
TURN = Turn(RemoteRef("64a1", "turnLink", ""), "label-turn", "2026-11-23T08:00:00.000Z", "2026-12-07T08:00:00.000Z")


def ticket(**fields: Any) -> Item:
    return Item(**{"key": ItemKey("ticket:a"), "kind": ItemKind.TICKET, "title": "A ticket", **fields})


def raw(**fields: Any) -> dict[str, Any]:
    return {
        "id": "64b1",
        "shortLink": "abcdefgh",
        "shortUrl": "https://trello.com/c/abcdefgh",
        "name": "A ticket",
        "desc": marked("Do it.", UID, "ticket:a"),
        "idList": "backlog",
        "idMembers": [],
        "idLabels": [],
        "attachments": [],
        "checklists": [],
        **fields,
    }


def read(**fields: Any) -> Card:
    card = card_of(raw(**fields))
    assert card is not None
    return card


VIEW = View(
    labels={"l1": "phase:one", "l2": "role:ml", "l3": "priority:high", "label-turn": "Iteration 1", "l5": "blue"},
    roles={"backlog": ListRole.BACKLOG, "doing": ListRole.IN_PROGRESS, "done": ListRole.DONE, "theirs": None},
    turns={"label-turn": TURN.ref},
    names={"64e0": ItemKey("epic:data"), "epicLink": ItemKey("epic:data"), "64a1": ItemKey("iteration:1")},
)


# --- markers and texts ---


@given(text=st.text(max_size=300), key=st.text(min_size=1, max_size=40))
def test_a_marker_is_found_again_and_taken_off_again(text: str, key: str) -> None:
    body = marked(text, UID, key)
    assert marks(body) == (UID, key)
    assert marks(marked(body, UID, key)) == (UID, key)
    assert body.count("phaseloop") - without_marker(text).count("phaseloop") >= 1
    assert without_marker(body) == without_marker(without_marker(text)) or "[//]: # (phaseloop" in text


def test_the_marker_is_one_last_line_that_markdown_does_not_show() -> None:
    assert marked("Do it.", UID, "ticket:a@2") == "Do it.\n\n[//]: # (phaseloop prj_1 ticket:a@2)"
    assert marked("", UID, "ticket:a") == marker_line(UID, "ticket:a")
    assert marks("[//]: # (phaseloop prj_1)") is None
    assert marks("See [//]: # (phaseloop prj_1 ticket:a) in the middle") is None


def test_a_marker_survives_other_line_ends_and_text_that_people_add_below() -> None:
    assert marks(marked("Do it.", UID, "ticket:a") + "\n\nAdded by hand.") == (UID, "ticket:a")
    assert normalised("Do it. \r\n\r\nNow.\r\n\r\n" + marker_line(UID, "ticket:a")) == "Do it.\n\nNow."


def test_a_text_that_fits_is_not_cut() -> None:
    room = TEXT_LIMIT - len(marker_line(UID, "ticket:a")) - 2
    text, comments = description("x" * room, UID, "ticket:a")
    assert len(text) == TEXT_LIMIT
    assert comments == ()
    assert description("x" * (room + 1), UID, "ticket:a")[1] != ()


@pytest.mark.parametrize("paragraph", ["word " * 20, "x" * 99])
@pytest.mark.parametrize("length", [TEXT_LIMIT, TEXT_LIMIT + 1, 2 * TEXT_LIMIT, 3 * TEXT_LIMIT, 4 * TEXT_LIMIT + 9000])
def test_the_rest_of_a_long_text_goes_into_comments_and_nothing_is_lost(paragraph: str, length: int) -> None:
    text = (paragraph.strip() + "\n\n") * (length // len(paragraph)) + "The end."
    first, comments = description(text, UID, "ticket:a")
    assert all(len(part) <= TEXT_LIMIT for part in (first, *comments))
    assert "continues in the comments" in first
    assert marks(first) == (UID, "ticket:a")
    assert all(part_line("ticket:a", number) in comment for number, comment in enumerate(comments, 1))
    parts = [first.partition("*The text is longer")[0], *(comment.partition("[//]:")[0] for comment in comments)]
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_what_is_longer_than_all_comments_is_cut_with_a_note() -> None:
    first, comments = description("word " * TEXT_LIMIT * 2, UID, "ticket:a")
    assert len(comments) == COMMENTS
    assert "was cut here" in comments[-1]
    assert all(len(part) <= TEXT_LIMIT for part in (first, *comments))
    epic = replace(ticket(text="word " * TEXT_LIMIT), key=ItemKey("epic:a"), kind=ItemKind.EPIC)
    text, none = first_text(UID, epic)
    assert none == ()
    assert "was cut here" in text
    assert len(text) <= TEXT_LIMIT


# --- writing ---


def test_a_card_is_created_with_everything_in_one_body() -> None:
    item = ticket(
        text="Do it.",
        assignee="m1",
        priority=Priority.HIGH,
        checklist=("One",),
        epic=ItemKey("epic:data"),
        labels=("x",),
    )
    creation = Creation(item, epic=EPIC, iteration=TURN.ref, rank=3)
    assert label_names(item) == ["priority:high", "x"]
    assert card_body(UID, creation, "backlog", ["l3", "l9"], TURN, "64c0") == {
        "idList": "backlog",
        "name": "A ticket",
        "desc": "Do it.\n\n[//]: # (phaseloop prj_1 ticket:a)",
        "pos": 2**30 + 3 * 65536,
        "idLabels": "l3,l9,label-turn",
        "idMembers": "m1",
        "urlSource": "https://trello.com/c/epicLink",
        "start": "2026-11-23T08:00:00.000Z",
        "due": "2026-12-07T08:00:00.000Z",
        "idCardSource": "64c0",
        "keepFromSource": "checklists",
    }


def test_what_a_ticket_has_not_is_not_sent() -> None:
    body = card_body(UID, Creation(ticket()), "backlog", [], None, None)
    assert set(body) == {"idList", "name", "desc", "pos", "idLabels"}
    assert (body["pos"], body["idLabels"]) == ("bottom", "")


def test_an_iterations_card_holds_its_dates_and_its_aim() -> None:
    item = Item(
        ItemKey("iteration:1"),
        ItemKind.ITERATION,
        "Iteration 1",
        goal="Find out",
        starts=datetime(2026, 11, 23, 8, tzinfo=UTC),
        ends=datetime(2026, 12, 7, 8, tzinfo=UTC),
    )
    body = card_body(UID, Creation(item), "backlog", [], TURN, None)
    assert (body["start"], body["due"]) == (TURN.start, TURN.due)
    assert body["desc"].startswith("Find out\n")
    assert body["idLabels"] == "label-turn"


def test_only_missing_lines_are_written_and_lines_of_people_are_left_alone() -> None:
    there = Checklist("c", "Done means", (Line("One", complete=True), Line("Theirs")))
    assert missing_lines(("One", "Two", "Two"), there) == ["Two", "Two"]
    assert missing_lines(("One",), None) == ["One"]
    assert missing_lines(("One", "One"), replace(there, lines=(Line("One"),))) == ["One"]


# --- reading ---


def test_a_card_is_read_as_its_ticket() -> None:
    card = read(
        idLabels=["l2", "l1", "l3", "label-turn", "gone"],
        idMembers=["m1", "m2"],
        attachments=[
            {"id": "t1", "url": "https://example.com/c/notacard-page"},
            {"id": "t2", "url": "https://trello.com/c/otherOne/12-a-card"},
            {"id": "t3", "url": "https://trello.com/c/epicLink/7-the-epic"},
        ],
        checklists=[
            {"id": "c1", "name": "Theirs", "pos": 1, "checkItems": [{"name": "Not ours", "pos": 1}]},
            {
                "id": "c2",
                "name": "Done means",
                "pos": 2,
                "checkItems": [
                    {"name": "Second", "pos": 20, "state": "incomplete"},
                    {"name": "First", "pos": 10, "state": "complete"},
                ],
            },
        ],
    )
    seen = observed(card, ItemKey("ticket:a"), VIEW)
    assert seen.ref == RemoteRef("64b1", "abcdefgh", "https://trello.com/c/abcdefgh")
    assert seen.fields == {
        "title": "A ticket",
        "text": "Do it.",
        "labels": ["phase:one", "role:ml"],
        "assignee": "m1",
        "priority": "high",
        "iteration": "iteration:1",
        "epic": "epic:data",
        "checklist": ["First", "Second"],
    }


def test_what_an_answer_does_not_tell_is_absent_and_what_a_card_has_not_is_none() -> None:
    bare = {name: value for name, value in raw().items() if name not in {"attachments", "checklists"}}
    card = card_of(bare)
    assert card is not None
    fields = observed(card, ItemKey("ticket:a"), VIEW).fields
    assert not {"epic", "checklist"} & set(fields)
    fields = observed(read(), ItemKey("ticket:a"), VIEW).fields
    assert (fields["epic"], fields["checklist"], fields["iteration"], fields["assignee"]) == (None, [], None, None)


def test_an_iteration_that_is_not_known_is_named_by_its_id() -> None:
    card = read(idLabels=["label-turn"])
    assert observed(card, ItemKey("ticket:a"), replace(VIEW, names={})).fields["iteration"] == "64a1"


@pytest.mark.parametrize(
    ("fields", "ticket_status", "turn_status"),
    [
        ({"idList": "backlog"}, "todo", "future"),
        ({"idList": "theirs"}, "todo", "future"),
        ({"idList": "doing"}, "doing", "active"),
        ({"idList": "done"}, "done", "closed"),
        ({"idList": "backlog", "closed": True}, "done", "closed"),
        ({"idList": "doing", "dueComplete": True}, "done", "closed"),
    ],
)
def test_the_list_tells_the_status(fields: dict[str, Any], ticket_status: str, turn_status: str) -> None:
    assert observed(read(**fields), ItemKey("ticket:a"), VIEW).status == ticket_status
    assert observed(read(**fields), ItemKey("iteration:1"), VIEW).status == turn_status


def test_of_two_cards_with_one_marker_the_older_is_ours_and_strangers_are_not() -> None:
    old, copy = read(id="64b1"), read(id="64b2")
    other = read(id="64a0", desc=marked("", "prj_2", "ticket:a"))
    theirs = read(id="64a1", desc="No marker.")
    assert ours([copy, theirs, other, old], UID) == {ItemKey("ticket:a"): old}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=8,
    ),
    st.sampled_from(["attachments", "checklists", "idMembers", "idLabels", "desc", "name", "due", "idList"]),
)
def test_no_answer_of_another_shape_breaks_the_reading(value: Any, field: str) -> None:
    card = card_of({"id": "64b1", field: value})
    assert card is not None
    observed(card, ItemKey("ticket:a"), VIEW)
    observed(card, ItemKey("iteration:1"), VIEW)
    assert card_of(value) is None or isinstance(value, dict)


# --- the board ---


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Backlog", ListRole.BACKLOG),
        ("  to  do ", ListRole.BACKLOG),
        ("Doing", ListRole.IN_PROGRESS),
        ("IN PROGRESS", ListRole.IN_PROGRESS),
        ("Done", ListRole.DONE),
        ("Ideas", None),
        ("", None),
    ],
)
def test_a_list_is_known_by_its_name(name: str, role: ListRole | None) -> None:
    assert role_of(name) is role


def test_each_phase_gets_a_colour_of_its_own_as_long_as_there_are_some() -> None:
    taken: list[str | None] = []
    for number in range(len(PHASE_COLORS)):
        taken.append(color_for(f"phase:{number}", taken))
    assert taken == list(PHASE_COLORS)
    assert color_for("phase:more", taken) == PHASE_COLORS[0]
    assert color_for("phase:late", ["green", None, "yellow"]) == "orange"


def test_what_must_catch_the_eye_has_its_colour_and_the_rest_has_none() -> None:
    assert (color_for("vacant:ml", []), color_for("record", []), color_for("role:ml", [])) == ("red", "black", None)
