"""Making a plan: what should be, what we recorded, what the tracker shows, and the difference. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.tracker import (
    Account,
    Capabilities,
    Finding,
    Item,
    ItemKey,
    ObservedItem,
    Place,
    ProjectSpec,
    RemoteRef,
    Severity,
    Tracker,
)
from service.context import Context
from service.domain.assignment import Assignment, assign
from service.domain.batches import batches, estimate
from service.domain.blueprint import Blueprint, blueprint
from service.domain.calendar import Calendar
from service.domain.desired import desired_items, fitting_findings
from service.domain.diff import adoptions, diff, without_lost
from service.domain.parameters import settle
from service.domain.plan import Plan, Recorded, Vacancy
from service.domain.reading import read_template
from service.domain.team import Member, Team
from service.domain.template import Template
from service.domain.wire import plan_from_json, plan_to_json, published
from service.store import items
from service.store.secrets import new_id
from service.store.tables import ConnectionRow, PlanRow, ProjectRow, TeamRow, TemplateRow
from service.usecases import gone, projects, wishes
from service.usecases.errors import NotFound
from service.usecases.teams import team_of
from service.usecases.wishes import NO_WISH, Wish


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Everything of ours that a plan is made from."""

    project: ProjectRow
    connection: ConnectionRow
    team: Team
    template: Template
    blueprint: Blueprint
    assignment: Assignment
    recorded: Mapping[ItemKey, Recorded]


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that was made and is not kept, with the requests and seconds that making it took."""

    project: ProjectRow
    plan: Plan
    reads: int
    writes: int
    seconds: float


def draft(context: Context, project: str, wish: Wish = NO_WISH) -> Draft:
    """Make a plan that takes the tracker to what the template, the team and the calendar ask for now.

    Raises NotFound, InvalidInput, and TrackerError when the tracker cannot be read. What would be refused when
    writing is in the plan's findings.
    """
    wishes.check(wish)
    inputs = _inputs(context, projects.going_on(context, project).id)
    started = monotonic()
    with context.tracker(inputs.connection) as tracker:
        before = tracker.usage
        plan, capabilities = _plan(tracker, inputs, wish)
        used = (tracker.usage.reads - before.reads, tracker.usage.writes - before.writes)
    seconds = monotonic() - started
    return Draft(inputs.project, _with_estimate(plan, capabilities, seconds / max(1, sum(used))), *used, seconds)


def make_plan(context: Context, project: str, wish: Wish = NO_WISH) -> PlanRow:
    """Make a plan, as `draft` does, and keep it to be applied."""
    return keep(context, draft(context, project, wish))


def keep(context: Context, made: Draft) -> PlanRow:
    """Keep a plan to be applied."""
    row = PlanRow(
        id=new_id("pln"),
        project_id=made.project.id,
        serial=made.project.serial,
        body=plan_to_json(made.plan),
        reads=made.reads,
        writes=made.writes,
        seconds=round(made.seconds, 3),
        created_at=context.now(),
    )
    with context.database.session() as session:
        session.add(row)
    return row


def get(context: Context, plan_id: str) -> PlanRow:
    """The kept plan of that id. Raises NotFound."""
    with context.database.session() as session:
        row = session.get(PlanRow, plan_id)
    if row is None:
        raise NotFound("plan", plan_id, "Make one with `phaseloop plan`.")
    if row.cleaned_at is not None:
        raise NotFound("plan", plan_id, f"It was cleaned up; `phaseloop runs show {row.run_id}` says what came of it.")
    return row


def plan_of(row: PlanRow) -> Plan:
    """The kept plan as a value."""
    return plan_from_json(row.body)


def plan_json(row: PlanRow) -> dict[str, Any]:
    """A kept plan as plain values, the form that CLI, plan files and REST show."""
    return {
        "id": row.id,
        "created_at": row.created_at.isoformat(),
        "run": row.run_id,
        **published(plan_of(row)),
        "requests": {"reads": row.reads, "writes": row.writes},
    }


def _inputs(context: Context, project_id: str) -> _Inputs:
    with context.database.session() as session:
        project = session.get_one(ProjectRow, project_id)
        connection = session.get_one(ConnectionRow, project.connection_id)
        team = team_of(session.get_one(TeamRow, project.team_id))
        stored = session.get_one(TemplateRow, project.template_digest)
        recorded = items.recorded(session, project_id)
        people = _people_of_last_run(session, project_id)
    template = read_template(stored.text, stored.source)
    parameters = settle(template, project.parameters, context.now().date())
    calendar = Calendar(time_zone=project.time_zone)
    drawn = blueprint(template, parameters, project.name, project.key, calendar)
    holding = {
        key: people[account]
        for key, record in recorded.items()
        if record.ref is not None and (account := record.wanted.get("assignee")) in people
    }
    assignment = assign(drawn, template, parameters, team, calendar, holding)
    return _Inputs(project, connection, team, template, drawn, assignment, recorded)


def _people_of_last_run(session: Session, project_id: str) -> dict[str, str]:
    """Who is behind each account id, as the plans that were applied had it, the newest last."""
    query = select(PlanRow).where(PlanRow.project_id == project_id, PlanRow.run_id.is_not(None))
    people: dict[str, str] = {}
    for row in session.scalars(query.order_by(PlanRow.created_at)):
        people |= row.body.get("people", {})
    return people


def spec_of(project: ProjectRow, method: str) -> ProjectSpec:
    """How the connector is told which project this is about."""
    return ProjectSpec(
        uid=project.id,
        key=project.key,
        name=project.name,
        create=project.create,
        method=method,
        label=f"phaseloop-{project.id.removeprefix('prj_')}",
    )


def _plan(tracker: Tracker, inputs: _Inputs, wish: Wish) -> tuple[Plan, Capabilities]:
    project = inputs.project
    spec = spec_of(project, str(project.parameters.get("method", "scrum")))
    place = tracker.locate(spec)
    accounts, people_findings = _accounts(tracker, place, inputs)
    capabilities = place.capabilities if place is not None else tracker.assumed(spec)
    wanted = desired_items(inputs.blueprint, inputs.assignment, accounts, capabilities)
    restore = wishes.restoring(wish, wanted, inputs.recorded)
    is_gone = gone.is_gone(project, place, inputs.recorded, restore)
    findings = gone.project_findings(project) if is_gone else _place_findings(project, place)
    findings += fitting_findings(inputs.blueprint, capabilities)
    if place is not None or (spec.create and not is_gone):
        findings += tracker.check(spec, place, wanted)
    known = {key: record.ref for key, record in inputs.recorded.items() if record.ref is not None}
    observed = _observed(tracker, place, known)
    if place is not None:
        findings += gone.item_findings(project, wanted, inputs.recorded, observed, restore)
    wanted = without_lost(wanted, inputs.recorded, observed, restore)
    notes = {key: inputs.assignment.notes.get(key, "") for key in (item.key for item in wanted)}
    changes, drift = diff(wanted, inputs.recorded, observed, notes, restore)
    if is_gone:
        changes, drift = [], [gone.project_drift(project)]
    plan = Plan(
        project=project.id,
        serial=project.serial,
        spec=spec,
        place=place,
        template=f"{inputs.template.name} {inputs.template.version}",
        changes=tuple(changes),
        items=tuple(wanted),
        known={key: seen.ref for key, seen in observed.items()} | known,
        observed={key: seen.fields for key, seen in observed.items()},
        drift=tuple(drift),
        vacancies=tuple(_vacancies(inputs.assignment, wanted)),
        findings=(*findings, *people_findings),
        people={accounts[m.handle]: m.person for m in inputs.team.members if m.handle in accounts},
    )
    if wish.adopt:
        plan = _adopting(plan, wishes.given(tracker, place, wish, wanted, inputs.recorded, observed))
    return plan, capabilities


def _adopting(plan: Plan, given: Mapping[ItemKey, ObservedItem]) -> Plan:
    """The plan that takes these items over, in place of one for everything."""
    return replace(
        plan,
        changes=tuple(adoptions(plan.items, given)),
        known={**plan.known, **{key: seen.ref for key, seen in given.items()}},
        observed={**plan.observed, **{key: seen.fields for key, seen in given.items()}},
        drift=tuple(entry for entry in plan.drift if entry.key not in given),
    )


def _observed(
    tracker: Tracker, place: Place | None, known: Mapping[ItemKey, RemoteRef]
) -> Mapping[ItemKey, ObservedItem]:
    """What the tracker shows; links are read with their tickets and are not items of their own there."""
    return tracker.find(place, items.readable(known)) if place is not None else {}


def _place_findings(project: ProjectRow, place: Place | None) -> list[Finding]:
    if place is None and not project.create:
        return [
            Finding(
                Severity.ERROR,
                "project-missing",
                f"The tracker shows no project {project.key} to this account.",
                "Create it there, give the account access to it, or add --create to have phaseloop create it.",
                project.key,
            )
        ]
    if place is not None and project.create and project.url is None:
        return [
            Finding(
                Severity.ERROR,
                "key-taken",
                f"A project {project.key} exists already ({place.ref.url}).",
                "Choose another key, or leave --create out to build in that project.",
                project.key,
            )
        ]
    return []


def _accounts(tracker: Tracker, place: Place | None, inputs: _Inputs) -> tuple[dict[str, str], list[Finding]]:
    """Account ids by the handles of the people who have work in this plan, and what is wrong with any of them."""
    working = inputs.assignment.people
    members = [member for member in inputs.team.members if member.handle in working]
    found = tracker.people(place, [member.handle for member in members])
    findings = [
        finding
        for member in members
        if (finding := _person_finding(member, found.get(member.handle), inputs.project.key)) is not None
    ]
    return {handle: account.id for handle, account in found.items()}, findings


def _person_finding(member: Member, account: Account | None, project_key: str) -> Finding | None:
    def finding(code: str, message: str, fix: str) -> Finding:
        return Finding(Severity.ERROR, code, f"{member.person} ({member.handle}) {message}", fix, member.handle)

    if account is None:
        return finding(
            "account-unknown",
            "is not known to the tracker as somebody who can be assigned here.",
            f"Check the address in the team file, give the account access to {project_key}, or write the tracker's "
            "account id as `account` where addresses are hidden.",
        )
    if not account.active:
        return finding("account-inactive", "has left: the account is not active.", "Take the person out of the team.")
    if account.assignable is False:
        return finding(
            "account-not-assignable",
            f"cannot be given work in {project_key}.",
            "Somebody who administers it lets the account in: as a member of the board, or in a Jira project with the "
            "permission Assignable user.",
        )
    return None


def _vacancies(assignment: Assignment, wanted: Sequence[Item]) -> list[Vacancy]:
    titles = {item.key: item.title for item in wanted}
    return [
        Vacancy(vacancy.key, titles.get(vacancy.key, vacancy.key), vacancy.role, vacancy.reason)
        for vacancy in assignment.vacancies
    ]


def _with_estimate(plan: Plan, capabilities: Capabilities, seconds_per_call: float) -> Plan:
    """The plan with what applying is expected to take, at the pace at which the tracker has just answered."""
    calls = batches(plan.changes, plan.items, capabilities)
    expected = estimate(
        calls, plan.items, capabilities, creates_project=plan.place is None, seconds_per_call=seconds_per_call
    )
    return replace(plan, estimate=expected)


def latest(context: Context, project_id: str) -> PlanRow | None:
    """The project's newest plan."""
    query = select(PlanRow).where(PlanRow.project_id == project_id).order_by(PlanRow.created_at.desc()).limit(1)
    with context.database.session() as session:
        return session.scalar(query)
