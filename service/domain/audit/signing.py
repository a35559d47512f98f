"""Who wrote a record, who signed it, and what was changed after that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from connectors.records import Document, Edit, Part
from service.domain.audit.subject import Subject
from service.domain.comparison import fold

COMMENT: Final = "comment"
TICK: Final = "tick"
DONE: Final = "done"

_APPROVES: Final = re.compile(r"\s*/approved?(?![\w/])", re.IGNORECASE)
_SIGNED_OFF: Final = """
    signed off; sign off; signed by; has signed; abgenommen; freigegeben; unterzeichnet; unterschrieben; aprobado por;
    firmado; visto bueno; approuve; valide par; signe par; vise par; approvato; firmato; validato; aprovado; assinado;
    goedgekeurd; afgetekend; ondertekend; zatwierdzone; podpisane; 承認済; 署名済; 已签字; 已批准; 已签署
"""
_TICKED: Final = tuple(fold(word) for word in _SIGNED_OFF.split(";"))

UNREAD: Final = {COMMENT: Part.COMMENTS, TICK: Part.CHECKLIST, DONE: Part.HISTORY}
"""The part of a ticket in which each way of signing is seen."""


_CLOCKS_APART: Final = timedelta(minutes=2)
"""How far the tracker's clock may be from ours."""


@dataclass(frozen=True, slots=True)
class Signature:
    """That somebody put their name to a record: `by` is their account, `person` what they are called, `how` is
    `comment`, `tick` or `done`, `quote` what they wrote or ticked."""

    by: str
    person: str
    at: datetime
    how: str
    quote: str = ""


def signatures(subject: Subject, document: Document) -> tuple[Signature, ...]:
    """All that looks like signing, by anybody, in the ways that the rules allow; oldest first.

    A comment that was edited signs when it was edited: what it said before is not known. Moving the ticket to done
    signs as long as it was not taken back from there.
    """
    ways = {COMMENT: _by_comment, TICK: _by_tick, DONE: _by_moving}
    found = [one for how, way in ways.items() if how in subject.rules.sign_by for one in way(document)]
    return tuple(sorted(found, key=lambda one: one.at))


def authors_of(subject: Subject, document: Document) -> frozenset[str]:
    """The accounts of those who wrote the record: everybody who edited it, or else whoever it is assigned to or was
    made by. What phaseloop wrote has no author."""
    editors = frozenset(edit.by for edit in edits_by_people(subject, document) if edit.by)
    if editors:
        return editors
    return frozenset(one for one in (document.assignee, document.created_by) if one and one != subject.ours)


def edits_by_people(subject: Subject, document: Document) -> tuple[Edit, ...]:
    """The changes of the text that phaseloop did not make, oldest first. Its account may be a person's as well: a text
    that it never wrote is theirs, once the iteration has begun."""
    return tuple(edit for edit in document.edits if not _is_ours(subject, edit))


def changes_since(
    subject: Subject, document: Document, at: datetime, until: datetime | None = None
) -> tuple[Edit, ...]:
    """What people changed in the text after that instant (and up to another), oldest first; nothing if it read again
    then as it did before."""
    known = [edit for edit in document.edits if until is None or edit.at <= until]
    later = tuple(edit for edit in edits_by_people(subject, document) if edit.at > at and edit in known)
    before = [edit.digest for edit in known if edit.at <= at]
    then = document.digest if len(known) == len(document.edits) else known[-1].digest if known else ""
    if later and before and before[-1] and before[-1] == then:
        return ()
    return later


def holds_role(subject: Subject, account: str, role: str) -> bool:
    """Whether the account is that of somebody who holds the role, or stands in for it."""
    person = subject.people.get(account)
    return person is not None and role in person.roles


def person_of(subject: Subject, account: str, shown: str = "") -> str:
    """What somebody is called: by the team, else by the tracker."""
    person = subject.people.get(account)
    return (person.name if person is not None else "") or shown or account or "somebody unknown"


def _is_ours(subject: Subject, edit: Edit) -> bool:
    if not subject.ours or edit.by != subject.ours:
        return False
    # Before an iteration begins its record is seeded, and seeded again where the loop comes to it otherwise.
    begun = subject.iteration.begun_at
    prepared = begun is not None and edit.at <= begun + _CLOCKS_APART
    return prepared or not edit.digest or edit.digest in subject.written


def _by_comment(document: Document) -> Iterator[Signature]:
    for one in document.comments:
        if _APPROVES.match(one.text):
            yield Signature(one.author, one.person, one.edited_at or one.at, COMMENT, one.text)


def _by_tick(document: Document) -> Iterator[Signature]:
    for one in document.ticks:
        if one.done and one.at is not None and any(word in fold(one.text) for word in _TICKED):
            yield Signature(one.by, one.person, one.at, TICK, one.text)


def _by_moving(document: Document) -> Iterator[Signature]:
    if document.status != "done":
        return
    for step in takewhile(lambda step: step.status == "done", reversed(document.steps)):
        yield Signature(step.by, step.person, step.at, DONE, "moved to done")
