"""Looks at the records are due at a time of their own and begin each once, whoever begins them: on SQLite and on
PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from connectors.values import Finding, Severity
from service import schedule
from service.context import Context
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.store import dues, loops, runs
from service.store.tables import LoopRow, ProjectRow, RunRow
from tests.unit import stores
from tests.unit.stores import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DOWN = Finding(Severity.ERROR, "gave-up", "The tracker does not answer.", "See that it does.", "ml")
TODAY = NOON.date().isoformat()


@pytest.fixture(params=["sqlite", "postgresql"])
def context(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    yield from stores.on(request.param, tmp_path)


def project(session: Session, name: str, audit_due: datetime | None = NOON, zone: str = "UTC") -> ProjectRow:
    """A project whose loop turns and whose records are to be looked at then."""
    row = stores.project_row(name, time_zone=zone)
    session.add(row)
    session.flush()
    loops.create_if_missing(session, name, NOON, next_due=None)
    session.execute(update(LoopRow).where(LoopRow.project_id == name).values(current=1))
    dues.put(session, name, dues.AUDIT, audit_due)
    return row


def loop_of(context: Context, name: str = "ml") -> LoopRow:
    with context.database.session() as session:
        return session.get_one(LoopRow, name)


def run_of(context: Context, run_id: str) -> RunRow:
    with context.database.session() as session:
        return session.get_one(RunRow, run_id)


def ended(context: Context, run_id: str, state: str, now: datetime = NOON) -> None:
    with context.database.session() as session:
        runs.begin(session, run_id, now)
        runs.finish(session, run_id, now, state)


def test_what_is_due_begins_by_its_day_and_what_is_not_waits(context: Context) -> None:
    with context.database.session() as session:
        project(session, "past", NOON - HOUR)
        project(session, "now", NOON)
        project(session, "later", NOON + HOUR)
        project(session, "never", None)
        project(session, "over", NOON - HOUR).ended_at = NOON

    begun = schedule.fire(context, NOON)

    assert begun == [(f"audit-past-{TODAY}", "con"), (f"audit-now-{TODAY}", "con")]
    run = run_of(context, f"audit-now-{TODAY}")
    assert (run.kind, run.state, run.iteration, run.started_by) == (
        loop_state.AUDIT,
        run_state.QUEUED,
        None,
        schedule.BY_CLOCK,
    )
    assert (stores.due(context, "now", dues.AUDIT), loop_of(context, "now").audit_run_id) == (None, run.id)
    assert stores.due(context, "over", dues.AUDIT) is None
    assert schedule.fire(context, NOON) == []


def test_the_day_is_that_of_the_project(context: Context) -> None:
    with context.database.session() as session:
        project(session, "east", zone="Pacific/Auckland")
        project(session, "west", zone="Pacific/Honolulu")

    schedule.fire(context, datetime.fromisoformat("2026-03-16T22:30:00+00:00") + timedelta(days=3650))

    assert loop_of(context, "east").audit_run_id == "audit-east-2036-03-14"
    assert loop_of(context, "west").audit_run_id == "audit-west-2036-03-13"


def test_a_second_look_on_one_day_continues_the_first(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml")
    for number, expected in enumerate((f"audit-ml-{TODAY}", f"audit-ml-{TODAY}-2", f"audit-ml-{TODAY}-3")):
        with context.database.session() as session:
            loops.set_audit_due(session, "ml", NOON)

        assert schedule.fire(context, NOON) == [(expected, "con")]
        assert run_of(context, expected).continues == (None, f"audit-ml-{TODAY}", f"audit-ml-{TODAY}-2")[number]
        ended(context, expected, run_state.COMPLETED)


def test_a_look_that_is_held_goes_on_as_the_same_run_on_another_day(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml")
    schedule.fire(context, NOON)
    with context.database.session() as session:
        runs.begin(session, f"audit-ml-{TODAY}", NOON)
        assert runs.hold(session, f"audit-ml-{TODAY}", [DOWN], NOON + DAY, NOON)

    assert stores.due(context, kind=dues.AUDIT) == NOON + DAY
    assert stores.due(context) is None
    assert schedule.fire(context, NOON + DAY) == [(f"audit-ml-{TODAY}~2", "con")]
    assert run_of(context, f"audit-ml-{TODAY}").state == run_state.QUEUED


def test_a_person_s_look_is_the_clock_s(context: Context) -> None:
    with context.database.session() as session:
        row = project(session, "ml")
        session.flush()
        asked = schedule.begin_audit(session, row, "pm-1@example.com", NOON)
        again = schedule.begin_audit(session, row, "pm-2@example.com", NOON)

        assert asked.id == again.id == f"audit-ml-{TODAY}"
        assert again.started_by == "pm-1@example.com"

    assert schedule.fire(context, NOON) == []


def test_nothing_is_looked_at_where_there_is_no_loop(context: Context) -> None:
    with context.database.session() as session, pytest.raises(NoResultFound):
        schedule.begin_audit(session, ProjectRow(id="none", time_zone="UTC"), "pm-1@example.com", NOON)


@pytest.mark.parametrize("state", [run_state.CANCELLED, run_state.FAILED])
def test_a_look_that_was_stopped_stops_nothing_and_comes_again_the_next_day(context: Context, state: str) -> None:
    with context.database.session() as session:
        project(session, "ml")
    schedule.fire(context, NOON)

    ended(context, f"audit-ml-{TODAY}", state)

    assert loop_of(context).state == loop_state.TURNING
    assert stores.due(context, kind=dues.AUDIT) == NOON + runs.NEXT_LOOK


def test_a_look_leaves_the_plans_of_its_project_fresh(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml").serial = 7
    schedule.fire(context, NOON)

    ended(context, f"audit-ml-{TODAY}", run_state.COMPLETED)

    with context.database.session() as session:
        assert session.get_one(ProjectRow, "ml").serial == 7


def test_a_paused_loop_looks_at_no_records(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml")
        assert loops.pause(session, "ml", "pm-1@example.com", "a freeze", NOON)
        loops.set_audit_due(session, "ml", NOON)

    assert stores.due(context, kind=dues.AUDIT) is None
    assert schedule.fire(context, NOON + DAY) == []


def test_a_sooner_look_that_somebody_asked_for_stays_due(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml")
    schedule.fire(context, NOON)
    run = run_of(context, f"audit-ml-{TODAY}")
    with context.database.session() as session:
        loops.set_audit_due(session, "ml", NOON + HOUR)

        loops.audit_again(session, run, NOON + DAY)
        loops.audit_again(session, run, None)

    assert stores.due(context, kind=dues.AUDIT) == NOON + HOUR


def test_an_older_look_sets_nothing(context: Context) -> None:
    with context.database.session() as session:
        project(session, "ml")
    schedule.fire(context, NOON)
    run = run_of(context, f"audit-ml-{TODAY}")
    with context.database.session() as session:
        session.execute(update(LoopRow).values(audit_run_id="audit-ml-2036-01-01"))

        loops.audit_again(session, run, NOON + DAY)

    assert stores.due(context, kind=dues.AUDIT) is None


def test_several_at_once_begin_each_look_once(context: Context) -> None:
    names = [f"p{number:02}" for number in range(40)]
    with context.database.session() as session:
        for name in names:
            project(session, name)
    gate = Barrier(4)

    def look(_number: int) -> list[tuple[str, str]]:
        gate.wait()
        found: list[tuple[str, str]] = []
        while begun := schedule.fire(context, NOON, limit=5):
            found += begun
        return found

    with ThreadPoolExecutor(4) as pool:
        begun = [one for found in pool.map(look, range(4)) for one in found]

    assert sorted(begun) == [(f"audit-{name}-{TODAY}", "con") for name in names]
