"""What an advance does to the loop, as words for people: what is closed, what becomes of its tickets, which phase
comes and why, what begins and for whom."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from rich.markup import escape

from connectors.values import Content, Item, ItemKey, RemoteRef
from service.cli.words import COLOURS, changed, sign, sum_words, ticket_words
from service.domain.english import ordinal
from service.domain.loop.figures import Sum, TicketRecord, planned, points_said, total
from service.domain.loop.turnover import (
    BY_POLICY,
    STATE,
    STATUS,
    Carried,
    Move,
    Policy,
    Turnover,
    iteration_key,
    key_of,
)
from service.domain.plan.field_words import STRANGER, names_in
from service.domain.plan.plan import Action, Change, Plan, moved_by_people
from service.domain.template.template import Key

SAID = frozenset({"phase-goes-on"})
"""Findings of an advance that `lines` tell."""


def lines(plan: Plan, turnover: Turnover, phases: Mapping[Key, str]) -> Iterator[str]:
    """The iteration that is closed, the phase that comes, the iteration that begins. `phases` are titles by key."""
    if turnover.closes:
        yield from closing_lines(plan, turnover)
        yield ""
        yield phase_line(turnover, phases)
    if turnover.begins:
        yield from _beginning(plan, turnover, phases)


def told(plan: Plan, turnover: Turnover) -> frozenset[ItemKey]:
    """The items that `lines` tells of."""
    bounds = {iteration_key(turnover.closes), iteration_key(turnover.begins)}
    carried = {one.key for one in turnover.carried}
    return frozenset(bounds | carried | {item.key for item in beginning_with(plan, turnover)})


def closing_lines(plan: Plan, turnover: Turnover) -> Iterator[str]:
    """The iteration that is closed, and what becomes of its tickets."""
    changes = {change.key: change for change in plan.changes}
    change = changes.get(iteration_key(turnover.closes))
    title = f" [bold]{escape(change.title)}[/]" if change is not None else ""
    yield f"\n[bold]Closes iteration {turnover.closes}[/]{title}"
    done = [content for content in turnover.contents if content.status == "done"]
    yield f"  Done ({_sum(done)})"
    for content in done:
        yield f"    [green]✓[/] {_content(content)}"
    contents = {key_of(content): content for content in turnover.contents}
    for policy, heading in (
        (Policy.NEXT, f"Carried over into iteration {turnover.begins}"),
        (Policy.BACKLOG, "To the backlog"),
        (Policy.LEAVE, "Left as they are"),
        (Policy.COMPLETE, "Completed, because nothing is left to do in them"),
    ):
        group = [one for one in turnover.carried if one.policy is policy]
        if group:
            yield f"  {heading} ({_sum(group)})"
        for one in group:
            yield f"    {_sign_of(one)} {_carried(one, contents.get(one.key), changes.get(one.key), names_in(plan))}"


def phase_line(turnover: Turnover, phases: Mapping[Key, str], *, why: bool = True) -> str:
    """Which phase comes and, with `why`, why. `phases` are the titles of the phases by key."""
    key = turnover.stage.phase if turnover.stage is not None else ""
    phase = phases.get(key, key)
    match turnover.move:
        case Move.STAY:
            what = f"stays in {escape(phase)}"
        case Move.NEXT:
            what = f"on to {escape(phase)}"
        case Move.BACK:
            again = turnover.stage.loop if turnover.stage is not None else 0
            what = f"back to {escape(phase)}, in the {ordinal(again)} turn of the loop"
        case Move.END:
            what = "the project ends"
        case _:
            what = f"{escape(phase)}"
    return f"[bold]Phase[/]: {what}{_because(turnover) if why else ''}"


def day_words(first: date, last: date) -> str:
    """From the first to the last day: `Mon 2 Mar to Fri 13 Mar 2026`."""
    if first == last:
        return f"{last:%a} {last.day} {last:%b %Y}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first:%a} {first.day} {first:%b}{year} to {last:%a} {last.day} {last:%b %Y}"


def _because(turnover: Turnover) -> str:
    decision = turnover.decision
    if decision is not None:
        return f", decided by {escape(decision.by)}: {escape(decision.reason)}"
    if turnover.lacking:
        return f": {escape('; '.join(turnover.lacking))}"
    if turnover.move is Move.NEXT:
        return ": the one before has reached its output"
    return ": more of it is planned"


def _sign_of(one: Carried) -> str:
    return _SIGNS[one.policy]


_SIGNS = {
    Policy.NEXT: "[yellow]→[/]",
    Policy.BACKLOG: "[yellow]←[/]",
    Policy.LEAVE: f"[{COLOURS[Action.KEEP]}]=[/]",
    Policy.COMPLETE: "[green]✓[/]",
}


def _carried(one: Carried, content: Content | None, change: Change | None, names: Mapping[str, str]) -> str:
    notes = [ordinal(one.times) + " time"] if one.policy is Policy.NEXT and one.times > 1 else []
    notes += [f"answered by {one.decided_by}"] if one.decided_by != BY_POLICY else []
    note = f"  [yellow]({escape(', '.join(notes))})[/]" if notes else ""
    besides = changed(change, names, without=("iteration", "labels", STATE, STATUS)) if change is not None else ""
    what = _content(content) if content is not None else ticket_words(one.title, one.points, one.person)
    return what + note + besides


def _content(content: Content) -> str:
    """A ticket as the tracker shows it. Where nobody has it and it is done, nobody needs to be told so."""
    unknown = STRANGER if content.assignee else "-" if content.status == "done" else ""
    person = content.person or unknown
    return ticket_words(content.title, content.points, person, key=content.ref.key)


def _beginning(plan: Plan, turnover: Turnover, phases: Mapping[Key, str]) -> Iterator[str]:
    stage, starts, ends = turnover.stage, turnover.starts, turnover.ends
    days = f", {day_words(starts.date(), ends.date())}" if starts is not None and ends is not None else ""
    yield f"\n[bold]Begins iteration {turnover.begins}[/] [bold]{escape(turnover.title)}[/]{days}"
    if stage is not None:
        turn = f", {ordinal(stage.loop)} turn of the loop" if stage.loop > 1 else ""
        yield f"  The {ordinal(stage.of_phase)} of the phase {escape(phases.get(stage.phase, stage.phase))}{turn}"
    changes = {change.key: change for change in plan.changes}
    tickets = beginning_with(plan, turnover)
    carried = any(one.policy is Policy.NEXT for one in turnover.carried)
    new = total(_points(item) for item in tickets)
    more = f" besides what is carried, {_in_words(begins_with(plan, turnover))} in all" if carried else ""
    yield f"  With {_in_words(new)}{more}"
    for item in tickets:
        yield f"    {_ticket(plan, item, changes.get(item.key))}"
    yield from _continued(plan, turnover)


def begins_with(plan: Plan, turnover: Turnover) -> Sum:
    """The tickets that the coming iteration begins with and their points, what is carried into it among them: what its
    history will say was planned."""
    return total(record.points for record in _records(plan, turnover))


def _records(plan: Plan, turnover: Turnover) -> list[TicketRecord]:
    """What will be recorded as planned, of what is to be made as well."""
    refs = {item.key: RemoteRef(str(item.key), "", "") for item in plan.items} | dict(plan.known)
    moved = moved_by_people(plan.drift)
    return planned(turnover.begins, plan.items, refs, plan.people, turnover.carried, moved=moved)


def _points(item: Item) -> float | None:
    """The estimate, told by a label where the tracker has none."""
    return item.points if item.points is not None else points_said(item.labels)


def _continued(plan: Plan, turnover: Turnover) -> Iterator[str]:
    """The open tickets of before that become those of a phase which is entered again now."""
    if turnover.move is not Move.BACK or not turnover.continued:
        return
    titles = {item.key: item.title for item in plan.items}
    named = [titles[key] for key in dict.fromkeys(turnover.continued.values()) if key in titles]
    if named:
        yield f"  Open from before and not made again ({len(named)})"
        for title in named:
            yield f"    [dim]=[/] {escape(title)}"


def _ticket(plan: Plan, item: Item, change: Change | None) -> str:
    """A ticket of the coming iteration; one that is there, with who has it there."""
    seen = plan.observed.get(item.key, {})
    account = (
        seen.get("assignee", item.assignee) if change is None or "assignee" not in change.changed else item.assignee
    )
    mark = sign(change) if change is not None else "[dim]=[/]"
    what = changed(change, names_in(plan)) if change is not None else ""
    ref, person = plan.known.get(item.key), plan.people.get(account, STRANGER) if account else ""
    key = ref.key if ref is not None else ""
    return f"{mark} {ticket_words(item.title, _points(item), person, key=key or ' ')}{what}"


def beginning_with(plan: Plan, turnover: Turnover) -> list[Item]:
    """The tickets of ours that the coming iteration begins with, without those that are carried into it."""
    if not turnover.begins:
        return []
    carried = {one.key for one in turnover.carried}
    there = {record.key for record in _records(plan, turnover)} - carried
    return [item for item in plan.items if item.key in there]


def _in_words(found: Sum) -> str:
    return sum_words(found.tickets, found.points)


def _sum(tickets: Sequence[Carried] | Collection[Content]) -> str:
    return sum_words(len(tickets), sum(one.points or 0 for one in tickets))
