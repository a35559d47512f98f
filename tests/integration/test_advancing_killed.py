"""A process that is killed in the middle of an advance, and answers that are lost: another process continues, and
nothing is there twice or nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.domain.loop import loop_state
from service.domain.plan import run_state
from tests.integration.conftest import Controls
from tests.integration.jira_team import JiraTeam
from tests.integration.turntable import Turntable, turntable
from tests.waiting import eventually

FIRST, SECOND = "2026-03-02T09:00", "2026-03-16T09:00"

WRITES: dict[str, dict[str, Any]] = {
    "the move of what is carried": {"method": "POST", "path": "/sprint/\\d+/issue$"},
    "the close": {"method": "POST", "path": "/agile/1.0/sprint/\\d+$"},
    "the creation of what is seeded": {"method": "POST", "path": "/issue/bulk$"},
    "the start": {"method": "POST", "path": "/agile/1.0/sprint/\\d+$", "skip": 1},
}


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("write", WRITES)
def test_an_advance_that_is_killed_goes_on_and_does_nothing_twice(tmp_path: Path, write: str, done: bool) -> None:
    with turntable(tmp_path / "home", turning={"ahead": 1}) as table:
        team, controls = JiraTeam(table.url), Controls(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        team.finish("Set the goals")
        controls.set("faults", action="hang", done=done, **WRITES[write])

        with table.elsewhere(SECOND) as process:
            eventually(lambda: struck(controls) == 1)
            process.kill()
            process.wait()
            controls.clear("faults")
        run = table.ended(f"advance-{table.project}-2", *run_state.ENDED, run_state.HELD)

        assert run.state == run_state.COMPLETED, run.findings
        assert_turned(table, team)


@pytest.mark.parametrize("write", WRITES)
def test_a_lost_answer_in_an_advance_does_nothing_twice(tmp_path: Path, write: str) -> None:
    with turntable(tmp_path / "home", turning={"ahead": 1}) as table:
        team, controls = JiraTeam(table.url), Controls(table.url)
        table.plan_and_apply()
        table.turned(1, FIRST)
        team.finish("Set the goals")
        controls.set("faults", action="lose", **WRITES[write])

        run = table.turned(2, SECOND)

        assert struck(controls) == 1
        assert run.state == run_state.COMPLETED, run.findings
        assert_turned(table, team)


def assert_turned(table: Turntable, team: JiraTeam) -> None:
    """The loop is in its second iteration, in our records as in Jira, and everything is there once."""
    assert team.states() == {"Data 1": "closed", "Data 2": "active"}
    assert set(team.titles().values()) == {1}
    assert team.inside("Data 2") == {
        "Load the data",
        "Document iteration 1",
        "Clean the data",
        "Document iteration 2",
        "Meetings 2",
    }
    assert (table.loop.current, table.loop.due) == (2, loop_state.ADVANCE)
    assert [name for name in table.events() if name.startswith(("began", "closed"))] == [
        "began:1",
        "closed:1",
        "began:2",
    ]
    carried = [ticket["key"] for ticket in table.iteration(1).tickets if ticket["outcome"] == "carried"]
    assert carried == ["ticket:load", "record:1"]


def struck(controls: Controls) -> int:
    """How often the fault has struck."""
    faults = controls.get("faults")
    rules = faults if isinstance(faults, list) else faults.get("faults", [])
    return int(rules[0]["struck"])
