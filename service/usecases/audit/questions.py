"""Questions that somebody has about an iteration: kept as evidence when they are asked, with what their tickets say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.port import Tracker
from connectors.values import Place, RemoteRef
from service.context import Context
from service.domain.audit import chain
from service.domain.audit.questions import (
    Question,
    answer_body,
    question_body,
    question_id,
    questions_of,
    says_more,
)
from service.domain.english import counted
from service.domain.plan.event_ticket import event_ticket_key, reacting_run
from service.domain.problems import MISSING, InvalidInput, Problem
from service.store import audits, items
from service.store.tables import IterationRow, RunRow
from service.usecases.audit import record_audit
from service.usecases.errors import NotFound
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import projects

SHORTEST, LONGEST = 10, 2000
"""Characters of a question."""

MOST_OPEN = 50
"""Questions of one person in one project that are not answered yet: each is a ticket of somebody else's."""

_SOURCE = "question"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its ticket; None where it has none, or none yet. `run` makes or made it."""

    question: Question
    ticket: RemoteRef | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that was looked at and is kept nowhere yet."""

    id: str
    project: str
    number: int
    text: str
    by: str


def draft(context: Context, project: str, number: int, text: str, by: str) -> Draft:
    """A question about iteration `number`, asked by that name. Who asks the same again asks the same question. Raises
    NotFound, Conflict, InvalidInput."""
    row = projects.past_or_present(context, project)
    words = "\n".join(" ".join(line.split()) for line in text.strip().splitlines())
    with context.database.session() as session:
        if problems := [*_wrong_text(words), *_wrong_number(session, row.id, row.key, number)]:
            raise InvalidInput(problems)
    question = Draft(question_id(row.id, number, words, by), row.id, number, words, by)
    waiting = [one.question for one in listed(context, row.id) if one.question.by == by and one.question.open]
    if len(waiting) >= MOST_OPEN and question.id not in {one.id for one in waiting}:
        message = f"would be the {MOST_OPEN + 1}st of yours that nobody has answered yet"
        raise InvalidInput([Problem(_SOURCE, None, "text", message, "wait for answers, or have tickets moved to done")])
    return question


def keep(session: Session, question: Draft, at: datetime) -> None:
    """Keep a question as evidence, unless it is already."""
    audits.alone(session, question.project)
    if question.id not in {one.id for one in questions_of(audits.entries_of(session, question.project, _KINDS))}:
        body = question_body(question.id, question.text, question.by)
        audits.append(session, question.project, question.number, chain.QUESTION, at, body)


def listed(context: Context, project: str) -> list[Asked]:
    """The questions of a project, oldest first. Raises NotFound, Conflict."""
    row = projects.past_or_present(context, project)
    with context.database.session() as session:
        found = questions_of(audits.entries_of(session, row.id, _KINDS))
        tickets = items.some(session, row.id, [event_ticket_key(one.id) for one in found])
        refs = items.references({key: one for key, one in tickets.items() if one.state != items.RELEASED})
        runs = {one.id: reacting_run(one.id) for one in found}
        begun = set(session.scalars(select(RunRow.id).where(RunRow.id.in_(list(runs.values())))))
    return [
        Asked(one, refs.get(event_ticket_key(one.id)), runs[one.id] if runs[one.id] in begun else None) for one in found
    ]


def get(context: Context, project: str, asked: str) -> Asked:
    """The question of that id. Raises NotFound, Conflict."""
    for one in listed(context, project):
        if one.question.id == asked:
            return one
    raise NotFound("question", asked, "List the questions to see those there are.")


def look(context: Context, project: str, among: Collection[str] | None = None) -> None:
    """Read what stands on the tickets of the questions with these ids (None: of all) now, and keep what is new as
    evidence. Writes nothing to the tracker. Raises NotFound, Conflict, InvalidInput, TrackerError."""
    ours = material(context, projects.past_or_present(context, project).id)
    asked = [one for one in listed(context, ours.project.id) if among is None or one.question.id in among]
    if any(one.ticket is not None for one in asked):
        with context.tracker(ours.connection) as tracker:
            read(context, ours, tracker, record_audit.located(context, tracker, ours), asked)
    with context.database.session() as session:
        context.done(session, ours.project.id)


def read(context: Context, ours: Material, tracker: Tracker, place: Place, asked: Iterable[Asked]) -> None:
    """Read the tickets of these questions in one call of the port, and keep what is new as evidence."""
    tickets = {event_ticket_key(one.question.id): one for one in asked if one.ticket is not None}
    if not tickets:
        return
    wanted = {key: one.ticket for key, one in tickets.items() if one.ticket is not None}
    found = tracker.documents(place, wanted, list(wanted))
    with context.database.session() as session:
        audits.alone(session, ours.project.id)
        stands = {one.id: one for one in questions_of(audits.entries_of(session, ours.project.id, _KINDS))}
        for key, one in tickets.items():
            question, document = stands[one.question.id], found.get(key)
            body = answer_body(question, document)
            if (document is None or not document.unread) and says_more(question, body):
                audits.append(session, ours.project.id, question.number, chain.ANSWER, context.now(), body)


def open_ones(context: Context, ours: Material) -> Sequence[Asked]:
    """The questions of a project whose tickets are not done."""
    return [one for one in listed(context, ours.project.id) if one.question.open]


def asked_json(one: Asked) -> Mapping[str, object]:
    """A question as plain values; instants are UTC."""
    question = one.question
    return {
        "id": question.id,
        "iteration": question.number,
        "text": question.text,
        "by": question.by,
        "at": question.at.isoformat(),
        "evidence": question.seq,
        "ticket": one.ticket.key if one.ticket is not None else None,
        "url": one.ticket.url if one.ticket is not None else None,
        "status": question.status or None,
        "said": [{"person": said.person, "text": said.text, "at": said.at.isoformat()} for said in question.said],
        "read_at": question.read_at.isoformat() if question.read_at is not None else None,
        "answer_evidence": question.answer_seq,
    }


_KINDS = (chain.QUESTION, chain.ANSWER)


def _wrong_text(words: str) -> Iterable[Problem]:
    fix = f"write {SHORTEST} to {LONGEST} characters"
    if not words:
        yield Problem(_SOURCE, None, "text", MISSING, fix)
    elif not SHORTEST <= len(words) <= LONGEST:
        yield Problem(_SOURCE, None, "text", f"has {counted(len(words), 'character')}", fix)
    elif not words.replace("\n", "").isprintable():
        yield Problem(_SOURCE, None, "text", "holds signs that cannot be shown", "write plain text")


def _wrong_number(session: Session, project: str, key: str, number: int) -> Iterable[Problem]:
    if session.get(IterationRow, (project, number)) is None:
        yield Problem(_SOURCE, None, "iteration", f"iteration {number} of {key} has not begun", "name one that has")
