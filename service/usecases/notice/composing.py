"""Messages made from what is stored, as things are called at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import select

from connectors.messages import Message
from service.context import Context
from service.domain.loop.figures import TicketRecord
from service.domain.notice.kinds import NoticeKind, kind_of
from service.domain.notice.message import About, Tickets, Told, digest, message
from service.domain.template.reader import read_template
from service.store.tables import EventRow, IterationRow, ProjectRow, TemplateRow

OTHERS = "Without a role"


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
        if project.ended_at is None or one.kind is NoticeKind.PROJECT_ENDED:
            told.setdefault(project.id, []).append(one)
    if not told:
        return None
    if sum(map(len, told.values())) > 1:
        return digest([(about(context, projects[number]), of_project) for number, of_project in told.items()])
    [(number, [only])] = told.items()
    return one_message(context, projects[number], only)


def one_message(context: Context, project: ProjectRow, told: Told) -> Message:
    """The message of one notice, with the tickets of an iteration that began."""
    by_role: Sequence[Tickets] = ()
    if told.kind is NoticeKind.ITERATION_STARTED and told.iteration is not None:
        by_role = tickets(context, project, told.iteration)
    return message(told, about(context, project), by_role)


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
