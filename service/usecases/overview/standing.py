"""How all projects stand, for a list of them: a fixed number of queries. Reads our store only."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.registry import KINDS
from service.context import Context
from service.domain.plan import run_state
from service.domain.problems import InvalidInput
from service.domain.template.reader import read_template
from service.store import dues
from service.store.tables import ConnectionRow, IterationRow, LoopRow, RunRow, TemplateRow
from service.usecases.setup import projects
from service.views.loop import IterationView, LoopView
from service.views.overview import PhaseName, ProjectStanding
from service.views.run import RunView


def project_standings(context: Context, among: Collection[str] | None = None) -> list[ProjectStanding]:
    """The projects that have not ended and may be seen, oldest first: all, or those with these ids."""
    seen = projects.active(context, among)
    ids = [one.id for one in seen]
    with context.database.session() as session:
        due = dues.of_projects(session, dues.TURN, ids)
        loops = {row.project_id: row for row in session.scalars(select(LoopRow).where(LoopRow.project_id.in_(ids)))}
        current = (IterationRow.project_id == LoopRow.project_id) & (IterationRow.number == LoopRow.current)
        query = select(IterationRow).join(LoopRow, current).where(IterationRow.project_id.in_(ids))
        iterations = {row.project_id: IterationView.of(row) for row in session.scalars(query)}
        of_runs = _runs(session, ids)
        connections = {row.id: row for row in session.scalars(select(ConnectionRow))}
        phases = _phases(session, {one.template_digest for one in seen})
    found = []
    for one in seen:
        loop, connection = loops.get(one.id), connections[one.connection_id]
        kind = KINDS.get(connection.kind)
        found.append(
            ProjectStanding(
                project=one,
                tracker=kind.title if kind is not None else connection.kind,
                connection=connection.name,
                phases=phases.get(one.template_digest, ()),
                loop=LoopView.of(loop) if loop is not None else None,
                iteration=iterations.get(one.id),
                due=due.get(one.id),
                due_for=loop.due if loop is not None else "",
                run=of_runs.get(one.id),
            )
        )
    return found


def _runs(session: Session, ids: Collection[str]) -> dict[str, RunView]:
    """By project, its newest run that has not ended."""
    open_ones = RunRow.project_id.in_(ids), RunRow.state.not_in(run_state.ENDED)
    newest = select(RunRow.project_id, func.max(RunRow.created_at).label("at")).where(*open_ones)
    last = newest.group_by(RunRow.project_id).subquery()
    same = (RunRow.project_id == last.c.project_id) & (RunRow.created_at == last.c.at)
    rows = session.scalars(select(RunRow).join(last, same).where(*open_ones))
    return {row.project_id: RunView.of(row) for row in rows}


def _phases(session: Session, digests: Collection[str]) -> dict[str, tuple[PhaseName, ...]]:
    """By template, its phases."""
    rows = session.execute(select(TemplateRow.digest, TemplateRow.text).where(TemplateRow.digest.in_(digests)))
    return {digest: _phases_in(text) for digest, text in rows}


@lru_cache(maxsize=64)
def _phases_in(text: str) -> tuple[PhaseName, ...]:
    """The phases of a template; kept, because a template takes long to read, and many projects have the same. None of
    one that an earlier version kept and this one cannot read."""
    try:
        template = read_template(text, "template")
    except InvalidInput:
        return ()
    return tuple(PhaseName(one.key, one.title, one.short) for one in template.phases)
