"""Waivers: a person lets a check pass, for a reason, until a day. Each is on record, and so is its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from service.context import Context
from service.domain.audit import chain
from service.domain.audit.audit import audit
from service.domain.audit.outcome import Check
from service.domain.english import counted
from service.domain.problems import MISSING, InvalidInput, Problem
from service.opinion.asking import as_judged_now
from service.store import audits
from service.store.secrets import new_id
from service.store.tables import IterationRow, WaiverRow
from service.usecases import ids
from service.usecases.errors import Conflict, NotFound
from service.usecases.setup import projects
from service.views.audit import WaiverView
from service.views.setup import ProjectView

SHORTEST_REASON = 10
"""A reason has at least so many characters."""
LONGEST_REASON = 1000
LONGEST_DAYS = 400
"""A waiver ends at most so many days from now: what is waived for ever is a rule, and belongs into the template."""

_SOURCE = "waiver"


def waive(
    context: Context,
    project: str,
    check: Check | str,
    *,
    number: int | None = None,
    by: str,
    reason: str,
    until: date,
    anew: bool = True,
) -> WaiverView:
    """Let a check of a project pass, for iteration `number` or for all of them, until that day, included. It is in the
    evidence at once, and what was read last is audited again with it. Asking for the same again gives the same waiver;
    unless `anew`, a check that somebody else waived meanwhile stays with that waiver.

    Raises NotFound (the project), Conflict (there are several of that name), InvalidInput with every problem of check,
    iteration, reason and day.
    """
    row = projects.get(context, project)
    why, today = " ".join(reason.split()), today_of(context, row)
    with context.database.session() as session:
        problems = [*_wrong(str(check), why, by, until, today), *_wrong_number(session, row, number)]
        if problems:
            raise InvalidInput(problems)
        audits.alone(session, row.id)
        known = audits.waivers(session, row.id)
        asked = (number, Check(check).value, by.strip(), why, until)
        for old in known:
            if old.revoked_at is None and (old.number, old.check, old.by, old.reason, old.until) == asked:
                context.done(session, old.id)
                return WaiverView.of(old)
        holding = next((one for one in known if _holds(one, number, str(check), today)), None)
        if holding is not None and not anew:
            message = f"{holding.by} has waived this until {holding.until}: {holding.reason}"
            raise Conflict("waived", message, "Take that waiver back first.")
        waiver = WaiverRow(
            id=new_id("wvr"),
            project_id=row.id,
            number=number,
            check=Check(check).value,
            by=by.strip(),
            reason=why,
            until=until,
            at=context.now(),
        )
        session.add(waiver)
        audits.append(session, row.id, number, chain.WAIVER, waiver.at, WaiverView.of(waiver).said())
        _audit_again(context, session, waiver, [*known, waiver])
        context.done(session, waiver.id)
    return WaiverView.of(waiver)


def _holds(waiver: WaiverRow, number: int | None, check: str, today: date) -> bool:
    same = waiver.check == check and waiver.number in (number, None)
    return same and waiver.revoked_at is None and waiver.until >= today


def revoke(context: Context, waiver_id: str, *, by: str, reason: str = "") -> WaiverView:
    """Take a waiver back: the check counts again from now on. Repeatable: who did first stays. Raises NotFound,
    InvalidInput."""
    with context.database.session() as session:
        waiver = session.get(WaiverRow, ids.whole(session, WaiverRow.id, waiver_id, "waivers"))
        if waiver is None:
            raise NotFound("waiver", waiver_id, "`phaseloop audit waive PROJECT` lists those there are.")
        if problems := _wrong_words("by", by.strip(), 1, 200):
            raise InvalidInput(problems)
        audits.alone(session, waiver.project_id)
        session.refresh(waiver)
        context.done(session, waiver.id)
        if waiver.revoked_at is not None:
            return WaiverView.of(waiver)
        waiver.revoked_at, waiver.revoked_by = context.now(), by.strip()
        why = " ".join(reason.split())[:LONGEST_REASON]
        said = {**WaiverView.of(waiver).said(), "revoked_by": waiver.revoked_by, "why": why}
        audits.append(session, waiver.project_id, waiver.number, chain.REVOKED, waiver.revoked_at, said)
        _audit_again(context, session, waiver, audits.waivers(session, waiver.project_id))
    return WaiverView.of(waiver)


def get(context: Context, waiver_id: str) -> WaiverView:
    """The waiver of that id. Raises NotFound."""
    with context.database.session() as session:
        waiver = session.get(WaiverRow, waiver_id)
    if waiver is None:
        raise NotFound("waiver", waiver_id, "List the project's waivers to see those there are.")
    return WaiverView.of(waiver)


def listed(context: Context, project: str) -> list[WaiverView]:
    """All waivers of a project, oldest first, those that are over or were taken back included. Raises NotFound,
    Conflict."""
    row = projects.get(context, project)
    with context.database.session() as session:
        return [WaiverView.of(waiver) for waiver in audits.waivers(session, row.id)]


def today_of(context: Context, row: ProjectView) -> date:
    """The day it is in the project's time zone: by that a waiver holds or is over."""
    return context.now().astimezone(ZoneInfo(row.time_zone)).date()


def _audit_again(context: Context, session: Session, waiver: WaiverRow, known: Iterable[WaiverRow]) -> None:
    """Audit what was read last anew, by the rules and waivers of now. When it was read stays: nobody looked since."""
    numbers = [waiver.number] if waiver.number is not None else None
    known = list(known)
    again = [
        as_judged_now(replace(subject, waivers=audits.waived(known, number)))
        for number, subject in audits.readings(session, waiver.project_id, numbers).items()
    ]
    audits.judge_again(session, waiver.project_id, [(subject, audit(subject)) for subject in again])


# --- what is wrong with it --------------------------------------------------------------------------------------------


def _wrong(check: str, reason: str, by: str, until: date, today: date) -> Iterable[Problem]:
    if check not in set(Check):
        yield Problem(_SOURCE, None, "check", f'there is no check "{check}"', f"one of {', '.join(Check)}")
    yield from _wrong_words("reason", reason, SHORTEST_REASON, LONGEST_REASON)
    yield from _wrong_words("by", by.strip(), 1, 200)
    last = today + timedelta(days=LONGEST_DAYS)
    if not today <= until <= last:
        said = f"{until} is past" if until < today else f"{until} is more than {LONGEST_DAYS} days ahead"
        yield Problem(_SOURCE, None, "until", said, f"give a day from {today} to {last}")


def wrong_reason(reason: str) -> list[Problem]:
    """What is wrong with a reason."""
    return _wrong_words("reason", " ".join(reason.split()), SHORTEST_REASON, LONGEST_REASON)


def _wrong_words(path: str, words: str, least: int, most: int) -> list[Problem]:
    fix = f"write {least} to {counted(most, 'character')}"
    if not words:
        return [Problem(_SOURCE, None, path, MISSING, fix)]
    if not least <= len(words) <= most:
        return [Problem(_SOURCE, None, path, f"has {counted(len(words), 'character')}", fix)]
    if not words.isprintable():
        return [Problem(_SOURCE, None, path, "holds signs that cannot be shown", "write plain text")]
    return []


def _wrong_number(session: Session, row: ProjectView, number: int | None) -> list[Problem]:
    if number is None or session.get(IterationRow, (row.id, number)) is not None:
        return []
    return [Problem(_SOURCE, None, "iteration", f"iteration {number} of {row.key} has not begun", "name one that has")]
