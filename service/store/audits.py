"""What was read about a project's records and what came of it: evidence that only grows, the newest audits, waivers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.audit import chain
from service.domain.audit.chain import Entry
from service.domain.audit.forms import audited_from_json, audited_to_json
from service.domain.audit.outcome import Audited, Check, Waived
from service.domain.audit.proof import body_of
from service.domain.audit.subject import Subject, subject_from_json
from service.store.rows import keep_others_out
from service.store.tables import AuditRow, EvidenceRow, ProjectRow, WaiverRow

_NUDGED, _BODIES, _DIGESTS = "nudged", "bodies", "digests"


# --- evidence ---------------------------------------------------------------------------------------------------------


def entries(session: Session, project_id: str) -> list[Entry]:
    """All evidence of a project, from the first entry on, in order; `chain.breaks` says whether it is whole."""
    query = select(EvidenceRow).where(EvidenceRow.project_id == project_id).order_by(EvidenceRow.seq)
    return [_entry(row) for row in session.scalars(query)]


def entries_of(session: Session, project_id: str, kinds: Collection[str]) -> list[Entry]:
    """The entries of these kinds of a project's evidence, in order."""
    query = select(EvidenceRow).where(EvidenceRow.project_id == project_id, EvidenceRow.kind.in_(list(kinds)))
    return [_entry(row) for row in session.scalars(query.order_by(EvidenceRow.seq))]


def entry(session: Session, project_id: str, seq: int) -> Entry | None:
    """The entry of that number of a project's evidence; None if there is none."""
    query = select(EvidenceRow).where(EvidenceRow.project_id == project_id, EvidenceRow.seq == seq)
    row = session.scalar(query)
    return _entry(row) if row is not None else None


def readings(session: Session, project_id: str, numbers: Collection[int] | None = None) -> dict[int, Subject]:
    """The newest reading of each of these iterations (None: of all), by number; one that was never read is missing."""
    query = select(EvidenceRow.body).join(AuditRow, AuditRow.evidence_id == EvidenceRow.id)
    query = query.where(AuditRow.project_id == project_id).order_by(AuditRow.number)
    if numbers is not None:
        query = query.where(AuditRow.number.in_(list(numbers)))
    subjects = [subject_from_json(body) for body in session.scalars(query)]
    return {subject.iteration.number: subject for subject in subjects}


def append(
    session: Session, project_id: str, iteration: int | None, kind: str, at: datetime, body: Mapping[str, Any]
) -> EvidenceRow:
    """Add an entry to the end of the project's chain. Nobody else adds one until this unit of work ends."""
    alone(session, project_id)
    newest = select(EvidenceRow).where(EvidenceRow.project_id == project_id).order_by(EvidenceRow.seq.desc()).limit(1)
    last = session.scalar(newest)
    entry = chain.sealed(project_id, iteration, kind, at, body, _entry(last) if last is not None else None)
    row = EvidenceRow(
        project_id=project_id,
        seq=entry.seq,
        iteration=iteration,
        kind=kind,
        at=at,
        body=dict(body),
        previous=entry.previous,
        digest=entry.digest,
    )
    session.add(row)
    session.flush()
    return row


def _entry(row: EvidenceRow) -> Entry:
    return Entry(row.project_id, row.seq, row.iteration, row.kind, row.at, row.body, row.previous, row.digest)


def alone(session: Session, project_id: str) -> None:
    """Let nobody else add to this project's evidence until this unit of work ends."""
    keep_others_out(session)
    session.execute(select(ProjectRow.id).where(ProjectRow.id == project_id).with_for_update(key_share=True))


# --- audits -----------------------------------------------------------------------------------------------------------


def rows(session: Session, project_id: str) -> dict[int, AuditRow]:
    """The newest audit of each iteration by number."""
    query = select(AuditRow).where(AuditRow.project_id == project_id).order_by(AuditRow.number)
    return {row.number: row for row in session.scalars(query.execution_options(populate_existing=True))}


def keep(session: Session, project_id: str, looks: Sequence[tuple[Subject, Audited]], now: datetime) -> list[AuditRow]:
    """Record looks, in order: the subject of each as evidence, unless that of before says the same and led to the same;
    and what its audit says. What stands in a row's `state` stays; `trouble` is over."""
    kept = judge_again(session, project_id, looks)
    for row in kept:
        row.audited_at, row.trouble = now, ""
    session.flush()
    return kept


def judge_again(session: Session, project_id: str, looks: Sequence[tuple[Subject, Audited]]) -> list[AuditRow]:
    """Record what is said now of what was read before, because its waivers changed. As `keep`, but nobody looked: when
    that was, and whether it failed, stays."""
    alone(session, project_id)
    known = rows(session, project_id)
    ids = [row.evidence_id for subject, _ in looks if (row := known.get(subject.iteration.number)) is not None]
    query = select(EvidenceRow.id, EvidenceRow.body).where(EvidenceRow.id.in_([one for one in ids if one is not None]))
    before: dict[int, dict[str, Any]] = dict(session.execute(query).all())
    kept = []
    for subject, audited in looks:
        number = subject.iteration.number
        row = known.get(number) or _new(project_id, number, subject.at)
        body, result = body_of(subject, audited), audited_to_json(audited)
        if row.evidence_id is None or row.result != result or not _same(before[row.evidence_id], body):
            row.evidence_id = append(session, project_id, number, chain.READING, subject.at, body).id
        _say(row, audited, result)
        session.add(row)
        kept.append(row)
    session.flush()
    return kept


def trouble(session: Session, project_id: str, unread: Audited, why: str, now: datetime) -> AuditRow:
    """Record that an iteration could not be looked at. What was said of it before stays; one that was never read gets
    `unread`. No evidence is added: nothing was read."""
    alone(session, project_id)
    row = session.get(AuditRow, (project_id, unread.number), populate_existing=True)
    if row is None:
        row = _new(project_id, unread.number, now)
        session.add(row)
    if row.evidence_id is None:
        _say(row, unread, audited_to_json(unread))
    row.trouble = "".join(sign if sign.isprintable() else " " for sign in why)[:2000] or "It could not be looked at."
    session.flush()
    return row


def audited(row: AuditRow) -> Audited:
    """What the newest audit of an iteration said."""
    return audited_from_json(row.result)


def _new(project_id: str, number: int, at: datetime) -> AuditRow:
    return AuditRow(project_id=project_id, number=number, state={}, trouble="", evidence_id=None, audited_at=at)


def _say(row: AuditRow, audited: Audited, result: dict[str, Any]) -> None:
    row.verdict, row.clock, row.score = audited.verdict.value, audited.clock.value, audited.score
    row.result = result


def _same(before: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether two readings say the same, whenever they were made."""
    return {**before, "at": None} == {**body, "at": None}


# --- what the clock did -----------------------------------------------------------------------------------------------


def note(
    session: Session,
    project_id: str,
    number: int,
    *,
    nudged: str | None = None,
    bodies: Mapping[str, str] | None = None,
    digest: str | None = None,
) -> None:
    """Remember what the clock did about an iteration that was audited: the clock's state that people were reminded of,
    what was written under headings of its record (Markdown by heading), the digest of the record's text as it was left.
    Repeatable. Without effect for an iteration that has no audit."""
    row = session.get(AuditRow, (project_id, number), with_for_update=True, populate_existing=True)
    if row is None:
        return
    state = dict(row.state)
    if nudged is not None:
        state[_NUDGED] = _with(state.get(_NUDGED, []), nudged)
    if digest is not None:
        state[_DIGESTS] = _with(state.get(_DIGESTS, []), digest)
    if bodies:
        former = state.get(_BODIES, {})
        state[_BODIES] = {**former, **{name: _with(former.get(name, []), body) for name, body in bodies.items()}}
    row.state = state


def _with(values: Sequence[str], value: str) -> list[str]:
    """The values with this one as the newest, each once."""
    return [one for one in values if one != value] + [value]


def nudged(row: AuditRow) -> tuple[str, ...]:
    """The clock's states for which people were reminded."""
    return tuple(row.state.get(_NUDGED, ()))


def bodies(row: AuditRow) -> dict[str, tuple[str, ...]]:
    """What we wrote so far under each heading of the record, the newest last, in Markdown."""
    return {name: tuple(written) for name, written in row.state.get(_BODIES, {}).items()}


def digests(row: AuditRow) -> tuple[str, ...]:
    """The digests of the record's texts as we left them."""
    return tuple(row.state.get(_DIGESTS, ()))


# --- waivers ----------------------------------------------------------------------------------------------------------


def waivers(session: Session, project_id: str) -> list[WaiverRow]:
    """All waivers of a project, those that are over or were taken back included, oldest first."""
    query = select(WaiverRow).where(WaiverRow.project_id == project_id).order_by(WaiverRow.at, WaiverRow.id)
    return list(session.scalars(query))


def waived(rows: Iterable[WaiverRow], number: int) -> dict[Check, Waived]:
    """The waivers that were not taken back and are for this iteration or for all, by check; of several the one that
    lasts longest. One that is over is here too: the audit counts it until its day."""
    found: dict[Check, Waived] = {}
    for row in rows:
        if row.revoked_at is not None or row.number not in (None, number):
            continue
        check, waiver = Check(row.check), Waived(row.by, row.reason, row.until, row.at)
        if check not in found or waiver.until >= found[check].until:
            found[check] = waiver
    return found


def in_force(rows: Iterable[WaiverRow], today: date) -> list[WaiverRow]:
    """Those that were not taken back and whose last day has not passed."""
    return [row for row in rows if row.revoked_at is None and row.until >= today]
