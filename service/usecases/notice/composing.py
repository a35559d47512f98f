"""Messages made from what is stored, as things are called at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from connectors.messages import Message, Part
from service.context import Context
from service.domain.loop.figures import TicketRecord
from service.domain.notice.kinds import STAND_UP, NoticeKind, kind_of
from service.domain.notice.message import NOBODY, About, Tickets, Told, digest, message, stand_up
from service.domain.plan import run_state
from service.domain.template.reader import read_template
from service.stand_up import LATE
from service.store.tables import EventRow, IterationRow, ProjectRow, RunRow, TemplateRow

OTHERS = "Without a role"

LONGEST = timedelta(days=7)
"""How far back a stand-up looks at most."""
MOST = 100
"""How many events it looks at."""


def told_of(event: EventRow) -> Told | None:
    """The notice that an event is; None where nobody is told of it."""
    kind = kind_of(event.kind, event.data, event.by)
    if kind is None:
        return None
    named = event.data.get("to")
    to = tuple(str(one) for one in named) if isinstance(named, list) else ()
    return Told(kind, event.text, event.at, event.iteration, to, event.run_id, event.data)


def about(context: Context, project: ProjectRow) -> About:
    """The project as it is called now."""
    return About(
        id=project.id,
        key=project.key,
        name=project.name,
        zone=ZoneInfo(project.time_zone),
        tracker=project.url or "",
        pages=str(context.settings.public_url or "").rstrip("/"),
    )


def composed(context: Context, events: Sequence[int]) -> Message | None:
    """The message of these events; None where nothing of them is to be told any more: of a project that has ended only
    that it has."""
    told: dict[str, list[Told]] = {}
    with context.database.session() as session:
        rows = list(session.scalars(select(EventRow).where(EventRow.id.in_(events)).order_by(EventRow.id)))
        ids = dict.fromkeys(row.project_id for row in rows)
        projects = {one.id: one for one in session.scalars(select(ProjectRow).where(ProjectRow.id.in_(ids)))}
    for row in rows:
        one, project = told_of(row), projects.get(row.project_id)
        if one is None or project is None:
            continue
        if one.kind is NoticeKind.STAND_UP and context.now() - one.at > LATE:
            continue
        if project.ended_at is None or one.kind is NoticeKind.PROJECT_ENDED:
            told.setdefault(project.id, []).append(one)
    if not told:
        return None
    if sum(map(len, told.values())) > 1:
        return digest([(about(context, projects[number]), of_project) for number, of_project in told.items()])
    [(number, [only])] = told.items()
    return one_message(context, projects[number], only)


def one_message(context: Context, project: ProjectRow, told: Told) -> Message:
    """The message of one notice, with the tickets of an iteration that began, or what a stand-up is about."""
    if told.kind is NoticeKind.STAND_UP:
        return message(told, about(context, project), more=_stand_up(context, project, told))
    by_role: Sequence[Tickets] = ()
    if told.kind is NoticeKind.ITERATION_STARTED and told.iteration is not None:
        by_role = tickets(context, project, told.iteration)
    return message(told, about(context, project), by_role)


def _stand_up(context: Context, project: ProjectRow, told: Told) -> list[Part]:
    with context.database.session() as session:
        of_it = EventRow.project_id == project.id, EventRow.at <= told.at, EventRow.at > told.at - LONGEST
        newest = select(EventRow).where(*of_it).order_by(EventRow.id.desc()).limit(MOST)
        events = list(session.scalars(newest))
        held = select(RunRow.message).where(RunRow.project_id == project.id, RunRow.state == run_state.HELD)
        reasons = list(session.scalars(held.order_by(RunRow.created_at)))
        iteration = session.get(IterationRow, (project.id, told.iteration))
    happened = _since_the_last(events, told.at)
    records = [TicketRecord.from_json(one) for one in iteration.tickets] if iteration is not None else []
    people = sorted({one.person for one in records}, key=lambda one: (bool(one), one))
    having = [Tickets(person or NOBODY, [one for one in records if one.person == person]) for person in people]
    return stand_up(happened, having, reasons, about(context, project))


def _since_the_last(events: Sequence[EventRow], at: datetime) -> list[Told]:
    """What happened between the stand-up before that at this time and it, the oldest first; `events` are the newest
    first."""
    numbers = [event.id for event in events if event.kind == STAND_UP]
    this = numbers.pop(0) if numbers and next(one.at for one in events if one.id == numbers[0]) == at else None
    former = numbers[0] if numbers else 0
    between = [one for one in events if one.id > former and (this is None or one.id < this)]
    return [told for event in reversed(between) if (told := told_of(event)) is not None]


def tickets(context: Context, project: ProjectRow, iteration: int) -> list[Tickets]:
    """The tickets that an iteration began with, by role in the template's order; those that nobody has come first."""
    with context.database.session() as session:
        row = session.get(IterationRow, (project.id, iteration))
        text = session.get_one(TemplateRow, project.template_digest)
    if row is None:
        return []
    titles = {key: role.title for key, role in read_template(text.text, text.source).roles.items()}
    records = sorted((TicketRecord.from_json(one) for one in row.tickets), key=lambda one: bool(one.person))
    roles = [*titles, *sorted({one.role for one in records} - {*titles, ""}), ""]
    found = [Tickets(titles.get(role, role) or OTHERS, [one for one in records if one.role == role]) for role in roles]
    return [one for one in found if one.tickets]
