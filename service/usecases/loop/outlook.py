"""What comes in the loop of one project, and what skipping would change of it. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.context import Context
from service.domain.problems import InvalidInput
from service.domain.team.calendar import Calendar
from service.domain.team.calendar_file import Freeze
from service.usecases.errors import Conflict
from service.usecases.loop import scheduling
from service.usecases.loop.scheduling import Firing
from service.usecases.plan.freezes import freezes_of
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import projects
from service.views.loop import LoopView
from service.views.setup import ProjectView

LOOKED_AHEAD = timedelta(days=92)
"""So far the days on which nobody works are told."""


@dataclass(frozen=True, slots=True)
class Skipping:
    """What skipping the coming bound does: iteration `number` begins at `then` instead of `now`. `first` is its first
    day as it is now, by which a skip says what it means."""

    number: int
    first: date
    now: datetime
    then: datetime


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes. `loop` is None before it has begun; `skipping` where nothing can be skipped, and `why` says why.
    `back` are the phases that were there, to which the project can be sent back, with their titles.
    `freezes` are those that are not over, `days_off` the coming working days of the week on which nobody works."""

    project: ProjectView
    loop: LoopView | None
    firings: tuple[Firing, ...]
    skipping: Skipping | None
    why: str
    freezes: tuple[Freeze, ...]
    days_off: tuple[date, ...]
    back: tuple[tuple[str, str], ...]


def outlook(context: Context, project: str, count: int = 10) -> Outlook:
    """What comes in a project that has not ended. Raises NotFound, Conflict, InvalidInput (an iteration cannot be
    placed on the calendar)."""
    known = material(context, projects.going_on(context, project).id)
    view = ProjectView.of(known.project)
    skipping, why = _skipping(context, known)
    today = context.now().astimezone(known.calendar.zone).date()
    return Outlook(
        project=view,
        loop=LoopView.of(known.loop) if known.loop is not None else None,
        firings=tuple(scheduling.firings_of(context, known, count)),
        skipping=skipping,
        why=why,
        freezes=tuple(one for one in freezes_of(view, known.team) if one.last >= today),
        days_off=tuple(_days_off(known.calendar, today)),
        back=tuple((one.key, one.title) for one in known.template.phases if one.key in _been(known)),
    )


def _been(known: Material) -> set[str]:
    return {one.stage.phase for one in known.begun}


def _skipping(context: Context, known: Material) -> tuple[Skipping | None, str]:
    row = ProjectView.of(known.project)
    try:
        loop = scheduling.open_loop(row, known.loop)
        with context.database.session() as session:
            scheduling.refuse_at_work(session, row, loop)
        turn = scheduling.coming(known)
        moved = scheduling.course_from(known, known.begun, scheduling.first_after_skip(known)).turn(turn.number)
    except (Conflict, InvalidInput, KeyError) as error:
        return None, error.message if isinstance(error, Conflict) else "No iteration follows."
    return Skipping(turn.number, turn.dates.first, turn.starts, moved.starts), ""


def _days_off(calendar: Calendar, today: date) -> list[date]:
    """Days that would be worked on by their weekday, freezes left out."""
    coming = (today + timedelta(days=number) for number in range(LOOKED_AHEAD.days))
    of_the_week = (day for day in coming if day.weekday() in calendar.working_days and not calendar.is_frozen(day))
    return [day for day in of_the_week if not calendar.is_working(day)]
