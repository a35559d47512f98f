"""Questions about how an iteration is documented: each is evidence, becomes a ticket, and what is said there is
evidence, too. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connectors.records import Document
from service.domain.audit.chain import ANSWER, QUESTION, Entry, digest

GONE = "gone"
"""The status of a ticket that is not in the tracker any more."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody wrote on the ticket of a question; `at` is when, edits included."""

    person: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked about an iteration. `status` is that of its ticket as it was read last (`todo`, `doing`,
    `done`, `gone`), empty where it was never read; `read_at` is when what is here was seen first; `seq` and
    `answer_seq` are the entries of the evidence."""

    id: str
    number: int
    text: str
    by: str
    at: datetime
    seq: int
    said: tuple[Said, ...] = ()
    status: str = ""
    read_at: datetime | None = None
    answer_seq: int | None = None

    @property
    def open(self) -> bool:
        """Whether nobody has closed it, nor deleted it."""
        return self.status not in ("done", GONE)


_MARKS = re.compile(r"[\\`*_{}\[\]<>#~|!&]")
_AT_THE_BEGINNING = re.compile(r"(\s*)([-+=]|\d+(?=[.)]))")


def literal(text: str) -> str:
    """A text as Markdown in which it reads as it was written, line by line."""
    lines = (_MARKS.sub(r"\\\g<0>", line) for line in text.splitlines())
    return "\\\n".join(_unmarked(line) for line in lines).replace("\\\n\\\n", "\n\n")


def _unmarked(line: str) -> str:
    """A line that begins no list and no heading."""
    found = _AT_THE_BEGINNING.match(line)
    if found is None:
        return line
    mark, rest = found[2], line[found.end() :]
    return f"{found[1]}{mark}\\{rest}" if mark.isdigit() else f"{found[1]}\\{mark}{rest}"


def question_id(project: str, number: int, text: str, by: str) -> str:
    """The id of a question: who asks the same again has asked it once."""
    return f"question-{digest([project, number, text, by])[:16]}"


def question_body(asked: str, text: str, by: str) -> dict[str, Any]:
    """What the evidence holds of a question."""
    return {"id": asked, "text": text, "by": by}


def answer_body(question: Question, found: Document | None) -> dict[str, Any]:
    """What the evidence holds of what stands on the ticket of a question; None: the ticket is gone. The text of the
    ticket is in it where somebody wrote into that."""
    if found is None:
        return {"question": question.id, "status": GONE, "said": []}
    said = [
        {"person": one.person, "text": one.text, "at": (one.edited_at or one.at).isoformat()} for one in found.comments
    ]
    if found.edits:
        last = found.edits[-1]
        said.append({"person": last.person, "text": found.text, "at": last.at.isoformat()})
    return {
        "question": question.id,
        "status": found.status,
        "said": said,
        "ref": {"key": found.ref.key, "url": found.ref.url},
    }


def says_more(question: Question, body: Mapping[str, Any]) -> bool:
    """Whether an answer says anything that the one before did not."""
    return (question.status, question.said) != (body["status"], _said(body)) and not (
        question.answer_seq is None and body["status"] == "todo" and not body["said"]
    )


def questions_of(entries: Iterable[Entry]) -> tuple[Question, ...]:
    """The questions that the evidence of a project holds, oldest first, each with what stood on its ticket last."""
    found: dict[str, Question] = {}
    for one in entries:
        if one.kind == QUESTION and one.iteration is not None:
            body = one.body
            asked = Question(body["id"], one.iteration, body["text"], body["by"], one.at, one.seq)
            found.setdefault(asked.id, asked)
        elif one.kind == ANSWER and one.body["question"] in found:
            asked = found[one.body["question"]]
            found[asked.id] = replace(
                asked, said=_said(one.body), status=one.body["status"], read_at=one.at, answer_seq=one.seq
            )
    return tuple(found.values())


def _said(body: Mapping[str, Any]) -> tuple[Said, ...]:
    return tuple(Said(one["person"], one["text"], datetime.fromisoformat(one["at"])) for one in body["said"])
