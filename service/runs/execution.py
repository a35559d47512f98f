"""What the batches of a run do: open the project, create, finish, mark, move, update, read back, link.

Each of these may run again after a crash. So each looks first at what is recorded: what is done is skipped, what was
intended without a recorded answer is looked up in the tracker before anything is written again. An intent is
committed before the call, the reference right after it, before any other call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from connectors.errors import TrackerRefused, TrackerUnavailable
from connectors.registry import kind_of
from connectors.values import (
    Creation,
    Done,
    Fields,
    Finding,
    Item,
    ItemKey,
    ItemKind,
    Link,
    Outcome,
    Place,
    ProjectSpec,
    RemoteRef,
    Severity,
)
from service.domain.commands import typed
from service.domain.plan import mapping_findings
from service.domain.plan.batches import Batch, Op, batches, written_apart
from service.domain.plan.conflicts import is_shown
from service.domain.plan.desired import ranks, surprises
from service.domain.plan.diff import baseline
from service.domain.plan.identity_findings import key_taken, replaced, taken
from service.domain.plan.plan import Action, Change, Purpose, Reason, Recorded
from service.domain.plan.plan_json import batches_to_json, place_to_json
from service.runs import iterations, recheck, reconciliation, records, removals, updates
from service.runs.run_step import Stopped, Unsettled, Work
from service.store import identities, items, mappings
from service.store.tables import ConnectionRow, ItemRow, ProjectRow, RunRow

INDEX_LAG = 120.0
"""Seconds after which a tracker's search index has caught up; the slowest trails by seconds to minutes, as measured."""


def open_project(work: Work) -> None:
    """Find the project, or create it where the plan says so, and lay out the run's batches."""
    if work.run.batches is not None:
        return
    if work.plan.place is None and work.plan.purpose is not Purpose.APPLY:
        _lay_out_without_a_place(work)
        return
    place, is_new = (work.plan.place, False) if work.plan.place is not None else _created_project(work)
    _make_sure_it_is_ours(work, place)
    if work.plan.place is None:
        _is_clear(work, place)
    if work.plan.place is None:
        work.findings += surprises(work.plan.items, work.tracker.assumed(work.plan.spec), place.capabilities)
    layout = batches(work.plan.changes, work.plan.items, place.capabilities, work.plan.purpose)
    creates = any(batch.op is Op.CREATE for batch in layout)
    since = work.tracker.watermark(place) if creates and not is_new else ""  # in a new project everything is newer
    with work.context.database.session() as session:
        run = session.get_one(RunRow, work.run.id)
        run.place, run.batches, run.since = place_to_json(place), batches_to_json(layout), since
        session.get_one(ProjectRow, work.project.id).url = place.board_url or place.ref.url
        mappings.keep(session, work.project.connection_id, place, place.mapping, work.context.now())


def _is_clear(work: Work, place: Place) -> None:
    """Stop before anything is put into a new project in which it is not clear what would become of it."""
    with work.context.database.session() as session:
        connection = session.get_one(ConnectionRow, work.project.connection_id).name
        session.get_one(ProjectRow, work.project.id).url = place.board_url or place.ref.url
    found = mapping_findings.findings(connection, place, work.plan.items)
    stops = [one for one in found if one.severity is Severity.ERROR]
    work.findings += [one for one in found if one not in stops[:1]]
    if stops:
        again = f"{stops[0].fix} Then plan and apply again: the project {place.ref.key} is there and empty."
        raise Stopped(replace(stops[0], fix=again))


def _lay_out_without_a_place(work: Work) -> None:
    """What is to be undone is gone from the tracker with its project: only our records are left to change."""
    layout = batches(work.plan.changes, work.plan.items, work.tracker.assumed(work.plan.spec), work.plan.purpose)
    with work.context.database.session() as session:
        session.get_one(RunRow, work.run.id).batches = batches_to_json(layout)


def _created_project(work: Work) -> tuple[Place, bool]:
    """The project that the plan asks for, and whether this call made it: an earlier one may have, unheard."""
    spec = replace(work.plan.spec, id="", memory={})
    key = ItemKey(f"{ItemKind.PROJECT}:{spec.key}")
    if key not in work.rows or work.rows[key].state == items.REFUSED:
        _make_sure_it_is_not_there(work, spec)
    else:
        unsettled = work.unsettled
        place = work.tracker.locate(spec)
        if place is not None:
            if work.rows[key].state == items.INTENDED:
                _record_project(work, key, place)
            return place, False
        if unsettled > 0:
            raise Unsettled(unsettled)
    with work.context.database.session() as session:
        items.intend(session, work.project.id, [(key, ItemKind.PROJECT)], work.run.id, "", work.context.now())
    try:
        place = work.tracker.create_project(spec)
    except (TrackerUnavailable, TrackerRefused):
        _withdraw(work, [key])
        raise
    _record_project(work, key, place)
    return place, True


def _make_sure_it_is_not_there(work: Work, spec: ProjectSpec) -> None:
    """Raise Stopped where somebody has made the project since it was planned, by hand or for another project of ours:
    a tracker may take a second one of that name."""
    found = work.tracker.identify(spec)
    if not found.exists:
        return
    with work.context.database.session() as session:
        other = identities.holder(session, found.site, found.id, but=work.project.id)
        named = identities.named(session, other) if other is not None else None
    raise Stopped(taken(spec.key, named) if named is not None else key_taken(spec.key, found.url))


def _make_sure_it_is_ours(work: Work, place: Place) -> None:
    """Record which project of the tracker this is. Raises Stopped where another project of ours is that one, or where
    this one is another one since the plan was made."""
    if not place.site:  # a plan that an earlier version made
        return
    with work.context.database.session() as session:
        row = session.get_one(ProjectRow, work.project.id)
        was_planned = work.plan.place is not None and identities.is_known(row)
        if was_planned and row.site is not None and (row.site, row.remote_id) != (place.site, place.ref.id):
            kind = kind_of(session.get_one(ConnectionRow, row.connection_id).kind)
            raise Stopped(replaced(row.key, row.url or "", kind.trash))
        other = identities.claim(session, row.id, place.site, place.ref.id)
        if other is None and place.ref.key != row.key:
            identities.spell(session, row.id, place.ref.key)
    if other is not None:
        raise Stopped(taken(work.plan.spec.key, other))


def _record_project(work: Work, key: ItemKey, place: Place) -> None:
    with work.context.database.session() as session:
        now = work.context.now()
        identities.let_go(session, work.project.id)  # of one that was built before, and of the wish for this one
        items.made(session, work.project.id, key, ItemKind.PROJECT, place.ref, {}, work.run.id, now, seen={})


def _note(work: Work, batch: Batch) -> None:
    """Take over what carries our marker or was given to us, take back what a run that is undone had released,
    release what left the template and of what is to be made or written again: our records only, no call."""
    now = work.context.now()
    with work.context.database.session() as session:
        back = [key for key in batch.keys if work.changes[key].reason is Reason.LET_GO_BY_RUN]
        items.take_back(session, work.project.id, back)
        left = [key for key in batch.keys if _is_let_go(work, key)]
        gone = [key for key in batch.keys if work.changes[key].action is Action.FORGET or _is_replaced(work, key)]
        items.release(session, work.project.id, left)
        items.forget(session, work.project.id, [key for key in gone if key not in left])
        items.load(session, work.project.id, batch.keys)
        for key in batch.keys:
            change = work.changes[key]
            if change.action is Action.UPDATE and change.reason is Reason.CARRIED:
                _let_go_of_place(session, work, key)
            if change.action is Action.ADOPT and key not in back:
                ref = work.plan.known.get(key) or _between(work, change) or RemoteRef(key, key, "")
                wanted = {k: v for k, v in (change.after or {}).items() if k not in change.changed}
                shown = work.plan.observed.get(key)
                if change.kind is ItemKind.GUEST:
                    wanted, shown = {"title": change.title, **wanted}, None
                # A link carries no marker: one that is there without our ever having had it is somebody's own.
                theirs = change.reason is Reason.GIVEN or change.kind in (ItemKind.LINK, ItemKind.GUEST)
                origin = items.BY_PERSON if theirs else items.BY_MARKER
                items.made(
                    session, work.project.id, key, change.kind, ref, wanted, work.run.id, now, seen=shown, origin=origin
                )


def _between(work: Work, change: Change) -> RemoteRef | None:
    """What a link that is there is known by."""
    if change.kind is not ItemKind.LINK:
        return None
    ends = [ItemKey(str((change.after or {}).get(end))) for end in ("source", "target")]
    source, target = (work.ref(end) or work.plan.known.get(end) for end in ends)
    return _link_ref(source, target) if source is not None and target is not None else None


def _is_let_go(work: Work, key: ItemKey) -> bool:
    """Whether an item of ours stays in the tracker and is no longer asked for: it may be asked for again. What a run
    made, and the run that is undone only took over again, is released as it was before."""
    change, row = work.changes[key], work.rows.get(key)
    if change.action is not Action.FORGET:
        return False
    made = row is not None and row.origin == items.BY_RUN and change.reason is Reason.TAKEN_OVER_BY_RUN
    return made or change.reason in (Reason.LEFT_THE_TEMPLATE, Reason.PASSED_BY)


def _let_go_of_place(session: Session, work: Work, key: ItemKey) -> None:
    """Of a carried ticket that people had pulled out of the very iteration it goes to: it is not there until it was
    moved. What was seen stays known."""
    change, row = work.changes[key], work.rows.get(key)
    if row is None or "iteration" not in change.changed:
        return
    if row.wanted.get("iteration", "") == (change.after or {}).get("iteration"):
        items.unwrite(session, work.project.id, key, {"iteration"}, work.context.now())


def _is_replaced(work: Work, key: ItemKey) -> bool:
    """Whether what is recorded gives way to another: to the one given, or to the one that is made in its place. A
    record that came of doing this before stays."""
    change, old, now = work.changes[key], work.plan.known.get(key), work.ref(key)
    if change.reason is Reason.GIVEN:
        return now is None or now != old
    return change.action is Action.CREATE and now is not None and now == old


def _create(work: Work, batch: Batch) -> None:
    _look_up_doubtful(work, batch)
    places = ranks(work.plan.items)
    creations, blocked = [], []
    for key in batch.keys:
        row = work.rows.get(key)
        if row is not None and row.state == items.MADE:
            continue
        item = work.desired[key]
        epic = work.ref(item.epic)
        if item.epic is not None and epic is None:
            blocked.append(key)
            continue
        rides = [(link, target) for link in batch.rides if (target := _rides_with(work, link, key)) is not None]
        iteration = work.ref(item.iteration) if work.place.capabilities.places_in_create else None
        creations.append(Creation(item, epic, iteration, tuple(rides), rank=places[key]))
    _refuse(work, blocked, "its epic was not created")
    if not creations:
        return
    with work.context.database.session() as session:
        items.intend(
            session,
            work.project.id,
            [(creation.item.key, batch.kind) for creation in creations],
            work.run.id,
            work.run.since or "",
            work.context.now(),
        )
    try:
        outcomes = work.tracker.create(work.place, creations)
    except (TrackerUnavailable, TrackerRefused):
        _withdraw(work, [creation.item.key for creation in creations])
        raise
    _record_creations(work, batch.kind, outcomes)


def _withdraw(work: Work, keys: Collection[ItemKey]) -> None:
    """Take intents back after an answer that says for certain that nothing was written."""
    with work.context.database.session() as session:
        items.forget(session, work.project.id, keys)


def _rides_with(work: Work, link: ItemKey, source: ItemKey) -> RemoteRef | None:
    item = work.desired[link]
    return work.ref(item.target) if item.source == source else None


def _look_up_doubtful(work: Work, batch: Batch) -> None:
    """Find out what became of creates whose answer was never recorded, before anything is created again."""
    doubtful = [key for key in batch.keys if key in work.rows and work.rows[key].state == items.INTENDED]
    if not doubtful:
        return
    since = min(work.rows[key].since or "" for key in doubtful)
    wanted = [work.desired[key] for key in doubtful]
    unsettled = work.unsettled  # as of the look: what arrives after it is for the next one
    found = work.tracker.recover(work.place, wanted, since, widely=_age(work, doubtful) >= INDEX_LAG)
    with work.context.database.session() as session:
        for key, ref in found.items():
            item = work.desired[key]
            items.made(
                session,
                work.project.id,
                key,
                item.kind,
                ref,
                _created_fields(work, item),
                work.run.id,
                work.context.now(),
            )
        # The links that rode in the same call are as much in doubt; reading back tells which the tracker kept.
        rode = [link for link in batch.rides if any(_rides_with(work, link, key) is not None for key in found)]
        riding = [(link, ItemKind.LINK) for link in rode]
        items.intend(session, work.project.id, riding, work.run.id, "", work.context.now())
    absent = [work.desired[key] for key in doubtful if key not in found]
    if unsettled > 0 and absent:
        raise Unsettled(unsettled)
    work.findings += recheck.created_again(absent)
    work.reload()


def _age(work: Work, keys: Sequence[ItemKey]) -> float:
    """Seconds since the youngest of these intents was written."""
    return (work.context.now() - max(work.rows[key].updated_at for key in keys)).total_seconds()


def _created_fields(work: Work, item: Item, later: Collection[str] | None = None) -> Fields:
    """What a create wrote: all fields, but not those that take a call of their own.

    `later` are the fields that the create said it left out; where its answer was lost (None), all that it may leave
    out count as left out.
    """
    if item.kind is not ItemKind.TICKET:
        return item.fields()
    able = work.place.capabilities
    apart = (written_apart(able) - {"iteration"}) if later is None else set(later)
    if not able.places_in_create:
        apart = {*apart, "iteration"}
    return {name: value for name, value in item.fields().items() if name not in apart}


def _record_creations(work: Work, kind: ItemKind, outcomes: Sequence[Outcome]) -> None:
    now = work.context.now()
    with work.context.database.session() as session:
        items.load(session, work.project.id, [outcome.key for outcome in outcomes])
        for outcome in outcomes:
            item = work.desired[outcome.key]
            if isinstance(outcome, Done):
                fields = _created_fields(work, item, outcome.later)
                items.made(session, work.project.id, outcome.key, kind, outcome.ref, fields, work.run.id, now)
            else:
                problems = [str(problem) for problem in outcome.problems]
                items.refused(session, work.project.id, outcome.key, kind, problems, work.run.id, now)
                work.findings.append(recheck.refusal(item, problems))
        riding = [(link, ItemKind.LINK) for o in outcomes if isinstance(o, Done) for link in o.linked]
        if riding:  # confirmed when read back; until then a link batch would write it
            items.intend(session, work.project.id, riding, work.run.id, "", now)
        done = [(outcome.key, outcome.ref) for outcome in outcomes if isinstance(outcome, Done)]
        session.get_one(RunRow, work.run.id).since = work.tracker.watermark_after(work.run.since or "", done)


def _refuse(work: Work, keys: Sequence[ItemKey], why: str) -> None:
    if not keys:
        return
    now = work.context.now()
    with work.context.database.session() as session:
        for key in keys:
            items.refused(session, work.project.id, key, work.desired[key].kind, [why], work.run.id, now)
    work.findings += [recheck.refusal(work.desired[key], [why]) for key in keys]


def _mark(work: Work, batch: Batch) -> None:
    for key, ref in recheck.ref_of(work, batch.keys):
        with recheck.refusals_told(work, work.desired[key]):
            work.tracker.mark(work.place, key, ref)


def _read_back(work: Work, batch: Batch) -> None:
    """Read what was just written: trackers accept fields and links and keep them not, without a word."""
    reconciliation.reconcile(work, batch)
    known = work.rows.references
    only = [key for key in batch.keys if key in known]
    if not only:
        return
    readable = items.readable(known) | {key: known[key] for key in only}
    found = work.tracker.find(work.place, readable, only=only)
    now = work.context.now()
    with work.context.database.session() as session:
        items.load(session, work.project.id, only)
        for key in only:
            shown = found.get(key)
            if shown is None:
                continue
            if work.changes[key].action is Action.CREATE:
                wanted = work.desired[key].fields()
                left = {name: wanted[name] for name in recheck.left_of(work, key) if name in wanted}
                if left:  # people were there first: it counts as written, so that it shows as changed by them
                    items.written(session, work.project.id, key, left, work.run.id, now)
                items.seen(session, work.project.id, key, _as_made(work, key, shown.fields, left), now)
                missed = _not_kept(work, key, list(shown.fields), shown.fields)
                work.findings += [_silent_miss(work, key, name) for name in missed]
                continue
            names = _written_names(work, key, shown.fields)
            items.seen(session, work.project.id, key, _seen_now(work.rows[key], names, shown.fields), now)
            for name in _not_kept(work, key, names, shown.fields):
                items.written(session, work.project.id, key, {name: shown.fields[name]}, work.run.id, now)
                work.findings.append(_silent_miss(work, key, name))
    pairs = {pair for shown in found.values() for pair in shown.links}
    work.reload()
    _settle_riding_links(work, pairs)
    if batch.kind is ItemKind.ITERATION:  # those that an advance has closed and begun by now
        iterations.make_sure(work, found)


def _not_kept(work: Work, key: ItemKey, names: Collection[str], shown: Fields) -> list[str]:
    """The references that were written and that the tracker shows otherwise; that of a ticket taken out of every
    iteration counts, too."""
    wanted = work.rows[key].wanted
    out = work.changes[key].reason in (Reason.CARRIED, Reason.PASSED_BY) and "iteration" in wanted
    return [
        name
        for name in ("assignee", "epic", "iteration")
        if name in names and shown[name] != wanted.get(name)
        if wanted.get(name) is not None or (name == "iteration" and out)
    ]


def _written_names(work: Work, key: ItemKey, shown: Fields) -> list[str]:
    """The fields that a change wrote, of those that the tracker shows. What the run left to people is not among them.
    Where a checklist stands in the text, it is the text that was written."""
    change = work.changes[key]
    wanted, recorded = work.desired[key].fields(), work.rows[key].wanted
    # Of what an advance writes to a carried ticket, some comes only after this.
    written = {name for name in recheck.written_of(work, change) if name in recorded}
    written = {name for name in written if recorded[name] == wanted.get(name)}
    if "checklist" in written and "checklist" not in shown:
        written.add("text")
    return [name for name in shown if name in written]


def _as_made(work: Work, key: ItemKey, shown: Fields, left: Fields) -> Fields:
    """What the tracker is compared with from now on, of an item that this run made: as it shows what we wrote. What
    it shows otherwise people changed before it was read back, and that is to be seen as theirs; so is what was `left`
    to them."""
    written = {**work.rows[key].wanted, **left}
    forms = work.tracker.written_as(work.place, work.desired[key])
    known = [work.plan.known, work.rows.references]
    seen = {}
    for name, current in shown.items():
        ours = forms.get(name, written.get(name))
        # What we left empty a tracker fills in itself: a priority, an assignee by default.
        theirs = written.get(name) not in (None, "", []) and not is_shown(name, ours, current, known)
        seen[name] = ours if theirs else current
    return seen


def _seen_now(row: ItemRow, names: Collection[str], shown: Fields) -> Fields:
    """What the tracker is compared with from now on: only what we wrote is as it shows it now, for what people changed
    besides is theirs and is to be seen as such."""
    before = baseline(Recorded(ItemKey(row.key), ItemKind(row.kind), None, row.wanted, row.seen))
    now = {name: shown[name] for name in names}
    if "labels" in now:
        now["labels"] = updates.seen_labels(now["labels"], row.wanted.get("labels") or (), before.get("labels") or ())
    return {**before, **now}


def _settle_riding_links(work: Work, pairs: Collection[tuple[str, str]]) -> None:
    """Record the links that went along with their tickets, as far as the tracker is seen to have kept them; the link
    batches write the others (which is success where the link exists after all)."""
    riding = {
        key: (source, target)
        for key, one in work.rows.standing().items()
        if one.kind == ItemKind.LINK and one.state == items.INTENDED and key in work.desired
        if (source := work.ref(work.desired[key].source)) is not None
        if (target := work.ref(work.desired[key].target)) is not None
    }
    kept = [key for key, (source, target) in riding.items() if (source.id, target.id) in pairs]
    now = work.context.now()
    with work.context.database.session() as session:
        items.load(session, work.project.id, kept)
        for key in kept:
            fields = work.desired[key].fields()
            ref = _link_ref(*riding[key])
            items.made(session, work.project.id, key, ItemKind.LINK, ref, fields, work.run.id, now)
    work.reload()


def _silent_miss(work: Work, key: ItemKey, name: str) -> Finding:
    again = f"phaseloop plan {typed(work.plan.spec.key)} --restore {typed(key)}"
    return Finding(
        Severity.ERROR,
        "not-kept",
        f'The tracker accepted "{work.desired[key].title}" but shows its {name} otherwise.',
        "Nothing needs to be done if somebody changed it. Otherwise look whether an automation or a permission of the "
        f"project takes it away, then: {again}",
        key,
    )


def _link(work: Work, batch: Batch) -> None:
    for key in batch.keys:
        item = work.desired[key]
        row = work.rows.get(key)
        source, target = work.ref(item.source), work.ref(item.target)
        if (row is not None and row.state == items.MADE) or source is None or target is None:
            continue
        before = len(work.findings)
        with recheck.refusals_told(work, item):
            work.tracker.link(work.place, Link(key, source, target))
        if len(work.findings) > before:
            continue
        with work.context.database.session() as session:
            ref, now = _link_ref(source, target), work.context.now()
            items.made(session, work.project.id, key, ItemKind.LINK, ref, item.fields(), work.run.id, now)


def _link_ref(source: RemoteRef, target: RemoteRef) -> RemoteRef:
    return RemoteRef(f"{source.id}>{target.id}", f"{source.key} > {target.key}", source.url)


DOERS: dict[Op, Callable[[Work, Batch], None]] = {
    Op.NOTE: _note,
    Op.CREATE: _create,
    Op.FINISH: updates.finish,
    Op.MARK: _mark,
    Op.UPDATE: updates.update,
    Op.MOVE: updates.move,
    Op.COMPLETE: updates.complete,
    Op.READ_BACK: _read_back,
    Op.LINK: _link,
    Op.CLOSE: iterations.close,
    Op.START: iterations.start,
    Op.DELETE: removals.delete,
    Op.UNLINK: removals.unlink,
    Op.END: removals.end,
    Op.FILL: records.fill,
    Op.COMMENT: records.comment,
}
"""What carries out each kind of batch."""
