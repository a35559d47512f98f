"""A kept plan by epic, by iteration and by person, with its vacancies. Reads our store only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.values import ItemKind
from service.context import Context
from service.domain.plan import grouping
from service.domain.plan.field_words import STRANGER, names_in
from service.domain.plan.plan import Action, Change, Plan
from service.usecases.plan import planning
from service.views.plan import GroupedPlan, PlannedTicket, TicketGroup

_GOING = frozenset({Action.DELETE, Action.FORGET})
"""What will not be the plan's any more: it belongs to no group of what will be."""


def grouped(context: Context, plan_id: str) -> GroupedPlan:
    """The tickets of a plan as they will be once it is applied, those that stay as they are included. Raises
    NotFound."""
    return groups_of(planning.get(context, plan_id).plan, plan_id)


def groups_of(plan: Plan, plan_id: str = "") -> GroupedPlan:
    """The same of a plan that need not be kept."""
    items, names = {item.key: item for item in plan.items}, names_in(plan)
    changes = [one for one in plan.changes if one.kind is ItemKind.TICKET and one.action not in _GOING]
    shown = _tickets(plan, changes, names)
    keyed = {change.key: ticket for change, ticket in zip(changes, shown, strict=True)}

    def groups(found: Mapping[str, list[Change]], order: Sequence[str] = ()) -> tuple[TicketGroup, ...]:
        keys = sorted(found, key=lambda key: (not key, order.index(key) if key in order else len(order)))
        tickets = {key: tuple(keyed[change.key] for change in found[key]) for key in keys}
        return tuple(TicketGroup(key, names.get(key, key), tickets[key]) for key in keys)

    epics = [str(change.key) for change in plan.changes if change.kind is ItemKind.EPIC]
    iterations = [str(change.key) for change in plan.changes if change.kind is ItemKind.ITERATION]
    return GroupedPlan(
        plan=plan_id,
        by_epic=groups(grouping.by_epic(changes, items), epics),
        by_iteration=groups(grouping.by_iteration(changes, items), iterations),
        by_person=groups(grouping.by_person(changes, items)),
        vacancies=tuple(ticket for ticket in shown if ticket.vacancy),
    )


def _tickets(plan: Plan, changes: Sequence[Change], names: Mapping[str, str]) -> list[PlannedTicket]:
    items = {item.key: item for item in plan.items}
    vacant = {one.key: one.reason for one in plan.vacancies}
    found = []
    for change in changes:
        account = str(grouping.field(change, items, "assignee") or "")
        points = grouping.field(change, items, "points")
        found.append(
            PlannedTicket(
                key=change.key,
                title=change.title,
                action=change.action.value,
                epic=str(grouping.field(change, items, "epic") or ""),
                iteration=grouping.iteration_of(change, items),
                person=names.get(account, STRANGER) if account else "",
                points=points if isinstance(points, int | float) else None,
                vacancy=vacant.get(change.key, ""),
            )
        )
    return found
