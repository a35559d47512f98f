"""One trigger and one event: whether they match, what would be done, and doing it once within the trigger's limits."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from connectors.errors import OutcomeUnknown, TrackerUnavailable
from service.context import Context
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.hook import event_state
from service.domain.hook.action import ACTIONS
from service.domain.hook.payload import one_line
from service.domain.hook.trigger import Trigger, fill, trigger_from_json
from service.expression import evaluator
from service.expression.evaluator import Wrong
from service.store import firings, loops
from service.store.hook_tables import FiringRow, HookEventRow, TriggerRow
from service.store.tables import ProjectRow
from service.store_faults import ClaimLost
from service.usecases.errors import Conflict, UseCaseError
from service.usecases.hook import action
from service.usecases.hook.sync import Outcome
from service.usecases.queue import Enqueue
from service.usecases.setup import projects

log = logging.getLogger(__name__)

PARKED = "parked"
PARKED_EVENT = "trigger-parked"
ON = "on"

BUSY = frozenset({"advance-in-progress", "loop-moved-on", "record-in-progress", "ticket-in-progress"})
"""Conflicts with what continues just now."""


class CannotFire(UseCaseError):
    """A trigger's expressions do not work for this event. `expression` is the one that fails, if it was one; `matched`:
    the condition was met, and a text is what fails."""

    def __init__(self, message: str, expression: str = "", *, matched: bool = False) -> None:
        super().__init__("trigger-wrong", message, "Correct the trigger; `phaseloop triggers test` tries it.")
        self.expression, self.matched = expression, matched


class IsParked(UseCaseError):
    """The trigger was parked, so nothing is done: the event stays failed, to be replayed once the trigger is on."""

    def __init__(self, row: TriggerRow, event: HookEventRow) -> None:
        super().__init__(
            "trigger-parked",
            f"The trigger {row.name} is parked: {row.message}",
            f"Correct it, then: phaseloop triggers enable {typed(row.name)}, and: phaseloop events replay {event.id}",
        )


class AtWork(UseCaseError):
    """Another event of the same key is being acted on just now; whether this one has to be shows once that ended."""

    def __init__(self, key: str) -> None:
        super().__init__(
            "trigger-at-work", f"Another event of the key {key!r} is being acted on.", "It is tried again."
        )


PASSING = (TrackerUnavailable, OutcomeUnknown, OperationalError, PoolTimeout, ClaimLost, AtWork)
"""Failures that may pass by themselves."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a trigger makes of an event: whether its condition holds and, if so, what it would do, filled in."""

    matches: bool
    key: str = ""
    project: str = ""
    given: Mapping[str, Any] | None = None
    why: str = ""
    """Why it does not match, where that is more than a condition that is false."""


def passes(error: Exception) -> bool:
    """Whether a failure may pass by itself, so that trying again helps."""
    return isinstance(error, PASSING) or is_busy(error)


def is_busy(error: Exception) -> bool:
    """Whether it met a run of ours that is in progress."""
    return isinstance(error, Conflict) and error.code in BUSY


def wanted(trigger: Trigger, source: str, event: str, payload: Mapping[str, Any]) -> Wanted:
    """What the trigger makes of this event. Writes nothing. Raises CannotFire."""
    variables = {"payload": payload, "event": event, "source": source}
    try:
        if trigger.when is not None:
            (holds,) = evaluator.values([trigger.when], variables)
            if isinstance(holds, Wrong):
                # A condition about what this event does not have is one that it does not meet.
                if "not found" in str(holds).lower():
                    return Wanted(matches=False, why=f"the event does not have what the condition asks for: {holds}")
                raise CannotFire(f"The condition of the trigger {trigger.name!r} fails: {holds}.", trigger.when)
            if not isinstance(holds, bool):
                message = f"The condition of the trigger {trigger.name!r} is neither true nor false."
                raise CannotFire(message, trigger.when)
            if not holds:
                return Wanted(matches=False)
        texts = [expression for _path, expression, condition in trigger.expressions() if not condition]
        found = dict(zip(texts, evaluator.values(texts, variables), strict=True)) if texts else {}
    except Wrong as error:
        raise CannotFire(f"An expression of the trigger {trigger.name!r} was stopped: {error}.") from None
    for expression, value in found.items():
        if isinstance(value, Wrong):
            message = f"`${{{expression}}}` of the trigger {trigger.name!r} fails: {value}."
            raise CannotFire(message, expression, matched=True)
    return Wanted(
        True,
        one_line(fill(trigger.key or "", found)),
        one_line(fill(trigger.project or "", found)),
        {name: _filled(value, found) for name, value in trigger.given.items()},
    )


def fire(context: Context, row: TriggerRow, event: HookEventRow, enqueue: Enqueue) -> Iterator[Outcome]:
    """Do what the trigger does because of this event, if it matches and no limit blocks it; what came of it.
    Repeatable: what was done is not done again. Raises what keeps it from being done, after that was counted."""
    trigger = trigger_from_json(row.body)
    try:
        want = wanted(trigger, event.source, event.name, json.loads(event.body))
        if not want.matches:
            return
        if row.state == PARKED:
            raise IsParked(row, event)
        project = None
        if ACTIONS[trigger.action].needs_project:
            project = projects.stored(context, projects.going_on(context, want.project).id)
    except UseCaseError as error:
        _count_failure(context, row, error, None)
        raise
    firing = _begun(context, row, trigger, event, want, project)
    if firing.state == firings.SKIPPED or firing.effect is not None:
        yield _said(row, firing, firing.message or "It was done before.")
        return
    doing = action.Doing(trigger.action, want.given or {}, project, f"trigger {row.name}", firing.id)
    claimed = replace(context, claim=firings.FiringClaim(firing.id))
    try:
        done = action.do(claimed, doing, enqueue)
    except Exception as error:
        moved_on = isinstance(error, action.OtherPhase)
        with context.database.session() as session:
            firings.end(session, firing.id, firings.SKIPPED if moved_on else firings.FAILED, str(error))
        if moved_on:
            yield {"what": "skipped", "trigger": row.name, "effect": None, "text": str(error)}
            return
        if not passes(error):
            _count_failure(context, row, error, project)
        raise
    with context.database.session() as session:
        firings.end(session, firing.id, firings.DONE, done.text)
        if (present := firings.locked(session, row.id)) is not None:
            present.failures, present.message = 0, ""
    yield {"what": "done", "trigger": row.name, "action": trigger.action, "effect": done.effect, "text": done.text}


def firing_id(trigger_id: str, event: HookEventRow, key: str, *, once: bool) -> str:
    """The id of a firing: the same whenever the same is to be done, so that the store keeps it once."""
    if once:
        return _firing_id(trigger_id, f"key\n{key}")
    return _firing_id(trigger_id, f"event\n{event.id}\n{event.round}")


def _firing_id(trigger_id: str, what: str) -> str:
    return "fir_" + sha256(f"{trigger_id}\n{what}".encode()).hexdigest()[:24]


def not_now(context: Context, trigger: Trigger, want: Wanted, project: ProjectRow | None) -> str:
    """Why nothing is done in the phase that the project is in: that is no failure. Empty where something is done."""
    phases = trigger.limits.phases
    if project is not None and phases:
        present = action.phase_of(context, project)
        if present not in phases:
            return f"{project.key} is in another phase than {', '.join(phases)}: {present or 'before its first'}."
    if project is not None and trigger.action == "mark-exit":
        return action.not_its_exit(context, project, want.given or {})
    return ""


def limited(context: Context, trigger: Trigger, key: str) -> str:
    """Why nothing is done just now within the limits of this trigger, if it was added before; empty if something is."""
    with context.database.session() as session:
        row = session.scalar(select(TriggerRow).where(TriggerRow.name == trigger.name))
        if row is None:
            return ""
        firing = session.get(FiringRow, _firing_id(row.id, f"key\n{key}")) if trigger.limits.once_per_key else None
        if firing is not None and (firing.effect is not None or firing.state == firings.DONE):
            return _done_before(key)
        return _too_often(session, row, trigger, context.now())


def _done_before(key: str) -> str:
    return f"It was done for the key {key!r} before."


def _too_often(session: Session, row: TriggerRow, trigger: Trigger, now: datetime) -> str:
    most = trigger.limits.per_hour
    if most is not None and firings.in_the_last_hour(session, row.id, now) >= most:
        return f"It acted {counted(most, 'time')} within an hour."
    return ""


def _begun(
    context: Context, row: TriggerRow, trigger: Trigger, event: HookEventRow, want: Wanted, project: ProjectRow | None
) -> FiringRow:
    """The firing, begun now, or as it is where it was begun before; `skipped`, and why, where a limit says so."""
    number = firing_id(row.id, event, want.key, once=trigger.limits.once_per_key)
    now = context.now()
    outside = not_now(context, trigger, want, project)
    with context.database.session() as session:
        firings.locked(session, row.id)
        firing = session.get(FiringRow, number)
        if firing is not None and (firing.effect is not None or firing.state == firings.DONE):
            if firing.event_id != event.id:
                return _skipped(row, event, want, _done_before(want.key))
            return firing
        if firing is not None and firing.state == firings.BEGUN and firing.event_id != event.id:
            other = session.get(HookEventRow, firing.event_id)
            if other is not None and other.state == event_state.ACCEPTED:
                raise AtWork(want.key)
        counts = firing is None or firing.state != firings.BEGUN
        why = outside or (_too_often(session, row, trigger, now) if counts else "")
        if why:
            return _skipped(row, event, want, why)
        if firing is None:
            firing = FiringRow(id=number, trigger_id=row.id, event_id=event.id, action=trigger.action, at=now)
            session.add(firing)
        firing.state, firing.message, firing.at = firings.BEGUN, "", now
        firing.key, firing.event_id = want.key, event.id
        firing.project_id = project.id if project is not None else None
    return firing


def _skipped(row: TriggerRow, event: HookEventRow, want: Wanted, why: str) -> FiringRow:
    """A firing that is told of and kept nowhere: it did nothing."""
    return FiringRow(
        id="", trigger_id=row.id, event_id=event.id, key=want.key, action="", state=firings.SKIPPED, message=why
    )


def _count_failure(context: Context, row: TriggerRow, error: Exception, project: ProjectRow | None) -> None:
    """Count it, and park the trigger where it was one too many: with a finding, once."""
    limits = trigger_from_json(row.body).limits
    now = context.now()
    with context.database.session() as session:
        present = firings.locked(session, row.id)
        if present is None or present.state != ON:
            return
        present.failures += 1
        present.message = one_line(str(error), 1000)
        if present.failures < limits.park_after:
            return
        present.state, present.updated_at = PARKED, now
        text = (
            f"The trigger {row.name} was parked after it failed {counted(present.failures, 'time')} in a row: "
            f"{present.message} "
            f"Correct it, then: phaseloop triggers enable {typed(row.name)}"
        )
        log.warning("%s", text)
        if project is not None:
            name = f"{PARKED_EVENT}:{row.name}:{now.isoformat()}"
            data = {"severity": "warning", "code": PARKED_EVENT}
            loops.record_event(session, project.id, name, "finding", text, at=now, by=f"trigger {row.name}", data=data)


def _filled(value: Any, found: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return fill(value, found)
    if isinstance(value, Mapping):
        return {name: _filled(inner, found) for name, inner in value.items()}
    return value


def _said(row: TriggerRow, firing: FiringRow, text: str) -> Outcome:
    what = "skipped" if firing.state == firings.SKIPPED else "done-before"
    return {"what": what, "trigger": row.name, "effect": firing.effect, "text": text}
