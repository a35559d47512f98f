"""What advancing a project would do."""

from __future__ import annotations

from dataclasses import dataclass

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.loop.turnover import Carried, Move, Policy, Turnover, key_of
from service.pages import moments, plan
from service.pages.plan import Contents
from service.usecases.loop import advances, loop_status
from service.usecases.setup import connections


@dataclass(frozen=True, slots=True)
class CarriedLine:
    """A ticket that is not done, and what becomes of it."""

    title: str
    person: str
    points: str
    becomes: str


@dataclass(frozen=True, slots=True)
class AdvancePage:
    """What advancing would do now. `begins` is the iteration that it begins, which the button names, so that a second
    press begins no other one."""

    id: str
    name: str
    heading: str
    begins: int
    phase: str
    why: str
    dates: str
    done: tuple[CarriedLine, ...]
    carried: tuple[CarriedLine, ...]
    contents: Contents
    may: bool
    blocked: bool
    tracker: str


def page_of(context: Context, caller: Caller, name: str, by: str = plan.EPIC) -> AdvancePage:
    """What advancing would do now. Reads the tracker, writes nothing to it. Raises as `advances.preview` does."""
    made = advances.preview(context, name)
    turnover, project, found = made.plan.turnover, made.project, made.plan
    tracker = connections.kind_title(context, project.connection_id)
    titles = loop_status.standing(context, project.id).phases
    if turnover is None:  # what blocks it is in the findings
        turnover = Turnover(0, 0, Move.STAY)
    phase = turnover.stage.phase if turnover.stage is not None else ""
    now = context.now()
    dates = turnover.dates
    return AdvancePage(
        id=project.id,
        name=project.name,
        heading=f"Begin iteration {turnover.begins} of {project.name}" if turnover.begins else f"Close {project.name}",
        begins=turnover.begins,
        phase=titles.get(phase, phase),
        why=_why(turnover),
        dates=moments.days(dates.first, dates.last, now.year) if dates is not None else "",
        done=tuple(
            CarriedLine(one.title, one.person, moments.points(one.points), "Done")
            for one in turnover.contents
            if one.status == "done"
        ),
        carried=tuple(_carried(one, turnover) for one in turnover.carried),
        contents=plan.contents_of(found, by),
        may=caller.may(Permission.OPERATE, project.id),
        blocked=found.blocked,
        tracker=tracker,
    )


def _why(turnover: Turnover) -> str:
    if turnover.decision is not None:
        return f"decided by {turnover.decision.by}: {turnover.decision.reason}"
    if turnover.lacking:
        return "; ".join(turnover.lacking)
    return {
        Move.NEXT: "the phase before has reached its output",
        Move.STAY: "more of it is planned",
        Move.BEGIN: "it is the first",
    }.get(turnover.move, "")


_BECOMES = {
    Policy.NEXT: "Carried over",
    Policy.BACKLOG: "To the backlog",
    Policy.LEAVE: "Left as it is",
    Policy.COMPLETE: "Completed: nothing is left to do in it",
}


def _carried(one: Carried, turnover: Turnover) -> CarriedLine:
    content = next((each for each in turnover.contents if key_of(each) == one.key), None)
    person = one.person or (content.person if content is not None else "")
    becomes = _BECOMES[one.policy]
    if one.policy is Policy.NEXT:
        becomes = f"Carried over into iteration {one.to}" + (f", for the {one.times}. time" if one.times > 1 else "")
    return CarriedLine(one.title, person, moments.points(one.points), becomes)
