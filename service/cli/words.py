"""Parts of plans and runs as words for people: signs, items, what changes in them, findings. Lines have rich markup."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.markup import escape

from connectors.mapped import Mapped
from connectors.values import Finding, Item, ItemKey, ItemKind, Severity
from service.domain.audit.shown import visible
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.plan.field_words import STRANGER, difference
from service.domain.plan.grouping import field
from service.domain.plan.mapping_findings import guessed
from service.domain.plan.plan import Action, Change, Drift, Plan, Purpose, Reason, Vacancy

COLOURS = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.ADOPT: "cyan",
    Action.KEEP: "dim",
    Action.FORGET: "red",
    Action.DELETE: "red",
}
TITLE_WIDTH = 56
"""Columns for the title of a ticket; a longer one is cut."""

KEY_WIDTH = 8
"""Columns for what the tracker calls a ticket."""

SEVERITIES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def count_line(plan: Plan) -> str:
    """How many items there are to create, to change and so on."""
    counts = plan.counts()
    project = "the project and " if creates_project(plan) else ""
    return (
        f"{project}{counts['create']} to create, {counts['update']} to change, {counts['adopt']} to take over, "
        f"{counts['forget']} to let go, {counts['keep']} as they are"
    )


def creates_project(plan: Plan) -> bool:
    """Whether the tracker's project is made, too."""
    return plan.purpose is Purpose.APPLY and plan.place is None and plan.spec.create and bool(plan.changes)


def seconds_words(seconds: float) -> str:
    """How long it takes, roughly."""
    if seconds < 1:
        return "less than a second"
    return f"~{seconds:.0f} s" if seconds < 90 else f"~{seconds / 60:.0f} min"


def date_words(fields: Mapping[str, Any]) -> str:
    """The first and the last day of an iteration with these fields; nothing where they are not known."""
    if not fields.get("starts") or not fields.get("ends"):
        return ""
    starts, ends = (datetime.fromisoformat(fields[name]) for name in ("starts", "ends"))
    return f"{starts:%a} {starts.day} {starts:%b} to {ends:%a} {ends.day} {ends:%b %Y}"


def ticket_line(change: Change, items: Mapping[ItemKey, Item], names: Mapping[str, str]) -> str:
    """A ticket that is changed, with its points and its person."""
    assignee = field(change, items, "assignee")
    person = names.get(str(assignee), STRANGER) if assignee else ""
    return ticket_words(change.title, field(change, items, "points"), person) + changed(change, names)


def ticket_words(title: str, points: Any, person: str, *, key: str = "") -> str:
    """A ticket with its points and its person, in columns; before them what the tracker calls it, where `key` says."""
    title = f"{key:<{KEY_WIDTH}} {title}" if key else title
    who = escape(person) if person else "[bold red]nobody[/]"
    load = counted(points, "pt") if isinstance(points, int | float) else ""
    short = title if len(title) <= TITLE_WIDTH else title[: TITLE_WIDTH - 1] + "…"
    return f"{escape(short):<{TITLE_WIDTH}} {load:>6}  {who}"


def sum_words(count: int, points: float, noun: str = "ticket") -> str:
    """So many tickets with so many points."""
    return counted(count, noun) + (f", {counted(points, 'pt')}" if points else "")


def changed(change: Change, names: Mapping[str, str] | None = None, without: Collection[str] = ()) -> str:
    """What an update writes: labels that come and go, other fields with before and after; `without` these fields, which
    are told elsewhere. Of other changes what their sign does not say. `names` as of `names_in`."""
    if change.reason is Reason.GIVEN:
        return f"  [cyan](takes over {escape(change.note)})[/]"
    if change.reason is Reason.RESTORED and change.action is Action.CREATE:
        return "  [yellow](made again: it was deleted, or moved elsewhere)[/]"
    if change.reason is Reason.LEFT_THE_TEMPLATE and change.note:
        return f"  [dim]({escape(change.note)}: it stays in the tracker and is no longer managed)[/]"
    if change.reason is Reason.LEFT_THE_TEMPLATE:
        return "  [dim](left the template: it stays in the tracker and is looked after no longer)[/]"
    if change.action is not Action.UPDATE:
        return ""
    parts = [
        _difference(name, (change.before or {}).get(name), (change.after or {}).get(name), names or {})
        for name in change.changed
        if name not in without
    ]
    return "" if not parts else f"  [yellow]({escape('; '.join(parts))})[/]"


def _difference(name: str, before: Any, after: Any, names: Mapping[str, str]) -> str:
    if name == "labels":
        old, new = set(before or ()), set(after or ())
        return "labels " + " ".join([*(f"+{x}" for x in sorted(new - old)), *(f"-{x}" for x in sorted(old - new))])
    return difference(name, before, after, names)


def drift_lines(drift: Sequence[Drift], names: Mapping[str, str]) -> Iterator[str]:
    """What people changed since we wrote it: the item and the field from and to. `names` as of `names_in`."""
    if not drift:
        return
    yield "\n[bold]Changed by people since[/] (left as they are)"
    for entry in drift:
        kind = "" if entry.kind is ItemKind.TICKET else f"{entry.kind.value} "
        yield f"  ! {kind}{escape(entry.title)}: {escape(_what_changed(entry, names))}"


def _what_changed(entry: Drift, names: Mapping[str, str]) -> str:
    if entry.field is None:
        return "deleted" if entry.observed is None else f"moved out of the project, it is {entry.observed} now"
    if entry.field == "labels":
        return "labels taken off: " + " ".join(entry.recorded)
    return difference(entry.field, entry.recorded, entry.observed, names)


def vacancy_lines(vacancies: Sequence[Vacancy]) -> Iterator[str]:
    """The tickets that have nobody, and why."""
    if not vacancies:
        return
    yield f"\n[bold red]Vacancies[/] ({counted(len(vacancies), 'ticket')} without a person)"
    for vacancy in vacancies:
        yield f"  ! {escape(vacancy.title)}: {escape(vacancy.reason)}"


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings, the gravest first, a line each: what is so, and after "fix:" what to do."""
    order = list(Severity)
    ordered = sorted(findings, key=lambda finding: order.index(finding.severity))
    if ordered:
        yield "\n[bold]Findings[/]"
    for finding in ordered:
        severity = f"[{SEVERITIES[finding.severity]}]{finding.severity.value}[/]"
        fix = f" [dim]fix:[/] {_on_one_line(finding.fix)}" if finding.fix else ""
        yield f"  {severity} {_on_one_line(finding.message)}{fix}"


def _on_one_line(text: str) -> str:
    return escape(visible(" ".join(text.split())))


def findings_of(stored: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Findings from the form that runs keep."""
    return [
        Finding(Severity(entry["severity"]), entry["code"], entry["message"], entry["fix"], entry["subject"])
        for entry in stored
    ]


def sign(change: Change) -> str:
    """The sign in front of a change."""
    return f"[{COLOURS[change.action]}]{change.action.symbol}[/]"


def clock_words(moment: datetime) -> str:
    """An instant in the time zone it is given in: `Mon 2 Mar 2026 09:00 CET`."""
    return f"{moment:%a} {moment.day} {moment:%b %Y %H:%M %Z}"


def guessed_lines(entries: Sequence[Mapped], connection: str, project: str) -> Iterator[str]:
    """What was found by convention, on a line or two; nothing where nothing was."""
    found = guessed(entries)
    if found:
        named = ", ".join(f"{one.role} [bold]{escape(one.name)}[/]" for one in found)
        yield f"  found by convention: {named}"
        of = escape(typed(connection))
        key = escape(typed(project))
        yield f"  [dim]look and change: phaseloop connections map {of} --project {key}[/]"
