"""How work flows in the current iteration, as the tracker shows it now: what is begun, what is done, and whether
more is in progress than the team allows itself. Reads only, keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from connectors.values import Content, Finding, Severity
from service.context import Context
from service.domain.loop import figures
from service.domain.loop.figures import Sum
from service.domain.loop.turnover import iteration_key
from service.domain.plan.plan_json import finding_to_json
from service.usecases.errors import Conflict
from service.usecases.plan import planning
from service.usecases.plan.advance_plan import going_on
from service.usecases.plan.project_state import material
from service.usecases.setup import project_identity, projects


@dataclass(frozen=True, slots=True)
class Flow:
    """The tickets of iteration `number` by their status, ours and people's own. `limit` is how many may be in progress
    at once, None for as many as people like. `findings` say where that is exceeded, or that it cannot be looked at;
    `contents` are the tickets, None in that case."""

    number: int
    todo: Sum
    doing: Sum
    done: Sum
    limit: int | None
    findings: tuple[Finding, ...] = ()
    contents: tuple[Content, ...] | None = None


def flow(context: Context, project: str) -> Flow:
    """Look at the current iteration. Raises NotFound, Conflict (no project has that key), TrackerError where the
    tracker cannot be read."""
    row = projects.going_on(context, project)
    ours = material(context, row.id)
    number, limit = ours.current, ours.turning.wip_limit
    if not number or ours.begun[-1].closed:
        raise Conflict("no-iteration", f"{row.key} has no current iteration.", "`phaseloop schedule next` says when.")
    with context.tracker(ours.connection) as tracker:
        place = project_identity.locate(
            context, tracker, ours.project, planning.spec_of(ours.project, ours.method)
        ).place
        found = going_on(tracker, place, ours) if place is not None else None
    if found is None:
        message = f"Iteration {number} of {row.key} is not in the tracker any more."
        gone = Finding(Severity.WARNING, "iteration-gone", message, "The next advance goes by our records.")
        return Flow(number, Sum(), Sum(), Sum(), limit, (gone,))
    crowded = figures.wip_finding(number, found, limit)
    todo, doing, done = (_sum(found, status) for status in ("todo", "doing", "done"))
    return Flow(number, todo, doing, done, limit, (crowded,) if crowded is not None else (), tuple(found))


def flow_json(found: Flow) -> dict[str, Any]:
    """A flow as plain values, the form that the command line and REST show."""
    return {
        "iteration": found.number,
        "key": iteration_key(found.number),
        "todo": asdict(found.todo),
        "doing": asdict(found.doing),
        "done": asdict(found.done),
        "wip_limit": found.limit,
        "findings": [finding_to_json(finding) for finding in found.findings],
    }


def _sum(contents: Iterable[Content], status: str) -> Sum:
    return figures.total(content.points for content in contents if content.status == status)
