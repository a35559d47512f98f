"""Tickets of events: one for what it is about, added, opened again, closed with a note.

Events come late, twice and in any order: what is over before it was added is not added any more, and what is over and
came again since stays open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.port import Tracker
from connectors.values import Capabilities, Item, ItemKey, ItemKind, ObservedItem, Place, Priority
from service.context import Context
from service.domain.loop.course import course
from service.domain.loop.turnover import STATUS, iteration_key, iteration_label
from service.domain.plan.blueprint import PlannedTicket, TicketKind
from service.domain.plan.desired import desired_items
from service.domain.plan.event_ticket import EventTicket
from service.domain.plan.plan import COMMENT, Action, Change, Reason
from service.domain.problems import InvalidInput, Problem
from service.domain.template.shape import one_of
from service.store import items
from service.store.tables import EventRow
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
    spec,
)
from service.usecases.plan import members, planning
from service.usecases.plan.project_state import Material

ADDED, RESOLVED = "ticket-added", "ticket-resolved"
"""The kinds of the events that tell of tickets."""

LONGEST_TITLE = 200


def added(context: Context, ours: Material, asked: Asked, _keeps: bool) -> Reaction:
    """The ticket added, or opened again."""
    ticket, current = _ticket(asked), ours.current
    _check_role(ours, ticket)
    occurrence, key, name = asked.text("occurrence"), asked.key, asked.project.key
    if occurrence and _is_told(context, asked, _resolved_name(key, occurrence)):
        return Reaction(None, f"What {ticket.title!r} is about was over before the ticket was added.", current)
    if occurrence and _is_told(context, asked, _added_name(key, occurrence)):
        return Reaction(None, f"{ticket.title!r} was added for this before.", current)
    ref, shown = ours.known.get(key), None
    made, observed = drafted(context, ours, lambda tracker, place: _adding(ours, asked, ticket, tracker, place))
    shown = observed.get(key)
    event = Event(
        _added_name(key, occurrence or asked.once),
        ADDED,
        f"{ticket.title} ({name}, iteration {current})",
        {"ticket": key, "occurrence": occurrence},
    )
    if ref is not None and shown is None:
        return Reaction(None, f"{ref.key} was deleted by somebody, so it is not made again.", current)
    if ref is not None and shown is not None and shown.status != "done":
        return Reaction(None, f"{ref.key} is there for it already.", current, (event,))
    if ref is not None:
        return Reaction(
            made, f"{ref.key} was done and is opened again in iteration {current} of {name}.", current, (event,)
        )
    return Reaction(made, f"The ticket {ticket.title!r} is added to iteration {current} of {name}.", current, (event,))


def closed(context: Context, ours: Material, asked: Asked, _keeps: bool) -> Reaction:
    """The ticket closed with a note; one that somebody works on has the note alone."""
    key, current, occurrence = asked.key, ours.current, asked.text("occurrence")
    about = asked.text("ticket")
    event = Event(
        _resolved_name(key, occurrence or asked.once),
        RESOLVED,
        f"{about}: {asked.text('note')}"[:LONGEST_TEXT],
        {"ticket": key, "occurrence": occurrence},
    )
    ref = ours.known.get(key)
    if ref is None:
        return Reaction(None, f"There is no ticket for {about!r}.", current, (event,), absent=True)
    made, observed = drafted(context, ours, lambda tracker, place: _closing(ours, asked, tracker, place))
    shown = observed.get(key)
    if shown is None:
        return Reaction(None, f"{ref.key} is not in the tracker any more.", current, (event,))
    if occurrence and (last := _last_occurrence(context, asked)) not in ("", occurrence):
        text = f"{ref.key} is about what began at {last}, which is not over by this."
        return Reaction(None, text, current, (event,))
    done = {"todo": "is closed with a note", "doing": "is being worked on: it gets a note, and stays open"}
    return Reaction(made, f"{ref.key} {done.get(shown.status, 'was done before, and gets a note')}.", current, (event,))


def is_overtaken(session: Session, asked: Asked, found: Reaction) -> bool:
    """Whether what the plan was made from changed while the tracker was read; called with the loop locked. Raises
    Conflict where another event about the same ticket is running."""
    told = EventRow.kind.in_((ADDED, RESOLVED)), EventRow.data["ticket"].as_string() == asked.key
    refuse_beside(session, asked, repr(asked.text("ticket")), *told, code="ticket-in-progress")
    occurrence = asked.text("occurrence")
    if asked.action == "add-ticket" and occurrence and found.events:
        over = EventRow.project_id == asked.project.id, EventRow.name == _resolved_name(asked.key, occurrence)
        return session.scalar(select(EventRow.id).where(*over)) is not None
    return found.absent and asked.key in items.rows(session, asked.project.id)


def _adding(ours: Material, asked: Asked, ticket: EventTicket, tracker: Tracker, place: Place) -> Drafted:
    able = place.capabilities
    item, notes, people = _item(ours, ticket, tracker, place)
    ref = ours.known.get(ticket.key)
    observed = look(ours, tracker, place, [key for key in (ticket.key, item.iteration, item.epic) if key])
    item = _housed(item, observed)
    shown = observed.get(ticket.key)
    note = "; ".join(one for one in (asked.by, notes) if one)
    changes: tuple[Change, ...] = ()
    if ref is None:
        change = Change(
            ticket.key, item.kind, Action.CREATE, Reason.ASKED_FOR, item.title, after=item.fields(), note=note
        )
        changes = (change,)
    elif shown is not None and shown.status == "done":
        item = _as_it_is(ours, item, shown, able)
        changes = (_opening(item, shown, able, note, f"This came again. {ticket.text}".strip()),)
    plan = replace(
        bare(ours, place, observed),
        changes=changes,
        items=(item,),
        findings=tuple(tracker.check(spec(ours), place, [item])) if ref is None else (),
        people=people,
    )
    return plan, observed


def _opening(item: Item, shown: ObservedItem, able: Capabilities, note: str, said: str) -> Change:
    """The change that opens a ticket again, in the current iteration."""
    home = "iteration" if able.iterations else "labels"
    fields = item.fields()
    moved = (home,) if fields[home] != shown.fields.get(home) else ()
    return Change(
        item.key,
        item.kind,
        Action.UPDATE,
        Reason.ASKED_FOR,
        item.title,
        before={STATUS: shown.status, **{name: shown.fields.get(name) for name in moved}},
        after={STATUS: "todo", **{name: fields[name] for name in moved}, COMMENT: said[:LONGEST_TEXT]},
        changed=(STATUS, *moved, COMMENT),
        note=note,
    )


def _as_it_is(ours: Material, item: Item, shown: ObservedItem, able: Capabilities) -> Item:
    """The ticket as people left it, in the current iteration."""
    wanted = ours.recorded[item.key].wanted
    labels = set(shown.fields.get("labels") or wanted.get("labels") or ())
    if not able.iterations:
        prefix = iteration_label(0).removesuffix("0")
        labels = {one for one in labels if not one.startswith(prefix)} | {iteration_label(ours.current)}
    title = str(shown.fields.get("title") or wanted.get("title") or item.title)
    return replace(item, title=title, labels=tuple(sorted(labels)))


def _item(ours: Material, ticket: EventTicket, tracker: Tracker, place: Place) -> tuple[Item, str, Mapping[str, str]]:
    """The ticket as it is to be made, with who does it and why: somebody who holds its role and has room, as for every
    ticket; work that has begun stays with whom it is."""
    way = course(ours.template, ours.parameters, ours.calendar, ours.begun, ahead=1)
    laid = planning.lay_out(ours, way, ours.current, {}, live_from=ours.current, continuing=ours.continued)
    here = iteration_key(ours.current)
    phase = ours.begun[-1].stage.phase
    beside = [one for one in laid.live.tickets if one.iteration == here]
    epics = [one.epic for one in beside if one.kind is TicketKind.RECORD]
    epics += [one.key for one in laid.live.epics if one.phase == phase]
    planned = PlannedTicket(
        key=ticket.key,
        kind=TicketKind.WORK,
        title=ticket.title,
        text=ticket.text,
        checklist=(),
        role=ticket.role,
        reviewers=(),
        points=0,
        priority=ticket.priority,
        phase=phase,
        epic=epics[0],
        iteration=here,
        needs=(),
    )
    live = replace(laid.live, tickets=(*laid.live.tickets, planned))
    team, people = members.still_there(tracker, place, ours)
    assignment = planning.assigned(ours, replace(laid, live=live), team)
    (item,) = [
        one
        for one in desired_items(replace(live, links=()), assignment, people.accounts, place.capabilities)
        if one.key == ticket.key
    ]
    labels = tuple(dict.fromkeys((*item.labels, *ticket.labels)))
    named = planning.named(team, people.accounts)
    who = {account: name for account, name in named.items() if account == item.assignee}
    return replace(item, labels=labels), assignment.notes.get(ticket.key, ""), who


def _housed(item: Item, observed: Mapping[ItemKey, ObservedItem]) -> Item:
    """The ticket without an epic or an iteration that is gone, or an iteration that takes no more tickets."""
    epic = item.epic if item.epic in observed else None
    home = observed.get(item.iteration) if item.iteration is not None else None
    stays = home is not None and home.holds and home.status != "closed"
    return replace(item, epic=epic, iteration=item.iteration if stays else None)


def _closing(ours: Material, asked: Asked, tracker: Tracker, place: Place) -> Drafted:
    observed = look(ours, tracker, place, [asked.key])
    shown = observed.get(asked.key)
    if shown is None:
        return bare(ours, place, observed), observed
    record = ours.recorded[asked.key]
    title = str(shown.fields.get("title") or record.wanted.get("title") or asked.key)
    closes = shown.status == "todo"
    change = Change(
        asked.key,
        ItemKind.TICKET,
        Action.UPDATE,
        Reason.ASKED_FOR,
        title,
        before={STATUS: shown.status} if closes else None,
        after={**({STATUS: "done"} if closes else {}), COMMENT: asked.text("note")[:LONGEST_TEXT]},
        changed=(*((STATUS,) if closes else ()), COMMENT),
        note=asked.by,
    )
    item = Item(asked.key, ItemKind.TICKET, title)
    return replace(bare(ours, place, observed), changes=(change,), items=(item,)), observed


def _is_told(context: Context, asked: Asked, name: str) -> bool:
    with context.database.session() as session:
        told = EventRow.project_id == asked.project.id, EventRow.name == name
        return session.scalar(select(EventRow.id).where(*told)) is not None


def _last_occurrence(context: Context, asked: Asked) -> str:
    """The newest occurrence that the ticket was added for, empty where none was named."""
    with context.database.session() as session:
        told = EventRow.project_id == asked.project.id, EventRow.kind == ADDED
        query = select(EventRow.data).where(*told, EventRow.data["ticket"].as_string() == asked.key)
        data = session.scalar(query.order_by(EventRow.id.desc()).limit(1)) or {}
    return str(data.get("occurrence", ""))


def _added_name(key: ItemKey, occurrence: str) -> str:
    return f"{ADDED}:{key}:{occurrence}"[:200]


def _resolved_name(key: ItemKey, occurrence: str) -> str:
    return f"{RESOLVED}:{key}:{occurrence}"[:200]


def _check_role(ours: Material, ticket: EventTicket) -> None:
    if ticket.role not in ours.template.roles:
        fix = f"write {one_of(ours.template.roles)}"
        raise InvalidInput([Problem("trigger", None, "with.role", f"the template has no role {ticket.role!r}", fix)])


def _ticket(asked: Asked) -> EventTicket:
    labels = ("-".join(one.split()) for one in asked.text("label").split(","))
    text = asked.text("text")[:LONGEST_TEXT]
    return EventTicket(
        about=asked.text("ticket"),
        title=" ".join(asked.text("title").split())[:LONGEST_TITLE],
        text=text,
        role=asked.text("role"),
        priority=Priority(asked.text("priority") or "medium"),
        labels=tuple(one for one in labels if one),
    )
