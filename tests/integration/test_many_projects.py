"""Home with many projects: the database orders, filters and cuts, and a page costs what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from connectors import registry
from service.context import Context
from service.domain.access.identity import Actor, Caller, Grant, Kind
from service.domain.access.roles import Role
from service.domain.audit.outcome import Clock, Verdict
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.pages import home
from service.store import items
from service.store.tables import AuditRow, ItemRow, LoopRow, ProjectRow, RunRow
from service.usecases.overview.freshness import connection_freshness, tracker_freshness
from service.usecases.overview.needs import needs_someone
from service.usecases.overview.portfolio import portfolio
from service.usecases.setup import projects
from service.views.overview import Reason
from tests.contract.memory_tracker.kind import MEMORY
from tests.contract.memory_tracker.site import SITES
from tests.integration.test_third_tracker import MemoryTable, memory_table
from tests.statements import statements

LEAD = Caller(Actor(Kind.PERSON, "per_1", "lead-1@example.com"), (Grant(Role.LEAD),))


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryTable]:
    monkeypatch.setitem(registry.KINDS, MEMORY.name, MEMORY)
    with memory_table(tmp_path / "home") as opened:
        yield opened
    SITES.clear()


def many(context: Context, number: int, prefix: str = "P") -> list[str]:
    """So many copies of the project that is there, written at once; their ids."""
    [one] = [each for each in projects.listed(context) if each.key == "ML"]
    with context.database.session() as session:
        row = session.get_one(ProjectRow, one.id)
        values = {column.key: getattr(row, column.key) for column in ProjectRow.__table__.columns}
        copies = [
            {**values, "id": f"prj_{prefix}{n:05}", "key": f"{prefix}{n}", "name": f"{prefix} number {n:05}"}
            | {"site": None, "remote_id": None, "serial": 1}
            for n in range(number)
        ]
        session.connection().execute(insert(ProjectRow.__table__), copies)
    return [one["id"] for one in copies]


def run(context: Context, project: str, state: str, *, kind: str = "apply", serial: int = 1, late: int = 0) -> None:
    with context.database.session() as session:
        at = context.now() + timedelta(seconds=late)
        session.add(
            RunRow(
                id=f"{kind}-{project}-{state}-{late}",
                kind=kind,
                project_id=project,
                serial=serial,
                state=state,
                started_by="x",
                created_at=at,
                finished_at=at,
                findings=[],
                message="It is so.",
            )
        )


def item(context: Context, project: str, key: str, state: str, wanted: dict[str, object]) -> None:
    with context.database.session() as session:
        row = ItemRow(project_id=project, key=key, kind="ticket", state=state, wanted=wanted, updated_at=context.now())
        session.add(row)


def audited(context: Context, project: str, verdict: Verdict, clock: Clock) -> None:
    with context.database.session() as session:
        told = {"verdict": verdict.value, "clock": clock.value, "score": 1, "result": {}, "audited_at": context.now()}
        session.add(AuditRow(project_id=project, number=1, **told))


def paused(context: Context, project: str) -> None:
    with context.database.session() as session:
        told = {"state": loop_state.PAUSED, "message": "It is so.", "feed": project, "updated_at": context.now()}
        session.add(LoopRow(project_id=project, **told))


def needing(context: Context) -> None:
    """Projects of every reason, and of what only looks like one."""
    ids = many(context, 16)
    run(context, ids[0], run_state.HELD, kind="advance")
    run(context, ids[1], run_state.FAILED)
    paused(context, ids[2])
    run(context, ids[3], run_state.INCOMPLETE)
    item(context, ids[4], "ticket:a", items.REFUSED, {})
    audited(context, ids[5], Verdict.UNDOCUMENTED, Clock.OVERDUE)
    item(context, ids[6], "ticket:a", items.MADE, {"labels": ["vacant:ml"], "assignee": None})
    # Several reasons: the most urgent counts.
    paused(context, ids[7])
    run(context, ids[7], run_state.FAILED)
    item(context, ids[7], "ticket:a", items.REFUSED, {})
    # None, although it looks so.
    run(context, ids[8], run_state.FAILED, serial=0)
    run(context, ids[9], run_state.FAILED)
    run(context, ids[9], run_state.COMPLETED, late=60)
    audited(context, ids[10], Verdict.DOCUMENTED, Clock.OVERDUE)
    item(context, ids[11], "ticket:a", items.MADE, {"labels": ["vacant:ml"], "assignee": "somebody"})
    item(context, ids[12], "ticket:a", items.MADE, {"labels": ["ml"], "title": "vacant:ml"})
    run(context, ids[13], run_state.INCOMPLETE, kind=loop_state.AUDIT)
    # Taken by somebody in the tracker.
    item(context, ids[14], "ticket:a", items.MADE, {"labels": ["vacant:ml"]})
    with context.database.session() as session:
        session.get_one(ItemRow, (ids[14], "ticket:a")).seen = {"assignee": "somebody"}


def test_the_database_finds_the_reason_that_the_domain_finds(table: MemoryTable) -> None:
    context = table.context
    needing(context)
    found = portfolio(context, 100)
    needs = needs_someone(context)

    assert {one.reason for one in needs} == set(Reason)
    assert len(needs) == 8
    assert dict(found.reasons) == {reason: sum(one.reason is reason for one in needs) for reason in Reason}
    assert [one.project.id for one in found.standings][: len(needs)] == [one.project.id for one in needs]
    assert found.needs == {one.project.id: one for one in needs}
    assert (found.total, found.found, dict(found.kinds)) == (17, 17, {MEMORY.name: 17})


def test_projects_are_searched_by_all_words_and_filtered(table: MemoryTable) -> None:
    context = table.context
    needing(context)
    many(context, 3, "\N{LATIN CAPITAL LETTER U WITH DIAERESIS}BER")

    def names(**asked: object) -> list[str]:
        return [one.project.key for one in portfolio(context, 100, **asked).standings]  # type: ignore[arg-type]

    assert names(query="p2") == ["P2"]
    assert names(query="NUMBER 00003 p") == ["P3"]
    assert len(names(query="\N{LATIN SMALL LETTER U WITH DIAERESIS}ber")) == 3
    assert names(query="%") == names(query="nothing") == []
    assert len(names(needing=True)) == 8
    assert names(kind="jira") == []
    assert len(names(query=MEMORY.title[:4].upper())) == 20
    assert names(query="tracker p1 00001") == ["P1"]
    some = frozenset({"prj_P00001", "prj_P00009"})
    seen = portfolio(replace(context, sees=some), 100)
    assert {one.project.id for one in seen.standings} == some
    assert seen.total == 2


def test_ten_thousand_projects_are_paged_and_a_page_takes_as_many_statements_as_one_of_few(table: MemoryTable) -> None:
    context = table.context
    few = many(context, 60)

    def asked(page: int = 1) -> tuple[home.HomePage, int]:
        with statements(context, here=True) as sent:
            found = home.page_of(context, LEAD, page=page)
        return found, len(sent)

    small, cost = asked()
    many(context, 10_000, "Q")
    large, of_many = asked()

    assert of_many == cost
    assert (len(small.rows), small.total, len(large.rows), large.total) == (50, 61, 50, 10_061)
    assert large.span == "1 to 50 of 10,061"
    assert (large.before, large.after) == ("", "/?page=2")
    last, of_last = asked(202)
    assert of_last == cost
    assert (last.span, last.after) == ("10,051 to 10,061 of 10,061", "")
    assert last.rows[-1].name == "Q number 09999"
    assert few[0] in large.rows[1].href
    beyond, _ = asked(5000)
    assert (beyond.rows, beyond.total, beyond.span) == ((), 10_061, "")


def test_freshness_in_short_is_what_it_is_in_full(table: MemoryTable) -> None:
    context = table.context
    assert [one.read_at for one in connection_freshness(context)] == [None]
    table.plan_and_apply()
    [full] = [one for one in tracker_freshness(context) if one.projects]
    [short] = connection_freshness(context)
    assert (short.name, short.read_at, short.trouble) == (full.name, full.read_at, full.trouble)
    assert short.read_at is not None
    many(context, 1)
    assert [one.read_at for one in connection_freshness(context)] == [None], "one was never read"
