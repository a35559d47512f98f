"""Plans, findings and runs as text for people. Everything here returns lines with rich markup; nothing is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.markup import escape

from connectors.tracker import Finding, Item, ItemKey, ItemKind, Severity
from service.domain.plan import Action, Change, Drift, Plan, Purpose, Reason, Vacancy

COLOURS = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.ADOPT: "cyan",
    Action.KEEP: "dim",
    Action.FORGET: "red",
    Action.DELETE: "red",
}
SEVERITIES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


NAMED_AT_MOST = 8
"""How many items of one kind an undo names without being asked for all."""


def plan_lines(plan: Plan, plan_id: str, *, everything: bool) -> Iterator[str]:
    """The plan, grouped by epic and iteration, or by what becomes of the items where it takes something back; unchanged
    items, and all that is removed, only with `everything`."""
    if plan.purpose is not Purpose.APPLY:
        yield from _taking_back(plan, plan_id, everything=everything)
        return
    project = f"[bold]{escape(plan.spec.key)}[/] ({escape(plan.spec.name)})"
    yield f"Plan [bold]{plan_id}[/] for {project}, from {escape(plan.template)}"
    if plan.place is None and plan.spec.create and plan.changes:
        yield f"  [green]+[/] project {escape(plan.spec.key)}"
    shown = [change for change in plan.changes if everything or change.writes or change.action is not Action.KEEP]
    items = {item.key: item for item in plan.items}
    yield from _iterations([c for c in shown if c.kind is ItemKind.ITERATION])
    yield from _epics(plan, shown, items)
    yield from _links([c for c in shown if c.kind is ItemKind.LINK], items, everything=everything)
    yield from drift_lines(plan.drift, plan.people)
    yield from _vacancies(plan.vacancies)
    yield from finding_lines(plan.findings)
    yield ""
    yield summary_line(plan)


def summary_line(plan: Plan) -> str:
    """The counts, and what applying takes."""
    if plan.purpose is not Purpose.APPLY:
        return _summary_of_taking_back(plan)
    if plan.empty:
        drift = f" ({len(plan.drift)} changed by people, left as they are)" if plan.drift else ""
        return f"[bold]Nothing to do[/]: {plan.spec.key} is as planned{drift}."
    takes = plan.estimate
    return f"[bold]Plan:[/] {count_line(plan)}; about {takes.writes + takes.reads} calls, {_seconds(takes.seconds)}."


def count_line(plan: Plan) -> str:
    """How many items there are to create, to change and so on."""
    counts = plan.counts()
    return (
        f"{counts['create']} to create, {counts['update']} to change, {counts['adopt']} to take over, "
        f"{counts['forget']} to let go, {counts['keep']} as they are"
    )


def _taking_back(plan: Plan, plan_id: str, *, everything: bool) -> Iterator[str]:
    """What goes, what is put back, what is let go of, and what stays and why."""
    project = f"[bold]{escape(plan.spec.key)}[/] ({escape(plan.spec.name)})"
    what = f"takes back {plan.undoes} in {project}" if plan.purpose is Purpose.UNDO else f"ends {project}"
    yield f"Plan [bold]{plan_id}[/] {what}"
    by_action = {action: [change for change in plan.changes if change.action is action] for action in Action}
    yield from _going(by_action[Action.DELETE], everything=everything)
    for action, heading in (
        (Action.UPDATE, "Put back"),
        (Action.FORGET, "Let go of"),
        (Action.KEEP, "Stays"),
    ):
        if by_action[action]:
            yield f"\n[bold]{heading}[/] ({len(by_action[action])})"
        for change in by_action[action]:
            yield f"  {_sign(change)} {escape(_labelled(change))}{_why(change)}{_changed(change, plan.people)}"
    if plan.purpose is Purpose.REMOVE and not by_action[Action.DELETE]:
        yield "\nNothing is removed from the tracker."
    yield from finding_lines(plan.findings)
    yield ""
    yield summary_line(plan)


def _going(changes: Sequence[Change], *, everything: bool) -> Iterator[str]:
    by_kind: defaultdict[ItemKind, list[Change]] = defaultdict(list)
    for change in changes:
        by_kind[change.kind].append(change)
    for kind, group in by_kind.items():
        yield f"\n[bold]{_KINDS[kind]} to remove[/] ({len(group)})"
        shown = group if everything or len(group) <= NAMED_AT_MOST else group[: NAMED_AT_MOST - 1]
        for change in shown:
            yield f"  {_sign(change)} {escape(change.title)}{_why(change)}"
        if len(shown) < len(group):
            yield f"  [dim]and {len(group) - len(shown)} more (shown with --all)[/]"


_KINDS = {
    ItemKind.LINK: "Dependencies",
    ItemKind.TICKET: "Tickets",
    ItemKind.ITERATION: "Iterations",
    ItemKind.EPIC: "Epics",
    ItemKind.LABEL: "Labels",
    ItemKind.COLUMN: "Columns",
    ItemKind.PROJECT: "Project",
}


def _labelled(change: Change) -> str:
    return f"{change.kind.value} {change.title}"


def _why(change: Change) -> str:
    return f": {escape(change.note)}" if change.note else ""


def _summary_of_taking_back(plan: Plan) -> str:
    counts, takes = plan.counts(), plan.estimate
    stays = f" ({counts['keep']} touched by people stay)" if counts["keep"] else ""
    if plan.empty:
        return f"[bold]Nothing to do[/]: nothing can be taken back{stays}."
    return (
        f"[bold]Plan:[/] {counts['delete']} to remove, {counts['update']} to put back, "
        f"{counts['forget']} to let go of, {counts['keep']} stay; "
        f"about {takes.writes + takes.reads} calls, {_seconds(takes.seconds)}."
    )


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    return f"~{seconds:.0f} s" if seconds < 90 else f"~{seconds / 60:.0f} min"


def _iterations(changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        return
    yield "\n[bold]Iterations[/]"
    for change in changes:
        fields = change.after or change.before or {}
        yield f"  {_sign(change)} {escape(change.title):<30} {_dates(fields)}{_changed(change)}"


def _dates(fields: Mapping[str, Any]) -> str:
    if not fields.get("starts") or not fields.get("ends"):
        return ""
    starts, ends = (datetime.fromisoformat(fields[name]) for name in ("starts", "ends"))
    return f"{starts:%a} {starts.day} {starts:%b} to {ends:%a} {ends.day} {ends:%b %Y}"


def _epics(plan: Plan, shown: Sequence[Change], items: Mapping[ItemKey, Item]) -> Iterator[str]:
    """Epics in order, under each its tickets by iteration; last the tickets without an epic."""
    by_epic: defaultdict[str, list[Change]] = defaultdict(list)
    for change in shown:
        if change.kind is ItemKind.TICKET:
            by_epic[str(_field(change, items, "epic") or "")].append(change)
    epics = {change.key: change for change in plan.changes if change.kind is ItemKind.EPIC}
    listed = {change.key for change in shown}
    names = {change.key: change.title for change in plan.changes if change.kind is ItemKind.ITERATION}
    for key, epic in epics.items():
        if key in listed or by_epic.get(key):
            sign = _sign(epic) if key in listed else "[dim]=[/]"
            yield f"\n{sign} [bold]{escape(epic.title)}[/]{_changed(epic)}"
            yield from _tickets(by_epic.pop(key, []), items, names, plan.people)
    for rest in by_epic.values():
        yield "\n[bold]Without an epic[/]"
        yield from _tickets(rest, items, names, plan.people)


def _tickets(
    changes: Sequence[Change],
    items: Mapping[ItemKey, Item],
    names: Mapping[ItemKey, str],
    people: Mapping[str, str],
) -> Iterator[str]:
    grouped: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        grouped[str(_field(change, items, "iteration") or _iteration_label(change, items))].append(change)
    for iteration, group in grouped.items():
        yield f"    [dim]{escape(names.get(ItemKey(iteration), iteration) or 'no iteration')}[/]"
        for change in group:
            yield f"    {_sign(change)} {_ticket(change, items, people)}"


def _iteration_label(change: Change, items: Mapping[ItemKey, Item]) -> str:
    """The label that stands for an iteration where the tracker has none of its own."""
    labels = _field(change, items, "labels") or ()
    return next((str(label) for label in labels if str(label).startswith("iteration:")), "")


def _ticket(change: Change, items: Mapping[ItemKey, Item], people: Mapping[str, str]) -> str:
    assignee = _field(change, items, "assignee")
    points = _field(change, items, "points")
    who = escape(people.get(str(assignee), str(assignee))) if assignee else "[bold red]nobody[/]"
    load = f"{points:g} pts" if isinstance(points, int | float) else ""
    title = change.title if len(change.title) <= 56 else change.title[:55] + "…"
    return f"{escape(title):<56} {load:>6}  {who}{_changed(change, people)}"


def _field(change: Change, items: Mapping[ItemKey, Item], name: str) -> Any:
    if change.key in items:
        return items[change.key].fields().get(name)
    return (change.before or {}).get(name)


def _changed(change: Change, people: Mapping[str, str] | None = None) -> str:
    """What an update writes: labels that come and go, short values with before and after, of long ones the name."""
    if change.reason is Reason.GIVEN:
        return f"  [cyan](takes over {escape(change.note)})[/]"
    if change.reason is Reason.RESTORED and change.action is Action.CREATE:
        return "  [yellow](made again: it was deleted)[/]"
    if change.action is not Action.UPDATE:
        return ""
    parts = [
        _difference(name, (change.before or {}).get(name), (change.after or {}).get(name), people or {})
        for name in change.changed
    ]
    return f"  [yellow]({escape('; '.join(parts))})[/]"


def _difference(name: str, before: Any, after: Any, people: Mapping[str, str]) -> str:
    if name == "labels":
        old, new = set(before or ()), set(after or ())
        return "labels " + " ".join([*(f"+{x}" for x in sorted(new - old)), *(f"-{x}" for x in sorted(old - new))])
    if name == "assignee":
        before, after = (people.get(str(who), who) or "nobody" for who in (before, after))
    long = any(len(str(value)) > 40 or "\n" in str(value) for value in (before, after))
    return name if long else f"{name}: {before} -> {after}"


def _links(changes: Sequence[Change], items: Mapping[ItemKey, Item], *, everything: bool) -> Iterator[str]:
    if not changes:
        return
    yield "\n[bold]Dependencies[/]"
    if not everything and len(changes) > 12:
        new = sum(1 for change in changes if change.action is Action.CREATE)
        yield f"  [green]+[/] {new} links between tickets (shown with --all)"
        changes = [change for change in changes if change.action is not Action.CREATE]
    for change in changes:
        yield f"  {_sign(change)} {escape(change.title)}"


def drift_lines(drift: Sequence[Drift], people: Mapping[str, str]) -> Iterator[str]:
    """What people changed since we wrote it: the item with its key, to be restored by, and the field from and to."""
    if not drift:
        return
    yield "\n[bold]Changed by people since[/] (left as they are)"
    for entry in drift:
        yield f"  ! {escape(entry.title)} [dim]{escape(entry.key)}[/]: {escape(_what_changed(entry, people))}"


def _what_changed(entry: Drift, people: Mapping[str, str]) -> str:
    if entry.field is None:
        return "deleted"
    if entry.field == "text":
        return "text edited"
    if entry.field == "labels":
        return "labels taken off: " + " ".join(entry.recorded)
    return _difference(entry.field, entry.recorded, entry.observed, people)


def _vacancies(vacancies: Sequence[Vacancy]) -> Iterator[str]:
    if not vacancies:
        return
    yield f"\n[bold red]Vacancies[/] ({len(vacancies)} tickets without a person)"
    for vacancy in vacancies:
        yield f"  ! {escape(vacancy.title)}: {escape(vacancy.role)}, {escape(vacancy.reason)}"


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings, the gravest first, each with what to do."""
    order = list(Severity)
    ordered = sorted(findings, key=lambda finding: order.index(finding.severity))
    if ordered:
        yield "\n[bold]Findings[/]"
    for finding in ordered:
        yield f"  [{SEVERITIES[finding.severity]}]{finding.severity.value}[/] {escape(finding.message)}"
        if finding.fix:
            yield f"        {escape(finding.fix)}"


def findings_of(stored: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Findings from the form that runs keep."""
    return [
        Finding(Severity(entry["severity"]), entry["code"], entry["message"], entry["fix"], entry["subject"])
        for entry in stored
    ]


def _sign(change: Change) -> str:
    return f"[{COLOURS[change.action]}]{change.action.symbol}[/]"
