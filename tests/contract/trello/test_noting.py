"""What is said on cards, and filled into their texts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.errors import NotATracker, PermissionMissing
from connectors.records import Fill, text_digest
from connectors.trello.markup import marks
from connectors.values import Creation, ItemKey
from sandbox.testing import SandboxServer
from sandbox.trello.seed import READ_ONLY_TOKEN
from tests.contract.items import ticket
from tests.contract.losing_proxy import LosingProxy
from tests.contract.trello.desk import ML, OUTSIDER, card, connected, made
from tests.contract.trello.record_desk import LONG, MEMBER_ID, OTHER, RECORD, TEXT, US, Desk, laid

PROMPT = "What was it for?"
GOAL = Fill("Goal", "Better than B.", (PROMPT,))


@pytest.fixture
def desk(sandbox: SandboxServer) -> Iterator[Desk]:
    with laid(sandbox) as found:
        yield found


def says(desk: Desk, text: str, *mentions: str) -> list[str]:
    """Say something on the record; all that is said there then."""
    desk.tracker.comment(desk.place, desk.known[RECORD], text, mentions)
    return [one.text for one in desk.read().comments]


# --- comments ---


def test_people_are_addressed_by_their_usernames_if_they_are_on_the_board(desk: Desk) -> None:
    assert says(desk, "It is due.", MEMBER_ID, OUTSIDER, MEMBER_ID, ML) == ["@member @ml1\n\nIt is due."]


def test_nobody_else_is_notified_whatever_the_text_holds(desk: Desk) -> None:
    text = "@board: see @member, ml-1@example.com and https://example.com/@runs/1"
    [said] = says(desk, text, ML)
    assert said == "@ml1\n\n" + text.replace("@board", "@\u200bboard").replace("@member", "@\u200bmember")
    assert says(desk, text, MEMBER_ID) == [said]


def test_a_comment_that_is_too_long_is_cut_and_still_said_once(desk: Desk) -> None:
    [said] = says(desk, "word " * 5_000, ML)
    assert len(said) <= 16_384
    assert said.endswith("…")
    assert says(desk, "word " * 5_000, ML) == [said]


def test_a_comment_takes_a_look_at_those_before_and_one_to_write(desk: Desk) -> None:
    with connected(desk.sandbox.url) as tracker:
        tracker.comment(desk.place, desk.known[RECORD], "It is due.", [MEMBER_ID])
        assert (tracker.usage.reads, tracker.usage.writes) == (3, 1)
        tracker.comment(desk.place, desk.known[RECORD], "It is due.", [MEMBER_ID])
        assert (tracker.usage.reads, tracker.usage.writes) == (4, 1)


def test_the_same_said_on_another_card_or_by_somebody_else_does_not_count(desk: Desk) -> None:
    desk.by_hand("POST", f"cards/{desk.known[RECORD].id}/actions/comments", text="It is due.")
    desk.tracker.comment(desk.place, desk.known[OTHER], "It is due.")
    assert says(desk, "It is due.") == ["It is due.", "It is due."]


# --- sections ---


def test_a_section_is_written_in_two_requests_and_the_marker_stays(desk: Desk) -> None:
    before = card(desk.sandbox, desk.known[RECORD]).desc
    with connected(desk.sandbox.url) as tracker:
        filled = tracker.fill(desk.place, desk.known[RECORD], [GOAL])
        assert (tracker.usage.reads, tracker.usage.writes) == (1, 1)
        assert tracker.fill(desk.place, desk.known[RECORD], [GOAL]) == filled
        assert (tracker.usage.reads, tracker.usage.writes) == (2, 1)
    assert (filled.written, filled.left) == (("Goal",), ())
    assert card(desk.sandbox, desk.known[RECORD]).desc == before.replace(PROMPT, "Better than B.")
    assert marks(before) == ("prj_1", RECORD)
    assert desk.read().digest == filled.digest == text_digest(TEXT.replace(PROMPT, "Better than B."))


def test_a_card_without_marker_is_filled_too_and_gets_none(desk: Desk) -> None:
    desk.changes(RECORD, desc=TEXT)
    assert desk.tracker.fill(desk.place, desk.known[RECORD], [GOAL]).written == ("Goal",)
    assert card(desk.sandbox, desk.known[RECORD]).desc == TEXT.replace(PROMPT, "Better than B.")


def test_an_archived_card_is_filled_and_commented(desk: Desk) -> None:
    desk.changes(RECORD, closed=True)
    assert desk.tracker.fill(desk.place, desk.known[RECORD], [GOAL]).written == ("Goal",)
    assert says(desk, "It is due.") == ["It is due."]


def test_a_body_that_does_not_fit_goes_on_in_comments_that_are_no_comments(desk: Desk) -> None:
    body = "\n".join(f"- ticket {number}: what became of it, in some words" for number in range(600))
    fill = Fill("Goal", body, (PROMPT,))
    filled = desk.tracker.fill(desk.place, desk.known[RECORD], [fill])
    read = desk.read()
    assert filled.written == ("Goal",)
    assert read.digest == filled.digest == text_digest(TEXT.replace(PROMPT, body))
    assert read.text.endswith("## Next steps\n\nWhat comes then?")
    assert read.comments == ()
    assert [(one.by, one.digest) for one in read.edits] == [(US, read.digest)]
    assert desk.tracker.fill(desk.place, desk.known[RECORD], [fill]) == filled
    assert card(desk.sandbox, desk.known[RECORD]).comments == 1
    shorter = Fill("Goal", "Better than B.", (PROMPT, body))
    assert desk.tracker.fill(desk.place, desk.known[RECORD], [shorter]).written == ("Goal",)
    assert desk.read().text == TEXT.replace(PROMPT, "Better than B.")
    assert desk.read().comments == ()


def test_a_section_in_the_comments_of_a_long_text_is_written_there(desk: Desk) -> None:
    text = f"{LONG}\n\n## Goal\n\n{PROMPT}"
    key = ItemKey("ticket:long")
    [desk.known[key]] = made(desk.tracker, desk.place, Creation(ticket("long", text=text)))
    desk.tracker.finish(desk.place, [(ticket("long", text=text), desk.known[key])])
    with connected(desk.sandbox.url) as tracker:
        filled = tracker.fill(desk.place, desk.known[key], [GOAL])
        assert tracker.usage.writes == 2
    assert filled.written == ("Goal",)
    assert desk.read(key).digest == filled.digest == text_digest(text.replace(PROMPT, "Better than B."))


def test_what_would_not_fit_at_all_is_left_and_nothing_of_peoples_is_cut(desk: Desk) -> None:
    before = desk.read()
    filled = desk.tracker.fill(desk.place, desk.known[RECORD], [Fill("Goal", "word " * 30_000, (PROMPT,)), GOAL])
    assert (filled.written, filled.left, filled.digest) == ((), ("Goal", "Goal"), before.digest)
    assert desk.read() == before
    desk.changes(RECORD, desc=TEXT)  # without a marker nobody knows whose the comments would be
    filled = desk.tracker.fill(desk.place, desk.known[RECORD], [Fill("Goal", "word " * 4_000, (PROMPT,))])
    assert filled.left == ("Goal",)


def test_an_account_that_may_only_read_is_told_which_card_and_what_to_do(desk: Desk) -> None:
    with connected(desk.sandbox.url, token=READ_ONLY_TOKEN) as reader:
        with pytest.raises(PermissionMissing, match=f"{desk.known[RECORD].key} could not be filled in") as caught:
            reader.fill(desk.place, desk.known[RECORD], [GOAL])
        assert "scope write" in caught.value.fix
        with pytest.raises(PermissionMissing, match="could not be commented on"):
            reader.comment(desk.place, desk.known[RECORD], "It is due.")
    assert desk.read().text == TEXT


def test_an_answer_without_the_text_is_written_over_by_nobody(desk: Desk) -> None:
    with LosingProxy(desk.sandbox.url) as proxy, connected(proxy.url) as tracker:
        proxy.orders.fake.append((lambda one: "fields=desc" in one.path, 200, b'{"id": "%s"}' % (b"a" * 24)))
        with pytest.raises(NotATracker):
            tracker.fill(desk.place, desk.known[RECORD], [GOAL])
    assert desk.read().text == TEXT
