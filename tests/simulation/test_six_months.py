"""Six months in both trackers and by both methods: every iteration's tickets, people, dates and dependencies, as plain
clients see them."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation.report import Began, Closed, Held, WentOn
from tests.simulation.stories import Story, script


@pytest.mark.parametrize("method", ["scrum", "kanban"])
@pytest.mark.parametrize("tracker", ["jira", "trello"])
def test_six_months_go_by_and_every_iteration_is_as_it_should_be(tracker: str, method: str, tmp_path: Path) -> None:
    story = Story(script(tracker, method), tmp_path / "home")

    report = story.play()

    assert [one.number for one in report.of(Began)] == list(range(1, 14))
    assert [one.number for one in report.of(Closed)] == list(range(1, 13))
    story.check()
    assert {one.iteration for one in report.of(Held)} == {one.iteration for one in report.of(WentOn)}
    if (tracker, method) != ("jira", "kanban"):
        assert len(report.of(Held)) == 1
    for one in report.of(Closed):
        tally = one.tally
        ended = (tally.done, tally.carried, tally.backlog, tally.left, tally.removed)
        assert tally.planned.tickets + tally.added.tickets == sum(end.tickets for end in ended)
