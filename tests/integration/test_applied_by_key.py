"""What a project's key stands for to `apply`, and what an apply says that it does and did."""

from __future__ import annotations

import pytest

from tests.integration.conftest import SMALL, TEAM_FILE, Installation

NEW = ("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE)


@pytest.fixture
def built(here: Installation) -> Installation:
    here.ok(*NEW, code=2)
    here.ok("apply", "ML")
    return here


def only_shown(installation: Installation, *command: str) -> str:
    """The id of a plan that a command only showed."""
    made: str = installation.ok(*command, "--json", code=2).json["id"]
    return made


def states(installation: Installation) -> dict[str, bool]:
    """Each project by its key, and whether it has ended."""
    return {one["key"]: one["ended_at"] is not None for one in installation.ok("projects", "list", "--json").json}


def test_the_key_never_stands_for_a_removal_that_was_only_shown(built: Installation) -> None:
    removal = only_shown(built, "projects", "remove", "ML")

    answer = built.ok("apply", "ML")

    assert states(built) == {"ML": False}
    said = "A newer plan removes the project; it is not applied by the project's key."
    assert f"{said} Apply it with: phaseloop apply {removal}" in answer.err
    ended = built.ok("apply", removal).out
    assert f"Ends the project ML (plan {removal})." in ended
    assert "The project ML is ended." in ended
    assert states(built) == {"ML": True}


def test_the_key_never_stands_for_an_undo_that_was_only_shown(built: Installation) -> None:
    run = built.ok("runs", "list", "--json").json[0]["id"]
    undo = only_shown(built, "undo", run)

    answer = built.ok("apply", "ML")

    assert len(built.ok("runs", "list", "--json").json) == 1, "nothing was undone"
    assert f"phaseloop apply {undo}" in answer.err
    undone = built.ok("apply", undo).out
    assert f"Undoes in ML what the run {run} did (plan {undo})." in undone
    assert f"Undone in ML: what the run {run} did." in undone


def test_a_plan_of_the_same_kind_that_is_newer_than_the_undo_is_applied_without_a_word_of_it(
    built: Installation,
) -> None:
    only_shown(built, "projects", "remove", "ML")
    made = built.ok("plan", "ML", "--json").json["id"]

    answer = built.ok("apply", "ML")

    assert f"Applies the plan {made} of ML." in answer.out
    assert f"The plan {made} of ML is applied." in answer.out
    assert "newer plan" not in answer.err


def test_a_plan_that_ends_a_planned_project_is_not_offered_to_set_it_up(here: Installation) -> None:
    made = here.ok(*NEW, "--json", code=2).json["id"]
    removal = only_shown(here, "projects", "remove", "ML")

    for said in (here.ok("status").out, here.ok("projects", "list").out):
        assert f"Set it up with: phaseloop apply {made}" in said
        assert removal not in said


def test_a_plan_that_errors_block_is_not_offered_to_set_a_project_up(here: Installation) -> None:
    here.ok(*NEW, code=2)
    blocked = here.ok("plan", "ML", "--existing", "--json", code=1).json["id"]

    for said in (here.ok("status").out, here.ok("projects", "list").out):
        assert blocked not in said
        assert "Errors block its last plan. Fix what a new one names: phaseloop plan ML" in said


def test_a_removal_that_was_only_shown_takes_no_team_from_the_next_plan(here: Installation) -> None:
    here.ok(*NEW, code=2)
    only_shown(here, "projects", "remove", "ML")

    here.ok("plan", "ML", code=2)
    here.ok("apply", "ML")

    assert states(here) == {"ML": False}
    assert [one["name"] for one in here.ok("teams", "list", "--json").json] == ["Demo team"]
