"""What somebody may inspect: the iterations in the periods that their role was given for, samples of the findings, and
the questions about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.audit.outcome import Audited, Result
from service.domain.audit.sampling import LARGEST, LONGEST_SEED, Place, population, sample
from service.domain.problems import InvalidInput, Problem
from service.domain.team.calendar import DateRange
from service.store.tables import ProjectRow
from service.usecases.audit import audit_reports, questions
from service.usecases.audit.audit_reports import Line, Matrix
from service.usecases.audit.questions import Asked
from service.usecases.errors import NotFound

MOST_PROJECTS = 200
"""Projects in one list."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A project that somebody may inspect; `periods` is None for all of its iterations."""

    id: str
    key: str
    name: str
    periods: tuple[DateRange, ...] | None
    ended: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample: `size` findings at most of those with that result (None: of all), `among` how many there are."""

    seed: str
    size: int
    result: Result | None
    among: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """What somebody may inspect of one project. `matrix` has no other iterations than those."""

    matrix: Matrix
    periods: tuple[DateRange, ...] | None
    asked: tuple[Asked, ...]
    drawn: Drawn | None


def inspecting(context: Context, caller: Caller) -> Context:
    """The context in which projects are there that the caller may inspect, whatever else they may see."""
    return replace(context, sees=caller.projects(Permission.INSPECT))


def projects_of(context: Context, caller: Caller, containing: str = "") -> tuple[list[Inspected], int]:
    """The projects that somebody may inspect, by name, those of a name or key that contains this; at most
    `MOST_PROJECTS` of them, and how many there are."""
    sees = caller.projects(Permission.INSPECT)
    chosen: list[ColumnElement[bool]] = [ProjectRow.planned.is_(False)]
    if sees is not None:
        chosen.append(ProjectRow.id.in_(sorted(sees)))
    if containing:
        named = (one.icontains(containing, autoescape=True) for one in (ProjectRow.name, ProjectRow.key))
        chosen.append(or_(*named))
    columns = ProjectRow.id, ProjectRow.key, ProjectRow.name, ProjectRow.ended_at
    query = select(*columns).where(*chosen).order_by(func.lower(ProjectRow.name), ProjectRow.id)
    with context.database.session() as session:
        found = session.execute(query.limit(MOST_PROJECTS)).all()
        number = session.scalar(select(func.count()).select_from(ProjectRow).where(*chosen)) or 0
    shown = [
        Inspected(project, key, name, caller.periods(project), ended_at is not None)
        for project, key, name, ended_at in found
    ]
    return shown, number


def of(
    context: Context,
    caller: Caller,
    project: str,
    draw: tuple[str, int, Result | None] | None = None,
    within: DateRange | None = None,
) -> Room:
    """What somebody may inspect of a project, with the sample of that seed, size and result; with `within`, of the
    iterations alone that have a day in it: so others draw what an auditor of that period drew. Raises NotFound,
    Conflict, InvalidInput."""
    inside = inspecting(context, caller)
    matrix = audit_reports.matrix(inside, project)
    periods = caller.periods(matrix.project.id)
    asked_for = (within,) if within is not None else None
    lines = tuple(one for one in matrix.lines if _is_in(one.days, periods) and _is_in(one.days, asked_for))
    numbers = {one.number for one in lines}
    waivers = tuple(one for one in matrix.waivers if one["iteration"] is None or one["iteration"] in numbers)
    asked = tuple(one for one in questions.listed(inside, matrix.project.id) if one.question.number in numbers)
    drawn = _drawn(matrix.project.id, lines, *draw) if draw is not None else None
    return Room(replace(matrix, lines=lines, waivers=waivers), periods, asked, drawn)


def of_the_sample(room: Room) -> Matrix:
    """The matrix with the findings of the sample alone; whole where none was drawn."""
    if room.drawn is None:
        return room.matrix
    drawn = set(room.drawn.places)
    lines = tuple(replace(one, audited=_only(one, drawn)) for one in room.matrix.lines)
    return replace(room.matrix, lines=lines)


def _only(line: Line, places: Set[Place]) -> Audited | None:
    if line.audited is None:
        return None
    kept = tuple(one for one in line.audited.findings if (line.number, one.check) in places)
    return replace(line.audited, findings=kept)


def check(context: Context, caller: Caller, project: str, number: int) -> str:
    """The id of the project, if the caller may inspect this iteration of it. Raises NotFound where there is none that
    they may: whether there is one that they may not is not told. Conflict."""
    room = of(context, caller, project)
    if all(one.number != number for one in room.matrix.lines):
        raise NotFound("iteration", str(number), "Or you may not see it.")
    return room.matrix.project.id


def _is_in(days: DateRange | None, periods: Sequence[DateRange] | None) -> bool:
    if periods is None:
        return True
    return days is not None and any(days.first <= one.last and one.first <= days.last for one in periods)


def _drawn(project: str, lines: Sequence[Line], seed: str, size: int, result: Result | None) -> Drawn:
    wrong = []
    if not 1 <= size <= LARGEST:
        wrong.append(Problem("sample", None, "size", f"is {size}", f"give 1 to {LARGEST}"))
    if not 1 <= len(seed) <= LONGEST_SEED or not seed.isprintable():
        wrong.append(Problem("sample", None, "seed", "is none", f"give 1 to {LONGEST_SEED} characters"))
    if wrong:
        raise InvalidInput(wrong)
    among = population((one.audited for one in lines if one.audited is not None), result)
    return Drawn(seed, size, result, len(among), tuple(sample(among, project, seed, size)))


def room_json(room: Room) -> Mapping[str, Any]:
    """What somebody may inspect of a project as plain values."""
    drawn = room.drawn
    return {
        **audit_reports.matrix_json(room.matrix),
        "periods": None
        if room.periods is None
        else [{"first": one.first.isoformat(), "last": one.last.isoformat()} for one in room.periods],
        "questions": [questions.asked_json(one) for one in room.asked],
        "sample": None
        if drawn is None
        else {
            "seed": drawn.seed,
            "size": drawn.size,
            "result": drawn.result.value if drawn.result is not None else None,
            "among": drawn.among,
            "findings": [{"iteration": number, "check": check.value} for number, check in drawn.places],
        },
    }
