"""What the clock and the keeper cost does not grow: a look takes as many statements, and reads as many rows, however
many projects there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from service import schedule
from service.context import Context
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.team.team import Team
from service.runs import maintenance as keeping
from service.runs.active_runs import Traffic
from service.runs.engine import EXECUTOR, QUEUE, Engine
from service.runs.maintenance import Keeper
from service.store import dues
from service.store.tables import LoopRow, ProjectRow, RunRow
from service.usecases.loop import scheduling
from service.usecases.loop.advances import Advancing
from service.usecases.setup import teams
from tests.statements import statements
from tests.unit import stores
from tests.unit.stores import NOON

PEOPLE = [{"person": "Ada", "email": "ada@example.com", "roles": ["ml"]}]

OF_THE_LOG = 4
"""Statements that the change log takes in a unit of work, however many rows it changes: the rows before and after, the
lock and the end of the chain, what is added to it."""


@pytest.fixture(params=["sqlite", "postgresql"])
def context(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    yield from stores.on(request.param, tmp_path)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Context]:
    yield from stores.on("sqlite", tmp_path)


def projects(
    context: Context,
    names: list[str],
    next_due: datetime | None,
    audit_due: datetime | None = None,
    team_id: str = "team",
) -> None:
    """Projects whose loops are due then, and whose records are to be looked at then."""
    common = {"connection_id": "con", "team_id": team_id, "template_digest": "d", "parameters": {}}
    rows = [{"id": name, "name": name, "key": name, "created_at": NOON, "time_zone": "UTC", **common} for name in names]
    turning = [
        {
            "project_id": name,
            "state": loop_state.TURNING,
            "feed": name,
            "updated_at": NOON,
        }
        for name in names
    ]
    with context.database.session() as session:
        session.execute(insert(ProjectRow), rows)
        session.execute(insert(LoopRow), turning)
    stores.set_due(context, names, next_due)
    stores.set_due(context, names, audit_due, dues.AUDIT)


def open_runs(context: Context, state: str, numbers: range) -> None:
    rows = [
        {
            "id": f"apply-{number:05}",
            "kind": "apply",
            "project_id": "p",
            "state": state,
            "started_by": "pm-1@example.com",
            "created_at": NOON,
        }
        for number in numbers
    ]
    with context.database.session() as session:
        session.execute(insert(RunRow), rows)


@pytest.mark.parametrize("due", ["next_due", "audit_due"])
def test_beginning_what_is_due_takes_as_many_statements_for_a_hundred_projects_as_for_ten(
    context: Context, due: str
) -> None:
    spent = []
    for count in (10, 100):
        names = [f"of-{count}-{number}" for number in range(count)]
        projects(context, names, **{"next_due": None, due: NOON})
        with statements(context) as sent:
            assert len(schedule.fire(context, NOON)) == count
        spent.append(len(sent))

    assert spent[0] == spent[1] <= 8 + OF_THE_LOG, spent


def test_a_tick_with_nothing_due_is_one_look_however_many_projects_wait(context: Context) -> None:
    later = NOON + timedelta(days=1)
    projects(context, [f"p{number}" for number in range(500)], later, later)

    with statements(context) as sent:
        assert schedule.fire(context, NOON) == []

    assert len([statement for statement in sent if not statement.startswith("BEGIN")]) == 1


def test_changing_a_team_takes_as_many_statements_for_a_hundred_projects_as_for_one(context: Context) -> None:
    spent = []
    for count in (1, 100):
        name = f"team of {count}"
        of_it = Team.model_validate({"name": name, "members": PEOPLE})
        row = teams.put(context, of_it)
        projects(context, [f"of-{count}-{number}" for number in range(count)], NOON, team_id=row.id)
        with statements(context) as sent:
            teams.put(context, of_it.model_copy(update={"time_zone": "Asia/Tokyo"}))
            assert scheduling.following(context, row.id) == count
        spent.append(len(sent))

    assert spent[0] == spent[1] <= 8 + OF_THE_LOG, spent


def test_a_look_for_teams_that_changed_is_one_statement_however_many_projects_there_are(context: Context) -> None:
    projects(context, [f"p{number}" for number in range(500)], NOON)

    with statements(context, but="BEGIN") as sent:
        assert scheduling.keep_up(context) == 0

    assert len(sent) == 1


def test_a_held_project_that_looks_again_takes_as_many_statements_among_fifty_as_among_five(context: Context) -> None:
    spent = []
    for count in (5, 50):
        names = [f"of-{count}-{number}" for number in range(count)]
        projects(context, names, NOON)
        schedule.fire(context, NOON)
        with context.database.session() as session:
            mine = RunRow.project_id.in_(names)
            session.execute(update(RunRow).where(mine).values(state=run_state.HELD))
        stores.set_due(context, names, NOON)
        with statements(context) as sent:
            assert len(schedule.fire(context, NOON)) == count
        spent.append(len(sent) / count)

    assert spent[1] <= spent[0] <= 4.5, spent


def test_a_look_at_the_journal_reads_a_part_of_the_open_runs_and_in_turn_all(
    embedded: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "CHUNK", 40)
    monkeypatch.setattr(Keeper, "start", lambda _keeper, **_given: None)  # the engine's own is not to look as well
    projects(embedded, ["p"], NOON + timedelta(days=1))
    started: list[str] = []
    with Engine(embedded, Advancing()):
        keeper = Keeper(
            embedded, Traffic(), QUEUE, EXECUTOR, None, lambda workflow, _partition: started.append(workflow), print
        )
        open_runs(embedded, run_state.QUEUED, range(100))
        open_runs(embedded, run_state.COMPLETED, range(200, 400))
        open_runs(embedded, run_state.HELD, range(400, 450))
        looks = []
        for _ in range(4):
            before = len(started)
            with statements(embedded) as sent:
                keeper.reconcile()
            looks.append((len(started) - before, len(sent)))

    assert looks == [(40, 1), (40, 1), (20, 1), (40, 1)]
    assert started[:100] == [f"apply-{number:05}" for number in range(100)]


def test_a_loop_whose_project_has_ended_is_looked_at_once(context: Context) -> None:
    projects(context, ["over", "goes-on"], NOON)
    with context.database.session() as session:
        session.execute(update(ProjectRow).where(ProjectRow.id == "over").values(ended_at=NOON))

    begun = schedule.fire(context, NOON)

    assert begun == [("advance-goes-on-1", "con")]
    with context.database.session() as session:
        assert dues.at(session, "over", dues.TURN) is None
        assert session.get(RunRow, "advance-over-1") is None
