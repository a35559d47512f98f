"""Freezes of a project, in which nobody works and iterations stand still: one added or taken away by a plan, which
brings the change along and shows what it moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from service.context import Context
from service.domain.problems import InvalidInput, Problem
from service.domain.team.calendar_file import CalendarSpec, Freeze, over, spec_from_json
from service.domain.team.team import Team
from service.usecases.plan import planning
from service.usecases.setup import projects, teams
from service.views.plan import PlanView
from service.views.setup import ProjectView


def freezes_of(project: ProjectView, team: Team) -> tuple[Freeze, ...]:
    """The freezes of a project: its own, else those of its team."""
    said = over(team.calendar or CalendarSpec(), spec_from_json(project.calendar))
    return said.freezes or ()


def plan_freeze(context: Context, project: str, first: str, last: str, reason: str = "") -> PlanView:
    """A kept plan that adds a freeze, both days included. It is the project's from when the plan is applied; those of
    its team count on beside it.

    Raises NotFound, Conflict, TrackerError; InvalidInput, whose paths are `from`, `to` or `reason` where it is about
    the freeze.
    """
    row = projects.going_on(context, project)
    kept = _kept(context, row)
    new: dict[str, Any] = {"from": first, "to": last, **({"reason": reason} if reason else {})}
    return _planned(context, row, [*kept, new], len(kept))


def plan_thaw(context: Context, project: str, first: date, last: date) -> PlanView:
    """A kept plan that takes the freeze of these days away. Raises as `plan_freeze` does."""
    row = projects.going_on(context, project)
    kept = _kept(context, row)
    left = [one for one in kept if (one["from"], one["to"]) != (first.isoformat(), last.isoformat())]
    if len(left) == len(kept):
        problem = Problem("calendar", None, "from", "there is no freeze of these days", "look at the schedule again")
        raise InvalidInput([problem])
    return _planned(context, row, left, len(kept))


def _kept(context: Context, row: ProjectView) -> list[dict[str, Any]]:
    found = freezes_of(row, teams.get(context, row.team_id).team)
    return [one.model_dump(mode="json", by_alias=True) for one in found]


def _planned(context: Context, row: ProjectView, freezes: Sequence[dict[str, Any]], at: int) -> PlanView:
    try:
        calendar = spec_from_json({**row.calendar, "freezes": list(freezes)})
    except InvalidInput as error:
        raise InvalidInput([_of_the_freeze(one, at) for one in error.problems]) from error
    request = projects.Request(
        name=row.name,
        key=row.key,
        connection=row.connection_id,
        team=row.team_id,
        template=projects.template_text(context, row),
        parameters={},
        create=row.create,
        calendar=calendar,
    )
    return planning.make_plan(context, row.id, asked=planning.Asked(request))


def _of_the_freeze(one: Problem, at: int) -> Problem:
    path = one.path.removeprefix(f"freezes[{at}]").removeprefix(".")
    return Problem(one.source, one.line, path or "from", one.message, one.fix)
