"""Planning a project that nobody has set up, with people who may be new as well: nothing of either is kept unless the
plan is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from service import templates
from service.context import Context
from service.domain.problems import InvalidInput, Problem
from service.domain.team.team import Team, team_from_json
from service.usecases.errors import NotFound
from service.usecases.plan import planning
from service.usecases.setup import projects, teams
from service.views.plan import PlanView


class NotKept(Exception):
    """The plan could never be applied, so neither it nor its project was kept; `plan` says why in its findings."""

    def __init__(self, plan: PlanView) -> None:
        super().__init__("the plan was not kept")
        self.plan = plan


def planned(context: Context, request: projects.Request, team: Team | None = None) -> PlanView:
    """The kept plan of a new project, which is set up when that is applied; `team` are the people that it brings, in
    place of the team that the request names. Reads the tracker, writes nothing to it.

    Raises NotFound, InvalidInput with every problem, Conflict where the project is set up already, TrackerError,
    NotKept.
    """
    free = replace(context, claim=None)  # steps that can be repeated: only the kept plan is what was asked for
    row = teams.proposed(free, team) if team is not None else None
    asked = replace(request, team=row.id) if row is not None else request
    try:
        project = projects.plan_first(free, asked, team)
        made, kept = planning.first_plan(context, project.id, asked=planning.Asked(asked, team, anew=True))
    except BaseException:
        if row is not None:
            teams.drop(free, row.id)
        raise
    if not kept:
        if row is not None:
            teams.drop(free, row.id)
        raise NotKept(made)
    return made


def wrong_but_for_people(context: Context, request: projects.Request) -> tuple[Problem, ...]:
    """What is wrong with a request whose people could not be read, besides these."""
    return wrong(context, request, None)


def wrong(context: Context, request: projects.Request, team: Team | None) -> tuple[Problem, ...]:
    """What is wrong with a request for a new project, as far as our records tell; `team` are the people that it brings.
    Without these, of those of the team that it names."""
    try:
        named = team or teams.get(context, request.team).team
    except NotFound:
        named = None
    try:
        projects.settled(context, request, named, None)
    except InvalidInput as error:
        return error.problems
    return ()


@dataclass(frozen=True, slots=True)
class Entered:
    """What a plan of a new project was made from, as it was given. `people` are those that the plan brings, None where
    it goes by the team of that name. `template` is the name of a built-in template, or else `template_text` the text of
    one of their own. `time_zone` is empty where it is that of the people."""

    name: str
    key: str
    connection: str
    create: bool
    time_zone: str
    parameters: Mapping[str, Any]
    template: str
    template_text: str
    team: str
    people: Team | None


def entered(context: Context, plan_id: str) -> Entered:
    """What that plan was made from, to begin another one with. Raises NotFound."""
    plan = planning.get(context, plan_id)
    project = projects.get(context, plan.project_id, ask=False)
    settings = plan.plan.settings.after if plan.plan.settings is not None else None
    brought = plan.plan.settings.team if plan.plan.settings is not None else None
    team = teams.get(context, settings.team if settings is not None else project.team_id)
    people = team_from_json(brought.after, source=team.name) if brought is not None else team.team
    digest = settings.template if settings is not None else project.template_digest
    built_in = next((name for name in templates.builtin_names() if templates.load_builtin(name).digest == digest), "")
    zone = settings.time_zone if settings is not None else project.time_zone
    return Entered(
        name=settings.name if settings is not None else project.name,
        key=project.key,
        connection=project.connection_id,
        create=settings.create if settings is not None else project.create,
        time_zone=zone if zone != (people.zone or "UTC") else "",
        parameters=settings.parameters if settings is not None else project.parameters,
        template=built_in,
        template_text="" if built_in else projects.template_kept(context, digest).text,
        team=team.name,
        people=None if team.version and team.team.to_json() == people.to_json() else people,
    )
