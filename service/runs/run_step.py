"""One durable step of a run: everything it needs, what it cost, and how its errors turn into what happens next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy.orm import Session

from connectors.errors import NetworkMisconfigured, OutcomeUnknown, TrackerError, TrackerRefused, TrackerUnavailable
from connectors.mapped import Mapped
from connectors.port import Tracker
from connectors.values import (
    Finding,
    Item,
    ItemKey,
    ItemKind,
    Place,
    RemoteRef,
    Severity,
    Usage,
    kind_of,
)
from service.context import Context
from service.domain.plan.plan import Change, Plan, Purpose
from service.domain.plan.plan_json import place_from_json, plan_from_json
from service.domain.problems import InvalidInput, Problem
from service.runs.loop_port import Looked, Turning
from service.runs.ownership import Ownership, present
from service.store import identities, items, mappings, runs
from service.store.recorded_rows import RecordedRows
from service.store.tables import ConnectionRow, PlanRow, ProjectRow, RunRow

log = logging.getLogger(__name__)

ATTEMPTS = 8
"""How often a batch is tried before its run ends as incomplete; the waits between add up to about four minutes, or to
what the tracker asks for."""

LONGEST_BACKOFF = 240.0
"""Seconds between two attempts when the tracker does not say how long to wait."""

LONG_WAIT = 600.0
"""From how many seconds of waiting on people hear of it."""

RUNS_AT_ONCE = 32
"""Runs that one process takes from the queue, one for each connection. A run that waits for its tracker, for an hour if
need be, holds its place: so there are more places than a process could keep busy."""

RESUME = "Nothing is lost: once this is fixed, retry the run; only what is missing will be done."


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a step ended: `next` is `go`, `again` (after `wait` seconds), `stop`, `cancel`, or `over` where a look found
    that there is nothing to do. Journaled, so plain."""

    next: str
    wait: float = 0.0


OVER = "over"


class Stopped(Exception):
    """The run cannot continue, for a reason that no call to the tracker gave."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def ownership() -> Ownership:
    """That of the execution in this thread. Raises RuntimeError outside of one."""
    found = present()
    if found is None:
        msg = "no execution of a run is in this thread"
        raise RuntimeError(msg)
    return found.ownership


class Unsettled(Exception):
    """What was created by a call without an answer is not to be seen, but the call may still be under way."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Making sure what became of a call whose answer was lost.")
        self.seconds = seconds


@dataclass
class Work:
    """One step's view of its run: the plan, the place, the recorded items, the tracker."""

    context: Context
    run: RunRow
    project: ProjectRow
    plan: Plan
    tracker: Tracker
    rows: RecordedRows
    desired: dict[ItemKey, Item]
    changes: dict[ItemKey, Change]
    doubtful: bool = False
    """Whether this batch may have been begun before: by an execution that ended in the middle, or by an earlier
    attempt."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Where the run works, with what is known by its id by now; known once the project was opened."""
        assert self.run.place is not None  # noqa: S101 - the batches come after the step that sets it
        return replace(place_from_json(self.run.place), memory=self.project.memory)

    def ref(self, key: ItemKey | None) -> RemoteRef | None:
        """The reference of an item that exists."""
        return self.rows.references.get(key) if key is not None else None

    @property
    def contested(self) -> bool:
        """Whether calls of a former execution may arrive late, whatever was waited for."""
        return ownership().contested

    @property
    def unsettled(self) -> float:
        """Seconds until nothing that was sent before can be under way at the tracker any more, 0 or less if so now.
        What is not seen after a look that begins then does not exist."""
        return self.context.settings.settle_seconds - ownership().quiet

    def settle(self) -> None:
        """Raise Unsettled while something of this batch may still be under way."""
        if self.doubtful and (left := self.unsettled) > 0:
            raise Unsettled(left)

    def reload(self) -> None:
        """Look at the recorded items again."""
        with self.context.database.session() as session:
            rows = _rows(self.context, session, self.run)
        rows.load(self.rows.loaded)
        self.rows = rows


def step(
    context: Context, run_id: str, number: int, attempt: int, title: str, action: Callable[[Work], None]
) -> Verdict:
    """Run `action` as step `number` (0 opens the project, batches count from 1), record what it cost and how it ended.

    A run that shall be cancelled does nothing more. Errors of the tracker become a verdict and, when the run cannot
    continue, a finding. Other errors are ours and rise.
    """
    started, mine = context.now(), ownership()
    with context.database.session() as session:
        run = runs.begin(session, run_id, started)
        if run is None:
            return Verdict("cancel")
        project = session.get_one(ProjectRow, run.project_id)
        connection = session.get_one(ConnectionRow, project.connection_id)
        rows = _rows(context, session, run)
    assert run.plan_id is not None  # noqa: S101 - a run that makes its plan itself has made it when it looked
    plan, desired, changes = _plan(context, run.plan_id)
    half_done, mine.within = mine.within, True
    with context.tracker(connection) as tracker:
        before = tracker.usage
        work = Work(context, run, project, plan, tracker, rows, desired, changes, doubtful=half_done or attempt > 0)
        verdict, message, found = _tried(context, attempt, title, lambda: action(work))
        work.findings += found
        if verdict.next == "stop" and not work.findings:
            work.findings.append(_gave_up(run_id, title, message))
        used = Usage(tracker.usage.reads - before.reads, tracker.usage.writes - before.writes)
        along = tracker.made_along()
        learned = tracker.learned(work.place) if run.place is not None else {}
        mapping = _mapping_with(work, along)
    with context.database.session() as session:
        now = context.now()
        _record_along(session, project.id, run_id, along, now)
        identities.remember(session, project.id, learned)
        if mapping:
            mappings.keep(session, project.connection_id, work.place, mapping, now)
        runs.record_step(session, run_id, number, title, verdict.next, message, used, started, now)
        runs.add_findings(session, run_id, work.findings)
        verdict = _waiting(session, run_id, verdict, message, now)
    mine.within = verdict.next != "go"
    return verdict


def _rows(context: Context, session: Session, run: RunRow) -> RecordedRows:
    """The recorded items; where the project is removed, also those that it released, which go with the rest."""
    return RecordedRows(session, context.database, run.project_id, released=run.kind == Purpose.REMOVE)


def _mapping_with(work: Work, along: Mapping[ItemKey, RemoteRef]) -> tuple[Mapped, ...]:
    """What stands for what, once a list of our own was made: from then on it is known by its id."""
    if work.run.place is None or not any(kind_of(key) is ItemKind.COLUMN for key in along):
        return ()
    with suppress(TrackerError):  # it is found by its name then, when the project is located again
        return work.tracker.mapped(work.place)
    return ()


def look(context: Context, turning: Turning, run_id: str, attempt: int) -> Verdict:
    """Have a run that makes its plan itself look and plan; record what that cost and found. Errors become a verdict as
    in `step`; what is wrong with the calendar or the template stops the run as well."""
    started, title, looked = context.now(), LOOK, Looked(ready=False)
    with context.database.session() as session:
        if runs.begin(session, run_id, started) is None:
            return Verdict("cancel")

    def looking() -> None:
        nonlocal looked
        looked = turning.look(context, run_id)

    verdict, message, found = _tried(context, attempt, title, looking)
    if verdict.next == "go":
        message = looked.message
        verdict = Verdict(OVER if looked.over else "go" if looked.ready else "stop")
    findings = [*looked.findings, *found]
    if verdict.next == "stop" and not any(finding.severity is Severity.ERROR for finding in findings):
        findings.append(_gave_up(run_id, title, message))
    with context.database.session() as session:
        now = context.now()
        runs.record_step(session, run_id, 0, title, verdict.next, message, Usage(looked.reads, 0), started, now)
        runs.add_findings(session, run_id, findings)
        return _waiting(session, run_id, verdict, message, now)


LOOK = "Look at what there is, and plan"


def _tried(
    context: Context, attempt: int, title: str, action: Callable[[], None]
) -> tuple[Verdict, str, list[Finding]]:
    """Do it: how it ended, what is to be said of that, and what was found. Errors that are not a tracker's rise."""
    try:
        action()
    except TrackerUnavailable as error:
        return _wait(context, error, attempt), str(error), []
    except OutcomeUnknown as error:
        ownership().doubt()
        # The next attempt finds intents without answers, and looks in the tracker before it writes.
        return _again(attempt, min(1.0, context.settings.settle_seconds)), str(error), []
    except Unsettled as error:
        return _again(attempt, error.seconds), str(error), []
    except TrackerError as error:
        return Verdict("stop"), str(error), [_finding(error, title)]
    except Stopped as error:
        return Verdict("stop"), str(error), [error.finding]
    except InvalidInput as error:
        return Verdict("stop"), error.told, [_wrong(problem) for problem in error.problems]
    return Verdict("go"), "", []


def _waiting(session: Session, run_id: str, verdict: Verdict, message: str, now: datetime) -> Verdict:
    """The verdict; a run that is to wait is recorded as waiting, unless it shall be cancelled."""
    until = now + timedelta(seconds=verdict.wait)
    if verdict.next == "again" and not runs.set_waiting(session, run_id, message, until):
        return Verdict("cancel")
    if verdict.next == "again" and verdict.wait >= LONG_WAIT:
        runs.tell_that_it_waits(session, run_id, message, until, now)
    return verdict


def _record_along(
    session: Session, project_id: str, run_id: str, along: Mapping[ItemKey, RemoteRef], now: datetime
) -> None:
    """Record what the calls had to make besides the items of the plan, so that it can be undone with them.

    A tracker may tell of one twice, after a restart: the run that is recorded as having made it stays so.
    """
    known = items.references(items.rows(session, project_id)) if along else {}
    for key, ref in along.items():
        if key in known and known[key].id == ref.id:
            continue
        items.made(session, project_id, key, kind_of(key), ref, {"title": ref.key}, run_id, now)


@lru_cache(maxsize=RUNS_AT_ONCE)
def _plan(context: Context, plan_id: str) -> tuple[Plan, dict[ItemKey, Item], dict[ItemKey, Change]]:
    """The plan, read once for all steps of a run: plans never change after they are saved."""
    with context.database.session() as session:
        plan = plan_from_json(session.get_one(PlanRow, plan_id).body)
    return plan, {item.key: item for item in plan.items}, {change.key: change for change in plan.changes}


def _wait(context: Context, error: TrackerUnavailable, attempt: int) -> Verdict:
    told = error.retry_after
    untold = min(LONGEST_BACKOFF, context.settings.backoff_seconds * 2**attempt)
    return _again(attempt, told if told is not None else untold)


def _again(attempt: int, seconds: float) -> Verdict:
    return Verdict("again", seconds) if attempt + 1 < ATTEMPTS else Verdict("stop")


def _gave_up(run_id: str, title: str, message: str) -> Finding:
    return Finding(Severity.ERROR, "gave-up", f"{title}: {message}", RESUME, run_id)


def _wrong(problem: Problem) -> Finding:
    return Finding(Severity.ERROR, "invalid-input", problem.told, "Fix it there; the run then resumes automatically.")


def _finding(error: TrackerError, title: str) -> Finding:
    other = "network-misconfigured" if isinstance(error, NetworkMisconfigured) else "not-a-tracker"
    code = "refused" if isinstance(error, TrackerRefused) else other
    return Finding(Severity.ERROR, code, f"{title}: {error.message}", error.fix or RESUME)
