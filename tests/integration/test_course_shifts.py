"""Phases take more or fewer iterations than planned, and nothing is made twice for it. Seen in the sandbox's Jira by
plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.usecases.loop import decisions
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import Turntable, turntable

FIRST, SECOND, THIRD = "2026-03-02T09:00", "2026-03-16T09:00", "2026-03-30T09:00"


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Turntable]:
    with turntable(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def team(table: Turntable) -> JiraTeam:
    return JiraTeam(table.url)


def test_what_was_prepared_shifts_when_a_phase_goes_on_longer(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    before = team.titles()
    table.turned(1, FIRST)
    table.turned(2, SECOND)
    table.turned(3, THIRD)  # nothing is done, so the first phase continues

    assert table.iteration(3).of_phase == 3
    after = team.titles()
    assert after["Watch the model (4)"] == 0
    assert after["Watch the model (5)"] == 1
    made = {title for title in after if after[title] > before[title]}
    assert made == {"Watch the model (5)", "Document iteration 5", "Meetings 5"}
    assert set(after.values()) == {1}


def test_nothing_is_made_twice_when_a_phase_ends_early_and_the_loop_goes_back(table: Turntable, team: JiraTeam) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)
    team.finish("Set the goals", "Load the data", "Clean the data", "Document iteration 1")
    table.turned(2, SECOND)
    assert (table.iteration(2).phase, set(team.titles().values())) == ("model", {1})

    decisions.decide(table.context, "ML", "back", "data", "The labels are wrong.", "lead@example.com")
    table.turned(3, THIRD)

    anew = {"Set the goals", "Load the data", "Clean the data"}  # what was done; the model's tickets are open, and kept
    assert {title for title, count in team.titles().items() if count > 1} == anew
    assert max(team.titles().values()) == 2
