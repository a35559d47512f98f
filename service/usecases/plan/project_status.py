"""A look at a project: what is there, what people changed since, what a plan would change now. Reads only, keeps
nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.errors import TrackerError
from connectors.values import ItemKind
from service.context import Context
from service.domain.plan.plan import Plan
from service.domain.plan.plan_json import published
from service.domain.problems import InvalidInput
from service.store_faults import KeyProblem
from service.usecases.errors import UseCaseError
from service.usecases.plan import inventory, planning
from service.usecases.plan.inventory import Inventory
from service.usecases.plan.planning import Draft
from service.usecases.setup import projects
from service.views.plan import PlanView
from service.views.setup import ProjectView


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the tracker could not be looked at, and what to do."""

    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One project. `inventory` is from our records; `draft` the plan that would be made now, None where the tracker was
    not looked at, which was not asked for if there is no `trouble`."""

    project: ProjectView
    inventory: Inventory
    latest: PlanView | None
    draft: Draft | None = None
    trouble: Trouble | None = None


def look(context: Context, row: ProjectView, *, offline: bool = False) -> Look:
    """Look at a project; one that has ended only in our records. What blocks it is in the answer."""
    there, latest = inventory.of_project(context, row.id), planning.latest(context, row.id)
    if offline or row.ended_at is not None:
        return Look(row, there, latest)
    try:
        made = planning.draft(context, row.id)
        # It may have another key in the tracker by now, and people may have taken what nobody had.
        return Look(made.project, _as_seen(there, made.plan), latest, draft=made)
    except (TrackerError, UseCaseError) as error:
        return Look(row, there, latest, trouble=Trouble(error.message, error.fix))
    except InvalidInput as error:
        return Look(row, there, latest, trouble=Trouble("; ".join(one.told for one in error.problems)))
    except KeyProblem as error:
        return Look(row, there, latest, trouble=Trouble(str(error)))


def _as_seen(inventory: Inventory, plan: Plan) -> Inventory:
    taken = {key for key, fields in plan.observed.items() if fields.get("assignee")}
    return replace(inventory, vacancies=tuple(one for one in inventory.vacancies if one.key not in taken))


def look_at_all(context: Context, *, offline: bool = False) -> Sequence[Look]:
    """Look at every project that has not ended, oldest first; trouble with one does not hide the others."""
    return [look(context, row, offline=offline) for row in projects.listed(context) if row.ended_at is None]


def drift_json(draft: Draft) -> dict[str, Any]:
    """What people changed and what a plan would do now as plain values, in a plan's words."""
    whole = published(draft.plan)
    kept = ("project", "tracker_project", "summary", "blocked", "drift", "findings", "people")
    return {name: whole[name] for name in kept} | {"requests": {"reads": draft.reads, "writes": draft.writes}}


def look_json(found: Look) -> dict[str, Any]:
    """A look as plain values, the form that the command line shows."""
    row, inventory, draft, trouble = found.project, found.inventory, found.draft, found.trouble
    seen = drift_json(draft) if draft is not None else None
    return {
        "id": row.id,
        "key": row.key,
        "name": row.name,
        "url": row.url,
        "epics": inventory.count(ItemKind.EPIC),
        "iterations": inventory.count(ItemKind.ITERATION),
        "tickets": inventory.count(ItemKind.TICKET),
        "vacancies": inventory.vacancies_json(),
        "refused": [{"key": refused.key, "problems": list(refused.problems)} for refused in inventory.refused],
        "latest_plan": found.latest.id if found.latest else None,
        "drift": seen["drift"] if seen else None,
        "summary": seen["summary"] if seen else None,
        "blocked": seen["blocked"] if seen else None,
        "findings": seen["findings"] if seen else None,
        "error": {"message": trouble.message, "fix": trouble.fix} if trouble else None,
    }
