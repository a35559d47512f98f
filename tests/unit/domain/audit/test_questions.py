"""Questions: what the evidence holds of them, and what of it is news."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from connectors.records import Comment, Document, Edit
from connectors.values import RemoteRef
from service.domain.audit.chain import ANSWER, QUESTION, Entry, sealed
from service.domain.audit.questions import (
    GONE,
    answer_body,
    literal,
    question_body,
    question_id,
    questions_of,
    says_more,
)

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = question_id("prj_1", 3, "Which data?", "auditor-1@example.com")
TICKET = Document(RemoteRef("1", "ML-48", "https://x/ML-48"), "Question", "Which data?", "d", "todo")


def chain(*told: tuple[str, int | None, dict[str, object]]) -> list[Entry]:
    entries: list[Entry] = []
    for minute, (kind, iteration, body) in enumerate(told):
        at = AT + timedelta(minutes=minute)
        entries.append(sealed("prj_1", iteration, kind, at, body, entries[-1] if entries else None))
    return entries


ASKED = (QUESTION, 3, question_body(ID, "Which data?", "auditor-1@example.com"))
(OPEN,) = questions_of(chain(ASKED))


def said(text: str, person: str = "Product Manager") -> Comment:
    return Comment("1", "acc-1", person, text, AT)


def test_a_question_stands_as_it_was_asked_and_is_open_until_its_ticket_is_done() -> None:
    answered = replace(TICKET, status="done", comments=(said("The orders."),))
    (found,) = questions_of(chain(ASKED, (ANSWER, 3, answer_body(OPEN, answered))))

    assert (OPEN.number, OPEN.text, OPEN.by, OPEN.open, OPEN.answer_seq) == (
        3,
        "Which data?",
        "auditor-1@example.com",
        True,
        None,
    )
    assert (found.status, found.open, found.answer_seq) == ("done", False, 2)
    assert [(one.person, one.text, one.at) for one in found.said] == [("Product Manager", "The orders.", AT)]


def test_what_was_seen_before_is_no_news_and_silence_is_none_at_all() -> None:
    once = answer_body(OPEN, replace(TICKET, comments=(said("The orders."),)))
    (found,) = questions_of(chain(ASKED, (ANSWER, 3, once)))

    assert not says_more(OPEN, answer_body(OPEN, TICKET))
    assert says_more(OPEN, once)
    assert not says_more(found, once)
    edited = replace(said("The orders, version 2."), edited_at=AT + timedelta(hours=1))
    assert says_more(found, answer_body(found, replace(TICKET, comments=(edited,))))
    assert says_more(found, answer_body(found, TICKET)), "that a comment was deleted is news"


HOSTILE = """# no heading
**no bold** [no link](http://evil.example) ![no picture](x) `no code` ~~no strike~~
- no list
1. no number
```
no block
```
> no quote

Setext
===
a_b_c | <b> &amp; \\ end"""


def test_what_was_asked_reads_as_it_was_written_whatever_marks_it_holds() -> None:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(literal(HOSTILE))
    kinds = {one.type for one in tokens} | {each.type for one in tokens for each in one.children or ()}

    assert kinds <= {"paragraph_open", "inline", "paragraph_close", "text", "text_special", "hardbreak", "softbreak"}
    said = "\n\n".join(
        "".join(each.content or "\n" for each in one.children or ()) for one in tokens if one.type == "inline"
    )
    assert said == HOSTILE


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40))
def test_any_line_reads_as_it_was_written(line: str) -> None:
    line = " ".join(line.split())
    tokens = MarkdownIt("commonmark").parse(literal(line))

    assert [one.type for one in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"])
    assert "".join(each.content for one in tokens for each in one.children or ()) == line


def test_a_ticket_that_was_deleted_is_told_and_what_was_said_in_its_text_counts() -> None:
    (gone,) = questions_of(chain(ASKED, (ANSWER, 3, answer_body(OPEN, None))))
    edit = Edit("acc-1", "Product Manager", AT)
    written = answer_body(OPEN, replace(TICKET, text="Which data? The orders.", edits=(edit,)))

    assert (gone.status, gone.open) == (GONE, False)
    assert [one["text"] for one in written["said"]] == ["Which data? The orders."]


def test_an_answer_of_a_question_that_is_not_here_and_a_second_asking_change_nothing() -> None:
    other = replace(OPEN, id="question-other")

    assert questions_of(chain((ANSWER, 3, answer_body(other, TICKET)))) == ()
    assert len(questions_of(chain(ASKED, ASKED))) == 1
