"""What audits came to, from our own store: a project's matrix, all projects, and whether the evidence bears it out.
Reads no tracker."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select

from service.context import Context
from service.domain.audit import chain
from service.domain.audit.audit import audit
from service.domain.audit.chain import Entry
from service.domain.audit.forms import audited_to_json
from service.domain.audit.outcome import Audited, Check, Clock, Gate, Verdict
from service.domain.audit.proof import Compared, Kept, compared
from service.domain.audit.subject import subject_from_json
from service.domain.team.calendar import DateRange
from service.store import audits, items
from service.store.tables import AuditRow, IterationRow, ProjectRow, WaiverRow
from service.usecases.audit import audit_inputs
from service.usecases.plan.project_state import material
from service.usecases.setup import projects
from service.views.audit import WaiverView
from service.views.setup import ProjectView

_WORST = (Verdict.UNDOCUMENTED, Verdict.PARTLY, Verdict.UNCLEAR, Verdict.UNKNOWN, Verdict.PENDING, Verdict.DOCUMENTED)
_LATE = (Clock.OVERDUE, Clock.ESCALATED)


@dataclass(frozen=True, slots=True)
class Line:
    """One iteration of a matrix. `audited` is None for one that was never looked at; `trouble` says why the last look
    failed, empty if it did not. `goes_on`: it is not closed yet. `url` opens its record. `days` are None where it
    has no dates."""

    number: int
    title: str
    phase: str
    goes_on: bool
    audited: Audited | None
    record: str = ""
    url: str = ""
    audited_at: datetime | None = None
    trouble: str = ""
    days: DateRange | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """A project's iterations, in order, each with the result of every check. `waivers` are plain values, see
    `waiving.waiver_json`."""

    project: ProjectView
    gate: Gate
    lines: tuple[Line, ...]
    waivers: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """One project of the portfolio: how many of its begun iterations came to which verdict (those that were never
    audited are in none), how many are late and not documented, the mean score (None: never audited), waivers in force,
    how many could not be checked last time, and when it was last checked. `states` says of each verdict how late the
    records are; `zone` is the project's."""

    project: str
    key: str
    name: str
    iterations: int = 0
    verdicts: Mapping[Verdict, int] = field(default_factory=dict)
    late: int = 0
    score: float | None = None
    waivers: int = 0
    troubles: int = 0
    audited_at: datetime | None = None
    states: Mapping[tuple[Verdict, Clock], int] = field(default_factory=dict)
    zone: str = "UTC"

    @property
    def worst_clock(self) -> Clock | None:
        """How late the latest of the iterations with the worst verdict is; None if none was audited."""
        clocks = [clock for verdict, clock in self.states if verdict is self.worst]
        return max(clocks, key=list(Clock).index, default=None)

    @property
    def worst(self) -> Verdict | None:
        """The worst verdict on any of its iterations; None if none was audited."""
        return next((verdict for verdict in _WORST if self.verdicts.get(verdict)), None)


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a project's evidence is whole and bears its audits out. `head` is the digest of its last entry. `breaks`
    says where the chain is broken, `differences` which audits come out otherwise when they are computed again from
    evidence alone; all in words. `notes` are what older rules found, which stays as it was found."""

    entries: int
    head: str
    audits: int
    breaks: tuple[str, ...]
    differences: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.breaks and not self.differences


# --- one project ------------------------------------------------------------------------------------------------------


def matrix(context: Context, project: str) -> Matrix:
    """A project's iterations by checks, as audited last; also of one that has ended. Raises NotFound, Conflict,
    InvalidInput."""
    ours = material(context, projects.get(context, project).id)
    columns = (IterationRow.number, IterationRow.title, IterationRow.phase, IterationRow.first, IterationRow.last)
    iterations = select(*columns, IterationRow.closed_at)
    iterations = iterations.where(IterationRow.project_id == ours.project.id).order_by(IterationRow.number)
    with context.database.session() as session:
        begun = session.execute(iterations).all()
        rows = audits.rows(session, ours.project.id)
        waivers = audits.waivers(session, ours.project.id)
        refs = items.references(items.rows(session, ours.project.id))
    today = context.now().astimezone(ours.calendar.zone).date()
    lines = []
    for number, title, phase, first, last, closed_at in begun:
        row = rows.get(number)
        audited = audits.audited(row) if row is not None else None
        ref = refs.get(audited.record) if audited is not None and audited.record is not None else None
        lines.append(
            Line(
                number,
                title,
                phase,
                closed_at is None,
                audited,
                record=ref.key if ref is not None else "",
                url=ref.url if ref is not None else "",
                audited_at=row.audited_at if row is not None else None,
                trouble=row.trouble if row is not None else "",
                days=DateRange(first, last),
            )
        )
    told = tuple(WaiverView.of(one).to_json(today) for one in waivers)
    return Matrix(ProjectView.of(ours.project), audit_inputs.gate_policy(ours), tuple(lines), told)


def matrix_json(found: Matrix) -> dict[str, Any]:
    """A matrix as plain values, the form that the command line and REST show; instants are UTC."""
    row = found.project
    return {
        "project": {**row.named(), "url": row.url},
        "gate": found.gate.value,
        "checks": [check.value for check in Check],
        "iterations": [line_json(line) for line in found.lines],
        "waivers": [dict(waiver) for waiver in found.waivers],
    }


def line_json(line: Line) -> dict[str, Any]:
    """One iteration of a matrix as plain values: `results` by check, and `findings` with reason, evidence and how to
    fix it."""
    audited = line.audited
    said = audited_to_json(audited) if audited is not None else {}
    return {
        "number": line.number,
        "title": line.title,
        "phase": line.phase,
        "goes_on": line.goes_on,
        "verdict": (audited.verdict if audited is not None else Verdict.UNKNOWN).value,
        "clock": said.get("clock"),
        "score": said.get("score"),
        "record": line.record,
        "url": line.url,
        "changed_after_sign_off": said.get("changed_after_sign_off", False),
        "results": {one["check"]: one["result"] for one in said.get("findings", ())},
        "findings": _findings(audited) if audited is not None else [],
        "audited_at": line.audited_at.isoformat() if line.audited_at is not None else None,
        "trouble": line.trouble,
    }


def _findings(audited: Audited) -> list[dict[str, Any]]:
    """The findings as plain values, each with whether it was a close call."""
    told = audited_to_json(audited)["findings"]
    return [{**said, "close_call": one.close_call} for said, one in zip(told, audited.findings, strict=True)]


# --- all projects -----------------------------------------------------------------------------------------------------


def portfolio(context: Context, among: Collection[str] | None = None) -> list[Standing]:
    """All projects that have not ended, or those with these ids, the worst first: by late records, then by verdict,
    then by name. A fixed number of queries, however many there are."""
    going_on = select(ProjectRow.id, ProjectRow.key, ProjectRow.name, ProjectRow.time_zone)
    going_on = going_on.where(ProjectRow.ended_at.is_(None), ProjectRow.planned.is_(False)).order_by(
        ProjectRow.name, ProjectRow.id
    )
    if context.sees is not None:
        going_on = going_on.where(ProjectRow.id.in_(context.sees))
    begun = select(IterationRow.project_id, func.count()).group_by(IterationRow.project_id)
    audited = select(
        AuditRow.project_id,
        AuditRow.verdict,
        AuditRow.clock,
        func.count(),
        func.sum(AuditRow.score),
        func.count(AuditRow.number).filter(AuditRow.trouble != ""),
        func.max(AuditRow.audited_at),
    ).group_by(AuditRow.project_id, AuditRow.verdict, AuditRow.clock)
    waivers = select(WaiverRow.project_id, WaiverRow.until).where(WaiverRow.revoked_at.is_(None))
    if among is not None:
        going_on = going_on.where(ProjectRow.id.in_(among))
        begun = begun.where(IterationRow.project_id.in_(among))
        audited = audited.where(AuditRow.project_id.in_(among))
        waivers = waivers.where(WaiverRow.project_id.in_(among))
    with context.database.session() as session:
        rows = session.execute(going_on).all()
        counts = dict(session.execute(begun).all())
        tallies: defaultdict[str, list[_Tally]] = defaultdict(list)
        for project, verdict, clock, number, score, troubles, at in session.execute(audited):
            tallies[project].append(_Tally(Verdict(verdict), Clock(clock), number, score, troubles, at))
        ends = defaultdict(list)
        for project, until in session.execute(waivers):
            ends[project].append(until)
    now = context.now()
    found = []
    for project, key, name, zone in rows:
        today = now.astimezone(ZoneInfo(zone)).date()
        in_force = sum(until >= today for until in ends[project])
        one = _standing(project, key, name, counts.get(project, 0), tallies[project], in_force)
        found.append(replace(one, zone=zone))
    return sorted(found, key=_urgency)


def late_in_sql() -> ColumnElement[bool]:
    """Whether an audit's record is later than it may be; it counts where it is not documented."""
    return AuditRow.clock.in_([one.value for one in _LATE])


def portfolio_page(context: Context, limit: int, after: str | None = None) -> list[Standing]:
    """The portfolio in its order: at most `limit` projects, those after the place `after` (see `place_of`). A place
    stays good while projects come, go and are fixed meanwhile. Raises ValueError if `after` is no place."""
    found = portfolio(context)
    if after is not None:
        late, worst, project = _place(after)
        name = next((one.name for one in found if one.project == project), None)
        if name is None:
            with context.database.session() as session:
                name = session.scalar(select(ProjectRow.name).where(ProjectRow.id == project))
        if name is None:
            msg = "there is no such project"
            raise ValueError(msg)
        found = [one for one in found if _urgency(one) > (late, worst, name, project)]
    return found[:limit]


def place_of(one: Standing) -> str:
    """Where a project stands in the portfolio, for the page after it: a short word."""
    late, worst, _, project = _urgency(one)
    return f"{-late}:{worst}:{project}"


_PLACE = re.compile(r"([0-9]{1,9}):([0-9]):([\x21-\x7e]{1,40})")


def _place(word: str) -> tuple[int, int, str]:
    found = _PLACE.fullmatch(word)
    if found is None:
        msg = "it is no place in the portfolio"
        raise ValueError(msg)
    return -int(found[1]), int(found[2]), found[3]


@dataclass(frozen=True, slots=True)
class _Tally:
    """The audits of one project with this verdict at this time of the clock: how many, the sum of their scores, how
    many of them are in trouble, and when one was last checked."""

    verdict: Verdict
    clock: Clock
    number: int
    score: int
    troubles: int
    at: datetime


def _standing(project: str, key: str, name: str, iterations: int, tallies: Sequence[_Tally], waivers: int) -> Standing:
    verdicts: Counter[Verdict] = Counter()
    for one in tallies:
        verdicts[one.verdict] += one.number
    number = verdicts.total()
    return Standing(
        project,
        key,
        name,
        iterations=iterations,
        verdicts=dict(verdicts),
        late=sum(one.number for one in tallies if one.clock in _LATE and one.verdict is not Verdict.DOCUMENTED),
        score=round(sum(one.score for one in tallies) / number, 1) if number else None,
        waivers=waivers,
        troubles=sum(one.troubles for one in tallies),
        audited_at=max((one.at for one in tallies), default=None),
        states={(one.verdict, one.clock): one.number for one in tallies},
    )


def _urgency(one: Standing) -> tuple[int, int, str, str]:
    worst = _WORST.index(one.worst) if one.worst is not None else len(_WORST)
    return -one.late, worst, one.name, one.project


def portfolio_json(found: Iterable[Standing]) -> list[dict[str, Any]]:
    """The portfolio as plain values."""
    return [
        {
            "project": {"id": one.project, "key": one.key, "name": one.name},
            "iterations": one.iterations,
            "verdicts": {verdict.value: one.verdicts.get(verdict, 0) for verdict in Verdict},
            "worst": one.worst.value if one.worst is not None else None,
            "late": one.late,
            "score": one.score,
            "waivers": one.waivers,
            "troubles": one.troubles,
            "audited_at": one.audited_at.isoformat() if one.audited_at is not None else None,
        }
        for one in found
    ]


# --- the proof --------------------------------------------------------------------------------------------------------


def verify(context: Context, project: str) -> Proof:
    """Check the chain of a project's evidence and compute every audit again from it. Raises NotFound, Conflict."""
    row = projects.get(context, project)
    with context.database.session() as session:
        entries = audits.entries(session, row.id)
        kept = {number: one for number, one in audits.rows(session, row.id).items() if one.evidence_id is not None}
    newest = _newest(entries)
    found = [_compared(number, kept.get(number), newest.get(number)) for number in sorted({*kept, *newest})]
    head = entries[-1].digest if entries else ""
    return Proof(
        len(entries),
        head,
        sum(one.again is not None for one in found),
        tuple(chain.breaks(entries)),
        tuple(difference for one in found for difference in one.differences),
        tuple(one.note for one in found if one.note),
    )


def recomputed(context: Context, project: str) -> dict[int, Audited]:
    """Every iteration's audit computed again from its newest reading, by number. Raises NotFound, Conflict."""
    row = projects.get(context, project)
    with context.database.session() as session:
        entries = audits.entries(session, row.id)
    return {number: audit(subject_from_json(entry.body)) for number, entry in sorted(_newest(entries).items())}


def proof_json(found: Proof) -> dict[str, Any]:
    """A proof as plain values."""
    return {
        "ok": found.ok,
        "entries": found.entries,
        "head": found.head,
        "audits": found.audits,
        "breaks": list(found.breaks),
        "differences": list(found.differences),
        "notes": list(found.notes),
    }


def _newest(entries: Iterable[Entry]) -> dict[int, Entry]:
    """The newest reading of each iteration."""
    return {one.iteration: one for one in entries if one.kind == chain.READING and one.iteration is not None}


def _compared(number: int, row: AuditRow | None, entry: Entry | None) -> Compared:
    kept = Kept(row.verdict, row.clock, row.score, row.result) if row is not None else None
    return compared(number, kept, entry.seq if entry is not None else 0, entry.body if entry is not None else None)
