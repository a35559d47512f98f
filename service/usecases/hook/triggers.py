"""Triggers as people keep them: added, shown, tried without any effect, switched off, removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, or_, select

from service.context import Context
from service.domain.hook.action import ACTIONS
from service.domain.hook.delivery import Delivery
from service.domain.hook.payload import redacted
from service.domain.hook.source import SOURCES
from service.domain.hook.trigger import PLACEHOLDER, Trigger, marks_of, trigger_from_json
from service.domain.plan.plan import Plan
from service.domain.problems import InvalidInput, Problem
from service.domain.template.yaml_marks import Marks, readable
from service.store import hook_secrets
from service.store.hook_tables import TriggerRow
from service.store.secrets import new_id
from service.store.tables import EventRow, ProjectRow
from service.usecases import ids
from service.usecases.audit import record_upkeep
from service.usecases.errors import Conflict, NotFound, UseCaseError
from service.usecases.hook import action, checking, firing, reaction, registration, secret
from service.usecases.hook.asked import Asked
from service.usecases.hook.sender import Kind
from service.usecases.loop import advances, decisions
from service.usecases.setup import connections, projects
from service.views.hook import TriedEvent, TriggerView
from service.views.setup import ProjectView

STATES = ("on", "off")
"""What a person may set; `parked` is set by failures."""


def check(context: Context, trigger: Trigger, marks: Marks | None = None) -> list[Problem]:
    """What is wrong with a trigger beyond its shape: its expressions, with line and column, and what it names. `marks`
    are the places of the file that it is from, if it is from one."""
    marks = marks or marks_of(trigger)
    problems = [*checking.of_expressions(trigger, marks), *checking.of_names(context, trigger, marks)]
    if trigger.connection is not None:
        try:
            row = connections.get(context, trigger.connection)
        except NotFound as error:
            problems.append(marks.problem(("connection",), error.message, error.fix))
        else:
            if row.kind != trigger.source:
                problems.append(marks.problem(("connection",), f"it is one to {row.kind}", f"not to {trigger.source}"))
    if trigger.address_of is not None:
        problems += [marks.problem(("address_of",), *wrong) for wrong in _wrong_address(context, trigger)]
    return problems


def _wrong_address(context: Context, trigger: Trigger) -> Iterator[tuple[str, str]]:
    """What keeps a trigger from having the events that are delivered to another one, and what to do about it."""
    try:
        other = get(context, trigger.address_of or "")
    except NotFound as error:
        yield error.message, error.fix
        return
    if other.source != trigger.source:
        yield f"{other.name} is delivered to by {other.source}", f"name one of {trigger.source}"
    elif (further := other.body.get("address_of")) is not None:
        yield f"{other.name} has no address of its own", f"write {further}"
    if hearing(context, trigger.name):
        yield "others have the events of this one", "give it an address of its own"


def hearing(context: Context, name: str) -> list[str]:
    """The names of the triggers that have the events of this one."""
    with context.database.session() as session:
        query = select(TriggerRow.name).where(TriggerRow.body["address_of"].as_string() == name)
        return list(session.scalars(query.order_by(TriggerRow.name)))


def waits_for_its_project(context: Context, trigger: Trigger) -> bool:
    """Whether it names a project, and not by what an event says, that is not there."""
    if trigger.project is None or PLACEHOLDER.search(trigger.project):
        return False
    try:
        projects.going_on(context, trigger.project)
    except UseCaseError:
        return True
    return False


def put(
    context: Context,
    trigger: Trigger,
    by: str,
    *,
    marks: Marks | None = None,
    replace: bool = False,
    proof: str | None = None,
) -> TriggerView:
    """Add a trigger, or with `replace` write one anew; one that was parked is on again then. `proof` is the secret of
    its sender: kept with the trigger, or neither is. Raises InvalidInput; Conflict if the name is taken."""
    problems = check(context, trigger, marks)
    if proof is not None:
        try:
            secret.check(context, trigger.source, proof)
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)
    now = context.now()
    with context.database.session() as session:
        row = session.scalar(select(TriggerRow).where(TriggerRow.name == trigger.name))
        if row is not None and not replace:
            fix = "Choose another name, or replace it: phaseloop triggers add FILE --replace"
            raise Conflict("name-taken", f"There is a trigger {trigger.name!r} already.", fix)
        if row is None:
            row = TriggerRow(id=new_id("trg"), name=trigger.name, created_by=by, created_at=now, version=0)
            session.add(row)
        row.source, row.body, row.updated_at = trigger.source, trigger.to_json(), now
        row.version += 1
        row.state, row.failures, row.message = firing.ON, 0, ""
        session.flush()
        if proof is not None:
            secret.keep(context, session, row.id, proof)
        context.done(session, row.id)
    return TriggerView.of(row)


def get(context: Context, name: str) -> TriggerView:
    """The trigger of that id or name. Raises NotFound."""
    with context.database.session() as session:
        row = session.scalar(select(TriggerRow).where(or_(TriggerRow.id == name, TriggerRow.name == name)))
        row = row or session.get(TriggerRow, ids.whole(session, TriggerRow.id, name, "triggers"))
    if row is None:
        raise NotFound("trigger", name, "`phaseloop triggers list` names those there are.")
    return TriggerView.of(row)


def listed(context: Context) -> list[TriggerView]:
    """All triggers by name."""
    with context.database.session() as session:
        return [TriggerView.of(row) for row in session.scalars(select(TriggerRow).order_by(TriggerRow.name))]


def parked_in(context: Context, project: ProjectView) -> list[TriggerView]:
    """The triggers of a project that are parked, by name: those that name it, and those whose event was about it."""
    own = {project.id.casefold(), project.key.casefold()}
    with context.database.session() as session:
        rows = session.scalars(select(TriggerRow).where(TriggerRow.state == firing.PARKED).order_by(TriggerRow.name))
        told = select(EventRow.name).where(EventRow.project_id == project.id, EventRow.kind == "finding")
        parked = list(session.scalars(told.where(EventRow.name.startswith(f"{firing.PARKED_EVENT}:"))))
        return [
            TriggerView.of(row)
            for row in rows
            if str(row.body.get("project", "")).casefold() in own
            or any(name.startswith(f"{firing.PARKED_EVENT}:{row.name}:") for name in parked)
        ]


def set_state(context: Context, name: str, state: str) -> TriggerView:
    """Switch a trigger on or off; one that was parked is on again, its failures forgotten. Raises NotFound,
    InvalidInput."""
    if state not in STATES:
        raise InvalidInput([Problem("trigger", None, "state", f"{state!r} is none", f"one of {', '.join(STATES)}")])
    number = get(context, name).id
    with context.database.session() as session:
        row = session.get_one(TriggerRow, number)
        if row.state != state:
            row.state, row.failures, row.message, row.updated_at = state, 0, "", context.now()
            row.version += 1
        context.done(session, row.id)
    return TriggerView.of(row)


def remove(context: Context, name: str) -> str:
    """Remove a trigger with its secrets; the events that it was sent stay listed. Its id. Raises NotFound; Conflict
    where others have its events."""
    row = get(context, name)
    number = row.id
    if others := hearing(context, row.name):
        message = f"{', '.join(others)} {'has' if len(others) == 1 else 'have'} the events of {row.name}."
        raise Conflict("trigger-in-use", message, "Remove that first, or switch this one off.")
    with context.database.session() as session:
        hook_secrets.remove(session, number)
        session.execute(delete(TriggerRow).where(TriggerRow.id == number))
        context.done(session, number)
    return number


def of_event(context: Context, owner: str, source: str) -> Sequence[TriggerRow]:
    """The triggers that an event of this sender may fire, by name: its own and those that have its events, or those of
    its connection; those that are parked, too, which do nothing and say so."""
    with context.database.session() as session:
        rows = list(
            session.scalars(
                select(TriggerRow)
                .where(TriggerRow.source == source, TriggerRow.state.in_((firing.ON, firing.PARKED)))
                .order_by(TriggerRow.name)
            )
        )
    if not SOURCES[source].tracker:
        with context.database.session() as session:
            name = session.scalar(select(TriggerRow.name).where(TriggerRow.id == owner))
        return [row for row in rows if row.id == owner or (name and row.body.get("address_of") == name)]
    return [row for row in rows if _connection_id(context, row) == owner]


def try_out(
    context: Context,
    trigger: Trigger,
    payload: Mapping[str, Any],
    headers: Mapping[str, str],
    event: str = "",
    marks: Marks | None = None,
) -> dict[str, Any]:
    """As `tried`, as plain values."""
    found = tried(context, trigger, payload, headers, event, marks)
    return {"trigger": trigger.name, "action": trigger.action, "events": [one.to_json() for one in found]}


def tried(
    context: Context,
    trigger: Trigger,
    payload: Mapping[str, Any],
    headers: Mapping[str, str],
    event: str = "",
    marks: Marks | None = None,
) -> list[TriedEvent]:
    """What the trigger would make of this payload, one entry for each event in it, and what it would do: the plan,
    where there is one. What is checked when it fires is checked here. Writes nothing. Raises InvalidInput."""
    marks = marks or marks_of(trigger)
    problems = check(context, trigger, marks)
    if problems:
        raise InvalidInput(problems)
    delivery = Delivery({name.lower(): value for name, value in headers.items()}, b"", context.now())
    found = SOURCES[trigger.source].events(delivery, payload)
    return [_tried(context, trigger, event or one.name, one.payload, marks) for one in found]


def _tried(context: Context, trigger: Trigger, name: str, payload: Mapping[str, Any], marks: Marks) -> TriedEvent:
    entry = TriedEvent(name)
    try:
        want = firing.wanted(trigger, trigger.source, name, payload)
        entry = replace(entry, matches=want.matches, why=want.why)
        if not want.matches:
            return entry
        entry = replace(entry, key=want.key, project=want.project, given=redacted(want.given))
        project = None
        if ACTIONS[trigger.action].needs_project:
            project = projects.stored(context, projects.going_on(context, want.project).id)
        if why := firing.limited(context, trigger, want.key) or firing.not_now(context, trigger, want, project):
            return replace(entry, outcome="skipped", why=why)
        text, plan = _would(context, trigger, want, project)
        return replace(entry, outcome="done", would=text, plan=plan)
    except firing.CannotFire as error:
        said = f"{_place(trigger, error, marks)}{error}"
        return replace(entry, matches=error.matched, outcome="failed", error=said)
    except (NotFound, Conflict) as error:
        return replace(entry, outcome="failed", error=str(error))
    except InvalidInput as error:
        return replace(entry, outcome="failed", error=error.told)


def _place(trigger: Trigger, error: firing.CannotFire, marks: Marks) -> str:
    """File and line of the expression that fails, with what follows a place; empty where there are no lines."""
    for path, expression, _condition in trigger.expressions():
        if expression == error.expression and (line := marks.line(path)) is not None:
            return f"{marks.source}:{line} {readable(path)}: "
    return ""


def trigger_json(context: Context, row: TriggerView) -> dict[str, Any]:
    """A trigger as plain values: never its secret."""
    nowhere = SOURCES[row.source].tracker or "address_of" in row.body
    return {
        "id": row.id,
        "name": row.name,
        "source": row.source,
        "state": row.state,
        "failures": row.failures,
        "message": row.message,
        "version": row.version,
        "address": None if nowhere else registration.address(context, Kind.TRIGGER, row.name),
        "secrets": [until.isoformat() if until else None for until in secret.present(context, row.id)],
        "created_by": row.created_by,
        "created_at": row.created_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
        "definition": dict(row.body),
    }


def _connection_id(context: Context, row: TriggerRow) -> str:
    name = trigger_from_json(row.body).connection or ""
    try:
        return connections.get(context, name).id
    except NotFound:
        return ""


def _would(
    context: Context, trigger: Trigger, want: firing.Wanted, project: ProjectRow | None
) -> tuple[str, Plan | None]:
    """What would be done, in words and, where something is written to a tracker, as a plan. Raises what keeps it from
    being done."""
    given = want.given or {}
    if project is None:
        request = action.request_of(given)
        projects.check(context, request)
        return f"Set {request.key} up from {request.template.source if request.template else ''} and plan it.", None
    if trigger.action == "advance":
        advances.refuse_paused(context, project)
        made = advances.preview(context, project.id)
        return f"Advance {project.key}.", made.plan
    doing = action.Doing(trigger.action, given, project, f"trigger {trigger.name}", "trial")
    if trigger.action == "decide" and given.get("propose") is True:
        doing = action.proposal(context, doing)
    if doing.action in reaction.ACTIONS and (doing.action != "notify" or action.phase_of(context, project)):
        asked = Asked(doing.action, doing.given, project, doing.by, doing.once)
        found = reaction.draft(context, asked)
        return found.text, found.made.plan if found.made is not None else None
    if trigger.action in ("decide", "mark-exit"):
        move = doing.text("move") or "next"
        phase = (doing.text("phase") or None) if trigger.action == "decide" else None
        decisions.refuse_undecidable(context, project)
        decisions.decision_of(context, project.id, move, phase, doing.text("reason"), doing.by)
        return f"Decide for the next advance of {project.key}: {move} {phase or ''}".strip(), None
    if trigger.action == "audit":
        record_upkeep.refuse_before_the_loop(context, project)
    return f"{ACTIONS[trigger.action].what} ({project.key})", None
