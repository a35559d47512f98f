"""How a loop goes on, as `status` says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from service.cli.loop_words import how_it_goes_on
from service.domain.loop import loop_state
from service.usecases.loop.scheduling import Firing

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def standing(at: datetime) -> Any:
    """A project whose first plan was never applied, or was undone."""
    firing = Firing(kind=loop_state.ADVANCE, iteration=1, phase="data", at=at)
    return SimpleNamespace(project=SimpleNamespace(key="Our board"), loop=None, next=firing, phases={"data": "Data"})


def test_a_day_that_is_over_is_not_told_as_the_next() -> None:
    said = "\n".join(how_it_goes_on(standing(NOON - timedelta(days=1)), NOON))

    assert "Next" not in said
    assert "The loop has not begun" in said
    assert "phaseloop plan 'Our board'" in said


def test_a_day_that_comes_is_told_with_what_it_takes() -> None:
    said = "\n".join(how_it_goes_on(standing(NOON + timedelta(days=1)), NOON))

    assert said.startswith("Next, on ")
    assert "once a first plan is applied" in said
