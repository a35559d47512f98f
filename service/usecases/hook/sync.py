"""What a tracker's own event comes to: the project that it is about is looked at again, at once instead of at the next
look. Nothing is read off the event itself but what to look at: events come twice, late, and in any order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connectors import registry
from connectors.events import Changed, TrackerEvent
from connectors.values import ItemKey
from service.context import Context
from service.domain.commands import typed
from service.domain.hook.payload import one_line
from service.domain.loop import loop_state
from service.domain.loop.turnover import iteration_key, record_number
from service.domain.plan import run_state
from service.store import dues, items, loops, runs
from service.store.hook_tables import HookEventRow, HookRow
from service.store.tables import ConnectionRow, ItemRow, MappingRow, ProjectRow, RunRow
from service.usecases.hook.following import concerns

Outcome = dict[str, Any]
"""One thing that came of an event: `what` in a word, `text` for people, and what it was about."""

ECHO = timedelta(seconds=2)
"""How long after a step of ours has ended its writes may still be told of."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What an event came to. `ours`: it is about a project of ours at all. `changed` are the projects in whose current
    iteration tickets may stand otherwise."""

    ours: bool
    outcomes: list[Outcome] = field(default_factory=list)
    changed: tuple[ProjectRow, ...] = ()


def handle(context: Context, row: HookEventRow) -> Looked:
    """Have what the event is about looked at again. Repeatable: all it does is move looks nearer, and tell once."""
    with context.database.session() as session:
        connection = session.get(ConnectionRow, row.owner)
        if connection is None:
            return Looked(ours=False)
        read = registry.kind_of(connection.kind).event
        if read is None:
            return Looked(ours=False)
        event = read(json.loads(row.body))
        found = _projects(session, connection.id, event)
        hook = session.get(HookRow, connection.id)
    outcomes: list[Outcome] = []
    for project in found:
        outcomes += _of_project(context, project, event, hook.account if hook is not None else "", row)
    # What we did ourselves as well: our account may be a person's, too.
    return Looked(bool(found), outcomes, tuple(found) if concerns(event) else ())


def look_again(context: Context, project: ProjectRow, *, records: bool = True) -> list[Outcome]:
    """Have the clock look at a project now: its records, and whether a held run can be resumed. Writes nothing to a
    tracker by itself."""
    outcomes: list[Outcome] = []
    now = context.now()
    with context.database.session() as session:
        loop = loops.locked(session, project.id)
        if loop is None or loop.state != loop_state.TURNING:
            return outcomes
        run = session.get(RunRow, loop.run_id) if loop.run_id is not None else None
        turn, audit = (dues.at(session, project.id, kind) for kind in (dues.TURN, dues.AUDIT))
        if run is not None and run.state == run_state.HELD and (turn is None or turn > now):
            loop.due = run.kind
            dues.put(session, project.id, dues.TURN, now)
            text = f"The held run {run.id} looks again now."
            outcomes.append({"what": "run-looks-again", "project": project.id, "run": run.id, "text": text})
        # The clock looks at the records of this loop where it means to, or ever did.
        looks = audit is not None or loop.audit_run_id is not None
        if records and loop.current and looks and (audit is None or audit > now):
            dues.put(session, project.id, dues.AUDIT, now)
            text = f"The records of {project.key} are looked at again now."
            outcomes.append({"what": "records-looked-at", "project": project.id, "text": text})
    return outcomes


def _of_project(
    context: Context, project: ProjectRow, event: TrackerEvent, account: str, row: HookEventRow
) -> list[Outcome]:
    with context.database.session() as session:
        # What happens to an iteration names nobody.
        may_be_ours = event.actor == account if event.actor else bool(event.iteration)
        if may_be_ours and _is_echo(session, project, event, row):
            text = "phaseloop made this change itself."
            return [{"what": "echo", "project": project.id, "text": text}]
        keys = _keys(session, project.id, event)
    outcomes = [*_closed_by_hand(context, project, event, keys), *_moved_list(context, project, event)]
    return outcomes + look_again(context, project, records=_concerns_records(event, keys))


def _projects(session: Session, connection: str, event: TrackerEvent) -> Sequence[ProjectRow]:
    """The projects of this connection that the event is about and that have not ended."""
    here = ProjectRow.connection_id == connection, ProjectRow.ended_at.is_(None)
    by: list[Any] = []
    if event.project:
        by.append(ProjectRow.remote_id == event.project)
    if event.project_key:
        by.append((ProjectRow.remote_id.is_(None)) & (ProjectRow.key == event.project_key))
    numbers = [number for number in (event.iteration, event.item) if number]
    if not by and numbers:  # it names no project, so what it is about has to be ours
        by.append(ProjectRow.id.in_(select(ItemRow.project_id).where(ItemRow.remote_id.in_(numbers))))
    return list(session.scalars(select(ProjectRow).where(*here, or_(*by)))) if by else []


def _keys(session: Session, project_id: str, event: TrackerEvent) -> set[str]:
    """The keys of our items that the event is about."""
    numbers = [number for number in (event.iteration, event.item) if number]
    if not numbers:
        return set()
    ours = ItemRow.project_id == project_id, ItemRow.remote_id.in_(numbers), ItemRow.state != items.RELEASED
    return set(session.scalars(select(ItemRow.key).where(*ours)))


def _is_echo(session: Session, project: ProjectRow, event: TrackerEvent, row: HookEventRow) -> bool:
    """Whether our account did it while a run of ours was running. The account may be a person's, too, who does
    something else at another time; what is taken for an echo all the same is seen at the next look."""
    at = event.at or row.received_at
    slack = ECHO if event.actor else timedelta()  # of what nobody is named for, only what is surely ours
    recent = select(RunRow).where(RunRow.project_id == project.id).order_by(RunRow.created_at.desc()).limit(5)
    for run in session.scalars(recent):
        if run.started_at is None or run.started_at - slack > at:
            continue
        if run.state == run_state.RUNNING:
            return True
        last = runs.latest_step(session, run.id)
        ended = max((each for each in (run.finished_at, last.finished_at if last else None) if each), default=None)
        if ended is not None and at <= ended + slack:
            return True
    return False


def _concerns_records(event: TrackerEvent, keys: set[str]) -> bool:
    """Whether a record may say something else now. Of what is not ours nobody knows, so it may."""
    if event.changes <= {Changed.LIST, Changed.ASSIGNEE}:
        return False
    return not keys or any(record_number(ItemKey(key)) is not None for key in keys)


def _closed_by_hand(context: Context, project: ProjectRow, event: TrackerEvent, keys: set[str]) -> Iterator[Outcome]:
    """That somebody closed or deleted the current iteration in the tracker, told once."""
    if event.state not in ("closed", "deleted"):
        return
    with context.database.session() as session:
        loop = loops.locked(session, project.id)
        if loop is None or loop.state == loop_state.ENDED or str(iteration_key(loop.current)) not in keys:
            return
        run = session.get(RunRow, loop.run_id) if loop.run_id is not None else None
        if (
            run is not None
            and run.kind == loop_state.ADVANCE
            and run.state in (run_state.RUNNING, run_state.QUEUED, run_state.WAITING)
        ):
            return
        text = (
            f"Iteration {loop.current} of {project.key} was {event.state} in the tracker by hand. "
            f"Advance now with `phaseloop advance {typed(project.key)}`; by itself it advances at the planned time."
        )
        data = {"severity": "warning", "code": "iteration-closed-by-hand", "by": event.actor}
        name = f"iteration-{event.state}-by-hand:{loop.current}"
        told = loops.record_event(
            session,
            project.id,
            name,
            "finding",
            text,
            at=context.now(),
            by="tracker",
            iteration=loop.current,
            data=data,
        )
    if told:
        yield {"what": "finding", "code": "iteration-closed-by-hand", "project": project.id, "text": text}


def _moved_list(context: Context, project: ProjectRow, event: TrackerEvent) -> Iterator[Outcome]:
    """That somebody archived, moved or renamed a list that stands for something, told each time it happens."""
    if Changed.LIST not in event.changes or not event.column:
        return
    with context.database.session() as session:
        kept = select(MappingRow).where(MappingRow.connection_id == project.connection_id)
        roles = [
            (role, entry)
            for mapping in session.scalars(kept.where(MappingRow.tracker_project == (project.remote_id or "")))
            for role, entry in mapping.entries.items()
            if isinstance(entry, dict) and entry.get("id") == event.column
        ]
        if not roles or event.state not in _LISTS:
            return
        role, entry = roles[0]
        severity, then = _LISTS[event.state]
        text = (
            f"The list {one_line(str(entry.get('name', '')))!r} of {project.key}, which stands for {role}, was "
            f"{event.state} by hand. {then}"
        )
        at = event.at or context.now()
        word = event.state.replace(" ", "-")
        name = f"list-{word}:{event.column}:{at.isoformat()}"
        data = {"severity": severity, "code": f"list-{word}-by-hand", "by": event.actor}
        told = loops.record_event(session, project.id, name, "finding", text, at=context.now(), by="tracker", data=data)
    if told:
        yield {"what": "finding", "code": data["code"], "project": project.id, "text": text}


_PUT_BACK = "Put it back in the tracker, or choose another with `phaseloop connections map`."
_LISTS = {
    "archived": ("warning", _PUT_BACK),
    "moved away": ("warning", _PUT_BACK),
    "moved": ("info", "Nothing needs to be done: it stands for that wherever it is on the board."),
    "renamed": ("info", "Nothing needs to be done: it stands for that whatever it is called."),
}
"""What it means that people did this to a list, by what they did."""
