"""What a card's actions tell is taken as it is told: what is missing stays unknown, and nothing is made up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.records import text_digest
from connectors.trello.card_actions import acts_by_card, maker_of, ticks_of, words_of
from connectors.trello.history import happened_to
from connectors.trello.mapping import Card, Checklist, Line
from connectors.trello.markup import description, part_of, whole
from tests.unit.connectors.loopback import Asked, Say, serving
from tests.unit.connectors.trello_loopback import client_for

CARD = "0" * 24


def action(number: int, kind: str, by: str = "us", **data: Any) -> dict[str, Any]:
    return {
        "id": f"{number:024x}",
        "type": kind,
        "date": f"2026-03-02T10:{number:02}:00.000Z",
        "idMemberCreator": by,
        "memberCreator": {"id": by, "fullName": by.title()},
        "data": {"card": {"id": CARD}, **data},
    }


def card(desc: str = "", **more: Any) -> Card:
    return Card(CARD, "abcd1234", "", "A card", desc, "list", **more)


def test_texts_are_told_backwards_from_what_it_is_now() -> None:
    # The vendor is not known to tell the new text; so none of these does.
    told = [
        action(number, "updateCard", by, old={"desc": was}) for number, by, was in [(1, "a", "One"), (2, "b", "Two")]
    ]
    words = words_of(card("Three"), acts_by_card(told)[CARD])
    assert [(one.by, one.digest) for one in words.edits] == [("a", text_digest("Two")), ("b", text_digest("Three"))]


def test_actions_come_in_any_order() -> None:
    told = [action(1, "updateCard", "a", old={"desc": "One"}), action(2, "updateCard", "b", old={"desc": "Two"})]
    forwards, backwards = (words_of(card("Three"), acts_by_card(one)[CARD]) for one in (told, told[::-1]))
    assert forwards == backwards


def test_what_a_part_said_before_it_was_changed_is_not_known() -> None:
    desc, comments = description("word " * 5_000, "prj_1", "record:1")
    assert len(comments) == 1
    told = [
        action(1, "createCard"),
        action(2, "commentCard", text=comments[0], dateLastEdited="2026-03-02T12:00:00.000Z"),
        action(3, "updateCard", "a", old={"desc": "Before"}),
        action(4, "updateCard", "a", old={"desc": desc.replace("word", "Word", 1)}),
    ]
    words = words_of(card(desc), acts_by_card(told)[CARD])
    assert [(one.by, one.digest) for one in words.edits] == [("a", ""), ("a", ""), ("us", text_digest(words.text))]
    assert words.edits[-1].at == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert words.comments == ()


def test_of_two_comments_with_one_part_the_newer_counts() -> None:
    desc, [comment] = description("word " * 5_000, "prj_1", "record:1")
    newer = comment.replace("word", "other")
    told = [action(1, "commentCard", text=comment), action(2, "commentCard", text=newer)]
    words = words_of(card(desc), acts_by_card(told)[CARD])
    assert words.text.endswith("other other")
    assert words.comments == ()


def test_who_ticked_a_line_counts_only_if_the_line_is_ticked() -> None:
    lines = (Line("One", True, "i1"), Line("Two", False, "i2"), Line("Three", True, "i3"), Line("Four", True, "i4"))
    states = [(1, "i1", "complete"), (2, "i2", "complete"), (3, "i3", "complete"), (4, "i3", "incomplete")]
    told = [
        action(number, "updateCheckItemStateOnCard", checkItem={"id": item, "state": state})
        for number, item, state in states
    ]
    ticks = ticks_of(card(checklists=(Checklist("c", "Done means", lines),)), acts_by_card(told)[CARD])
    assert [(one.text, one.done, one.by) for one in ticks] == [
        ("One", True, "us"),
        ("Two", False, ""),
        ("Three", True, ""),
        ("Four", True, ""),
    ]


def test_who_made_a_card_is_unknown_where_nobody_tells() -> None:
    assert maker_of(acts_by_card([action(1, "copyCard", "a")])[CARD]) == "a"
    assert maker_of(acts_by_card([action(1, "commentCard", "a", text="Hm")])[CARD]) == ""


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "id": st.one_of(st.none(), st.text(max_size=3)),
                "type": st.sampled_from(["commentCard", "updateCard", "updateCheckItemStateOnCard", "x", None]),
                "date": st.sampled_from(["2026-03-02T10:00:00Z", "never", None, 5]),
                "idMemberCreator": st.one_of(st.none(), st.text(max_size=3)),
                "memberCreator": st.one_of(st.none(), st.just([]), st.just({"fullName": None})),
                "data": st.one_of(
                    st.none(),
                    st.fixed_dictionaries(
                        {"card": st.one_of(st.none(), st.just({"id": CARD}), st.just({}))},
                        optional={
                            "old": st.one_of(st.none(), st.just([]), st.fixed_dictionaries({"desc": st.none()})),
                            "text": st.one_of(st.none(), st.text(max_size=9), st.integers()),
                            "checkItem": st.one_of(st.none(), st.just({}), st.just({"id": 5, "state": 5})),
                            "dateLastEdited": st.one_of(st.none(), st.just("no")),
                        },
                    ),
                ),
            },
        ),
        max_size=6,
    ),
    st.text(max_size=40),
)
def test_no_answer_raises(told: list[dict[str, Any]], desc: str) -> None:
    for acts in acts_by_card(told).values():
        words = words_of(card(desc), acts)
        assert [one.at for one in words.edits] == sorted(one.at for one in words.edits)
        assert ticks_of(card(checklists=()), acts) == ()


@given(st.text(alphabet="ab |\n#x", max_size=400), st.integers(1, 120))
def test_a_text_that_is_cut_into_parts_says_the_same_when_it_is_whole(piece: str, times: int) -> None:
    text = (piece * times)[:60_000]
    desc, comments = description(text, "prj_1", "record:1")
    parts = [part for comment in comments if (part := part_of(comment)) is not None]
    assert len(parts) == len(comments)
    assert text_digest(whole(desc, parts)) == text_digest(text)


@pytest.mark.parametrize("most", [50, 1000])
def test_a_cards_actions_are_read_to_the_end_however_many_come_at_once(most: int) -> None:
    ids = [f"{number:024x}" for number in range(130)]

    def answer(asked: Asked) -> Say:
        before = parse_qs(urlsplit(asked.path).query).get("before", ["f" * 24])[0]
        older = [one for one in ids if one < before]
        return Say(body=[{"id": one} for one in reversed(older[-most:])])

    with serving(answer) as server, client_for(server.url) as client:
        assert [one["id"] for one in happened_to(client, CARD, "commentCard", "data")] == ids
        assert len(server.asked) == (3 if most == 50 else 2)
