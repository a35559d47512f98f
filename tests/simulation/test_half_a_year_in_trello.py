"""Six months in Trello, by both methods: every iteration's tickets, people, dates and needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.stories import half_a_year


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("method", ["scrum", "kanban"])
def test_half_a_year_goes_by_and_every_iteration_is_as_it_should_be(method: str, tmp_path: Path) -> None:
    half_a_year("trello", method, tmp_path / "home")
