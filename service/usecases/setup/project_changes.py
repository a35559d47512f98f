"""Changes of a project's settings that travel with a plan: proposed when it is made, brought when it is applied, taken
back when its run is undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from connectors.values import Finding, Severity
from service.context import Context
from service.domain.places import setting_words
from service.domain.plan import project_settings
from service.domain.plan.plan import Purpose
from service.domain.plan.plan_json import plan_from_json
from service.domain.plan.project_settings import ProjectSettings, SettingsChange, TeamChange
from service.domain.problems import InvalidInput, Problem
from service.domain.team.team import Team, team_from_json
from service.domain.template.template import Template
from service.store.tables import PlanRow, ProjectRow, TeamRow, TemplateRow
from service.usecases.errors import NotFound, StalePlan
from service.usecases.setup import projects, teams
from service.views.setup import ProjectView, TeamView


@dataclass(frozen=True, slots=True)
class Proposed:
    """A project as it is with settings that it does not have yet: `row` is a copy that no session knows."""

    row: ProjectRow
    team: Team
    template: Template
    change: SettingsChange | None


def propose(
    context: Context, row: ProjectRow, request: projects.Request, team: Team | None = None, *, anew: bool = False
) -> Proposed:
    """The project as it would be with this request and, if given, with these contents of its team. Changes nothing that
    anything else is made from: only a template's text, which nobody uses yet, is kept by its digest. `anew` takes what
    is not asked for from the template and the team, in place of what the project says.

    Of a project that is only planned all settings come with the plan, and there are none before.

    Raises InvalidInput with every problem, NotFound for the team."""
    team_row = _team_named(context, row, request)
    if team is None and row.planned:
        team = _of_last_plan(context, row, team_row)
    now = team_row.team
    wanted = projects.settled(context, request, team or now, None if anew else row)
    with context.database.session() as session:
        projects.keep_template(session, context, wanted.text, wanted.template)
        before = settings_of(session, row)
        changed = _team_change(session, row, team_row, team) if team is not None else None
    after = ProjectSettings(
        request.name,
        team_row.id,
        team_row.name,
        wanted.text.digest,
        _title(wanted.template.name, wanted.template.version),
        request.create,
        wanted.parameters,
        wanted.time_zone,
        wanted.calendar,
        wanted.turning,
        wanted.audit,
    )
    if row.planned:
        before = after
    copy = ProjectRow(**{column.key: getattr(row, column.key) for column in inspect(ProjectRow).column_attrs})
    _write(copy, after)
    differs = row.planned or changed is not None or project_settings.differ(before, after)
    change = SettingsChange(before, after, changed) if differs else None
    return Proposed(copy, team or now, wanted.template, change)


def _team_named(context: Context, row: ProjectRow, request: projects.Request) -> TeamView:
    """The team that is asked for. Raises NotFound, InvalidInput where more is wrong than that it is not there."""
    try:
        return teams.get(context, request.team)
    except NotFound as error:
        try:
            projects.settled(context, request, None, row)
        except InvalidInput as more:
            problem = Problem("project", None, "team", error.message, error.fix)
            raise InvalidInput([problem, *more.problems]) from error
        raise


def as_planned(context: Context, row: ProjectRow) -> Proposed:
    """A project that is only planned, with what its last plan brings. Raises InvalidInput, NotFound for the team."""
    request = projects.Request(
        name=row.name,
        key=row.key,
        connection=row.connection_id,
        team=row.team_id,
        template=projects.template_text(context, ProjectView.of(row)),
        parameters={},
        create=row.create,
    )
    return propose(context, row, request)


def hold(session: Session, project_id: str, change: SettingsChange) -> None:
    """Remember what the last plan of a project that is only planned brings: the next one continues from it."""
    row = session.get_one(ProjectRow, project_id)
    if row.planned:
        _write(row, change.after)


def _of_last_plan(context: Context, row: ProjectRow, team: TeamView) -> Team | None:
    """The contents that the project's last plan brings for this team; None where it brings none. One that was made to
    remove the project brings nothing, and does not count."""
    brings = (PlanRow.project_id == row.id, PlanRow.body["purpose"].as_string() == Purpose.APPLY.value)
    newest = select(PlanRow.body).where(*brings).order_by(PlanRow.created_at.desc()).limit(1)
    with context.database.session() as session:
        body = session.scalar(newest)
    settings = plan_from_json(body).settings if body is not None and "changes" in body else None
    brought = settings.team if settings is not None else None
    return team_from_json(brought.after, source=team.name) if brought is not None and brought.id == team.id else None


def bring(session: Session, context: Context, project: ProjectRow, change: SettingsChange, again: str) -> None:
    """Make the settings that a plan was made with the project's, in the unit of work that claims the plan. Raises
    StalePlan, with `again` as what to do, if its team was changed since."""
    if change.team is not None:
        row = session.get(TeamRow, change.team.id)
        if row is None or not teams.replace(session, row, change.team, context.now()):
            message = f"This plan is stale: the team {change.team.name!r} was changed since it was made."
            raise StalePlan("plan-stale", message, again)
    if session.get(TeamRow, change.after.team) is None:
        message = f"This plan is stale: the team {change.after.team_name!r} is not there any more."
        raise StalePlan("plan-stale", message, again)
    _write(project, change.after)
    project.planned = False
    teams.publish(session, project.team_id, context.now())


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


def settings(context: Context, project: ProjectView) -> ProjectSettings:
    """The project's settings as they are stored."""
    with context.database.session() as session:
        return settings_of(session, project)


def settings_of(session: Session, row: ProjectRow | ProjectView) -> ProjectSettings:
    """The same in a unit of work."""
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


def _team_change(session: Session, project: ProjectRow, row: TeamView, team: Team) -> TeamChange | None:
    body = team.to_json()
    if body == row.body and row.version:
        return None
    # Of a team that is only proposed each plan brings its own people: another plan may have proposed the name first.
    others = select(ProjectRow.key).where(
        ProjectRow.team_id == row.id,
        ProjectRow.id != project.id,
        ProjectRow.ended_at.is_(None),
        ProjectRow.planned.is_(False),
    )
    followers = tuple(session.scalars(others.order_by(ProjectRow.key)))
    before = row.body if row.version else body  # of one that nobody has imported nothing is there to go back to
    return TeamChange(row.id, row.name, row.version, before, body, followers)


def _stays(path: str, run_id: str) -> Finding:
    message = f"The setting {setting_words(path)} was changed again after {run_id}: it stays as it is now."
    return Finding(Severity.INFO, "setting-kept", message, "Change it with `phaseloop projects set` if need be.", path)
