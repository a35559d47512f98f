"""Lines that events write into the record of the current iteration, in its overview or in a comment on it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.port import Tracker
from connectors.values import Fields, ItemKind, Place
from service.context import Context
from service.domain.audit.audit import audit
from service.domain.audit.facts import Noted, noted_line
from service.domain.loop.turnover import record_key
from service.domain.plan.plan import COMMENT, OTHERWISE, SECTIONS, Action, Change, Reason
from service.store.tables import EventRow
from service.usecases.audit import record_audit, record_prefill, record_upkeep
from service.usecases.hook.asked import (
    LONGEST_TEXT,
    Asked,
    Drafted,
    Event,
    Reaction,
    bare,
    drafted,
    look,
    refuse_beside,
)
from service.usecases.plan.project_state import Material


def recorded(context: Context, ours: Material, asked: Asked, keeps: bool) -> Reaction:
    """The line in the record; in the history alone where there is none."""
    current, key = ours.current, record_key(ours.current)
    noted = Noted(context.now(), asked.by, " ".join(asked.text("text").split())[:LONGEST_TEXT], asked.text("url"))
    before = len(record_prefill.noted(context, ours.project.id, current))
    event = Event(
        f"{record_prefill.NOTED}:{asked.once}",
        record_prefill.NOTED,
        noted.text,
        {"before": before, **({"url": noted.url} if noted.url else {})},
    )
    where = f"the record of iteration {current} of {asked.project.key}"
    if key not in ours.known:
        text = f"There is no ticket for {where}: it is kept in the history alone."
        return Reaction(None, text, current, (event,))

    def make(tracker: Tracker, place: Place) -> Drafted:
        return _writing(context, ours, noted, tracker, place, keeps=keeps)

    made, observed = drafted(context, ours, make)
    if key not in observed:
        text = f"{where[:1].upper()}{where[1:]} was deleted by somebody: it is kept in the history alone."
        return Reaction(None, text, current, (event,))
    said = COMMENT in made.plan.changes[0].changed
    how = "is finished, so it is said in a comment there" if said else "has it among what was noted"
    return Reaction(made, f"{where[:1].upper()}{where[1:]} {how}.", current, (event,))


def is_overtaken(session: Session, asked: Asked, found: Reaction) -> bool:
    """Whether another line came while the tracker was read; called with the loop locked. Raises Conflict where another
    event is being written: two runs that write the same section may swap, and the earlier one would write over the
    later one's line."""
    told = EventRow.kind == record_prefill.NOTED
    refuse_beside(session, asked, f"a record of {asked.project.key}", told, code="record-in-progress")
    there = EventRow.project_id == asked.project.id, EventRow.kind == record_prefill.NOTED
    query = select(func.count()).select_from(EventRow).where(*there, EventRow.iteration == found.current)
    return bool(session.scalar(query) != found.events[0].data["before"])


def _writing(context: Context, ours: Material, noted: Noted, tracker: Tracker, place: Place, *, keeps: bool) -> Drafted:
    key = record_key(ours.current)
    observed = look(ours, tracker, place, [key])
    plan = bare(ours, place, observed)
    if key not in observed:
        return plan, observed
    read = record_audit.look(context, ours, tracker, place, [ours.current])
    subjects = [one for one in read if one.iteration.number == ours.current]
    if keeps:  # what is ours in a record is told from people's by what is kept of it
        record_audit.keep(context, ours, subjects)
    fill = None
    if subjects and record_upkeep.may_fill(subjects[0], audit(subjects[0])):
        fill = record_prefill.overview(context, ours, ours.current, [noted])
    line = noted_line(noted)
    title = str(observed[key].fields.get("title") or key)
    if fill is not None:
        before: Fields | None = {SECTIONS: {fill.heading: list(fill.former)}}
        after: Fields = {SECTIONS: {fill.heading: fill.body}, OTHERWISE: line}
    else:
        before, after = None, {COMMENT: line}
    names = tuple(name for name in (SECTIONS, COMMENT) if name in after)
    change = Change(key, ItemKind.TICKET, Action.UPDATE, Reason.ASKED_FOR, title, before, after, names, noted.by)
    return replace(plan, changes=(change,)), observed
