"""Home: all projects, those that need somebody first, each with why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from connectors.registry import KINDS, kind_of
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted
from service.domain.loop import loop_state
from service.pages import signs
from service.pages.moments import Moment, day, moment
from service.pages.remedies import on_pages
from service.pages.signs import Sign, Track
from service.usecases.audit.audit_reports import Standing
from service.usecases.overview.freshness import connection_freshness
from service.usecases.overview.portfolio import Portfolio, portfolio
from service.usecases.setup import connections
from service.views.overview import NeedView, ProjectStanding, Reason

ALL, NEEDING = "all", "attention"

ON_A_PAGE = 50
"""Projects on one page."""

_SIGNS = {
    Reason.HELD: ("bad", "hold", "Held"),
    Reason.RUN_FAILED: ("bad", "bad", "A run failed"),
    Reason.PAUSED: ("neutral", "hold", "Paused"),
    Reason.RUN_INCOMPLETE: ("warn", "warn", "A run is incomplete"),
    Reason.REFUSED: ("warn", "warn", "Refused"),
    Reason.RECORDS_LATE: ("bad", "audit", "Records late"),
    Reason.VACANCIES: ("warn", "vacant", "Vacant"),
}
_COUNTED = {
    Reason.HELD: "held",
    Reason.RUN_FAILED: "with a failed run",
    Reason.PAUSED: "paused",
    Reason.RUN_INCOMPLETE: "with an incomplete run",
    Reason.REFUSED: "with refused items",
    Reason.RECORDS_LATE: "with late records",
    Reason.VACANCIES: "with tickets without a person",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One project. `need` is None where nobody is needed; `why` says for what, `next_does` what comes at `next_at`."""

    href: str
    name: str
    under: str
    record: Sign
    track: Track
    iteration: str
    need: Sign | None
    why: str
    next_at: Moment | None
    next_does: str
    run: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be shown: all projects, those that need somebody, those of one kind of tracker."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class HomePage:
    """A page of the projects. `counts` says in a sentence how all stand, `fresh` when trackers were read last.
    `connected` says whether there is a connection, `may_start` whether whoever looks may set a project up. `span` says
    which ones these are where there are more, `before` and `after` lead to those."""

    rows: tuple[Row, ...]
    total: int
    counts: str
    choices: tuple[Choice, ...]
    query: str
    show: str
    fresh: tuple[tuple[str, Moment | None, str], ...]
    may_start: bool
    connected: bool
    span: str = ""
    before: str = ""
    after: str = ""

    @property
    def filtered(self) -> bool:
        """Whether something is searched for or left out."""
        return bool(self.query) or self.show != ALL


def page_of(context: Context, caller: Caller, query: str = "", show: str = ALL, page: int = 1) -> HomePage:
    """Home for whoever looks, with those projects that the search finds, those of that page."""
    kinds = {one.title.casefold(): name for name, one in KINDS.items()}
    kind = kinds.get(show, "")
    if show != NEEDING and not kind:
        show = ALL
    found = portfolio(context, ON_A_PAGE, (page - 1) * ON_A_PAGE, query=query, needing=show == NEEDING, kind=kind)
    now = context.now()
    everywhere = caller.may(Permission.READ)
    rows = tuple(
        _row(one, found.needs.get(one.project.id), found.audits.get(one.project.id), now) for one in found.standings
    )
    first = (page - 1) * ON_A_PAGE + 1
    last = first + len(rows) - 1
    return HomePage(
        rows=rows,
        total=found.total,
        counts=_counts(found),
        choices=_choices(found, show),
        query=query,
        show=show,
        fresh=_fresh(context, now) if everywhere and found.total else (),
        may_start=caller.may(Permission.DECIDE),
        connected=bool(connections.listed(context)) if everywhere else False,
        span=f"{first:,} to {last:,} of {found.found:,}" if rows and found.found > len(rows) else "",
        before=_address(query, show, page - 1) if page > 1 else "",
        after=_address(query, show, page + 1) if rows and last < found.found else "",
    )


def _address(query: str, show: str, page: int) -> str:
    asked = {"q": query, "show": "" if show == ALL else show, "page": str(page) if page > 1 else ""}
    kept = urlencode({name: value for name, value in asked.items() if value})
    return f"/?{kept}" if kept else "/"


def _row(one: ProjectStanding, need: NeedView | None, audit: Standing | None, now: datetime) -> Row:
    project, iteration = one.project, one.iteration
    return Row(
        href=f"/projects/{project.id}",
        name=project.name,
        under=f"{project.key} in {one.tracker}",
        record=_record(one, audit),
        track=signs.track(one.phases, iteration.phase if iteration is not None else None),
        iteration=_iteration(one, now),
        need=Sign(*_SIGNS[need.reason]) if need is not None else _running(one),
        why=on_pages(need.message) if need is not None else "",
        next_at=moment(one.due, project.time_zone, now) if _turns(one) and one.due is not None else None,
        next_does=next_of(one),
        run=f"/runs/{one.run.id}" if one.run is not None else "",
    )


def _record(one: ProjectStanding, audit: Standing | None) -> Sign:
    if one.iteration is None:
        return signs.NOT_DUE
    return signs.of_verdict(audit.worst, audit.worst_clock) if audit is not None else signs.UNCHECKED


def _running(one: ProjectStanding) -> Sign | None:
    return signs.of_run(one.run.state) if one.run is not None else None


def _turns(one: ProjectStanding) -> bool:
    return one.loop is not None and one.loop.state == loop_state.TURNING


def _iteration(one: ProjectStanding, now: datetime) -> str:
    if one.loop is None:
        return "Nothing is built yet"
    if one.iteration is None:
        return "Iteration 1 has not begun"
    turn = f", turn {one.iteration.loop} of the loop" if one.iteration.loop > 1 else ""
    zone = ZoneInfo(one.project.time_zone)
    ends, today = one.iteration.ends.astimezone(zone).date(), now.astimezone(zone).date()
    if one.iteration.closed_at is not None or ends < today:
        return f"Iteration {one.iteration.number}{turn}, ended {day(ends, today.year)}"
    left = (ends - today).days
    said = "last day" if left == 0 else f"{counted(left, 'day')} left"
    return f"Iteration {one.iteration.number}{turn}, {said}"


def next_of(one: ProjectStanding) -> str:
    """What comes next in a project."""
    if one.loop is None:
        return "A plan of it is to be applied"
    if one.loop.state == loop_state.PAUSED:
        return "Nothing before it is resumed"
    if one.loop.state == loop_state.ENDED:
        return "Nothing, its loop has ended"
    if one.due is None:
        return "A run is in progress" if one.run is not None else "Nothing is due"
    if one.due_for == loop_state.PROPOSE:
        return "proposes what to carry over"
    return f"starts iteration {one.loop.current + 1}"


def _counts(found: Portfolio) -> str:
    """How many projects need somebody for which reason, in one sentence."""
    total, reasons = found.total, found.reasons
    parts = [f"{reasons[one]} {_COUNTED[one]}" for one in Reason if reasons.get(one)]
    rest = total - sum(reasons.values())
    nobody = f"{rest} {'needs' if rest == 1 else 'need'} nobody"
    if not parts:
        return f"{counted(total, 'project')}; none of them needs anybody."
    return f"Those that need someone come first: {', '.join(parts)}{f'; {nobody}' if rest else ''}."


def _choices(found: Portfolio, show: str) -> tuple[Choice, ...]:
    choices = [(ALL, f"All {found.total}"), (NEEDING, f"Needs someone {sum(found.reasons.values())}")]
    titles = {kind_of(name).title: number for name, number in found.kinds.items() if name in KINDS}
    if len(titles) > 1:
        choices += [(one.casefold(), f"{one} {titles[one]}") for one in sorted(titles)]
    return tuple(Choice(value, label, value == show) for value, label in choices)


def _fresh(context: Context, now: datetime) -> tuple[tuple[str, Moment | None, str], ...]:
    """By connection when it was read last, and what was wrong then."""
    return tuple(
        (one.name, moment(one.read_at, one.zone, now) if one.read_at is not None else None, one.trouble)
        for one in connection_freshness(context)
    )
