"""What a simulation tells: values that read the same for the same seed, gathered from the product's own records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from connectors.values import ItemKind, Severity
from service.context import Context
from service.domain.audit.outcome import Audited, Result
from service.domain.loop.course import Turn
from service.domain.loop.figures import Figures, Outcome, Sum, Tally, TicketRecord
from service.domain.loop.turnover import Turnover, key_of
from service.domain.plan.plan import Action, Plan
from service.domain.team.calendar import Calendar, DateRange, working_days
from service.domain.team.team import Team
from service.store.tables import RunRow
from service.usecases.audit.history import Past


@dataclass(frozen=True, slots=True)
class Load:
    """What somebody has in an iteration; nobody's tickets are an empty person's."""

    person: str
    tickets: int
    points: float


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody who is not there for some of an iteration, as was known before."""

    person: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Built:
    """The project as it was built in the tracker. `unmanned` is how many tickets nobody holds the role for."""

    at: datetime
    epics: int
    iterations: int
    tickets: int
    links: int
    unmanned: int
    reads: int
    writes: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Began:
    """An iteration that began. `at` is when, in project time; `made` is how many tickets its advance made anew;
    `vacant` names the tickets that nobody has, and why."""

    number: int
    title: str
    phase: str
    loop: int
    of_phase: int
    turns: int
    first: date
    last: date
    days: int
    at: datetime
    starts: datetime
    by: str
    made: int
    tickets: int
    points: float
    loads: tuple[Load, ...]
    vacant: tuple[str, ...]
    away: tuple[Away, ...]
    days_off: tuple[date, ...]
    reads: int
    writes: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A ticket that was not done when its iteration was closed, and what became of it: next, backlog or leave."""

    name: str
    title: str
    policy: str
    times: int
    person: str
    points: float | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class Closed:
    """An iteration that was closed. `cycle` is half of its done tickets' longest time in the works, in hours; `move`
    what follows in the loop, `lacking` what kept the phase from its end, `decided` by whom and why it was overridden.
    """

    number: int
    tally: Tally
    cycle: float | None
    unfinished: tuple[Unfinished, ...]
    removed: tuple[str, ...]
    move: str
    phase: str
    lacking: tuple[str, ...]
    decided: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that people or the service did in between."""

    at: datetime
    text: str
    by_service: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """An advance that could not continue: why, and who can fix it."""

    at: datetime
    iteration: int
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WentOn:
    """That it resumed automatically. `looks` is how often it looked in all."""

    at: datetime
    iteration: int
    looks: int


@dataclass(frozen=True, slots=True)
class Wrote:
    """What somebody did to the record of an iteration: `did` is `writes`, `signs` or `changes`, `manner` in which way
    it is written."""

    at: datetime
    number: int
    manner: str
    did: str
    person: str


@dataclass(frozen=True, slots=True)
class Judged:
    """That the audit of an iteration says something else than before. `failed` are the checks that failed and decide
    the verdict, `waived` those that somebody lets pass."""

    at: datetime
    number: int
    verdict: str
    failed: tuple[str, ...]
    waived: tuple[str, ...]
    changed_after_sign_off: bool = False

    @property
    def said(self) -> tuple[str, ...]:
        """All but the time."""
        return self.verdict, " ".join(self.failed), " ".join(self.waived)


Entry = Built | Began | Closed | Noted | Held | WentOn | Wrote | Judged


@dataclass(frozen=True, slots=True)
class Report:
    """All that a simulation tells, in order; the same seed tells the same. `standing` says how the loop stands at the
    end, `verdicts` what the audit says of each iteration that was due by then."""

    project: str
    tracker: str
    method: str
    template: str
    seed: int
    first: date
    last: date
    time_zone: str
    entries: tuple[Entry, ...]
    runs: int
    reads: int
    writes: int
    standing: str = ""
    verdicts: tuple[tuple[int, str], ...] = ()
    totals: Tally = field(default_factory=Tally)

    def of(self, kind: type[Any]) -> list[Any]:
        """The entries of one kind."""
        return [entry for entry in self.entries if isinstance(entry, kind)]

    def to_json(self) -> dict[str, Any]:
        """The report as plain values; dates are text."""
        said = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("entries", "totals")}
        entries = [{"kind": type(entry).__name__.lower(), **asdict(entry)} for entry in self.entries]
        return {**said, "totals": asdict(self.totals), "entries": entries}


def built(plan: Plan, at: datetime, requests: tuple[int, int]) -> Built:
    """What a first plan made."""
    made = [change.kind for change in plan.changes if change.action is Action.CREATE]
    kinds = (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET, ItemKind.LINK)
    epics, iterations, tickets, links = (made.count(kind) for kind in kinds)
    return Built(at, epics, iterations, tickets, links, len(plan.vacancies), *requests, _warnings(plan))


def began(
    past: Past,
    plan: Plan,
    run: RunRow,
    turn: Turn,
    team: Team,
    calendar: Calendar,
    phase: str,
    requests: tuple[int, int],
) -> Began:
    """An iteration as it began, with the plan and the run that began it."""
    row = past.row
    span = DateRange(row.first, row.last)
    made = [change for change in plan.changes if change.action is Action.CREATE and change.kind is ItemKind.TICKET]
    return Began(
        number=row.number,
        title=row.title,
        phase=phase,
        loop=row.loop,
        of_phase=row.of_phase,
        turns=turn.turns,
        first=row.first,
        last=row.last,
        days=len(working_days(span, calendar)),
        at=_minute(row.began_at, calendar),
        starts=_minute(row.starts, calendar),
        by=run.started_by,
        made=len(made),
        tickets=len(past.tickets),
        points=sum(ticket.points or 0 for ticket in past.tickets),
        loads=tuple(_loads(past.tickets)),
        vacant=tuple(_vacant(past.tickets, plan)),
        away=tuple(_away(team, span)),
        days_off=tuple(_days_off(span, calendar)),
        reads=requests[0],
        writes=requests[1],
        warnings=_warnings(plan),
    )


def closed(past: Past, turnover: Turnover, phase: str, *, named: bool) -> Closed:
    """An iteration as it was closed. Unless they are `named`, tickets are told by their titles alone."""
    names = {key_of(content): content.ref.key for content in turnover.contents}
    figures: Figures = past.figures
    return Closed(
        number=past.row.number,
        tally=figures.all,
        cycle=round(figures.cycle.median * 2) / 2 if figures.cycle else None,
        unfinished=tuple(
            Unfinished(
                names.get(one.key, str(one.key)) if named else "",
                one.title,
                one.policy.value,
                one.times,
                one.person,
                one.points,
                one.decided_by,
            )
            for one in turnover.carried
        ),
        removed=tuple(
            f'{one.remote_key} "{one.title}"' if named else f'"{one.title}"'
            for one in past.tickets
            if one.outcome is Outcome.REMOVED
        ),
        move=turnover.move.value,
        phase=phase,
        lacking=turnover.lacking,
        decided=f"{turnover.decision.by}: {turnover.decision.reason}" if turnover.decision is not None else "",
    )


def judged(at: datetime, audited: Audited) -> Judged:
    """What the audit says of an iteration."""
    waived = tuple(one.check.value for one in audited.findings if one.result is Result.WAIVED)
    failed = tuple(sorted(one.check.value for one in audited.lacking))
    return Judged(at, audited.number, audited.verdict.value, failed, waived, audited.changed_after_sign_off)


def summed(pasts: Iterable[Past]) -> Tally:
    """All that was counted in closed iterations. A ticket counts in each iteration that it was in."""
    tallies = [past.figures.all for past in pasts if past.row.closed_at is not None]

    def total(name: str) -> Sum:
        sums = [getattr(tally, name) for tally in tallies]
        return Sum(sum(one.tickets for one in sums), sum(one.points for one in sums))

    return Tally(**{name: total(name) for name in Tally.__dataclass_fields__})


def local(context: Context, calendar: Calendar) -> datetime:
    """The present minute in project time."""
    return _minute(context.now(), calendar)


def _minute(at: datetime, calendar: Calendar) -> datetime:
    # Seconds are the machine's, not the simulation's.
    return at.astimezone(calendar.zone).replace(second=0, microsecond=0)


def _loads(tickets: Sequence[TicketRecord]) -> Iterable[Load]:
    for person in sorted({ticket.person for ticket in tickets}, key=lambda name: (not name, name)):
        theirs = [ticket for ticket in tickets if ticket.person == person]
        yield Load(person, len(theirs), sum(ticket.points or 0 for ticket in theirs))


def _vacant(tickets: Sequence[TicketRecord], plan: Plan) -> Iterable[str]:
    why = {vacancy.key: vacancy.reason for vacancy in plan.vacancies}
    for ticket in tickets:
        if not ticket.person:
            yield f'"{ticket.title}": {why.get(ticket.key, "nobody has it")}'


def _away(team: Team, span: DateRange) -> Iterable[Away]:
    for member in team.members:
        for absence in member.away:
            if absence.first <= span.last and absence.last >= span.first:
                yield Away(member.person, max(absence.first, span.first), min(absence.last, span.last))


def _days_off(span: DateRange, calendar: Calendar) -> Iterable[date]:
    return (day for day in span if day.weekday() in calendar.working_days and not calendar.is_working(day))


def _warnings(plan: Plan) -> tuple[str, ...]:
    return tuple(finding.message for finding in plan.findings if finding.severity is not Severity.INFO)
