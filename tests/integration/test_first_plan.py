"""A plan of a project that nobody has set up leaves nothing but itself: project and team come with its apply."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from service.context import open_context
from service.settings import Settings
from service.store.tables import PlanRow, ProjectRow, TeamRow
from service.usecases.run import cleanup
from tests.integration.conftest import SMALL, TEAM_FILE, Installation
from tests.integration.desks import JiraDesk

NEW = ("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE)


@pytest.fixture
def desk(sandbox: SandboxServer) -> JiraDesk:
    return JiraDesk(sandbox.url)


@pytest.fixture
def other_team(tmp_path: Path) -> Path:
    """The team of the demonstration, in which the data engineer can take less."""
    file = tmp_path / "team.yaml"
    text = TEAM_FILE.read_text(encoding="utf-8")
    file.write_text(text.replace("capacity: 14", "capacity: 3"), encoding="utf-8")
    return file


def shown(installation: Installation) -> dict[str, Any]:
    """All that people are shown of what there is."""
    return {
        "projects": installation.ok("projects", "list", "--json").json,
        "status": installation.ok("status", "--json").json,
        "schedule": installation.ok("schedule", "next", "--json").json,
        "teams": [(one["name"], one["version"]) for one in installation.ok("teams", "list", "--json").json],
    }


def plan(installation: Installation, *given: object) -> dict[str, Any]:
    made: dict[str, Any] = installation.ok(*(given or NEW), "--json", code=2).json
    return made


def data_engineer(installation: Installation) -> Any:
    team = installation.ok("teams", "show", "Demo team", "--json").json
    return next(one["capacity"] for one in team["team"]["members"] if one["person"] == "Data engineer")


def test_a_first_plan_that_is_left_sets_nothing_up_and_imports_nobody(here: Installation) -> None:
    nothing = shown(here)

    made = plan(here)

    assert shown(here) == nothing == {"projects": [], "status": [], "schedule": [], "teams": []}
    listed = here.ok("projects", "list").out
    assert "No projects yet" in listed
    assert f"phaseloop apply {made['id']}" in listed
    assert f"phaseloop apply {made['id']}" in here.ok("status").out

    here.ok("apply", "ML")
    assert [one["key"] for one in shown(here)["projects"]] == ["ML"]
    assert shown(here)["teams"] == [("Demo team", 1)]


def test_each_first_plan_brings_its_own_settings_and_the_one_that_is_applied_counts(here: Installation) -> None:
    first = plan(here, *NEW, "--name", "First", "--carry-over", "leave")
    second = plan(here, *NEW, "--name", "Second", "--set", "start_date=2027-02-01")

    here.ok("apply", first["id"])

    settings = here.ok("projects", "show", "ML", "--json").json
    assert (settings["name"], settings["carry_over"]) == ("First", "leave")
    assert settings["parameters"].get("start_date") != "2027-02-01"
    assert "stale" in here.ok("apply", second["id"], code=1).err


def test_undo_of_an_apply_does_not_fall_back_to_a_plan_that_was_left(
    here: Installation, other_team: Path, desk: JiraDesk
) -> None:
    plan(here, *NEW[:-1], other_team, "--name", "Left", "--carry-over", "leave")
    made = plan(here, *NEW, "--name", "Applied")

    run = here.ok("apply", made["id"], "--json").json
    assert here.ok("projects", "show", "ML", "--json").json["carry_over"] is None
    assert data_engineer(here) == 14
    here.ok("undo", run["id"], "--yes")

    settings = here.ok("projects", "show", "ML", "--json").json
    assert (settings["name"], settings["carry_over"]) == ("Applied", None)
    assert data_engineer(here) == 14
    assert "Nothing to do" in here.ok("undo", run["id"]).out


def test_a_first_plan_changes_no_team_of_other_projects_before_it_is_applied(
    here: Installation, other_team: Path
) -> None:
    here.ok("teams", "import", TEAM_FILE)

    made = plan(here, *NEW[:-1], other_team)
    assert data_engineer(here) == 14

    here.ok("apply", made["id"])
    assert data_engineer(here) == 3


def test_a_plan_without_settings_goes_on_from_the_last_one_that_was_kept(here: Installation, other_team: Path) -> None:
    plan(here, *NEW, "--name", "First")
    plan(here, *NEW[:-1], other_team, "--name", "Second")

    again = plan(here, "plan", "ML", "--carry-over", "leave")
    assert shown(here)["projects"] == []
    here.ok("apply", again["id"])

    settings = here.ok("projects", "show", "ML", "--json").json
    assert (settings["name"], settings["carry_over"]) == ("Second", "leave")
    assert data_engineer(here) == 3


def test_a_team_is_not_imported_by_a_plan_that_is_not_kept(here: Installation, tmp_path: Path) -> None:
    here.ok("plan", "NOSUCH", "--template", SMALL, "--team", TEAM_FILE, code=1)
    here.ok(*NEW, "--set", "nonsense=1", code=1)
    assert shown(here)["teams"] == []

    plan(here)
    here.ok("apply", "ML")
    file = tmp_path / "another.yaml"
    file.write_text(TEAM_FILE.read_text(encoding="utf-8").replace("Demo team", "Another team"), encoding="utf-8")
    other = plan(here, "plan", "ML", "--team", file)
    assert shown(here)["teams"] == [("Demo team", 1)]

    here.ok("apply", other["id"])
    assert shown(here)["teams"] == [("Another team", 1), ("Demo team", 1)]


def test_a_plan_that_was_left_reserves_neither_key_nor_project(here: Installation, sandbox: SandboxServer) -> None:
    here.ok("connections", "add", "first", "--url", sandbox.url, "--email", DEMO_EMAIL, stdin=DEMO_TOKEN)
    plan(here, *NEW, "--connection", "first")

    made = plan(here, *NEW, "--connection", "jira", "--name", "Another")
    here.ok("apply", made["id"])

    assert [one["name"] for one in shown(here)["projects"]] == ["Another"]
    assert here.ok("projects", "show", "ML", "--json").json["name"] == "Another"


def test_a_project_that_was_only_planned_goes_when_its_plans_are_cleaned_up(here: Installation) -> None:
    plan(here)
    settings = Settings(_env_file=None, home=here.home, database_url=None, secret_key=None)
    with closing(open_context(settings)) as context:
        later = replace(context, now=lambda: context.now() + timedelta(days=settings.keep_runs_days + 1))
        found = cleanup.clean(later)
        with context.database.session() as session:
            left = [session.scalar(select(func.count()).select_from(row)) for row in (ProjectRow, TeamRow, PlanRow)]

    assert found["planned projects"] == 1
    assert left == [0, 0, 0]


def test_one_who_plans_a_project_with_other_settings_does_not_change_what_another_planned(here: Installation) -> None:
    made = plan(here, *NEW, "--name", "Mine")
    here.ok(*NEW, "--name", "x" * 90, code=1)
    here.ok("plan", "ML", "--name", "Yours", code=2)

    here.ok("apply", made["id"])

    assert here.ok("projects", "show", "ML", "--json").json["name"] == "Mine"


def test_what_is_only_planned_cannot_be_set_and_is_shown_as_such(here: Installation) -> None:
    plan(here, *NEW, "--name", "Planned")

    assert "is only planned" in here.ok("projects", "set", "ML", "--name", "Other", code=1).err
    assert "Planned, and not set up" in here.ok("status", "ML").out
    assert here.ok("projects", "show", "ML", "--json").json["name"] == "Planned"
