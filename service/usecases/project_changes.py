"""Changes of a project's settings that travel with a plan: proposed when it is made, brought when it is applied, taken
back when its run is undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from connectors.tracker import Finding, Severity
from service.context import Context
from service.domain import project_settings
from service.domain.project_settings import ProjectSettings, SettingsChange, TeamChange
from service.domain.team import Team
from service.domain.template import Template
from service.store.tables import ProjectRow, TeamRow, TemplateRow
from service.usecases import projects, teams
from service.usecases.errors import StalePlan


@dataclass(frozen=True, slots=True)
class Proposed:
    """A project as it is with settings that it does not have yet: `row` is a copy that no session knows."""

    row: ProjectRow
    team: Team
    template: Template
    change: SettingsChange | None


def propose(context: Context, row: ProjectRow, request: projects.Request, team: Team | None = None) -> Proposed:
    """The project as it would be with this request and, if given, with these contents of its team. Changes nothing that
    anything else is made from: only a template's text, which nobody uses yet, is kept by its digest.

    Raises InvalidInput with every problem, NotFound for the team."""
    team_row = teams.get(context, request.team)
    now = teams.team_of(team_row)
    wanted = projects.settled(context, request, team or now, row)
    with context.database.session() as session:
        projects.keep_template(session, context, request.template, wanted.template)
        before = settings_of(session, row)
        changed = _team_change(session, row, team_row, team) if team is not None else None
    after = ProjectSettings(
        request.name,
        team_row.id,
        team_row.name,
        request.template.digest,
        _title(wanted.template.name, wanted.template.version),
        request.create,
        wanted.parameters,
        wanted.time_zone,
        wanted.calendar,
        wanted.turning,
        wanted.audit,
    )
    copy = ProjectRow(**{column.key: getattr(row, column.key) for column in inspect(ProjectRow).column_attrs})
    _write(copy, after)
    differs = changed is not None or project_settings.differ(before, after)
    change = SettingsChange(before, after, changed) if differs else None
    return Proposed(copy, team or now, wanted.template, change)


def bring(session: Session, context: Context, project: ProjectRow, change: SettingsChange, again: str) -> None:
    """Make the settings that a plan was made with the project's, in the unit of work that claims the plan. Raises
    StalePlan, with `again` as what to do, if its team was changed since."""
    if change.team is not None:
        row = session.get(TeamRow, change.team.id)
        if row is None or not teams.replace(session, row, change.team, context.now()):
            message = f"This plan is stale: the team {change.team.name!r} was changed since it was made."
            raise StalePlan("plan-stale", message, again)
    _write(project, change.after)


def taken_back(
    session: Session, project: ProjectRow, applied: Sequence[SettingsChange], run_id: str
) -> tuple[SettingsChange | None, list[Finding]]:
    """The settings as they were before these changes, newest last, as far as nobody changed them again; and what is to
    be said of those that somebody did."""
    current = settings_of(session, project)
    back: SettingsChange | None = None
    findings: list[Finding] = []
    for change in reversed(applied):
        row = session.get(TeamRow, change.team.id) if change.team is not None else None
        team, version = (row.body, row.version) if row is not None else (None, 0)
        one, kept = project_settings.reverse(change, back.after if back is not None else current, team, version)
        if one is not None:
            back = SettingsChange(current, one.after, one.team or (back.team if back is not None else None))
        findings += [_stays(path, run_id) for path in kept]
    return back, findings


def settings_of(session: Session, row: ProjectRow) -> ProjectSettings:
    """The project's settings as they are stored."""
    template = session.get_one(TemplateRow, row.template_digest)
    return ProjectSettings(
        row.name,
        row.team_id,
        session.get_one(TeamRow, row.team_id).name,
        row.template_digest,
        _title(template.name, template.version),
        row.create,
        row.parameters,
        row.time_zone,
        row.calendar,
        row.turning,
        row.audit,
    )


def _title(name: str, version: object) -> str:
    return f"{name} {version}"


def _write(row: ProjectRow, settings: ProjectSettings) -> None:
    row.name, row.team_id, row.template_digest = settings.name, settings.team, settings.template
    row.create, row.parameters, row.time_zone = settings.create, dict(settings.parameters), settings.time_zone
    row.calendar, row.turning, row.audit = dict(settings.calendar), dict(settings.turning), dict(settings.audit)


def _team_change(session: Session, project: ProjectRow, row: TeamRow, team: Team) -> TeamChange | None:
    body = team.to_json()
    if body == row.body:
        return None
    others = select(ProjectRow.key).where(
        ProjectRow.team_id == row.id, ProjectRow.id != project.id, ProjectRow.ended_at.is_(None)
    )
    followers = tuple(session.scalars(others.order_by(ProjectRow.key)))
    return TeamChange(row.id, row.name, row.version, row.body, body, followers)


def _stays(path: str, run_id: str) -> Finding:
    message = f"The setting {path} was changed again after {run_id}: it stays as it is now."
    return Finding(Severity.INFO, "setting-kept", message, "Change it with `phaseloop project set` if need be.", path)
