"""Planning to take back what a run did, or all that was done for a project: a plan like any other. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.port import Tracker
from connectors.values import (
    Fields,
    Finding,
    Item,
    ItemKey,
    ItemKind,
    Place,
    ProjectSpec,
    RemoteRef,
    Severity,
    kind_of,
)
from service.context import Context
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.loop import loop_state
from service.domain.loop.turnover import STATE, iteration_key
from service.domain.plan import conflicts, run_state
from service.domain.plan.batches import batches, estimate
from service.domain.plan.diff import UNREAD
from service.domain.plan.identity_findings import REPLACED
from service.domain.plan.plan import (
    COMMENT,
    SECTIONS,
    Action,
    Change,
    Plan,
    Purpose,
    Reason,
    Recorded,
)
from service.domain.plan.plan_json import plan_from_json
from service.domain.plan.project_settings import SettingsChange
from service.domain.plan.undo import (
    WRITTEN_SINCE,
    Deeds,
    Scene,
    Written,
    after_the_loop,
    item_of,
    undo,
)
from service.store import items, loops, runs
from service.store.tables import ConnectionRow, ItemRow, IterationRow, PlanRow, ProjectRow, RunRow, TemplateRow
from service.usecases.errors import Conflict, NotFound
from service.usecases.plan import planning
from service.usecases.plan.planning import Draft
from service.usecases.setup import project_changes, project_identity, projects
from service.usecases.setup.project_identity import Located
from service.views.plan import PlanView
from service.views.setup import ProjectView

_READABLE = (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET)

_MAKING = (Purpose.APPLY, Purpose.ADVANCE)
"""What plans are for that make and write; the others take back."""


class NothingToUndo(Conflict):
    """Nothing of what the run did is left."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What is to be taken back, from our own records; `items` are those that plans had, for what they refer to. `found`
    are items whose creation was begun, and that turned out to be there, `closed` the iterations that were closed,
    `settings` those that the run brought and that go back, `states` those that the loop brought iterations to,
    `former` the references of items as people had deleted them before the run made them again."""

    purpose: Purpose
    undoes: str
    project: ProjectRow
    connection: ConnectionRow
    template: str
    rows: Mapping[ItemKey, ItemRow]
    deeds: Deeds
    items: Mapping[ItemKey, Item]
    people: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    found: Mapping[ItemKey, RemoteRef] = field(default_factory=dict)
    closed: frozenset[ItemKey] = frozenset()
    settings: SettingsChange | None = None
    states: Mapping[ItemKey, str] = field(default_factory=dict)
    former: Mapping[ItemKey, RemoteRef] = field(default_factory=dict)


def plan_undo(context: Context, run_id: str) -> PlanView:
    """Make and keep a plan that takes back what the run did and nobody touched since, also if it ended half-way; the
    settings that it brought go back with it. Runs that took each other's work up count as one.

    Raises NotFound; Conflict for a run that is still running, for one that took something back itself, and for a
    project that has ended; NothingToUndo; TrackerError when the tracker cannot be read.
    """
    with context.database.session() as session:
        task = _undo_task(session, run_id)
    if task.deeds.empty and task.settings is None:
        raise NothingToUndo("nothing-to-undo", f"Nothing of what the run {run_id} did is left.")
    return planning.keep(context, _draft(context, task))


def plan_removal(context: Context, project: str, *, undo: bool = True) -> PlanView:
    """Make and keep a plan that ends the project, and takes back what all of its runs did and nobody touched since.

    Items that people gave us stay. Without `undo` everything stays, and the tracker is not asked. Raises NotFound;
    Conflict while a run of the project is running, and if it has ended; TrackerError when the tracker cannot be read.
    """
    row = projects.going_on(context, project)
    project_identity.make_sure_of(context, row.id, project)
    with context.database.session() as session:
        task = _removal_task(session, row.id, undo=undo)
    if not task.deeds.empty:
        return planning.keep(context, _draft(context, task))
    plan = _plan(task, _spec(task), None, [], {}, {}, task.findings)
    return planning.keep(context, Draft(ProjectView.of(task.project), plan, 0, 0, 0.0))


# --- what is to be taken back, from our records -----------------------------------------------------------------------


def _undo_task(session: Session, run_id: str) -> _Task:
    run = session.get(RunRow, run_id)
    if run is None:
        raise NotFound("run", run_id, "`phaseloop runs list` names those there are.")
    if run.kind in (Purpose.UNDO, Purpose.REMOVE):
        message = f"The run {run_id} took something back itself, which cannot be undone."
        raise Conflict("run-state", message, "`phaseloop plan` shows what to make again.")
    if run.plan_id is None or run.kind == loop_state.PROPOSE:
        raise Conflict("run-state", f"The run {run_id} wrote nothing.", "There is nothing to undo.")
    applied = session.get_one(PlanRow, run.plan_id)
    if run.kind == loop_state.AUDIT or (run.kind == Purpose.REACT and not _makes(applied)):
        raise NothingToUndo("nothing-to-undo", _stays(applied, run))
    kept = _plans_of(session, run)
    together = _runs_of(session, kept)
    for one in together:
        if one.state not in run_state.ENDED:
            raise _at_work(one)
    project = session.get_one(ProjectRow, run.project_id)
    if project.ended_at is not None:
        raise projects.has_ended(project)
    rows = items.rows(session, project.id)
    plans = [plan for row in kept if (plan := _readable(row)) is not None]
    changes = [change for plan in plans for change in plan.changes]
    later = _written_later(session, kept)
    made = {key for key, row in rows.items() if _was_made_by(row, {one.id for one in together})}
    taken = {change.key for change in changes if change.action is Action.ADOPT and change.key in rows} - made
    written = _written_in(plans, rows, later)
    let_go = _let_go_in(session, project, changes, kept)
    if run.kind == loop_state.ADVANCE:
        written, let_go = _without_names_of_iterations(written), {}  # what is asked for follows the loop, which stays
    if not made and not taken and all(fields.keys() <= {STATE} for fields in written.values()):
        written = {}  # that an iteration was closed or begun cannot be taken back
    task = _task(session, Purpose.UNDO, project, {**let_go, **rows}, plans)
    forgotten = () if len(plans) == len(kept) else (_forgotten(run_id),)
    deeds = Deeds(frozenset(made), frozenset(taken), written, frozenset(let_go))
    brought = [plan.settings for plan in plans if plan.settings is not None]
    settings, said = project_changes.taken_back(session, project, brought, run_id)
    stays = _loop_stays(session, project) if run.kind == loop_state.ADVANCE else ()
    former = {
        change.key: plan.known[change.key]
        for plan in plans
        for change in plan.changes
        if change.action is Action.CREATE and change.reason is Reason.RESTORED and change.key in plan.known
    }
    said_all = (*forgotten, *said, *stays)
    return replace(task, undoes=run_id, deeds=deeds, findings=said_all, settings=settings, former=former)


def _removal_task(session: Session, project_id: str, *, undo: bool) -> _Task:
    project = session.get_one(ProjectRow, project_id)
    at_work = select(RunRow).where(RunRow.project_id == project_id, RunRow.state.not_in(run_state.ENDED)).limit(1)
    if (run := session.scalar(at_work)) is not None:
        raise _at_work(run)
    rows = {**items.released(session, project_id), **items.rows(session, project_id)}
    plans = [plan for row in _applied(session, project_id) if (plan := _readable(row)) is not None]
    task = _task(session, Purpose.REMOVE, project, rows, plans)
    if not undo:
        return task
    given = {key for key, row in rows.items() if row.origin == items.BY_PERSON}
    written = _written_by_all(plans, given)
    deeds = Deeds(frozenset(rows.keys() - given), frozenset(given - written.keys()), written)
    return replace(task, deeds=deeds)


def _task(
    session: Session, purpose: Purpose, project: ProjectRow, rows: Mapping[ItemKey, ItemRow], plans: Iterable[Plan]
) -> _Task:
    template = session.get_one(TemplateRow, project.template_digest)
    known: dict[ItemKey, Item] = {}
    people: dict[str, str] = {}
    for plan in plans:
        known |= {item.key: item for item in plan.items}
        people |= plan.people
    made = {key: number for number, key in enumerate(known)}
    states = loops.brought_to(session, project.id)
    return _Task(
        purpose=purpose,
        undoes="",
        project=project,
        connection=session.get_one(ConnectionRow, project.connection_id),
        template=f"{template.name} {template.version}",
        rows={key: rows[key] for key in sorted(rows, key=lambda key: (-made.get(key, len(made)), key))},
        deeds=Deeds(),
        items=known,
        people=people,
        closed=frozenset(key for key, state in states.items() if state == "closed"),
        states=states,
    )


def _makes(row: PlanRow) -> bool:
    """Whether a plan makes anything."""
    return any(change["action"] == Action.CREATE for change in row.body.get("changes", ()))


def _stays(row: PlanRow, run: RunRow) -> str:
    """That what a run wrote into records stays, said plainly."""
    changes = row.body.get("changes", ())
    filled = sum(SECTIONS in change["changed"] for change in changes)
    said = sum(COMMENT in change["changed"] for change in changes)
    parts = [f"what it filled in stays in {counted(filled, 'record')}"] if filled else []
    parts += [f"{said} comment{' stays' if said == 1 else 's stay'}"] if said else []
    what = ", and ".join(parts) or "what it wrote stays"
    return (
        f"What {run.id} wrote is not taken back: {what}. People may have answered it; change it by hand in the tracker."
    )


def _at_work(run: RunRow) -> Conflict:
    return Conflict(
        "run-state", f"The run {run.id} is still running.", f"Cancel it first: phaseloop runs cancel {run.id}"
    )


def _forgotten(run_id: str) -> Finding:
    return Finding(
        Severity.WARNING,
        "plan-cleaned-up",
        f"The plan of {run_id} was cleaned up: what it changed in items that were there before is not known any more.",
        "What it made can be removed; look yourself at the others.",
        run_id,
    )


def _plans_of(session: Session, run: RunRow) -> list[PlanRow]:
    """The plans that the run applied, oldest first: of one that advances the loop, that of each attempt."""
    own = session.get_one(PlanRow, run.plan_id)
    return loops.plans(session, run) if run.kind == loop_state.ADVANCE else [own]


def _runs_of(session: Session, plans: Collection[PlanRow]) -> list[RunRow]:
    """A run together with those that took its work up, or whose work it took up: they are taken back as one."""
    ids = [plan.id for plan in plans]
    of_these = RunRow.plan_id.in_(ids) | RunRow.id.in_([plan.run_id for plan in plans if plan.run_id is not None])
    return list(session.scalars(select(RunRow).where(of_these)))


def _written_in(
    plans: Iterable[Plan], rows: Mapping[ItemKey, ItemRow], later: Collection[tuple[str, str]]
) -> dict[ItemKey, dict[str, Written]]:
    """The fields that these plans, oldest first, wrote to items that are there, as far as that still stands."""
    written: dict[ItemKey, dict[str, Written]] = {}
    for plan in plans:
        for change in plan.changes:
            if change.action in (Action.UPDATE, Action.ADOPT) and change.changed and change.key in rows:
                fields = written.setdefault(change.key, {})
                for name in change.changed:
                    last = _written(plan, change, name, again=(change.key, name) in later)
                    fields[name] = _both(fields.get(name), last)
    return {key: fields for key, fields in written.items() if _is_left(rows[key], fields)}


def _both(first: Written | None, last: Written) -> Written:
    """What two writes of a field came to, the later one being `last`."""
    return last if first is None else replace(last, before=first.before, added=(*first.added, *last.added))


def _let_go_in(
    session: Session, project: ProjectRow, changes: Iterable[Change], kept: Sequence[PlanRow]
) -> dict[ItemKey, ItemRow]:
    """What these changes released because it had left the template, and no later plan that still counts did."""
    later = {change["key"] for change in _made_later(session, kept) if change["action"] == Action.FORGET}
    left = [
        change.key
        for change in changes
        if change.action is Action.FORGET and change.reason is Reason.LEFT_THE_TEMPLATE and change.key not in later
    ]
    return items.let_go_of(session, project.id, left)


def _without_names_of_iterations(written: Mapping[ItemKey, dict[str, Written]]) -> dict[ItemKey, dict[str, Written]]:
    """What an advance wrote, but for what iterations are called and when they are: they follow the loop, and that stays
    where the advance took it. That they were closed and begun is said."""
    found = {
        key: {name: one for name, one in fields.items() if name == STATE or kind_of(key) is not ItemKind.ITERATION}
        for key, fields in written.items()
    }
    return {key: fields for key, fields in found.items() if fields}


def _loop_stays(session: Session, project: ProjectRow) -> tuple[Finding, ...]:
    """That the loop stays where the advance took it, and what the next plan does."""
    loop = loops.find(session, project.id)
    row = session.get(IterationRow, (project.id, loop.current)) if loop is not None else None
    if row is None:
        return ()
    message = (
        f'The loop stays at iteration {row.number} ("{row.title}"), which has begun: trackers cannot take that back. '
        "Iterations keep their names and dates."
    )
    key = typed(project.key)
    fix = (
        "The next plan or advance makes again what the template asks for there. To go elsewhere from here, decide what "
        f"follows (phaseloop phase {typed(key)} back PHASE --reason …). To keep it as the undo leaves it, apply no "
        f"plan and pause the schedule (phaseloop schedule pause {typed(key)})."
    )
    return (Finding(Severity.INFO, "loop-stays", message, fix, iteration_key(row.number)),)


def _was_made_by(row: ItemRow, run_ids: Collection[str]) -> bool:
    if row.state == items.REFUSED:
        return row.run_id in run_ids
    return row.origin == items.BY_RUN and row.made_by in run_ids


def _written(plan: Plan, change: Change, name: str, *, again: bool = False) -> Written:
    before = (change.before or {}).get(name)
    why_not = WRITTEN_SINCE if again else ""
    if change.action is Action.ADOPT:
        before = None  # only what was empty is filled in when an item is taken over
    elif change.reason is Reason.RESTORED and name in UNREAD:
        why_not = "was restored from what people had made of it"
    after, shown = (change.after or {}).get(name), plan.observed.get(change.key, {})
    added = Counter(after or ()) - Counter(shown[name] or ()) if name == "checklist" and name in shown else Counter()
    return Written(before, after, why_not, change.reason is Reason.RESTORED, tuple(added.elements()))


def _is_left(row: ItemRow, fields: Mapping[str, Written]) -> bool:
    """Whether anything that was written to the item still stands in our records."""
    return any(name == STATE or (name in row.wanted and row.wanted[name] != one.before) for name, one in fields.items())


def _written_later(session: Session, own: Sequence[PlanRow]) -> set[tuple[str, str]]:
    """The fields that plans applied later wrote to items that existed, but for plans that were taken back."""
    return {
        (change["key"], name)
        for change in _made_later(session, own)
        if change["action"] == Action.UPDATE
        for name in change["changed"]
    }


def _made_later(session: Session, own: Sequence[PlanRow]) -> Iterator[Mapping[str, Any]]:
    """The changes of plans applied later, as they are kept, but for plans that were taken back or took back."""
    last, ids = max(row.serial for row in own), {row.id for row in own}
    later = [row for row in _applied(session, own[0].project_id) if row.serial > last and row.id not in ids]
    undone = runs.taken_back(session, own[0].project_id)
    taken_back = set(session.scalars(select(RunRow.plan_id).where(RunRow.id.in_(undone))))
    for row in later:
        if row.id in taken_back or row.run_id in undone or row.body.get("purpose", Purpose.APPLY) not in _MAKING:
            continue
        yield from row.body.get("changes", ())


def _written_by_all(plans: Iterable[Plan], keys: Collection[ItemKey]) -> dict[ItemKey, dict[str, Written]]:
    """The fields that these plans, oldest first, wrote to these items: as they were at first, and as they are now."""
    found: dict[ItemKey, dict[str, Written]] = {}
    for plan in plans:
        for change in plan.changes:
            if change.key in keys and change.action is Action.UPDATE and plan.purpose in _MAKING:
                fields = found.setdefault(change.key, {})
                for name in change.changed:
                    fields[name] = _both(fields.get(name), _written(plan, change, name))
    return found


def _applied(session: Session, project_id: str) -> list[PlanRow]:
    query = select(PlanRow).where(PlanRow.project_id == project_id, PlanRow.run_id.is_not(None))
    return list(session.scalars(query.order_by(PlanRow.serial, PlanRow.created_at)))


def _readable(row: PlanRow) -> Plan | None:
    """The plan, None if all but its people were cleaned up."""
    return plan_from_json(row.body) if "changes" in row.body else None


# --- what the tracker shows of it -------------------------------------------------------------------------------------


def _draft(context: Context, task: _Task) -> Draft:
    spec = _spec(task)
    started = monotonic()
    with context.tracker(task.connection) as tracker:
        before = tracker.usage
        located = project_identity.locate(context, tracker, task.project, spec)
        spec, place = located.spec, located.place
        capabilities = place.capabilities if place is not None else tracker.assumed(spec)
        if place is not None:
            task = _settled(context, tracker, place, task)
        scene = _scene(tracker, place, task)
        changes = undo(task.deeds, scene)
        findings = [*task.findings, *_where(located), *_findings(tracker, spec, place, changes, scene)]
        project_identity.remember(context, tracker, task.project.id, place)
        used = (tracker.usage.reads - before.reads, tracker.usage.writes - before.writes)
    seconds = monotonic() - started
    refs = {key: record.ref for key, record in scene.records.items() if record.ref is not None}
    observed = {key: one.fields for key, one in scene.observed.items()}
    stood = {key: conflicts.stands(one) for key, one in scene.observed.items()}
    plan = _plan(task, spec, place, changes, refs, observed, findings, _items(changes, scene))
    plan = replace(plan, stood=stood)
    expected = estimate(
        batches(plan.changes, plan.items, capabilities, plan.purpose),
        plan.items,
        capabilities,
        creates_project=False,
        seconds_per_call=seconds / max(1, sum(used)),
    )
    return Draft(ProjectView.of(task.project), replace(plan, estimate=expected), *used, seconds)


def _spec(task: _Task) -> ProjectSpec:
    """The project as the connector is told of it; an undo never creates it. Where iterations are concerned, the method
    is one that has them, whatever the team works by now."""
    turns = any(row.kind == ItemKind.ITERATION and row.remote_id is not None for row in task.rows.values())
    method = "scrum" if turns else str(task.project.parameters.get("method", "scrum"))
    return replace(planning.spec_of(task.project, method), create=False)


def _plan(
    task: _Task,
    spec: ProjectSpec,
    place: Place | None,
    changes: list[Change],
    known: Mapping[ItemKey, RemoteRef],
    observed: Mapping[ItemKey, dict[str, Any]],
    findings: Iterable[Finding],
    wanted: Iterable[Item] = (),
) -> Plan:
    return Plan(
        project=task.project.id,
        serial=task.project.serial,
        spec=spec,
        place=place,
        template=task.template,
        changes=tuple(changes),
        items=tuple(wanted),
        known=known,
        observed=observed,
        findings=tuple(findings),
        people=task.people,
        purpose=task.purpose,
        undoes=task.undoes,
        settings=task.settings,
        former=task.former,
    )


def _scene(tracker: Tracker, place: Place | None, task: _Task) -> Scene:
    records = {
        key: after_the_loop(_recorded(key, row, task.items.get(key)), task.states, task.purpose)
        for key, row in task.rows.items()
    }
    if place is None:
        return Scene(records)
    records |= {key: replace(records[key], ref=ref) for key, ref in task.found.items()}
    known = {key: record.ref for key, record in records.items() if record.ref is not None}
    readable = items.readable(known)
    observed = tracker.find(place, readable, only=list(readable))
    looked_at = [key for key in known if key in task.deeds.made and records[key].kind is not ItemKind.LINK]
    own = {comment for row in task.rows.values() for comment in row.comments}
    traces = tracker.traces(place, known, looked_at, own) if looked_at else {}
    begun = [key for key, fields in task.deeds.written.items() if STATE in fields and fields[STATE].after == "active"]
    return Scene(records, observed, traces, task.closed, frozenset(begun))


def _recorded(key: ItemKey, row: ItemRow, item: Item | None) -> Recorded:
    """What is known of an item; of one whose creation was begun or refused, what it was to be."""
    wanted = row.wanted
    if row.state in (items.INTENDED, items.REFUSED) and not wanted and item is not None:
        wanted = {name: value for name, value in item.fields().items() if name != "iteration"}
    return replace(items.record(key, row), wanted=wanted)


def _settled(context: Context, tracker: Tracker, place: Place, task: _Task) -> _Task:
    """The task with what became of the calls whose answers were lost: which of their items are there, and what they
    made along with them, which is recorded now."""
    doubtful = {key: row for key, row in task.rows.items() if row.state == items.INTENDED and key in task.deeds.made}
    looked_for = {key: row for key, row in doubtful.items() if ItemKind(row.kind) in _READABLE}
    found = {key: place.ref for key, row in doubtful.items() if ItemKind(row.kind) is ItemKind.PROJECT}
    if not looked_for:
        return replace(task, found=found)
    wanted = [task.items.get(key) or item_of(key, ItemKind(row.kind), {}) for key, row in looked_for.items()]
    tracker.made_along()  # what is told from here on is what these calls made
    found |= tracker.recover(place, wanted, min(row.since or "" for row in looked_for.values()))
    _wait_until_settled(context, [row for key, row in looked_for.items() if key not in found])
    along = {key: ref for key, ref in tracker.made_along().items() if key not in task.rows}
    run_id = next(row.made_by or "" for row in looked_for.values())
    with context.database.session() as session:
        for key, ref in along.items():
            items.made(session, task.project.id, key, kind_of(key), ref, {"title": ref.key}, run_id, context.now())
        rows = items.rows(session, task.project.id)
    deeds = replace(task.deeds, made=task.deeds.made | along.keys())
    return replace(task, found=found, deeds=deeds, rows={**task.rows, **{key: rows[key] for key in along}})


def _wait_until_settled(context: Context, missing: Collection[ItemRow]) -> None:
    """Raise Conflict while calls that would have made these items may still be under way at the tracker."""
    if not missing:
        return
    age = (context.now() - max(row.updated_at for row in missing)).total_seconds()
    if (left := context.settings.settle_seconds - age) > 0:
        lost = counted(len(missing), "call whose answer was lost", "calls whose answers were lost")
        message = f"What became of {lost} is not known yet."
        raise Conflict("unsettled", message, f"Ask again in {counted(max(1, round(left)), 'second')}.")


def _items(changes: Iterable[Change], scene: Scene) -> list[Item]:
    """The items that changes refer to: with what is put back, and links with their ends."""
    return [
        item_of(change.key, change.kind, {**scene.records[change.key].wanted, **_ours(change, scene)})
        for change in changes
        if change.action in (Action.UPDATE, Action.DELETE)
    ]


def _ours(change: Change, scene: Scene) -> Fields:
    """What a change puts back, of labels only ours: those that people added are written along, and are not ours."""
    after = dict(change.after or {})
    now = scene.observed.get(change.key)
    if "labels" in after and now is not None:
        before = (change.before or {}).get("labels") or ()
        theirs = set(now.fields.get("labels") or ()) - set(before)
        after["labels"] = sorted(set(after["labels"]) - theirs)
    return after


def _findings(
    tracker: Tracker, spec: ProjectSpec, place: Place | None, changes: Collection[Change], scene: Scene
) -> list[Finding]:
    if place is None:
        return [_project_gone(spec)]
    removing = {change.kind for change in changes if change.action is Action.DELETE}
    restored = _items([c for c in changes if c.action is Action.UPDATE], scene)
    findings = tracker.check(spec, place, (), removing=removing) if removing else []
    return [*findings, *(tracker.check(spec, place, restored) if restored else [])]


def _where(located: Located) -> list[Finding]:
    """What is to be said of where the project is. That another one goes by its key does not block it of
    releasing what is gone."""
    found = [replace(one, severity=Severity.WARNING) if one.code == REPLACED else one for one in located.findings]
    return [*located.news, *found]


def _project_gone(spec: ProjectSpec) -> Finding:
    return Finding(
        Severity.WARNING,
        "project-missing",
        f"The tracker shows no project {spec.key} to this account: it was deleted, or the account lost its access.",
        "If it is there, give the account access and plan this again; else this only releases our records.",
        spec.key,
    )
