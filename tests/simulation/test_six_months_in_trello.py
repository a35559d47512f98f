"""Six months in Trello, by both methods: every iteration's tickets, people, dates and needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.stories import six_months


@pytest.mark.timeout(600)
@pytest.mark.parametrize("method", ["scrum", "kanban"])
def test_six_months_go_by_and_every_iteration_is_as_it_should_be(method: str, tmp_path: Path) -> None:
    six_months("trello", method, tmp_path / "home")
