"""Making a plan: what should be, what we recorded, what the tracker shows, and the difference. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from time import monotonic

from sqlalchemy import select

from connectors.port import Tracker
from connectors.values import (
    Capabilities,
    Finding,
    Item,
    ItemKey,
    ItemKind,
    ObservedItem,
    Place,
    ProjectSpec,
    RemoteRef,
    Severity,
)
from service.context import Context
from service.domain.loop.course import Course, course
from service.domain.plan import conflicts, mapping_findings, orphaned, placement
from service.domain.plan.assignment import Assignment, assign
from service.domain.plan.batches import batches, estimate
from service.domain.plan.blueprint import Blueprint, blueprint
from service.domain.plan.continuation import foreseen
from service.domain.plan.desired import desired_items, fitting_findings, has_person, taken_by_people
from service.domain.plan.diff import adoptions, diff, without_lost
from service.domain.plan.identity_findings import ITSELF, key_taken
from service.domain.plan.plan import Action, Change, Drift, Plan, Purpose, Recorded, Vacancy
from service.domain.plan.plan_json import plan_from_json, plan_to_json
from service.domain.problems import InvalidInput
from service.domain.team.calendar import DateRange, starts_in_the_past
from service.domain.team.team import Team
from service.store import identities, items
from service.store.secrets import new_id
from service.store.tables import PlanRow, ProjectRow
from service.usecases import ids
from service.usecases.errors import NotFound
from service.usecases.plan import deletions, members, plan_options
from service.usecases.plan.plan_options import NO_WISH, Wish
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import project_changes, project_identity, projects
from service.usecases.setup.project_identity import Located
from service.views.plan import PlanView
from service.views.setup import ProjectView


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that was made and is not kept, with the requests and seconds that making it took."""

    project: ProjectView
    plan: Plan
    reads: int
    writes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Asked:
    """Settings that a plan is to be made with, and bring along: what is asked of the project and, where they change
    with it, the contents of its team. `anew` says that nothing is taken from what the project says now."""

    request: projects.Request
    team: Team | None = None
    anew: bool = False


def draft(context: Context, project: str, wish: Wish = NO_WISH, asked: Asked | None = None) -> Draft:
    """Make a plan that takes the tracker to what the template, the team and the calendar ask for now, or as they are
    `asked` for: settings travel with the plan, and become the project's when it is applied.

    Raises NotFound, InvalidInput, and TrackerError when the tracker cannot be read. What would be refused when
    writing is in the plan's findings.
    """
    row, proposed = _checked(context, project, wish, asked)
    ours = material(context, row.id, proposed)
    today = context.now().astimezone(ours.calendar.zone).date()
    return drafted(context, ours, lambda tracker: _plan(context, tracker, ours, wish, today))


def check(context: Context, project: str, wish: Wish, asked: Asked | None) -> None:
    """Whether a plan can be made so, as far as our records tell: nothing is read elsewhere, and nothing changed. Raises
    NotFound, and InvalidInput with all that is wrong with what is wished and asked for."""
    _checked(context, project, wish, asked)


def _checked(
    context: Context, project: str, wish: Wish, asked: Asked | None
) -> tuple[ProjectView, project_changes.Proposed | None]:
    """The project, with the settings that the plan is to be made with, where they are others than it has. Raises as
    `check` does."""
    problems = plan_options.problems_of(wish)
    row = projects.going_on(context, project)
    proposed = None
    try:
        if asked is not None:
            stored = projects.stored(context, row.id)
            proposed = project_changes.propose(context, stored, asked.request, asked.team, anew=asked.anew)
        elif row.planned:
            proposed = project_changes.as_planned(context, projects.stored(context, row.id))
    except InvalidInput as error:
        problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return row, proposed


def drafted(context: Context, ours: Material, make: Callable[[Tracker], tuple[Plan, Capabilities]]) -> Draft:
    """The plan that `make` makes with a tracker, with what making it took and what applying it is expected to take."""
    started = monotonic()
    with context.tracker(ours.connection) as tracker:
        before = tracker.usage
        plan, capabilities = make(tracker)
        project_identity.remember(context, tracker, ours.project.id, plan.place)
        _remember_names(context, ours, plan)
        used = (tracker.usage.reads - before.reads, tracker.usage.writes - before.writes)
    seconds = monotonic() - started
    return Draft(
        ProjectView.of(ours.project), _with_estimate(plan, capabilities, seconds / max(1, sum(used))), *used, seconds
    )


def _remember_names(context: Context, ours: Material, plan: Plan) -> None:
    """Keep what people call the items by now: in a project with another key they all have others."""
    now = {key: ref for key, ref in plan.known.items() if (was := ours.known.get(key)) is not None and was != ref}
    if now:
        with context.database.session() as session:
            items.called(session, ours.project.id, now)


def make_plan(context: Context, project: str, wish: Wish = NO_WISH, asked: Asked | None = None) -> PlanView:
    """Make a plan, as `draft` does, and keep it to be applied. Nothing else changes. Raises Conflict where the name
    does not say which project is meant."""
    project_identity.make_sure_of(context, projects.going_on(context, project).id, project)
    return keep(context, draft(context, project, wish, asked))


def first_plan(
    context: Context, project: str, wish: Wish = NO_WISH, asked: Asked | None = None
) -> tuple[PlanView, bool]:
    """The plan of a project that nobody has set up, and whether it was kept. Where none can be made, or what blocks
    it is which project is meant or whether it can be there, it could never be applied: then neither the plan nor
    anything of the project is kept."""
    try:
        made = draft(context, project, wish, asked)
    except BaseException:
        projects.forget(context, project)
        raise
    hopeless = any(one.severity is Severity.ERROR and one.code in ITSELF for one in made.plan.findings)
    if hopeless and projects.forget(context, project):
        return view_of(context, plan_row(context, made)), False
    return keep(context, made), True


def keep(context: Context, made: Draft) -> PlanView:
    """Keep a plan to be applied."""
    row = plan_row(context, made)
    with context.database.session() as session:
        session.add(row)
        if made.plan.settings is not None and made.plan.purpose is Purpose.APPLY:
            project_changes.hold(session, made.project.id, made.plan.settings)
        if (place := made.plan.place) is not None:
            identities.told(session, made.project.id, made.plan.spec.key, place.title)
        context.done(session, row.id)
    return view_of(context, row)


def view_of(context: Context, row: PlanRow) -> PlanView:
    """A kept plan as doors show it."""
    said = row.body.get("expires_at")
    until = datetime.fromisoformat(said) if said else row.created_at + timedelta(hours=context.settings.plan_hours)
    return PlanView.of(row, until)


def plan_row(context: Context, made: Draft, run_id: str | None = None) -> PlanRow:
    """A plan as it is kept, for nobody yet or for this run."""
    now = context.now()
    until = now + timedelta(hours=context.settings.plan_hours)
    return PlanRow(
        id=new_id("pln"),
        project_id=made.project.id,
        serial=made.project.serial,
        body=plan_to_json(replace(made.plan, expires_at=until)),
        reads=made.reads,
        writes=made.writes,
        seconds=round(made.seconds, 3),
        created_at=now,
        made_by=context.actor.name,
        run_id=run_id,
    )


def get(context: Context, plan_id: str) -> PlanView:
    """The kept plan of that id. Raises NotFound."""
    with context.database.session() as session:
        row = session.get(PlanRow, plan_id)
    if row is None:
        raise NotFound("plan", plan_id, "Make one with `phaseloop plan`.")
    if row.cleaned_at is not None:
        raise NotFound("plan", plan_id, f"It was cleaned up; `phaseloop runs show {row.run_id}` says what came of it.")
    return view_of(context, row)


def find(context: Context, given: str) -> str:
    """The id of the plan that people name by it or by its beginning. Raises Conflict where several begin so."""
    with context.database.session() as session:
        return ids.whole(session, PlanRow.id, given, "plans")


def plan_of(kept: PlanRow | PlanView) -> Plan:
    """The kept plan as a value."""
    return kept.plan if isinstance(kept, PlanView) else plan_from_json(kept.body)


def spec_of(project: ProjectRow, method: str) -> ProjectSpec:
    """How the connector is told which project this is about."""
    return ProjectSpec(
        uid=project.id,
        key=project.key,
        name=project.name,
        create=project.create,
        method=method,
        label=f"phaseloop-{project.id.removeprefix('prj_')}",
        id=(project.remote_id or "") if identities.is_known(project) else "",
        memory=project.memory,
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """What should be, before anybody is assigned: `live` is what a plan concerns, `whole` all there ever was as well,
    `moving` what is put into another iteration than it is in, `stranded` what was prepared for one that did not come.
    Iterations before `live_from` are history."""

    course: Course
    live: Blueprint
    whole: Blueprint
    live_from: int
    moving: frozenset[ItemKey] = frozenset()
    stranded: frozenset[ItemKey] = frozenset()


def lay_out(
    ours: Material,
    way: Course,
    due: int,
    moving: Mapping[ItemKey, int | None],
    *,
    live_from: int | None = None,
    continuing: Mapping[ItemKey, ItemKey],
    brought_back: Collection[ItemKey] = (),
) -> Layout:
    """Lay a course out. What is in an iteration that has begun stays there, but for what is `moving`; what should have
    been made for one that is over and was not is due in iteration `due` (0: nothing is). What a plan concerns begins
    with iteration `due`, or with `live_from`. `continuing` are the open tickets that phases entered again continue
    with, those included that come after the end of the course; those `brought_back` are put where these have them,
    wherever they are."""
    first = max(due if live_from is None else live_from, 1)
    there = placement.placed(ours.recorded, ours.current, ours.shelved)
    placed: dict[ItemKey, int | None] = {key: n for key, n in there.items() if key not in brought_back} | dict(moving)

    def drawn(since: int) -> Blueprint:
        names = ours.project.name, ours.project.key
        return blueprint(ours.template, ours.parameters, *names, ours.calendar, way, placed, since, continuing)

    whole = drawn(0)
    late = placement.overdue(whole, ours.recorded, ours.current, due) if due else {}
    if late:
        placed.update(late)
        whole = drawn(0)
    left = placement.stranded(whole, ours.recorded, ours.current, moving)
    return Layout(way, drawn(first) if first > 1 else whole, whole, first, frozenset(moving), left)


def assigned(ours: Material, laid: Layout, team: Team, holding: Mapping[ItemKey, str] | None = None) -> Assignment:
    """Who does what. Those who have a ticket of an open iteration, or one that is carried, keep it."""
    there = placement.tickets_in(ours.recorded)
    pinned = {key for key, number in there.items() if number <= ours.current} | laid.moving
    held = ours.holding | dict(holding or {})
    return assign(laid.live, ours.template, ours.parameters, team, ours.calendar, held, pinned=pinned)


def wanted_items(
    laid: Layout,
    assignment: Assignment,
    accounts: Mapping[str, str],
    capabilities: Capabilities,
    recorded: Mapping[ItemKey, Recorded],
    times: Mapping[ItemKey, int],
) -> list[Item]:
    """The items that a plan is about. Dependencies that exist and lead to what is history are history too; on what
    never was, because its time had passed when the template brought it, nothing can depend."""
    wanted = desired_items(laid.live, assignment, accounts, capabilities, carried=times)
    alive = {item.key for item in wanted}
    made = {key for key, record in recorded.items() if record.ref is not None}
    return [
        item
        for item in wanted
        if item.kind is not ItemKind.LINK or item.target in alive or (item.target in made and item.key not in made)
    ]


def observed_by(
    tracker: Tracker,
    place: Place | None,
    ours: Material,
    about: Collection[ItemKey],
    wanted: Sequence[Item],
    seen: Mapping[ItemKey, ObservedItem] | None = None,
) -> Mapping[ItemKey, ObservedItem]:
    """What the tracker shows of what a plan is `about`; links are read with their tickets and are not items of their
    own there. Once iterations have begun our records are whole: then nothing else is looked for, and of what is history
    only that is read which something new depends on. What was `seen` already is not read again. What had been
    released and is wanted again is read, so that it is taken over where it is still open."""
    if place is None:
        return {}
    again = {item.key: ours.released[item.key] for item in wanted if item.key in ours.released}
    readable = items.readable({**again, **ours.known})
    if not ours.begun and seen is None:
        return _without_done(tracker.find(place, readable), again)
    targets = {item.target for item in wanted if item.kind is ItemKind.LINK}
    there = dict(seen or {})
    only = [key for key in readable if key not in there and (key in about or key in targets or key in again)]
    return _without_done({**there, **tracker.find(place, readable, only=only)}, again) if only else there


def _without_done(observed: Mapping[ItemKey, ObservedItem], again: Collection[ItemKey]) -> dict[ItemKey, ObservedItem]:
    """What is observed, but for what had been released, is wanted `again` and is done: that is made anew."""
    return {key: one for key, one in observed.items() if key not in again or one.status != "done"}


def bare_plan(ours: Material, spec: ProjectSpec, place: Place | None, purpose: Purpose = Purpose.APPLY) -> Plan:
    """A plan of this project that does nothing yet."""
    return Plan(
        project=ours.project.id,
        serial=ours.project.serial,
        spec=spec,
        place=place,
        template=f"{ours.template.name} {ours.template.version}",
        changes=(),
        items=(),
        known=ours.known,
        observed={},
        purpose=purpose,
        settings=ours.settings,
    )


def not_there(tracker: Tracker, ours: Material, found: Located, purpose: Purpose) -> tuple[Plan, Capabilities]:
    """A plan that does nothing, because the project is not where it was, which the findings say."""
    plan = replace(bare_plan(ours, found.spec, None, purpose), findings=found.findings)
    return plan, tracker.assumed(found.spec)


def _plan(context: Context, tracker: Tracker, ours: Material, wish: Wish, today: date) -> tuple[Plan, Capabilities]:
    project, current = ours.project, ours.current
    found = project_identity.locate(context, tracker, project, spec_of(project, ours.method))
    if found.findings:
        return not_there(tracker, ours, found, Purpose.APPLY)
    spec, place = found.spec, found.place
    way = _way(ours)
    carried_on = foreseen(ours.template, ours.parameters, way, ours.recorded, {}, ours.continued)
    laid = lay_out(ours, way, current, ours.carrying, continuing={**carried_on, **ours.continued})
    assignment = assigned(ours, laid, ours.team)
    people = members.working(tracker, place, ours, assignment.people)
    capabilities = place.capabilities if place is not None else tracker.assumed(spec)
    wanted = wanted_items(laid, assignment, people.accounts, capabilities, ours.recorded, ours.times)
    shelved = ours.shelved | {key for key, to in ours.carrying.items() if to is None}
    about = placement.concerned(ours.recorded, laid.live, laid.whole, laid.live_from, shelved)
    read = {*about, *laid.stranded}
    # Somebody who names an item may call it as the tracker shows it, so that is read first where one is named.
    early = observed_by(tracker, place, ours, read, wanted) if wish.restore else None
    restore = plan_options.restoring(wish, wanted, about, early or {}, ours.recorded)
    is_gone = deletions.is_gone(project, place, ours.recorded, restore)
    findings = (
        deletions.project_findings(project, ours.kind, found.put_away) if is_gone else place_findings(project, place)
    )
    findings += fitting_findings(laid.live, capabilities)
    first = way.turn(1)
    working = DateRange(first.starts.date(), first.ends.date())
    if not current and (past := starts_in_the_past(working, today)) is not None:
        findings.append(past)
    if place is not None or (spec.create and not is_gone):
        findings += tracker.check(spec, place, wanted)
    if place is not None:
        findings += mapping_findings.findings(ours.connection.name, place, wanted)
    observed = early if early is not None else observed_by(tracker, place, ours, read, wanted)
    moved: Mapping[ItemKey, RemoteRef] = {}
    if place is not None:
        moved = deletions.moved_away(tracker, place, about, observed)
        restore = replace(restore, moved=frozenset(moved))
        findings += deletions.item_findings(project, wanted, about, observed, restore)
        findings += plan_options.unrestored(restore, wanted, about, observed)
    wanted = taken_by_people(without_lost(wanted, about, observed, restore), about, observed)
    changes, drift = diff(wanted, about, observed, assignment.notes, restore)
    out, items_out = orphaned.taken_out(laid.stranded, laid.whole.put_off, ours.recorded, observed, capabilities)
    changes, wanted = changes + out, wanted + items_out
    findings += placement.spread_anew(changes, ours.settings is not None)
    if is_gone:
        changes, drift = [], [] if found.put_away else [deletions.project_drift(project)]
    plan = replace(
        bare_plan(ours, spec, place),
        changes=tuple(changes),
        items=tuple(wanted),
        known=known_to(ours, observed),
        observed={key: seen.fields for key, seen in observed.items()},
        stood={key: conflicts.stands(seen) for key, seen in observed.items()},
        drift=tuple(deletions.told_as_moved(drift, moved)),
        vacancies=tuple(vacancies(assignment, wanted, about, observed)),
        findings=(*found.news, *findings, *people.findings),
        people=named_with(tracker, place, ours, people.accounts, changes, drift),
    )
    if wish.adopt:
        plan = _adopting(plan, plan_options.given(tracker, place, wish, wanted, ours.recorded, observed))
    return plan, capabilities


def _way(ours: Material) -> Course:
    """The iterations as they are known now; the next one as an advance has it that has begun with it."""
    first, last = ours.coming_dates
    return course(
        ours.template,
        ours.parameters,
        ours.calendar,
        ours.begun,
        coming=ours.pending.stage if ours.pending is not None else None,
        coming_first=first,
        coming_last=last,
        ahead=ours.ahead(max(ours.current, 1)),
        reach=ours.reach,
        rounds=ours.rounds,
    )


def known_to(ours: Material, observed: Mapping[ItemKey, ObservedItem]) -> dict[ItemKey, RemoteRef]:
    """The references of what exists, by our records or as the tracker shows it."""
    return ours.known | {key: seen.ref for key, seen in observed.items()}


def named(team: Team, accounts: Mapping[str, str]) -> dict[str, str]:
    """Who is behind each account id."""
    return {accounts[member.handle]: member.person for member in team.members if member.handle in accounts}


def named_with(
    tracker: Tracker,
    place: Place | None,
    ours: Material,
    accounts: Mapping[str, str],
    changes: Sequence[Change],
    drift: Sequence[Drift],
) -> dict[str, str]:
    """The same with those whom people have put on tickets, or whom a change takes off one, and those who have what is
    released: as we wrote them last or, of others, as the tracker calls them. They may be in no team, hold no role any
    more, or have nothing to do in this plan."""
    people = named(ours.team, accounts)
    values = [value for one in drift if one.field == "assignee" for value in (one.recorded, one.observed)]
    told = (change for change in changes if "assignee" in change.changed or change.action is Action.FORGET)
    values += [(change.before or {}).get("assignee") for change in told]
    unknown = {str(value) for value in values if value and value not in people}
    ever = {account: ours.people[account] for account in unknown & ours.people.keys()}
    found = tracker.people(place, unknown - ever.keys()) if unknown - ever.keys() else {}
    return {account.id: account.name for account in found.values()} | ever | people


def _adopting(plan: Plan, given: Mapping[ItemKey, ObservedItem]) -> Plan:
    """The plan that takes these items over, in place of one for everything."""
    return replace(
        plan,
        changes=tuple(adoptions(plan.items, given)),
        known={**plan.known, **{key: seen.ref for key, seen in given.items()}},
        observed={**plan.observed, **{key: seen.fields for key, seen in given.items()}},
        stood={**plan.stood, **{key: conflicts.stands(seen) for key, seen in given.items()}},
        drift=tuple(entry for entry in plan.drift if entry.key not in given),
    )


def place_findings(project: ProjectRow, place: Place | None) -> list[Finding]:
    """What is wrong with where a project is, or is not yet, in the tracker."""
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
        return [key_taken(project.key, place.ref.url)]
    return []


def vacancies(
    assignment: Assignment,
    wanted: Sequence[Item],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
) -> list[Vacancy]:
    """The tickets that nobody could be found for and nobody has taken, under the titles they have in the tracker."""
    titles = {item.key: item.title for item in wanted}
    taken = {item.key for item in wanted if has_person(item, recorded, observed)}
    return [
        Vacancy(vacancy.key, titles.get(vacancy.key, vacancy.key), vacancy.role, vacancy.reason)
        for vacancy in assignment.vacancies
        if vacancy.key not in taken
    ]


def _with_estimate(plan: Plan, capabilities: Capabilities, seconds_per_call: float) -> Plan:
    """The plan with what applying is expected to take, at the pace at which the tracker has just answered."""
    calls = batches(plan.changes, plan.items, capabilities, plan.purpose)
    expected = estimate(
        calls, plan.items, capabilities, creates_project=plan.place is None, seconds_per_call=seconds_per_call
    )
    return replace(plan, estimate=expected)


def latest(context: Context, project_id: str, purposes: Collection[Purpose] = ()) -> PlanView | None:
    """The project's newest plan; with `purposes`, the newest that is for one of them and was not cleaned up."""
    query = select(PlanRow).where(PlanRow.project_id == project_id).order_by(PlanRow.created_at.desc()).limit(1)
    if purposes:
        query = query.where(PlanRow.body["purpose"].as_string().in_([one.value for one in purposes]))
    with context.database.session() as session:
        row = session.scalar(query)
    return view_of(context, row) if row is not None else None


def taking_back(context: Context, project_id: str, since: datetime | None) -> PlanView | None:
    """The newest plan that would take something back or end the project, made after `since` (None: ever), not applied
    and still to be applied; None where there is none."""
    row = latest(context, project_id, (Purpose.UNDO, Purpose.REMOVE))
    if row is None or row.run_id is not None or (since is not None and row.created_at <= since):
        return None
    return row if row.expires_at > context.now() else None
