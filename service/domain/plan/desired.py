"""Desired items: a blueprint with its people, fitted to what one project of a tracker can do.

What a tracker cannot show in its own way is not lost: estimates and iterations become labels, links become a line of
text. `fitting_findings` says where that was done, so that a plan can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from connectors.values import Capabilities, Finding, Item, ItemKey, ItemKind, ObservedItem, Severity, kind_of
from service.domain.audit.prose import clip
from service.domain.loop.turnover import OFTEN, carried_label, iteration_label
from service.domain.plan.assignment import Assigned, Assignment
from service.domain.plan.blueprint import (
    Blueprint,
    PlannedEpic,
    PlannedIteration,
    PlannedLink,
    PlannedTicket,
    TicketKind,
)
from service.domain.plan.diff import baseline
from service.domain.plan.plan import Recorded

ELLIPSIS = "…"


def desired_items(
    blueprint: Blueprint,
    assignment: Assignment,
    accounts: Mapping[str, str],
    capabilities: Capabilities,
    carried: Mapping[ItemKey, int] = MappingProxyType({}),
) -> list[Item]:
    """The items in the order in which they are written: epics, iterations, tickets each after what it needs, links.

    `accounts` gives the tracker's account id for a person's handle; a ticket of somebody who is missing there has no
    assignee. Iterations and links are there only where the tracker can have them. `carried` says how often a ticket was
    carried over: from `OFTEN` on a label shows it.
    """
    texts = _texts(blueprint, capabilities)
    numbers = {iteration.key: iteration.number for iteration in blueprint.iterations}
    items = [_epic(epic, capabilities) for epic in blueprint.epics]
    if capabilities.iterations:
        items += [_iteration(iteration, capabilities) for iteration in blueprint.iterations]
    for ticket in blueprint.tickets:
        labels = list(_labels(ticket, assignment.tickets[ticket.key], numbers[ticket.iteration], capabilities))
        if carried.get(ticket.key, 0) >= OFTEN:
            labels.append(carried_label(carried[ticket.key]))
        handle = assignment.tickets[ticket.key].handle
        assignee = accounts.get(handle) if handle is not None else None
        items.append(_ticket(ticket, texts[ticket.key], tuple(labels), assignee, capabilities))
    if capabilities.links:
        items += [_link(link) for link in blueprint.links]
    return items


def ranks(items: Sequence[Item]) -> dict[ItemKey, int]:
    """The items' places as people should meet them, from 1: the epics; each iteration with its record on top of its
    tickets; the tickets of no iteration. Links have none."""
    turns = [item.key for item in items if item.kind is ItemKind.ITERATION]
    number = {key: place for place, key in enumerate(turns)}

    def place(item: Item) -> tuple[int, int, int]:
        if item.kind is ItemKind.EPIC:
            return (0, 0, 0)
        if item.kind is ItemKind.ITERATION:
            return (1, number[item.key], 0)
        turn = number.get(item.iteration, len(turns)) if item.iteration is not None else len(turns)
        return (1, turn, 1 if item.key.startswith("record:") else 2)

    shown = sorted((item for item in items if item.kind is not ItemKind.LINK), key=place)
    return {item.key: rank for rank, item in enumerate(shown, 1)}


def fitting_findings(blueprint: Blueprint, capabilities: Capabilities) -> list[Finding]:
    """What this tracker cannot show as the blueprint has it, and what was done instead."""
    findings = [
        Finding(Severity.INFO, code, message)
        for possible, wanted, code, message in (
            (
                capabilities.iterations,
                blueprint.iterations,
                "iterations-as-labels",
                "This project of the tracker has no iterations: tickets carry a label such as iteration:1 instead.",
            ),
            (
                capabilities.points,
                any(ticket.points for ticket in blueprint.tickets),
                "points-as-labels",
                "This project of the tracker has no estimates: tickets carry a label such as points:5 instead.",
            ),
            (
                capabilities.links,
                blueprint.links,
                "links-as-text",
                "This project of the tracker has no links: tickets name what they need in their text instead.",
            ),
        )
        if wanted and not possible
    ]
    return findings + _shortened(blueprint, capabilities)


def surprises(items: Iterable[Item], assumed: Capabilities, found: Capabilities) -> list[Finding]:
    """What a project cannot show of these items, as it turned out once it was made: the plan assumed that it could, and
    the next plan goes by how it is."""
    wanted = list(items)
    return [
        Finding(Severity.WARNING, "not-as-assumed", message, "Plan again: it shows what is missing in another way.")
        for could, can, concerned, message in (
            (
                assumed.points,
                found.points,
                any(item.points for item in wanted),
                "The new project has no estimates, so its tickets were made without them.",
            ),
            (
                assumed.iterations,
                found.iterations,
                any(kind_of(item.key) is ItemKind.ITERATION for item in wanted),
                "The new project has no iterations, so none were made.",
            ),
            (
                assumed.links,
                found.links,
                any(kind_of(item.key) is ItemKind.LINK for item in wanted),
                "The new project has no links, so its tickets do not show what they wait for.",
            ),
        )
        if could and not can and concerned
    ]


def _shortened(blueprint: Blueprint, capabilities: Capabilities) -> list[Finding]:
    titles = [(epic.key, epic.title) for epic in blueprint.epics] + [(t.key, t.title) for t in blueprint.tickets]
    texts = {epic.key: epic.text for epic in blueprint.epics} | _texts(blueprint, capabilities)
    names = [(i.key, i.title) for i in blueprint.iterations] if capabilities.iterations else []
    called = dict([*titles, *names])
    return [
        Finding(
            Severity.WARNING,
            f"{field}-shortened",
            f'The {field} of "{clip(called.get(key, key))}" is {len(text)} characters long; the tracker takes {limit}, '
            "so it is cut.",
            "Shorten it in the template.",
            key,
        )
        for field, limit, found in (
            ("title", capabilities.title_limit, titles),
            ("title", capabilities.iteration_title_limit, names),
            ("text", capabilities.text_limit, texts.items()),
        )
        for key, text in found
        if len(text) > limit
    ]


def _texts(blueprint: Blueprint, capabilities: Capabilities) -> dict[ItemKey, str]:
    """The tickets' texts, uncut, with what they need where the tracker cannot show it as links."""
    if capabilities.links:
        return {ticket.key: ticket.text for ticket in blueprint.tickets}
    titles = {**blueprint.outside, **{ticket.key: ticket.title for ticket in blueprint.tickets}}
    return {
        ticket.key: f"**Needs:** {'; '.join(titles[need] for need in ticket.needs)}\n\n{ticket.text}"
        if ticket.needs
        else ticket.text
        for ticket in blueprint.tickets
    }


def _epic(epic: PlannedEpic, capabilities: Capabilities) -> Item:
    return Item(
        key=epic.key,
        kind=ItemKind.EPIC,
        title=_cut(epic.title, capabilities.title_limit),
        text=_cut(epic.text, capabilities.text_limit),
        labels=(f"phase:{epic.phase}",),
    )


def _iteration(iteration: PlannedIteration, capabilities: Capabilities) -> Item:
    return Item(
        key=iteration.key,
        kind=ItemKind.ITERATION,
        title=_cut(iteration.title, capabilities.iteration_title_limit),
        goal=iteration.goal,
        starts=iteration.starts,
        ends=iteration.ends,
    )


def _ticket(
    ticket: PlannedTicket, text: str, labels: tuple[str, ...], assignee: str | None, capabilities: Capabilities
) -> Item:
    return Item(
        key=ticket.key,
        kind=ItemKind.TICKET,
        title=_cut(ticket.title, capabilities.title_limit),
        text=_cut(text, capabilities.text_limit),
        checklist=ticket.checklist,
        labels=labels,
        assignee=assignee,
        points=float(ticket.points) if capabilities.points else None,
        priority=ticket.priority,
        epic=ticket.epic,
        iteration=ticket.iteration if capabilities.iterations else None,
    )


def _labels(ticket: PlannedTicket, assigned: Assigned, number: int, capabilities: Capabilities) -> Iterable[str]:
    yield f"phase:{ticket.phase}"
    yield f"role:{assigned.role}"
    if assigned.person is None:
        yield f"{VACANT}{assigned.role}"
    if ticket.kind is not TicketKind.WORK:
        yield ticket.kind.value
    if not capabilities.iterations:
        yield iteration_label(number)
    if ticket.points and not capabilities.points:
        yield f"points:{ticket.points}"


VACANT = "vacant:"


def is_vacant_label(label: str) -> bool:
    """Whether a label says that nobody has a ticket."""
    return label.startswith(VACANT)


def vacant_role(label: str) -> str:
    """The role that a label says nobody fills; empty of any other label."""
    return label.removeprefix(VACANT) if is_vacant_label(label) else ""


def taken_by_people(
    items: Sequence[Item], recorded: Mapping[ItemKey, Recorded], observed: Mapping[ItemKey, ObservedItem]
) -> list[Item]:
    """The items, without the label for a vacancy those that we have for nobody and people have given to somebody."""
    return [
        replace(item, labels=_occupied(item.labels)) if has_person(item, recorded, observed) else item for item in items
    ]


def has_person(item: Item, recorded: Mapping[ItemKey, Recorded], observed: Mapping[ItemKey, ObservedItem]) -> bool:
    """Whether people have given a ticket to somebody that we have for nobody; who has it through us does not count, as
    it is taken off."""
    if item.assignee is not None or item.key not in observed or item.key not in recorded:
        return False
    person = observed[item.key].fields.get("assignee")
    return bool(person) and person != baseline(recorded[item.key]).get("assignee")


def _occupied(labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(label for label in labels if not is_vacant_label(label))


def _link(link: PlannedLink) -> Item:
    return Item(key=link.key, kind=ItemKind.LINK, title=link.title, source=link.source, target=link.target)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS
