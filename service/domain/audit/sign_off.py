"""D10 and D11: whether the right person signed the record as it stands, and whether that was on time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.records import Document, Edit, Part
from service.domain.audit.answers import own_of
from service.domain.audit.findings import (
    failed,
    inconclusive,
    instant,
    listed,
    not_applicable,
    passed,
    quoted,
    weight_of,
)
from service.domain.audit.outcome import Check, CheckFinding, Confirmed, Evidence, Weight
from service.domain.audit.signing import (
    COMMENT,
    DONE,
    TICK,
    UNREAD,
    Signature,
    authors_of,
    changes_since,
    edits_by_people,
    holds_role,
    person_of,
    signatures,
)
from service.domain.audit.subject import Subject

_WAYS = {
    COMMENT: "comments /approve",
    TICK: 'ticks the line that says "signed off"',
    DONE: "moves the ticket to done",
}


@dataclass(frozen=True, slots=True)
class Signing:
    """How a record was signed. `good` are the signatures that count, `others` those that do not, both oldest first;
    `changes` is what people changed after the last good one. `unread` are parts that could tell more."""

    authors: frozenset[str]
    good: tuple[Signature, ...]
    others: tuple[Signature, ...]
    changes: tuple[Edit, ...]
    unread: tuple[Part, ...]

    @property
    def stands(self) -> bool:
        """Whether the record is signed as it stands now, for all that was read."""
        return bool(self.good) and not self.changes and Part.HISTORY not in self.unread


def signing_of(subject: Subject, document: Document) -> Signing:
    """How this record was signed, as far as its parts could be read. The signature of somebody who wrote in it does not
    count, nor that of anybody who does not hold the role that signs."""
    authors = authors_of(subject, document)
    found = signatures(subject, document)
    good = tuple(one for one in found if one.by not in authors and holds_role(subject, one.by, subject.rules.signer))
    # phaseloop never comments /approve: that is a person who uses its account, and is told that it does not count.
    silent = {subject.ours} - set(subject.people)
    others = tuple(one for one in found if one not in good and (one.by not in silent or one.how == COMMENT))
    asked = {UNREAD[how] for how in subject.rules.sign_by if how in UNREAD} | ({Part.HISTORY} if found else set())
    changes = changes_since(subject, document, good[-1].at) if good else ()
    return Signing(authors, good, others, changes, tuple(part for part in Part if part in asked & set(document.unread)))


_CHECK = re.compile(r"(?<!\w)D(0[1-9]|1[0-5])(?!\w)", re.IGNORECASE)


def confirmations_of(subject: Subject, signing: Signing) -> dict[Check, tuple[Confirmed, Evidence]]:
    """The checks that a signature which counts confirms by name, as `/approve D05` does, with who and the comment. An
    edit after it takes them back, as it does the signature."""
    document = subject.record.document
    if document is None or not signing.stands:
        return {}
    changed = max((one.at for one in edits_by_people(subject, document)), default=None)
    return {
        Check(f"D{number}"): (Confirmed(_person(subject, one), one.at), _shown(subject, document, one))
        for one in signing.good
        if one.how == COMMENT and (changed is None or one.at >= changed)
        for number in _CHECK.findall(one.quote.partition("\n")[0])
    }


def sign_off(subject: Subject) -> CheckFinding:
    """D10: somebody who holds the role that signs, and did not write the record, signed it after its last change."""
    document = _document(subject)
    signing = signing_of(subject, document)
    check, fix = Check.SIGN_OFF, _how_to_sign(subject)
    if signing.stands:
        last = signing.good[-1]
        names = {edit.by: edit.person for edit in document.edits}
        wrote = listed([person_of(subject, one, names.get(one, "")) for one in sorted(signing.authors)])
        reason = f"{_person(subject, last)} signed it on {instant(subject, last.at)}" + (
            f"; {wrote} wrote it." if wrote else "."
        )
        return passed(subject, check, reason, _shown(subject, document, last))
    if signing.unread:
        parts = listed([part.value for part in signing.unread])
        return inconclusive(subject, check, f"Its {parts} could not be read, so whether it is signed is not known.")
    if signing.changes:
        last, edit = signing.good[-1], signing.changes[-1]
        editor = person_of(subject, edit.by, edit.person)
        reason = (
            f"It was changed after sign-off: {_person(subject, last)} signed it on {instant(subject, last.at)}, and "
            f"{editor} changed it on {instant(subject, edit.at)}."
        )
        changes = [_changed(subject, document, one) for one in signing.changes[-3:]]
        return failed(subject, check, reason, f"Read it again; {fix}", _shown(subject, document, last), *changes)
    shown = [_shown(subject, document, one) for one in signing.others[-3:]]
    return failed(subject, check, _why_not(subject, signing), fix[:1].upper() + fix[1:], *shown)


def on_time(subject: Subject) -> CheckFinding:
    """D11: the record stood signed when the grace was over, or was written by then where nobody has to sign. A
    signature that an edit made void by then is as good as none. What is edited later was on time all the same; that it
    has to be signed again is told by D10."""
    document, check, late = _document(subject), Check.ON_TIME, subject.iteration.deadlines.late
    signing = signing_of(subject, document)
    first = _first_standing(subject, document, signing, late)
    due = f"it was due by {instant(subject, late)}"
    if Part.TEXT not in document.unread and not own_of(subject).strip():
        return _unwritten(subject, document, signing)
    if first is not None and first.at <= late:
        reason = f"{_person(subject, first)} signed it on {instant(subject, first.at)}; {due}."
        return passed(subject, check, reason, _shown(subject, document, first))
    unsigned = weight_of(subject, Check.SIGN_OFF) is Weight.OFF
    edits = edits_by_people(subject, document)
    if unsigned and edits and edits[-1].at <= late and Part.HISTORY not in document.unread:
        reason = f"It was written by {instant(subject, edits[-1].at)}; {due}."
        return passed(subject, check, reason, _changed(subject, document, edits[-1]))
    if signing.unread or (unsigned and Part.HISTORY in document.unread):
        return inconclusive(subject, check, "When it was signed is not known: not all of the ticket could be read.")
    if first is None and not (unsigned and edits) and subject.at < late:
        return not_applicable(subject, check, f"It is not late yet: it is due by {instant(subject, late)}.")
    if first is None and signing.changes and not unsigned:
        return _void(subject, document, signing)
    return _late(subject, document, first, edits if unsigned else (), late)


def _unwritten(subject: Subject, document: Document, signing: Signing) -> CheckFinding:
    """That nobody has written a word: a signature under nothing makes no record that was complete in time."""
    late, check = subject.iteration.deadlines.late, Check.ON_TIME
    if subject.at < late:
        return not_applicable(subject, check, f"It is not late yet: it is due by {instant(subject, late)}.")
    signed = [_shown(subject, document, one) for one in signing.good[-1:]]
    though = ", though it is signed" if signed else ""
    reason = f"Nobody has written anything in it{though}; it was due by {instant(subject, late)}."
    return failed(subject, check, reason, f"Have it written and signed. {_STAYS_LATE}", *signed)


def _first_standing(subject: Subject, document: Document, signing: Signing, late: datetime) -> Signature | None:
    """The first signature that counts and stood when the grace was over, or else stands now; None for none, or where
    edits could not be read. One from before anybody wrote signed nothing."""
    if Part.HISTORY in signing.unread:
        return None
    good = [one for one in signing.good if _is_under_words(subject, document, one)]
    then = (one for one in good if one.at <= late and not changes_since(subject, document, one.at, late))
    now = (one for one in good if not changes_since(subject, document, one.at))
    return next(then, None) or next(now, None)


def _is_under_words(subject: Subject, document: Document, signature: Signature) -> bool:
    """Whether somebody had written in the record when it was signed, as far as that is known."""
    if not subject.ours or document.created_by != subject.ours:
        return True
    edits = edits_by_people(subject, document)
    return not edits or edits[0].at <= signature.at


_STAYS_LATE = "What is late stays late: if there was a good reason, waive D11 and say so."


def _void(subject: Subject, document: Document, signing: Signing) -> CheckFinding:
    """That the record was signed, but not as it stands."""
    last, edit = signing.good[-1], signing.changes[-1]
    reason = (
        f"{_person(subject, last)} signed it on {instant(subject, last.at)}, but it was changed on "
        f"{instant(subject, edit.at)}, so that no signature stands; it was due by "
        f"{instant(subject, subject.iteration.deadlines.late)}."
    )
    fix = f"Have it signed again. {_STAYS_LATE}"
    shown = (_shown(subject, document, last), _changed(subject, document, edit))
    return failed(subject, Check.ON_TIME, reason, fix, *shown)


def _late(
    subject: Subject, document: Document, first: Signature | None, edits: Sequence[Edit], late: datetime
) -> CheckFinding:
    due = f"it was due by {instant(subject, late)}"
    fix = _STAYS_LATE
    if first is not None:
        reason = f"{_person(subject, first)} signed it on {instant(subject, first.at)}; {due}."
        return failed(subject, Check.ON_TIME, reason, fix, _shown(subject, document, first))
    if edits:
        reason = f"It was last written on {instant(subject, edits[-1].at)}; {due}."
        return failed(subject, Check.ON_TIME, reason, fix, _changed(subject, document, edits[-1]))
    reason = f"It is late: nobody who may has signed it, and {due}."
    return failed(subject, Check.ON_TIME, reason, "Have it finished and signed; " + fix[0].lower() + fix[1:])


def _why_not(subject: Subject, signing: Signing) -> str:
    """Why nothing that looks like a signature counts, in words."""
    role = subject.rules.signer_title or subject.rules.signer or "signer"
    if not signing.others:
        if informal := _informal(subject):
            return informal
        if not any(subject.rules.signer in person.roles for person in subject.people.values()):
            return f"Nobody has signed it, and nobody whose account is known holds the role that signs, {role}."
        return f"Nobody has signed it; the {role} is to."
    last = signing.others[-1]
    who = _person(subject, last)
    if last.by in signing.authors and holds_role(subject, last.by, subject.rules.signer):
        return (
            f"{who} signed it on {instant(subject, last.at)}, but also wrote in it, and nobody signs what they wrote."
        )
    if last.by == subject.ours and last.by not in subject.people:
        return (
            f"{who} signed it on {instant(subject, last.at)}, but with the account that phaseloop works with, which is "
            "nobody's of the team."
        )
    if last.by not in subject.people:
        return f"{who} signed it on {instant(subject, last.at)}, but this account is not known as one of the team's."
    return f"{who} signed it on {instant(subject, last.at)}, but does not hold the role that signs, {role}."


_INFORMAL = re.compile(
    r"^\W{0,3}(?:lgtm|approved?|looks good(?: to me)?|signed(?: off)?|ok to (?:go|close)|freigegeben|passt|aprobado"
    r"|valide|aprovado)\b",
    re.IGNORECASE,
)


def _informal(subject: Subject) -> str:
    """What is said to somebody who may sign and said so in words that do not sign."""
    document = _document(subject)
    if COMMENT not in subject.rules.sign_by:
        return ""
    authors = authors_of(subject, document)
    for one in reversed(document.comments):
        may = holds_role(subject, one.author, subject.rules.signer) and one.author not in authors
        if may and _INFORMAL.match(one.text):
            who = person_of(subject, one.author, one.person)
            return f'{who} wrote "{quoted(one.text)[:60]}", which does not sign it: begin the comment with /approve.'
    return ""


def _how_to_sign(subject: Subject) -> str:
    role = subject.rules.signer_title or subject.rules.signer or "signer"
    ways = [words for how, words in _WAYS.items() if how in subject.rules.sign_by]
    how = f"{', '.join(ways[:-1])} or {ways[-1]}" if len(ways) > 1 else "".join(ways)
    return f"somebody who holds the role {role} and did not write it {how or 'signs it'}."


def _shown(subject: Subject, document: Document, one: Signature) -> Evidence:
    source = {COMMENT: "comment", TICK: "checklist", DONE: "history"}[one.how]
    return Evidence(source, quoted(one.quote), document.ref.url, _person(subject, one), one.at, document.digest)


def _changed(subject: Subject, document: Document, edit: Edit) -> Evidence:
    who = person_of(subject, edit.by, edit.person)
    return Evidence("history", "changed the text", document.ref.url, who, edit.at, edit.digest)


def _person(subject: Subject, one: Signature) -> str:
    return person_of(subject, one.by, one.person)


def _document(subject: Subject) -> Document:
    """The record; these checks are asked only where there is one."""
    if subject.record.document is None:
        raise ValueError("there is no record to be checked")
    return subject.record.document
