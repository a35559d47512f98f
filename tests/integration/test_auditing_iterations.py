"""Which iterations are looked at, how long they last, when their phase's deliverables count, and who is who."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain.audit.outcome import Check, Result, Verdict
from service.domain.plan import run_state
from service.store.tables import LoopRow, TeamRow
from service.usecases.audit import record_audit
from service.usecases.loop import scheduling
from tests.integration.record_desks import DATA, ML, PM
from tests.integration.test_auditing import GOAL, ONE, SECOND, THIRD, TWO, Scene, opened, results

ALL = ("Set the goals", "Load the data", "Clean the data")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    yield from opened(tmp_path / "home", "jira")


def test_deliverables_count_where_the_phase_ends_and_nowhere_else(scene: Scene) -> None:
    assert not scene.look()[0].iteration.gate
    scene.table.turned(2, SECOND)
    assert [one.iteration.gate for one in scene.look()] == [False, False]  # its output is not there yet

    scene.desk.finishes(DATA, *ALL)
    first, second = scene.look()

    assert (first.iteration.gate, second.iteration.gate) == (False, True)
    assert [one.document.title for one in second.deliverables if one.document is not None] == ["Clean the data"]
    assert results(scene.run()[2])[Check.DELIVERABLES] is Result.FAIL
    scene.desk.links(DATA, "Clean the data", "https://data.example.com/clean/3", "The clean dataset")
    assert results(scene.run()[2])[Check.DELIVERABLES] is Result.PASS

    scene.desk.finishes(PM, ONE, TWO)
    scene.table.turned(3, THIRD)
    assert scene.table.iteration(3).phase == "model"
    assert [one.iteration.gate for one in scene.look(1, 2, 3)] == [False, True, False]


def test_a_phase_that_stays_has_no_gate_in_the_iteration_that_it_stayed_after(scene: Scene) -> None:
    scene.table.turned(2, SECOND)
    scene.table.turned(3, THIRD)
    assert scene.table.iteration(3).phase == "data"

    assert [one.iteration.gate for one in scene.look()] == [False, False, False]


def test_what_was_done_in_a_closed_iteration_is_as_it_was_closed(scene: Scene) -> None:
    scene.desk.finishes(DATA, "Set the goals")
    scene.table.turned(2, SECOND)
    scene.desk.finishes(DATA, "Load the data", ONE)

    first, second = scene.look()

    assert [one.key for one in first.done] == ["ticket:goals"]
    assert [one.key for one in second.done] == ["ticket:load"]  # and no record that was late
    assert first.iteration.figures is not None
    assert second.iteration.figures is None


def test_the_text_of_the_record_before_is_there_to_be_compared_with(scene: Scene) -> None:
    scene.desk.writes(DATA, ONE, GOAL)
    scene.table.turned(2, SECOND)
    scene.desk.writes(DATA, TWO, GOAL)

    (second,) = scene.look(2)

    assert second.former.startswith("## Goal")
    assert results(scene.run(2)[2])[Check.NEW] is Result.FAIL


def test_an_iteration_that_goes_on_longer_is_due_later(scene: Scene) -> None:
    planned = scene.look()[0].iteration
    scheduling.skip(scene.table.context, "ML", "lead@example.com", "Everybody is at a fair.")

    longer = scene.look()[0].iteration

    assert (planned.last.isoformat(), longer.last.isoformat()) == ("2026-03-15", "2026-03-29")
    assert longer.deadlines.due.isoformat() == "2026-03-27T17:00:00+00:00"
    scene.table.turned(2, THIRD)
    assert scene.look(1)[0].iteration.deadlines == longer.deadlines


def test_an_iteration_that_is_closed_before_its_time_is_due_then(scene: Scene) -> None:
    scene.table.set("2026-03-11T10:00")
    assert scene.table.advanced(2).state == run_state.COMPLETED

    (first, _second) = scene.look()

    assert first.iteration.last.isoformat() == "2026-03-11"
    assert first.iteration.deadlines.due == first.iteration.closed_at
    assert first.iteration.deadlines.late.isoformat()[:10] == "2026-03-13"


def test_a_settled_iteration_is_read_along_and_looked_at_only_when_it_changed(scene: Scene) -> None:
    scene.documents()
    scene.table.turned(2, SECOND)
    scene.run()

    assert [one.iteration.number for one in scene.look()] == [2]
    assert [one.iteration.number for one in scene.look(1)] == [1]
    scene.desk.says(ML, ONE, "Where is the second run?")
    assert [one.iteration.number for one in scene.look()] == [1, 2]
    assert scene.look(7) == []


def test_who_signed_and_left_the_team_since_has_signed(scene: Scene) -> None:
    scene.documents()
    scene.run()
    with scene.table.context.database.session() as session:
        row = session.get_one(TeamRow, scene.ours.project.team_id)
        row.body = {**row.body, "members": [one for one in row.body["members"] if "pm" not in one["roles"]]}

    found = scene.run()[1]

    assert results(found)[Check.SIGN_OFF] is Result.PASS
    assert scene.look()[0].people[scene.desk.account(PM)].roles == ("pm",)


def test_somebody_who_does_not_hold_the_role_does_not_sign(scene: Scene) -> None:
    scene.desk.writes(DATA, ONE, GOAL)
    scene.desk.says(ML, ONE, "/approve")
    assert results(scene.run()[1])[Check.SIGN_OFF] is Result.FAIL
    scene.desk.says(PM, ONE, "/approve")
    assert results(scene.run()[1])[Check.SIGN_OFF] is Result.PASS


def test_nothing_is_looked_at_before_an_iteration_has_begun_and_a_failed_look_says_so(scene: Scene) -> None:
    with scene.table.context.database.session() as session:
        assert session.get_one(LoopRow, scene.table.project).current == 1
    assert record_audit.failed(scene.table.context, scene.ours, [2], "Jira did not answer.") == []
    (found,) = record_audit.failed(scene.table.context, scene.ours, None, "Jira did not answer.")
    assert found.verdict is Verdict.UNKNOWN


def test_when_the_tracker_shows_nothing_at_all_nothing_is_said_to_be_deleted(scene: Scene) -> None:
    scene.documents()
    scene.run()
    for title in ("Clean the data", ONE):
        scene.desk.deletes(title)

    scene.run()

    assert scene.row().verdict == Verdict.DOCUMENTED
    assert "may not see" in scene.row().trouble
