"""Plans as text for people. Everything here returns lines with rich markup; nothing is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape

from connectors.values import Item, ItemKey, ItemKind
from service.cli import turnover
from service.cli.words import (
    changed,
    count_line,
    creates_project,
    date_words,
    drift_lines,
    finding_lines,
    seconds_words,
    sign,
    ticket_line,
    vacancy_lines,
)
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.places import setting_words
from service.domain.plan import grouping
from service.domain.plan.field_words import names_in
from service.domain.plan.mapping_findings import guessed
from service.domain.plan.plan import Action, Change, Plan, Purpose, Reason
from service.domain.plan.project_settings import entries
from service.domain.template.template import Key

NAMED_AT_MOST = 8
"""How many items of one kind an undo names without being asked for all."""

_BACKWARDS = frozenset({Purpose.UNDO, Purpose.REMOVE})
"""What plans are for that take something back."""


def plan_lines(
    plan: Plan, plan_id: str, *, everything: bool, connection: str, phases: Mapping[Key, str] | None = None
) -> Iterator[str]:
    """The plan, grouped by epic and iteration, or by what becomes of the items where it takes something back; of an
    advance first what it does to the loop. Unchanged items, and all that is removed, only with `everything`. Without an
    id it is a plan that was not kept. An advance is told with `phases`, the titles of the phases by key."""
    if plan.purpose in _BACKWARDS:
        yield from _taking_back(plan, plan_id, everything=everything)
        return
    project = f"[bold]{escape(plan.spec.key)}[/] ({escape(plan.spec.name)})"
    shown = [change for change in plan.changes if everything or change.writes or change.action is not Action.KEEP]
    if plan.turnover is not None:
        yield f"Advance of {project}, from {escape(plan.template)}"
        yield from turnover.lines(plan, plan.turnover, phases or {})
        told = turnover.told(plan, plan.turnover)
        shown = [change for change in shown if change.key not in told]
    else:
        named = f"[bold]{plan_id}[/] " if plan_id else ""
        yield f"Plan {named}for {project}, from {escape(plan.template)}"
    yield from _settings(plan, "Settings that come with this plan")
    if creates_project(plan):
        yield f"  [green]+[/] project {escape(plan.spec.key)}"
    yield from _mapping(plan, connection)
    items, names = {item.key: item for item in plan.items}, names_in(plan)
    yield from _iterations([c for c in shown if c.kind is ItemKind.ITERATION], names)
    yield from _epics(plan, shown, items, names)
    yield from _links([c for c in shown if c.kind is ItemKind.LINK], items, everything=everything)
    yield from drift_lines(plan.drift, names)
    yield from vacancy_lines(plan.vacancies)
    yield from finding_lines(one for one in plan.findings if plan.turnover is None or one.code not in turnover.SAID)
    yield ""
    yield summary_line(plan)


def _mapping(plan: Plan, connection: str) -> Iterator[str]:
    """What was found by convention, while nothing is built on it yet."""
    found = guessed(plan.place.mapping) if plan.place is not None and plan.counts()["create"] else []
    if found:
        named = ", ".join(f"{one.role} [bold]{escape(one.name)}[/]" for one in found)
        of = escape(typed(connection))
        key = escape(typed(plan.spec.key))
        change = f"look and change: phaseloop connections map {of} --project {key}"
        yield f"  found by convention: {named} [dim]({change})[/]"


def summary_line(plan: Plan) -> str:
    """The counts, and what applying takes; where findings block it, nothing that sounds as if all were well."""
    if plan.blocked and not any(change.writes for change in plan.changes):
        return "[bold red]Nothing can be done[/] before the findings marked error are fixed."
    if plan.purpose in _BACKWARDS:
        return _summary_of_taking_back(plan)
    if plan.empty:
        drift = f" ({len(plan.drift)} changed by people, left as they are)" if plan.drift else ""
        return f"[bold]Nothing to do[/]: {plan.spec.key} is as planned{drift}."
    if plan.settings is not None and not any(change.writes for change in plan.changes):
        return "[bold]Plan:[/] the settings above become the project's; nothing changes in the tracker."
    takes = plan.estimate
    what = "Advance" if plan.purpose is Purpose.ADVANCE else "Plan"
    calls = takes.writes + takes.reads
    return f"[bold]{what}:[/] {count_line(plan)}; about {counted(calls, 'call')}, {seconds_words(takes.seconds)}."


def _taking_back(plan: Plan, plan_id: str, *, everything: bool) -> Iterator[str]:
    """What goes, what is put back, what is released, and what stays and why."""
    project = f"[bold]{escape(plan.spec.key)}[/] ({escape(plan.spec.name)})"
    what = f"takes back {plan.undoes} in {project}" if plan.purpose is Purpose.UNDO else f"ends {project}"
    yield f"Plan [bold]{plan_id}[/] {what}"
    yield from _settings(plan, "Settings that go back")
    names = names_in(plan)
    by_action = {action: [change for change in plan.changes if change.action is action] for action in Action}
    yield from _going(by_action[Action.DELETE], everything=everything)
    for action, heading in (
        (Action.UPDATE, "Put back"),
        (Action.ADOPT, "Ours again"),
        (Action.FORGET, "Stop managing"),
        (Action.KEEP, "Stays"),
    ):
        if by_action[action]:
            yield f"\n[bold]{heading}[/] ({len(by_action[action])})"
        for change in by_action[action]:
            yield f"  {sign(change)} {escape(_labelled(change))}{_why(change)}{changed(change, names)}"
    if plan.purpose is Purpose.REMOVE and not by_action[Action.DELETE]:
        yield "\nNothing is removed from the tracker."
    yield from finding_lines(plan.findings)
    yield ""
    yield summary_line(plan)


def _settings(plan: Plan, heading: str) -> Iterator[str]:
    """The settings that become the project's when the plan is applied, and who else follows the same team."""
    found = entries(plan.settings) if plan.settings is not None else []
    if not found:
        return
    yield f"\n[bold]{heading}[/]"
    for entry in found:
        before, after = (escape(_setting(value)) for value in (entry.before, entry.after))
        yield f"  [yellow]~[/] {escape(setting_words(entry.field))}: {before} -> {after}"
    team = plan.settings.team if plan.settings is not None else None
    if team is not None and team.projects:
        others = escape(", ".join(team.projects))
        yield f"  [dim]The team {escape(team.name)} is also that of {others}: it changes there, too.[/]"


def _setting(value: Any) -> str:
    """A setting as people read it: one of several fields as those."""
    if value is None:
        return "not set"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_setting(one)}" for name, one in value.items() if name != "person")
    if isinstance(value, list | tuple):
        return " ".join(_setting(one) for one in value)
    return "yes" if value is True else "no" if value is False else str(value)


def _going(changes: Sequence[Change], *, everything: bool) -> Iterator[str]:
    by_kind: defaultdict[ItemKind, list[Change]] = defaultdict(list)
    for change in changes:
        by_kind[change.kind].append(change)
    for kind, group in by_kind.items():
        yield f"\n[bold]{_KINDS[kind]} to remove[/] ({len(group)})"
        shown = group if everything or len(group) <= NAMED_AT_MOST else group[: NAMED_AT_MOST - 1]
        for change in shown:
            yield f"  {sign(change)} {escape(change.title)}{_why(change)}"
        if len(shown) < len(group):
            yield f"  [dim]and {len(group) - len(shown)} more (shown with --all)[/]"


_KINDS = {
    ItemKind.LINK: "Dependencies",
    ItemKind.TICKET: "Tickets",
    ItemKind.GUEST: "People's own tickets",
    ItemKind.ITERATION: "Iterations",
    ItemKind.EPIC: "Epics",
    ItemKind.LABEL: "Labels",
    ItemKind.COLUMN: "Columns",
    ItemKind.PROJECT: "Project",
}


def _labelled(change: Change) -> str:
    kind = "people's own ticket" if change.kind is ItemKind.GUEST else change.kind.value
    return f"{kind} {change.title}"


def _why(change: Change) -> str:
    return f": {escape(change.note)}" if change.note else ""


def _summary_of_taking_back(plan: Plan) -> str:
    counts, takes = plan.counts(), plan.estimate
    touched = sum(change.reason is Reason.TOUCHED for change in plan.changes)
    by_people = f", {touched} of them touched by people" if touched else ""
    again = f"{counts['adopt']} ours again, " if counts["adopt"] else ""
    if plan.empty:
        stays = f" ({counts['keep']} stay{by_people})" if counts["keep"] else ""
        return f"[bold]Nothing to do[/]: nothing can be taken back{stays}."
    return (
        f"[bold]Plan:[/] {counts['delete']} to remove, {counts['update']} to put back, {again}"
        f"{counts['forget']} to stop managing, {counts['keep']} stay{by_people}; "
        f"about {counted(takes.writes + takes.reads, 'call')}, {seconds_words(takes.seconds)}."
    )


def _iterations(changes: Sequence[Change], names: Mapping[str, str]) -> Iterator[str]:
    if not changes:
        return
    yield "\n[bold]Iterations[/]"
    for change in changes:
        fields = change.after or change.before or {}
        yield f"  {sign(change)} {escape(change.title):<30} {date_words(fields)}{changed(change, names)}"


def _epics(
    plan: Plan, shown: Sequence[Change], items: Mapping[ItemKey, Item], names: Mapping[str, str]
) -> Iterator[str]:
    """Epics in order, under each its tickets by iteration; last the tickets without an epic."""
    by_epic = grouping.by_epic(shown, items)
    epics = {change.key: change for change in plan.changes if change.kind is ItemKind.EPIC}
    listed = {change.key for change in shown}
    for key, epic in epics.items():
        if key in listed or by_epic.get(key):
            mark = sign(epic) if key in listed else "[dim]=[/]"
            yield f"\n{mark} [bold]{escape(epic.title)}[/]{changed(epic, names)}"
            yield from _tickets(by_epic.pop(key, []), items, names)
    for rest in by_epic.values():
        yield "\n[bold]Without an epic[/]"
        yield from _tickets(rest, items, names)


def _tickets(changes: Sequence[Change], items: Mapping[ItemKey, Item], names: Mapping[str, str]) -> Iterator[str]:
    for iteration, group in grouping.by_iteration(changes, items).items():
        yield f"    [dim]{escape(names.get(iteration, iteration) or 'no iteration')}[/]"
        for change in group:
            yield f"    {sign(change)} {ticket_line(change, items, names)}"


def _links(changes: Sequence[Change], items: Mapping[ItemKey, Item], *, everything: bool) -> Iterator[str]:
    if not changes:
        return
    yield "\n[bold]Dependencies[/]"
    if not everything and len(changes) > 12:
        new = sum(1 for change in changes if change.action is Action.CREATE)
        yield f"  [green]+[/] {new} links between tickets (shown with --all)"
        changes = [change for change in changes if change.action is not Action.CREATE]
    for change in changes:
        yield f"  {sign(change)} {escape(change.title)}{changed(change)}"
