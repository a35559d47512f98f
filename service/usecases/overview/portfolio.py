"""All projects, a page at a time, those that need somebody first. The database filters, orders and counts, so that a
page of ten thousand costs what it shows: a fixed number of queries. Reads no tracker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, union_all

from connectors.registry import KINDS
from service.context import Context
from service.domain.audit.outcome import Verdict
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.store import items
from service.store.tables import AuditRow, ConnectionRow, ItemRow, LoopRow, ProjectRow, RunRow
from service.usecases.audit import audit_reports
from service.usecases.audit.audit_reports import Standing
from service.usecases.overview.needs import needs_someone
from service.usecases.overview.standing import project_standings
from service.usecases.plan import inventory
from service.views.overview import NeedView, ProjectStanding, Reason
from service.views.setup import ProjectView

_REASONS = list(Reason)
_OF_PAGE = -1
"""In place of a reason, in a row that is of the page and no count."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A page of projects in order, with what each needs and how its records stand, by id. `found` projects fit what was
    asked for, of `total`; of these so many need somebody for which reason, and are in which kind of tracker."""

    standings: tuple[ProjectStanding, ...]
    needs: Mapping[str, NeedView] = field(default_factory=dict)
    audits: Mapping[str, Standing] = field(default_factory=dict)
    found: int = 0
    total: int = 0
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)


def portfolio(
    context: Context, limit: int, offset: int = 0, *, query: str = "", needing: bool = False, kind: str = ""
) -> Portfolio:
    """At most `limit` projects, those that need somebody first, by reason, then by name; after the first `offset` of
    them. Those with all words of the query in name, key, connection or kind of tracker; with `needing` only those that
    need somebody, with `kind` only those of that kind of tracker."""
    ranked = _ranked(context).cte()
    counts = select(ranked.c.rank, ranked.c.kind, func.count(), literal(0)).group_by(ranked.c.rank, ranked.c.kind)
    fits = [_has(ranked.c, word) for word in query.split()]
    if needing:
        fits.append(ranked.c.rank < len(_REASONS))
    if kind:
        fits.append(ranked.c.kind == kind)
    order = ranked.c.rank, func.lower(ranked.c.name), ranked.c.id
    place = func.row_number().over(order_by=order).label("place")
    page = select(ranked.c.id, func.count().over().label("found"), place).where(*fits)
    cut = page.order_by(*order).limit(limit).offset(offset).subquery()
    # One statement for both, because to find the reasons of all projects is most of what it costs.
    both = union_all(counts, select(literal(_OF_PAGE), cut.c.id, cut.c.found, cut.c.place))
    reasons: Counter[Reason] = Counter()
    kinds: Counter[str] = Counter()
    with context.database.session() as session:
        rows = session.execute(both).all()
    for rank, name, number, _ in rows:
        if rank != _OF_PAGE:
            kinds[name] += number
            if rank < len(_REASONS):
                reasons[_REASONS[rank]] += number
    paged = sorted((number, name, found) for rank, name, found, number in rows if rank == _OF_PAGE)
    ids = [name for _, name, _ in paged]
    standings = {one.project.id: one for one in project_standings(context, ids)}
    return Portfolio(
        standings=tuple(standings[one] for one in ids if one in standings),
        needs={one.project.id: one for one in needs_someone(context, ids)},
        audits={one.project: one for one in audit_reports.portfolio(context, ids)},
        found=paged[0][2] if paged else 0,
        total=kinds.total(),
        reasons=reasons,
        kinds=kinds,
    )


def named(context: Context, query: str, limit: int) -> list[ProjectView]:
    """At most `limit` of the projects that have not ended and may be seen, by name: those with all words of the query
    in name, key, connection or kind of tracker."""
    columns = {
        "name": ProjectRow.name,
        "key": ProjectRow.key,
        "connection": ConnectionRow.name,
        "kind": ConnectionRow.kind,
    }
    found = select(ProjectRow).join(ConnectionRow, ConnectionRow.id == ProjectRow.connection_id)
    found = found.where(ProjectRow.planned.is_(False), ProjectRow.ended_at.is_(None))
    found = found.where(*(_has(columns, word) for word in query.split()))
    if context.sees is not None:
        found = found.where(ProjectRow.id.in_(sorted(context.sees)))
    with context.database.session() as session:
        rows = session.scalars(found.order_by(func.lower(ProjectRow.name), ProjectRow.id).limit(limit))
        return [ProjectView.of(row) for row in rows]


def _ranked(context: Context) -> Select[str, str, str, str, str, int]:
    """The projects that have not ended, were set up and may be seen, each with the place of its most urgent reason
    among `Reason`, as `needs_someone` has it; one more for none."""
    rank = case(*((condition, number) for number, condition in enumerate(_conditions())), else_=len(_REASONS))
    found = (
        select(
            ProjectRow.id,
            ProjectRow.name,
            ProjectRow.key,
            ConnectionRow.name.label("connection"),
            ConnectionRow.kind,
            rank.label("rank"),
        )
        .join(ConnectionRow, ConnectionRow.id == ProjectRow.connection_id)
        .where(ProjectRow.planned.is_(False), ProjectRow.ended_at.is_(None))
    )
    return found if context.sees is None else found.where(ProjectRow.id.in_(sorted(context.sees)))


def _conditions() -> list[ColumnElement[bool]]:
    """When a project has each reason, in the order of `Reason`."""
    conditions = {
        Reason.HELD: _among(select(RunRow.project_id).where(RunRow.state == run_state.HELD)),
        Reason.RUN_FAILED: _among(_newest_run(run_state.FAILED)),
        Reason.PAUSED: _among(select(LoopRow.project_id).where(LoopRow.state == loop_state.PAUSED)),
        Reason.RUN_INCOMPLETE: _among(_newest_run(run_state.INCOMPLETE)),
        Reason.REFUSED: _among(select(ItemRow.project_id).where(ItemRow.state == items.REFUSED)),
        Reason.RECORDS_LATE: _among(
            select(AuditRow.project_id).where(audit_reports.late_in_sql(), AuditRow.verdict != Verdict.DOCUMENTED.value)
        ),
        Reason.VACANCIES: _among(select(ItemRow.project_id).where(inventory.vacant_in_sql())),
    }
    return [conditions[one] for one in _REASONS]


def _among(query: Select[str]) -> ColumnElement[bool]:
    return ProjectRow.id.in_(query)


def _newest_run(state: str) -> Select[str]:
    """The projects of which the newest run, but for audits, ended in this state, and nothing was applied since."""
    newest = select(RunRow.project_id, func.max(RunRow.created_at).label("at")).where(RunRow.kind != loop_state.AUDIT)
    last = newest.group_by(RunRow.project_id).subquery()
    of = select(ProjectRow.id, ProjectRow.serial).subquery()
    return (
        select(RunRow.project_id)
        .join(last, and_(last.c.project_id == RunRow.project_id, last.c.at == RunRow.created_at))
        .join(of, of.c.id == RunRow.project_id)
        .where(RunRow.kind != loop_state.AUDIT, RunRow.state == state, RunRow.serial == of.c.serial)
    )


def _has(columns: Any, word: str) -> ColumnElement[bool]:
    """Whether a project has this word somewhere. SQLite folds the case of ASCII alone, so it is asked for the usual
    spellings."""
    spelled = sorted({word, word.lower(), word.upper(), word.title()})
    kinds = [name for name, one in KINDS.items() if word.casefold() in one.title.casefold()]
    said = [columns[name].icontains(one, autoescape=True) for name in ("name", "key", "connection") for one in spelled]
    return or_(columns["kind"].in_(kinds), *said)
