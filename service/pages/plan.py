"""A plan: what would be written, grouped and counted, what it brings with it, and the button that does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.values import Finding, ItemKind, Severity
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted, sentence
from service.domain.places import setting_words
from service.domain.plan.field_words import difference, names_in
from service.domain.plan.fixers import NOBODY, fixer
from service.domain.plan.plan import Action, Change, Drift, Plan, Purpose, Reason
from service.domain.plan.project_settings import entries
from service.domain.team.team import Team, team_from_json
from service.pages import moments, vacancies
from service.pages.moments import Moment, moment
from service.pages.remedies import on_pages
from service.pages.signs import Sign
from service.pages.vacancies import VacantRole
from service.usecases.errors import NotFound
from service.usecases.plan import grouped_plan, planning
from service.usecases.run import run_views
from service.usecases.setup import connections, projects, teams
from service.views.plan import PlannedTicket, PlanView, TicketGroup
from service.views.setup import ProjectView

EPIC, ITERATION, PERSON = "epic", "iteration", "person"

_SHOWN_WHOLE = 12
"""Items of one sort that are named without being unfolded."""

_KINDS = {
    ItemKind.LINK: ("dependency", "dependencies"),
    ItemKind.TICKET: ("ticket", "tickets"),
    ItemKind.GUEST: ("ticket of people's own", "tickets of people's own"),
    ItemKind.ITERATION: ("iteration", "iterations"),
    ItemKind.EPIC: ("epic", "epics"),
    ItemKind.LABEL: ("label", "labels"),
    ItemKind.COLUMN: ("column", "columns"),
    ItemKind.PROJECT: ("project", "projects"),
}
_ACTIONS = {
    Action.CREATE: ("+", "Create"),
    Action.UPDATE: ("~", "Change"),
    Action.ADOPT: ("=", "Take over"),
    Action.KEEP: ("=", "Stays as it is"),
    Action.FORGET: ("\N{MINUS SIGN}", "Stop managing"),
    Action.DELETE: ("\N{MINUS SIGN}", "Remove"),
}
_SEVERITIES = {
    Severity.ERROR: Sign("bad", "bad", "Blocks it"),
    Severity.WARNING: Sign("warn", "warn", "Look at this"),
    Severity.INFO: Sign("info", "info", "Good to know"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """So many of something."""

    number: int
    noun: str
    needs: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One item: what is done to it, what it is called, and what there is to say of that."""

    symbol: str
    action: str
    title: str
    under: str = ""
    needs: str = ""
    points: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Items that belong together; open where somebody should look."""

    title: str
    sums: str
    lines: tuple[Line, ...]
    vacant: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A finding: how grave it is, what is so, how it is fixed, who can."""

    sign: Sign
    message: str
    fix: str
    who: str


@dataclass(frozen=True, slots=True)
class Brought:
    """A setting that comes with the plan."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a plan does, by whatever it is grouped; `ways` are the groupings with whether each is chosen."""

    figures: tuple[Figure, ...]
    takes: str
    ways: tuple[tuple[str, str, bool], ...]
    groups: tuple[Group, ...]
    besides: tuple[Group, ...]
    brought: tuple[Brought, ...]
    drift: tuple[str, ...]
    findings: tuple[Told, ...]
    empty: bool
    vacant: tuple[VacantRole, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanPage:
    """A kept plan. `button` is what applying it is called, empty where it cannot be applied: then `instead` says why,
    and `run` leads to the run that did. `undoes` is the run that it takes back: its address and what it was."""

    id: str
    heading: str
    lead: str
    project: str
    project_name: str
    made: Moment
    made_by: str
    until: Moment
    contents: Contents
    button: str
    danger: bool
    instead: str
    run: str
    again: str
    may: bool
    team: str
    undoes: tuple[str, str] | None = None


def page_of(context: Context, caller: Caller, plan_id: str, by: str = EPIC) -> PlanPage:
    """The plan of that id. Raises NotFound."""
    kept = planning.get(context, plan_id)
    project = projects.get(context, kept.project_id, ask=False)
    plan, now, zone = kept.plan, context.now(), project.time_zone
    tracker = connections.kind_title(context, project.connection_id)
    heading, lead = _heading(plan, project, tracker)
    button, instead = _button(context, kept, project, tracker)
    decides = plan.settings is not None or plan.purpose is Purpose.REMOVE
    may = caller.may(Permission.DECIDE if decides else Permission.OPERATE, project.id)
    return PlanPage(
        id=kept.id,
        heading=heading,
        lead=lead,
        project="" if project.planned else f"/projects/{project.id}",
        project_name=project.name,
        made=moment(kept.created_at, zone, now),
        made_by=kept.made_by,
        until=moment(kept.expires_at, zone, now),
        contents=contents_of(plan, by, _team(context, plan, project), now.astimezone(ZoneInfo(zone)).year),
        team=_team_page(context, plan, project),
        undoes=_undone(context, plan, zone, now) if plan.undoes else None,
        button=button if may else "",
        danger=plan.purpose in (Purpose.UNDO, Purpose.REMOVE),
        instead=instead or ("" if may else "You may look at this plan and not apply it: that takes another role."),
        run=f"/runs/{kept.run_id}" if kept.run_id is not None else "",
        again=f"/projects/new?plan={kept.id}" if project.planned and caller.may(Permission.DECIDE) else "",
        may=may,
    )


def _undone(context: Context, plan: Plan, zone: str, now: datetime) -> tuple[str, str]:
    """The run that a plan takes back: where it is shown, and what it did when."""
    href = f"/runs/{plan.undoes}"
    try:
        run = run_views.progress(context, plan.undoes).run
    except NotFound:
        return href, "a run that was cleaned up"
    did = f"began iteration {run.iteration}" if run.iteration else "applied a plan"
    return href, f"the run of {moment(run.created_at, zone, now).text} by {run.started_by}, which {did}"


def _team(context: Context, plan: Plan, project: ProjectView) -> Team | None:
    """Who the plan gives tickets to: as it brings them, or as the team is."""
    if plan.settings is not None and plan.settings.team is not None:
        return team_from_json(plan.settings.team.after, source=plan.settings.team.name)
    try:
        return teams.get(context, plan.settings.after.team if plan.settings is not None else project.team_id).team
    except NotFound:
        return None


def _team_page(context: Context, plan: Plan, project: ProjectView) -> str:
    """Where the team is changed; empty while it is none yet."""
    try:
        row = teams.get(context, plan.settings.after.team if plan.settings is not None else project.team_id)
    except NotFound:
        return ""
    return f"/teams/{row.id}" if row.version else ""


def contents_of(plan: Plan, by: str = EPIC, team: Team | None = None, year: int = 0) -> Contents:
    """What a plan does; `team` is whom it gives tickets to, where that is known. Days of another `year` say theirs."""
    grouped = grouped_plan.groups_of(plan)
    ways = {EPIC: ("By epic", grouped.by_epic), ITERATION: ("By iteration", grouped.by_iteration)}
    ways[PERSON] = ("By person", grouped.by_person)
    chosen = by if by in ways else EPIC
    names = names_in(plan)
    backwards = plan.purpose in (Purpose.UNDO, Purpose.REMOVE)
    writing = {change.key for change in plan.changes if change.writes or change.action is not Action.KEEP}
    notes = {change.key: _what(change, names) for change in plan.changes}
    when = dict(_dates(plan, year))
    dated = names | {key: f"{names.get(key, key)} ({said})" for key, said in when.items()}
    groups = () if backwards else tuple(_groups(ways[chosen][1], writing, notes, dated, chosen, when))
    seconds = plan.estimate.seconds
    calls = counted(plan.estimate.reads + plan.estimate.writes, "call")
    return Contents(
        figures=tuple(_figures(plan)),
        takes=f"{calls}, about {moments.lasting(max(1, round(seconds)))}" if writing else "",
        ways=tuple((value, label, value == chosen) for value, (label, _) in ways.items()) if groups else (),
        groups=groups,
        besides=tuple(_by_action(plan, names) if backwards else _besides(plan, names, when)),
        brought=tuple(_brought(plan)),
        drift=drift_lines(plan),
        findings=tuple(_told(plan.findings)),
        empty=plan.empty,
        vacant=vacancies.by_role(vacancies.counts(one.role for one in plan.vacancies), team),
    )


def _heading(plan: Plan, project: ProjectView, tracker: str) -> tuple[str, str]:
    template = f"From the template {plan.template}"
    match plan.purpose:
        case Purpose.UNDO:
            return f"Take back a run of {project.name}", "What nobody touched since goes; the rest stays and is listed."
        case Purpose.REMOVE:
            return f"End {project.name}", "The project takes no more plans then; its runs and records stay to be read."
        case Purpose.ADVANCE:
            return f"Advance of {project.name}", template
        case _ if project.planned or (plan.place is None and plan.spec.create):
            return f"Build {project.name} in {tracker}", f"{template}, in the project {project.key}"
        case _:
            return f"Changes to {project.name} in {tracker}", template


def _button(context: Context, kept: PlanView, project: ProjectView, tracker: str) -> tuple[str, str]:
    """What applying it is called; or why it cannot be."""
    plan = kept.plan
    if kept.run_id is not None:
        return "", "This plan was applied."
    if plan.purpose not in (Purpose.APPLY, Purpose.UNDO, Purpose.REMOVE):
        return "", "This plan shows what a run does; it is not applied by itself."
    if plan.blocked:
        return "", "It cannot be applied before what blocks it is fixed."
    if project.ended_at is not None:
        return "", "The project has ended."
    if kept.expires_at <= context.now():
        return "", "This plan is too old to be applied: people may have changed anything since. Make a new one."
    if kept.serial != project.serial:
        return "", "The project was changed since this plan was made, so it is not applied any more. Make a new one."
    if plan.empty:
        return "", "There is nothing to do: everything is as planned."
    return _label(plan, tracker), ""


def _label(plan: Plan, tracker: str) -> str:
    counts = plan.counts()
    if plan.purpose is Purpose.REMOVE:
        gone = f", and remove {counted(counts['delete'], 'item')} from {tracker}" if counts["delete"] else ""
        return f"End the project{gone}"
    if plan.purpose is Purpose.UNDO:
        number = sum(change.writes or change.action is not Action.KEEP for change in plan.changes)
        return f"Take back {counted(number, 'item')} in {tracker}" if number else "Take the settings back"
    writing = sum(change.writes for change in plan.changes)
    if plan.place is None and plan.spec.create:
        return f"Create the project with {counted(counts['create'], 'item')} in {tracker}"
    if counts["create"] and counts["create"] >= writing:
        return f"Create {counted(counts['create'], 'item')} in {tracker}"
    if writing:
        return f"Write {counted(writing, 'change')} to {tracker}"
    return "Apply it: nothing changes in the tracker"


def _figures(plan: Plan) -> Iterator[Figure]:
    backwards = plan.purpose in (Purpose.UNDO, Purpose.REMOVE)
    action = Action.DELETE if backwards else Action.CREATE
    found = Counter(change.kind for change in plan.changes if change.action is action)
    if not backwards and plan.place is None and plan.spec.create:
        yield Figure(1, "project")
    for kind in (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET, ItemKind.LINK):
        if found[kind]:
            yield Figure(found[kind], _KINDS[kind][found[kind] != 1])
    changed = sum(change.action is Action.UPDATE for change in plan.changes)
    if changed:
        yield Figure(changed, "put back" if backwards else "to change")
    if backwards and (kept := sum(change.action is Action.KEEP for change in plan.changes)):
        yield Figure(kept, "stays" if kept == 1 else "stay")
    if plan.vacancies:
        yield Figure(len(plan.vacancies), "without a person", needs=True)


def _dates(plan: Plan, year: int) -> Iterator[tuple[str, str]]:
    """When each iteration is, by its key, as it will be."""
    for item in plan.items:
        if item.kind is ItemKind.ITERATION and item.starts is not None and item.ends is not None:
            yield str(item.key), moments.days(item.starts.date(), item.ends.date(), year)


def _groups(
    groups: Iterable[TicketGroup],
    writing: set[Any],
    notes: Mapping[Any, str],
    names: Mapping[str, str],
    by: str,
    when: Mapping[str, str],
) -> Iterator[Group]:
    for number, one in enumerate(groups):
        shown = [each for each in one.tickets if each.key in writing]
        lines = tuple(_ticket(each, notes, names, by) for each in shown)
        if not lines:
            continue
        total = sum(each.points or 0 for each in shown)
        points = f", {counted(total, 'point')}" if total else ""
        dates = f" ({when[one.key]})" if one.key in when else ""
        yield Group(
            title=f"{one.title or _WITHOUT[by]}{dates}",
            sums=f"{counted(len(lines), 'ticket')}{points}",
            lines=lines,
            vacant=one.vacancies > 0 and by != PERSON,
            open=number == 0 or one.vacancies > 0,
        )


_WITHOUT = {EPIC: "Without an epic", ITERATION: "In no iteration", PERSON: "Without a person"}


def _ticket(one: PlannedTicket, notes: Mapping[Any, str], names: Mapping[str, str], by: str) -> Line:
    symbol, action = _ACTIONS[Action(one.action)]
    said = {ITERATION: names.get(one.iteration, ""), EPIC: names.get(one.epic, ""), PERSON: one.person}
    parts = [words for way, words in said.items() if way != by and words]
    note = notes.get(one.key, "")
    under = ", ".join(parts) + (f": {note}" if note and parts else note)
    needs = f"no person yet: {one.vacancy}" if one.vacancy else ""
    return Line(symbol, action, one.title, under, needs, moments.points(one.points))


def _what(change: Change, names: Mapping[str, str]) -> str:
    """What an update writes, and what else there is to say of a change."""
    if change.reason is Reason.RESTORED and change.action is Action.CREATE:
        return "made again: it was deleted, or moved elsewhere"
    if change.reason is Reason.LEFT_THE_TEMPLATE:
        return "left the template: it stays in the tracker and is no longer managed"
    if change.action is not Action.UPDATE:
        return ""
    before, after = change.before or {}, change.after or {}
    said = [difference(name, before.get(name), after.get(name), names) for name in change.changed if name != "labels"]
    if "labels" in change.changed:
        said.append("labels")
    return "; ".join(said).replace(" -> ", " → ")


def _besides(plan: Plan, names: Mapping[str, str], when: Mapping[str, str]) -> Iterator[Group]:
    """What is no ticket: epics, iterations, dependencies; and what is no longer managed. What moves is not folded."""
    for kind in (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.LINK):
        changes = [one for one in plan.changes if one.kind is kind and (one.writes or one.action is not Action.KEEP)]
        if changes:
            moves = any(one.action is Action.UPDATE for one in changes)
            yield _group(sentence(_KINDS[kind][1]), changes, names, when, open=moves)
    going = [
        one for one in plan.changes if one.kind is ItemKind.TICKET and one.action in (Action.FORGET, Action.DELETE)
    ]
    if going:
        yield _group("No longer managed", going, names)


def _by_action(plan: Plan, names: Mapping[str, str]) -> Iterator[Group]:
    """What becomes of each item where something is taken back."""
    for action, heading in (
        (Action.DELETE, "To remove"),
        (Action.UPDATE, "Put back"),
        (Action.ADOPT, "Ours again"),
        (Action.FORGET, "Stop managing"),
        (Action.KEEP, "Stays"),
    ):
        changes = [change for change in plan.changes if change.action is action]
        if changes:
            yield _group(heading, changes, names, open=action is Action.KEEP)


def _group(
    heading: str,
    changes: Sequence[Change],
    names: Mapping[str, str],
    when: Mapping[str, str] | None = None,
    *,
    open: bool = False,  # noqa: A002
) -> Group:
    lines = []
    for change in changes:
        dates = (when or {}).get(str(change.key), "")
        said = (dates, _what(change, names), change.note)
        lines.append(Line(*_ACTIONS[change.action], change.title, "; ".join(part for part in said if part)))
    return Group(heading, str(len(changes)), tuple(lines), open=open and len(lines) <= _SHOWN_WHOLE)


def _brought(plan: Plan) -> Iterator[Brought]:
    for one in entries(plan.settings) if plan.settings is not None else ():
        before, after = _value(one.before), _value(one.after)
        if before != after:
            yield Brought(sentence(setting_words(one.field)), before, after)


def _value(value: Any) -> str:
    """A setting as people read it."""
    if value is None:
        return "not set"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items() if name != "person")
    if isinstance(value, list | tuple):
        return " ".join(_value(one) for one in value)
    return "yes" if value is True else "no" if value is False else str(value)


def drift_line(entry: Drift, names: Mapping[str, str]) -> str:
    """What people changed in an item, with the item; `names` as of `names_in`."""
    kind = "" if entry.kind is ItemKind.TICKET else f"{entry.kind.value} "
    return f"{kind}{entry.title}: {drift_said(entry, names)}"


def drift_said(entry: Drift, names: Mapping[str, str]) -> str:
    """What people changed in it."""
    if entry.field is None:
        return "deleted" if entry.observed is None else f"moved out of the project, it is {entry.observed} now"
    if entry.field == "labels":
        return f"labels taken off: {' '.join(entry.recorded)}"
    return difference(entry.field, entry.recorded, entry.observed, names).replace(" -> ", " → ")


def drift_lines(plan: Plan) -> tuple[str, ...]:
    """What people changed since it was written, a line each."""
    names = names_in(plan)
    return tuple(drift_line(one, names) for one in plan.drift)


def _told(findings: Iterable[Finding]) -> Iterator[Told]:
    order = list(Severity)
    for one in sorted(findings, key=lambda found: order.index(found.severity)):
        yield told(one.severity, one.code, one.message, one.fix)


def told(severity: Severity, code: str, message: str, fix: str) -> Told:
    """A finding for people at a page."""
    who = fixer(code) if severity is Severity.ERROR else NOBODY
    return Told(_SEVERITIES[severity], on_pages(message), on_pages(fix), "" if who == NOBODY else sentence(who))
