"""Teams: imported by name, again whenever the file changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from service.context import Context
from service.domain.plan.project_settings import TeamChange
from service.domain.team.team import Team, team_from_json
from service.store import dues
from service.store.secrets import new_id
from service.store.tables import ProjectRow, TeamRow
from service.usecases import ids
from service.usecases.errors import Conflict, NotFound
from service.views.setup import TeamView


def put(context: Context, team: Team, expected_version: int | None = None) -> TeamView:
    """Keep the team under its name; an existing one is replaced and its version grows; an unchanged one stays.

    Raises Conflict if `expected_version` is given and is not the present one.
    """
    body = team.to_json()
    with context.database.session() as session:
        row = session.scalar(select(TeamRow).where(TeamRow.name == team.name))
        if expected_version is not None and (row.version if row else 0) != expected_version:
            raise _changed(team)
        if row is None:
            row = TeamRow(id=new_id("tem"), name=team.name, body=body, version=1, updated_at=context.now())
            session.add(row)
        elif (row.body != body or not row.version) and not _written(session, row, body, context.now()):
            raise _changed(team)
        context.done(session, row.id)
    return TeamView.of(row)


def proposed(context: Context, team: Team) -> TeamView:
    """The team of that name, for a plan that brings these contents along. One that is not there yet is kept for the
    plan alone: nobody is shown it before the plan is applied."""
    with context.database.session() as session:
        row = session.scalar(select(TeamRow).where(TeamRow.name == team.name))
        if row is None:
            row = TeamRow(id=new_id("tem"), name=team.name, body=team.to_json(), version=0, updated_at=context.now())
            session.add(row)
    return TeamView.of(row)


def publish(session: Session, team_id: str, now: datetime) -> None:
    """Make a team that was only proposed one that is there, in the unit of work that applies its plan."""
    row = session.get_one(TeamRow, team_id)
    if not row.version:
        _written(session, row, row.body, now)


def drop(context: Context, team_id: str) -> None:
    """Leave no trace of a team that was only proposed, and that no project has."""
    with context.database.session() as session:
        forget(session, team_id)


def forget(session: Session, team_id: str) -> None:
    """The same in this unit of work."""
    unused = TeamRow.version == 0, TeamRow.id.not_in(select(ProjectRow.team_id))
    session.execute(delete(TeamRow).where(TeamRow.id == team_id, *unused))


def replace(session: Session, row: TeamRow, change: TeamChange, now: datetime) -> bool:
    """Write the contents that a plan brings, in its unit of work; False if the team was changed since the plan was
    made. Contents that are there already count as written."""
    if row.body == change.after:
        return True
    return row.version == change.version and _written(session, row, dict(change.after), now)


def _written(session: Session, row: TeamRow, body: dict[str, Any], now: datetime) -> bool:
    """Write the next version, unless somebody else has meanwhile: the comparison is in the statement. The loops of the
    team's projects are to follow it from then on (see `scheduling.keep_up`), whatever becomes of this process."""
    written = session.scalar(
        update(TeamRow)
        .where(TeamRow.id == row.id, TeamRow.version == row.version)
        .values(body=body, version=row.version + 1, updated_at=now)
        .returning(TeamRow.version)
    )
    if written is not None:
        session.refresh(row)
        dues.fall_behind(session, row.id, row.version)
    return written is not None


def _changed(team: Team) -> Conflict:
    return Conflict("version-mismatch", f"The team {team.name!r} was changed meanwhile.", "Read it again first.")


def get(context: Context, name: str) -> TeamView:
    """The team of that id or name. Raises NotFound."""
    with context.database.session() as session:
        by_name = (TeamRow.name == name) & (TeamRow.version > 0)
        row = session.scalar(select(TeamRow).where(or_(TeamRow.id == name, by_name)))
        row = row or session.get(TeamRow, ids.whole(session, TeamRow.id, name, "teams"))
        if row is None:
            known = session.scalars(select(TeamRow.name).where(TeamRow.version > 0)).all()
            fix = "Import one with `phaseloop teams import FILE`; `phaseloop teams list` names them."
            raise NotFound("team", name, fix, known)
    return TeamView.of(row)


def listed(context: Context) -> list[TeamView]:
    """All teams by name; of somebody who may not see all projects, those of the projects that they see."""
    query = select(TeamRow).where(TeamRow.version > 0).order_by(TeamRow.name)
    if context.sees is not None:
        query = query.where(TeamRow.id.in_(select(ProjectRow.team_id).where(ProjectRow.id.in_(context.sees))))
    with context.database.session() as session:
        return [TeamView.of(row) for row in session.scalars(query)]


@dataclass(frozen=True, slots=True)
class KeptOfTable:
    """What was said of a table when its team was last kept: what its headings stand for, and its time zone."""

    columns: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None


def kept_of_table(context: Context, name: str) -> KeptOfTable:
    """What is remembered of the table of that team; nothing where there is none yet."""
    with context.database.session() as session:
        row = session.scalar(select(TeamRow).where(TeamRow.name == name, TeamRow.version > 0))
    if row is None:
        return KeptOfTable()
    team = team_of(row)
    return KeptOfTable(team.columns, team.zone)


def team_of(row: TeamRow) -> Team:
    """The stored team as a value."""
    return team_from_json(row.body, source=row.name)
