"""All projects at a glance, in as many queries for many as for few; on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from service.domain.audit.outcome import Verdict
from service.settings import Settings
from service.store.tables import AuditRow, IterationRow, ProjectRow, WaiverRow
from service.usecases.audit import audit_reports
from service.usecases.audit.audit_inputs import before_of, past_of
from service.usecases.plan.project_state import material
from tests.integration.loops import Shop
from tests.postgres import scratch_database
from tests.statements import statements
from tests.unit.store.test_audits import audited, look, subject

ITERATIONS = 26


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    if request.param == "sqlite":
        opened = Shop.open(Settings(home=tmp_path, _env_file=None))
        yield opened
        opened.context.close()
        return
    with scratch_database() as url:
        opened = Shop.open(Settings(home=tmp_path, _env_file=None, database_url=url))
        yield opened
        opened.context.close()


def fill(shop: Shop, count: int) -> None:
    """So many projects with a year of iterations each: all but the newest documented, every tenth project overdue."""
    now, base = shop.clock(), shop.project
    projects, iterations, audits = [], [], []
    for one in range(count):
        name = f"prj_{one:04}"
        projects.append(
            {
                "id": name,
                "name": f"Project {one:04}",
                "key": f"P{one}",
                "connection_id": base.connection_id,
                "team_id": base.team_id,
                "template_digest": base.template_digest,
                "parameters": {},
                "time_zone": "UTC",
                "created_at": now,
            }
        )
        for number in range(1, ITERATIONS + 1):
            first = date(2026, 1, 5) + timedelta(days=14 * number)
            iterations.append(
                {
                    "project_id": name,
                    "number": number,
                    "phase": "ideation",
                    "of_phase": number,
                    "title": f"Ideation {number}",
                    "first": first,
                    "last": first + timedelta(days=13),
                    "starts": now,
                    "ends": now,
                    "began_at": now,
                }
            )
            late = one % 10 == 0 and number == ITERATIONS
            audits.append(
                {
                    "project_id": name,
                    "number": number,
                    "verdict": "undocumented" if late else "documented",
                    "clock": "overdue" if number < ITERATIONS or late else "upcoming",
                    "score": 20 if late else 100,
                    "result": {"findings": [{"check": "D01", "reason": "x" * 2000}]},
                    "audited_at": now,
                    "trouble": "Jira did not answer." if one == 3 and number == 1 else "",
                }
            )
    with shop.context.database.session() as session:
        for table, rows in ((ProjectRow, projects), (IterationRow, iterations), (AuditRow, audits)):
            session.execute(insert(table), rows)


def test_the_portfolio_says_what_each_project_owes_the_worst_first(shop: Shop) -> None:
    fill(shop, 12)
    until = shop.clock().date() + timedelta(days=3)
    waiver = {"project_id": "prj_0004", "check": "D02", "by": "lead", "reason": "It is known.", "at": shop.clock()}
    with shop.context.database.session() as session:
        session.add(WaiverRow(id="w1", until=until, **waiver))
        session.add(WaiverRow(id="w2", until=until - timedelta(days=9), **waiver))
        session.add(WaiverRow(id="w3", until=until, revoked_at=shop.clock(), **waiver))
        session.get_one(ProjectRow, "prj_0005").ended_at = shop.clock()

    found = audit_reports.portfolio(shop.context)

    assert [one.project for one in found[:3]] == ["prj_0000", "prj_0010", "prj_0001"]
    worst = found[0]
    assert (worst.worst, worst.late, worst.iterations) == (Verdict.UNDOCUMENTED, 1, ITERATIONS)
    assert worst.verdicts == {Verdict.DOCUMENTED: ITERATIONS - 1, Verdict.UNDOCUMENTED: 1}
    assert worst.score == round((100 * (ITERATIONS - 1) + 20) / ITERATIONS, 1)
    by_id = {one.project: one for one in found}
    assert "prj_0005" not in by_id
    assert (by_id["prj_0004"].waivers, by_id["prj_0003"].waivers) == (1, 0)
    assert (by_id["prj_0003"].troubles, by_id["prj_0003"].late) == (1, 0)
    new = by_id[shop.project.id]
    assert (new.iterations, new.worst, new.score, new.audited_at) == (0, None, None, None)
    assert audit_reports.portfolio_json(found)[0]["verdicts"]["undocumented"] == 1


def test_a_thousand_projects_take_as_many_queries_as_one(shop: Shop) -> None:
    with statements(shop.context) as few:
        audit_reports.portfolio(shop.context)
    fill(shop, 1000)

    with statements(shop.context) as many:
        found = audit_reports.portfolio(shop.context)

    assert len(found) == 1001
    assert many == few
    assert len(many) <= 4


def test_what_was_read_before_is_known_of_every_iteration(shop: Shop) -> None:
    shop.begin_loop()
    read = {number: subject(number) for number in (1, 2)} | {
        3: subject(3, "nul \x00, half a pair \ud83d \N{PILE OF POO}")
    }
    for number, one in read.items():
        shop.advance()
        look(shop.context, (one, audited(number)), name=shop.project.id)

    before = before_of(shop.context, material(shop.context, shop.project.id))

    assert before.records == {number: one.record for number, one in read.items()}
    assert before.text(2) == "## Goal\n\nTo learn."
    assert before.text(0) == ""
    assert past_of(shop.context, material(shop.context, shop.project.id)).unsettled == [1, 2, 3]
