"""How fresh the figures from each tracker are: when it was read last, for which project, and by what. From our
records; reads no tracker."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from service.context import Context
from service.store.tables import AuditRow, ConnectionRow, PlanRow, ProjectRow, RunRow, StepRow
from service.usecases.setup import connections, projects
from service.views.overview import ConnectionFreshness, ProjectFreshness, TrackerFreshness
from service.views.setup import ProjectView


def tracker_freshness(context: Context) -> list[TrackerFreshness]:
    """One entry for each connection, by name, with its projects that have not ended and may be seen, by key."""
    seen = [one for one in projects.listed(context) if one.ended_at is None]
    seen = sorted((one for one in seen if context.sees is None or one.id in context.sees), key=lambda one: one.key)
    with context.database.session() as session:
        read, trouble = _read(session, [one.id for one in seen]), _trouble(session, [one.id for one in seen])
    found = []
    for connection in connections.listed(context):
        own = [one for one in seen if one.connection_id == connection.id]
        shown = tuple(_freshness(one, read.get(one.id)) for one in own)
        said = next((trouble[one.id] for one in own if one.id in trouble), "")
        found.append(TrackerFreshness(connection.id, connection.name, connection.kind, said, shown))
    return found


def connection_freshness(context: Context) -> list[ConnectionFreshness]:
    """The same in short, for a list of many projects: one entry for each connection that has any, by name. Of all
    projects; a fixed number of queries that give one row a connection."""
    audited = AuditRow.trouble == ""
    stepped = StepRow.reads > 0, StepRow.state == "go"
    runs = select(RunRow.project_id, StepRow.finished_at.label("at")).join(StepRow, StepRow.run_id == RunRow.id)
    read = union_all(
        select(PlanRow.project_id, PlanRow.created_at.label("at")).where(PlanRow.reads > 0),
        select(AuditRow.project_id, AuditRow.audited_at.label("at")).where(audited),
        runs.where(*stepped),
    ).subquery()
    last = select(read.c.project_id, func.max(read.c.at).label("at")).group_by(read.c.project_id).subquery()
    there = ProjectRow.planned.is_(False), ProjectRow.ended_at.is_(None)
    query = (
        select(
            ProjectRow.connection_id,
            func.min(ProjectRow.time_zone),
            func.count(),
            func.count(last.c.at),
            func.min(last.c.at),
        )
        .outerjoin(last, last.c.project_id == ProjectRow.id)
        .where(*there)
        .group_by(ProjectRow.connection_id)
    )
    failed = select(ProjectRow.connection_id, func.max(AuditRow.trouble)).join(
        AuditRow, AuditRow.project_id == ProjectRow.id
    )
    failed = failed.where(*there, AuditRow.trouble != "").group_by(ProjectRow.connection_id)
    with context.database.session() as session:
        rows = {row[0]: row for row in session.execute(query)}
        trouble = dict(session.execute(failed).all())
        names = dict(session.execute(select(ConnectionRow.id, ConnectionRow.name)).all())
    found = []
    for number, (_, zone, projects_, known, at) in rows.items():
        found.append(
            ConnectionFreshness(names[number], zone, at if known == projects_ else None, trouble.get(number, ""))
        )
    return sorted(found, key=lambda one: one.name)


def _freshness(project: ProjectView, read: tuple[datetime, str] | None) -> ProjectFreshness:
    at, by = read if read is not None else (None, "")
    return ProjectFreshness(project, at, by)


def _read(session: Session, ids: list[str]) -> dict[str, tuple[datetime, str]]:
    """By project, when it was read last in its tracker and by what."""
    audited = AuditRow.project_id.in_(ids), AuditRow.trouble == ""
    stepped = RunRow.project_id.in_(ids), StepRow.reads > 0, StepRow.state == "go"
    queries = {
        "plan": select(PlanRow.project_id, func.max(PlanRow.created_at)).where(
            PlanRow.project_id.in_(ids), PlanRow.reads > 0
        ),
        "audit": select(AuditRow.project_id, func.max(AuditRow.audited_at)).where(*audited),
        "run": select(RunRow.project_id, func.max(StepRow.finished_at))
        .join(StepRow, StepRow.run_id == RunRow.id)
        .where(*stepped),
    }
    columns = {"plan": PlanRow.project_id, "audit": AuditRow.project_id, "run": RunRow.project_id}
    found: dict[str, tuple[datetime, str]] = {}
    for by, query in queries.items():
        for project, at in session.execute(query.group_by(columns[by])):
            if project not in found or at > found[project][0]:
                found[project] = (at, by)
    return found


def _trouble(session: Session, ids: list[str]) -> dict[str, str]:
    """By project, why the last look at its records failed."""
    query = select(AuditRow.project_id, AuditRow.trouble).where(AuditRow.project_id.in_(ids), AuditRow.trouble != "")
    return dict(session.execute(query.order_by(AuditRow.audited_at)).all())
