"""Runs of the loop on a real engine: held and continuing, over, failed, cancelled. What an advance writes to a tracker
is tested where there is one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dbos import DBOS
from sqlalchemy import select

from connectors.errors import NotVisible, TrackerUnavailable
from connectors.values import Finding, ProjectSpec, Severity
from service import schedule
from service.context import Context, open_context
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.plan.plan import Plan
from service.domain.plan.plan_json import plan_to_json
from service.domain.problems import InvalidInput, Problem
from service.runs.engine import Engine
from service.runs.loop_port import Looked
from service.settings import Settings
from service.store import dues, loops, runs
from service.store.tables import ConnectionRow, LoopRow, PlanRow, ProjectRow, RunRow, StepRow, TeamRow, TemplateRow
from tests.homes import furnish
from tests.unit import stores
from tests.waiting import eventually

START = datetime(2026, 3, 16, 9, tzinfo=UTC)
CLOSED_BY_HAND = Finding(Severity.ERROR, "next-iteration-closed", "It was closed by hand.", "Open it again.")
RUN = "advance-ml-1"


@dataclass
class Script:
    """A loop without a tracker: each look finds the next thing in the script, and what is over has turned the loop."""

    finds: list[Looked | Exception]
    looks: list[tuple[str, int]] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    held_up: threading.Event | None = None

    def look(self, context: Context, run_id: str) -> Looked:
        with context.database.session() as session:
            run = session.get_one(RunRow, run_id)
        self.looks.append((run_id, run.attempt))
        if self.held_up is not None:
            assert self.held_up.wait(30)
        found = self.finds.pop(0)
        if isinstance(found, Exception):
            raise found
        if found.over:
            self._turn(context, run)
        return found

    def _turn(self, context: Context, run: RunRow) -> None:
        with context.database.session() as session:
            loop = session.get_one(LoopRow, run.project_id)
            loop.current = run.iteration or 0
            dues.put(session, run.project_id, dues.TURN, START + timedelta(weeks=len(self.looks)))

    def settle(self, _context: Context, run_id: str) -> None:
        self.settled.append(run_id)

    def keep_up(self, _context: Context) -> None:
        """No loop has a team here."""

    def applied(self, _context: Context, run_id: str) -> None:
        raise AssertionError(run_id)


@dataclass
class Clock:
    """Where time stands."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Loop:
    """One project whose first iteration is due, and the engine that turns it."""

    context: Context
    clock: Clock
    script: Script

    def run(self, run_id: str = RUN) -> RunRow | None:
        with self.context.database.session() as session:
            return session.get(RunRow, run_id)

    def until(self, state: str, run_id: str = RUN, attempt: int = 1) -> RunRow:
        def look() -> RunRow | None:
            run = self.run(run_id)
            return run if run is not None and (run.state, run.attempt) == (state, attempt) else None

        return eventually(look, 20)

    @property
    def row(self) -> LoopRow:
        with self.context.database.session() as session:
            return session.get_one(LoopRow, "ml")

    def later(self, seconds: float) -> None:
        self.clock.now += timedelta(seconds=seconds)


@pytest.fixture
def script() -> Script:
    return Script([])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loop(tmp_path: Path, script: Script, clock: Clock) -> Iterator[Loop]:
    settings = Settings(home=tmp_path, _env_file=None, tick_seconds=0.05, backoff_seconds=0.01)
    furnish(tmp_path)
    opened = open_context(settings)
    context = Context(settings, opened.database, opened.vault, clock, opened.pool)
    with context.database.session() as session:
        connection = ConnectionRow(id="con", name="c", kind="jira", created_at=START)
        connection.settings = {"url": "http://127.0.0.1:9", "email": "pm-1@example.com"}
        connection.secret = context.vault.seal("sandbox-token")
        session.add(connection)
        session.add(TeamRow(id="team", name="t", body={}, updated_at=START))
        session.add(TemplateRow(digest="d", name="n", version="1", source="s", text="", created_at=START))
        session.flush()
        row = ProjectRow(id="ml", name="ml", key="ML", connection_id="con", team_id="team", template_digest="d")
        row.parameters, row.time_zone, row.created_at = {}, "UTC", START
        session.add(row)
    yield Loop(context, clock, script)
    context.close()


@pytest.fixture
def due(loop: Loop) -> Loop:
    with loop.context.database.session() as session:
        loops.create_if_missing(session, "ml", START, next_due=START)
    return loop


def journal() -> dict[str, str]:
    """The engine's workflows and how they stand."""
    return {found.workflow_id: found.status for found in DBOS.list_workflows(load_input=False)}


DONE = Looked(ready=False, over=True, message="Iteration 1 began.")
HELD = Looked(ready=False, findings=(CLOSED_BY_HAND,), reads=7)


def test_what_is_due_is_run_and_then_the_next(due: Loop, script: Script) -> None:
    script.finds = [DONE, DONE, DONE]
    due.later(2 * 7 * 24 * 3600)  # two more were missed
    with Engine(due.context, script):
        due.until(run_state.COMPLETED, "advance-ml-3")

    assert script.looks == [(f"advance-ml-{number}", 1) for number in (1, 2, 3)]
    assert stores.due(due.context) == START + timedelta(weeks=3)
    with due.context.database.session() as session:
        assert session.scalars(select(StepRow.message)).all() == ["Iteration 1 began."] * 3


def test_a_held_run_goes_on_by_itself_and_leaves_no_trace_of_its_trouble(due: Loop, script: Script) -> None:
    script.finds = [HELD, HELD, DONE]
    with Engine(due.context, script):
        first = due.until(run_state.HELD)
        due.later(300)
        second = due.until(run_state.HELD, attempt=2)
        due.later(600)
        last = due.until(run_state.COMPLETED, attempt=3)

    assert [entry["code"] for entry in first.findings] == ["next-iteration-closed"]
    assert first.waiting_until == START + timedelta(seconds=300)
    assert second.waiting_until == START + timedelta(seconds=300 + 600)
    assert (last.findings, last.message) == ([], "")
    assert script.looks == [(RUN, 1), (RUN, 2), (RUN, 3)]


def test_a_held_run_keeps_no_other_run_of_its_connection_waiting(due: Loop, script: Script) -> None:
    script.finds = [HELD, DONE]
    with due.context.database.session() as session:
        other = ProjectRow(id="zz", name="zz", key="ZZ", connection_id="con", team_id="team", template_digest="d")
        other.parameters, other.time_zone, other.created_at = {}, "UTC", START
        session.add(other)
        session.flush()
        loops.create_if_missing(session, "zz", START, next_due=START)
    with Engine(due.context, script):
        due.until(run_state.COMPLETED, "advance-zz-1")
        due.until(run_state.HELD)


def test_a_held_run_survives_a_restart(due: Loop, script: Script) -> None:
    script.finds = [HELD, DONE]
    with Engine(due.context, script):
        due.until(run_state.HELD)
    with Engine(due.context, script):
        assert due.until(run_state.HELD).attempt == 1
        due.later(300)
        due.until(run_state.COMPLETED, attempt=2)
        eventually(lambda: journal() == {RUN: "SUCCESS", f"{RUN}~2": "SUCCESS"})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotVisible("The project is gone.", fix="Give the account access."), "refused"),
        (InvalidInput([Problem("calendar", None, "working_days", "has no working day")]), "invalid-input"),
    ],
)
def test_what_a_person_can_fix_holds_the_run(due: Loop, script: Script, error: Exception, code: str) -> None:
    script.finds = [error, DONE]
    with Engine(due.context, script):
        held = due.until(run_state.HELD)
        due.later(300)
        due.until(run_state.COMPLETED, attempt=2)

    assert [entry["code"] for entry in held.findings] == [code]


def test_a_tracker_that_is_away_for_long_holds_the_run(due: Loop, script: Script) -> None:
    script.finds = [*(TrackerUnavailable("It does not answer.", retry_after=0) for _ in range(8)), DONE]
    with Engine(due.context, script):
        held = due.until(run_state.HELD)
        due.later(300)
        due.until(run_state.COMPLETED, attempt=2)

    assert [entry["code"] for entry in held.findings] == ["gave-up"]


def test_a_defect_of_ours_fails_the_run_and_pauses_the_loop(due: Loop, script: Script) -> None:
    script.finds = [ZeroDivisionError(), DONE]
    with Engine(due.context, script):
        failed = due.until(run_state.FAILED)

    assert [entry["code"] for entry in failed.findings] == ["internal-error"]
    assert (due.row.state, stores.due(due.context)) == (loop_state.PAUSED, None)
    assert due.row.message.startswith(f"The run {RUN} failed")


def test_a_run_that_is_cancelled_while_it_looks_ends_and_pauses_the_loop(due: Loop, script: Script) -> None:
    script.finds, script.held_up = [HELD], threading.Event()
    with Engine(due.context, script):
        eventually(lambda: script.looks)
        with due.context.database.session() as session:
            assert runs.request_cancel(session, RUN, "pm-1@example.com", START)
        script.held_up.set()
        due.until(run_state.CANCELLED)

    assert (due.row.state, due.row.changed_by) == (loop_state.PAUSED, "pm-1@example.com")


def test_a_run_that_was_recorded_and_not_enqueued_is_found_by_the_next_start(due: Loop, script: Script) -> None:
    script.finds = [HELD, DONE]
    assert schedule.fire(due.context, START) == [(RUN, "con")]  # and then this process died
    with Engine(due.context, script):
        due.until(run_state.HELD)
    due.later(300)
    assert schedule.fire(due.context, due.clock()) == [(f"{RUN}~2", "con")]  # and died again
    with Engine(due.context, script):
        due.until(run_state.COMPLETED, attempt=2)


def test_an_engine_that_only_visits_begins_nothing(due: Loop, script: Script) -> None:
    with Engine(due.context, script, visiting=True):
        eventually(lambda: journal() == {})
        assert due.run() is None


def test_a_proposal_is_a_run_of_its_own(due: Loop, script: Script) -> None:
    with due.context.database.session() as session:
        row = session.get_one(LoopRow, "ml")
        row.current, row.due = 4, loop_state.PROPOSE
    script.finds = [Looked(ready=False, over=True, message="3 tickets are not done.")]
    with Engine(due.context, script):
        due.until(run_state.COMPLETED, "propose-ml-4")

    assert script.looks == [("propose-ml-4", 1)]
    assert script.settled == []


@dataclass
class Unplaceable(Script):
    """A loop whose iterations cannot be placed on the calendar."""

    def applied(self, _context: Context, run_id: str) -> None:
        self.settled.append(run_id)
        raise InvalidInput([Problem("calendar", None, "freezes", "cover every day of iteration 1")])


def test_a_loop_that_cannot_begin_is_said_with_the_run_that_was_to_begin_it(loop: Loop) -> None:
    script = Unplaceable([])
    spec = ProjectSpec(uid="ml", key="ML", name="ml")
    nothing = Plan("ml", 0, spec, None, "turning 1.0.0", changes=(), items=(), known={}, observed={})
    with loop.context.database.session() as session:
        session.add(PlanRow(id="pln", project_id="ml", serial=0, body=plan_to_json(nothing), created_at=START))
        run = RunRow(id="apply-pln", kind="apply", project_id="ml", plan_id="pln", state=run_state.QUEUED)
        run.started_by, run.created_at, run.batches = "pm-1@example.com", START, []
        session.add(run)
    with Engine(loop.context, script):
        eventually(lambda: journal() == {"apply-pln": "SUCCESS"})
        ended = loop.until(run_state.COMPLETED, "apply-pln")

    assert [(entry["code"], entry["severity"]) for entry in ended.findings] == [("loop-not-begun", "warning")]
    assert script.settled == ["apply-pln"]
