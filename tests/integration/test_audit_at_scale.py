"""Auditing one of 1,000 projects takes as many statements as one of ten, and leaves as much evidence. Statements are
counted, not seconds; `make bench` measures those."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import func, insert, select

from bench.audit import ITERATIONS, audit_one, fill, store, subjects
from bench.turning import statements
from service.context import Context
from service.domain.audit.outcome import Verdict
from service.store.tables import AuditRow, EvidenceRow
from service.usecases.audit import audit_reports

SAMPLE = 3


@dataclass(frozen=True)
class Cost:
    """Statements: of each audit that keeps something new, of each that finds nothing new, and of the portfolio. `kept`
    is how many entries of evidence each project has then, `verdicts` what the portfolio says of one."""

    new: list[int]
    again: list[int]
    portfolio: int
    kept: set[int]
    verdicts: dict[Verdict, int]


def cost(size: int) -> Cost:
    """In a store of that many projects, of which all but the last ones were audited before."""
    with store() as context:
        ids = fill(context, size)
        last, looks = ids[-SAMPLE:], subjects()
        audit_one(context, ids[0], looks)
        _copied(context, ids[0], [one for one in ids[1:] if one not in last])
        counts = []
        for project in [*last, *last]:
            with statements(context) as sent:
                audit_one(context, project, looks)
            counts.append(sent[0])
        with statements(context) as shown:
            found = audit_reports.portfolio(context)
        assert len(found) == size
        with context.database.session() as session:
            of_each = select(func.count()).select_from(EvidenceRow).group_by(EvidenceRow.project_id)
            kept = set(session.scalars(of_each))
        one = next(one for one in found if one.project == last[0])
        return Cost(counts[:SAMPLE], counts[SAMPLE:], shown[0], kept, dict(one.verdicts))


def _copied(context: Context, project: str, ids: list[str]) -> None:
    """What was kept of one project, as that of others: so that the tables are as long as they would be."""
    with context.database.session() as session:
        for table in (EvidenceRow, AuditRow):
            rows = session.scalars(select(table).where(table.project_id == project)).all()
            columns = [one.key for one in table.__table__.columns if one.key not in ("id", "evidence_id")]
            said = [{name: getattr(row, name) for name in columns} for row in rows]
            session.execute(insert(table), [{**one, "project_id": id_} for id_ in ids for one in said])


@pytest.fixture(scope="module")
def ten() -> Cost:
    return cost(10)


def test_one_of_a_thousand_projects_takes_as_many_statements_as_one_of_ten(ten: Cost) -> None:
    thousand = cost(1000)

    assert thousand == ten
    assert len(set(ten.new)) == 1
    assert ten.portfolio <= 4


def test_each_iteration_leaves_one_entry_and_none_when_nothing_changed(ten: Cost) -> None:
    assert ten.kept == {ITERATIONS}
    assert max(ten.again) <= min(ten.new)
    assert sum(ten.verdicts.values()) == ITERATIONS
