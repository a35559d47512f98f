"""What a look at records costs: requests do not grow with the iterations that are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.usecases.audit import record_audit
from service.usecases.plan.project_state import material
from tests.integration.record_desks import record_desk
from tests.integration.turntable import Turntable, turntable

FIRST, SECOND, THIRD, FOURTH = "2026-03-02T09:00", "2026-03-16T09:00", "2026-03-30T09:00", "2026-04-13T09:00"


@pytest.fixture(params=["jira", "trello"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Turntable]:
    with turntable(tmp_path / "home", request.param) as opened:
        opened.plan_and_apply()
        yield opened


def cost(table: Turntable) -> tuple[int, int]:
    """The requests of one look, once it is known where the project is and what it is like, and how many iterations it
    read."""
    ours = material(table.context, table.project)
    with table.context.tracker(ours.connection) as tracker:
        place = record_audit.located(table.context, tracker, ours)
        record_audit.look(table.context, ours, tracker, place)
        before = tracker.usage
        found = record_audit.look(table.context, ours, tracker, place)
        assert tracker.usage.writes == before.writes
        return tracker.usage.reads - before.reads, len(found)


def test_a_look_at_four_iterations_takes_hardly_more_requests_than_at_one(table: Turntable) -> None:
    table.turned(1, FIRST)
    desk = record_desk(table.sandbox, material(table.context, table.project).connection.kind)
    desk.finishes("data-1@example.com", "Set the goals")
    one, read = cost(table)
    assert read == 1
    table.turned(2, SECOND)
    table.turned(3, THIRD)
    table.turned(4, FOURTH)

    four, read = cost(table)

    assert read == 4
    whole_records = 3  # Jira's remote links take a request for each record that is read whole
    assert four <= one + whole_records
