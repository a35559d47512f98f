"""What commands tell people: what to do next as it can be pasted, in their words, and nothing in silence."""

from __future__ import annotations

from contextlib import closing
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from service.context import open_context
from service.settings import Settings
from service.store.tables import PlanRow
from tests.integration.conftest import SMALL, TEAM_FILE, Installation

NEW = ("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE, "--set", "start_date=next-monday")


@pytest.fixture
def built(here: Installation) -> Installation:
    here.ok(*NEW, code=2)
    here.ok("apply", "ML")
    return here


def run_of(installation: Installation) -> Any:
    return installation.ok("runs", "list", "--json").json[0]["id"]


def plans_called(installation: Installation, *ids: str) -> None:
    """Copies of the one plan there is under these ids."""
    settings = Settings(_env_file=None, home=installation.home, database_url=None, secret_key=None)
    with closing(open_context(settings)) as context, context.database.session() as session:
        row = session.scalars(select(PlanRow)).one()
        for one in ids:
            values = {column.key: copy(getattr(row, column.key)) for column in PlanRow.__table__.columns}
            session.add(PlanRow(**{**values, "id": one}))


def test_a_unique_prefix_of_a_plan_is_enough_and_an_ambiguous_one_is_answered_with_the_candidates(
    here: Installation,
) -> None:
    here.ok(*NEW, code=2)
    plans_called(here, "pln_aaaa00000001", "pln_aaaa00000002", "pln_bbbb00000001")

    several = here.ok("apply", "pln_aaaa", code=1).err
    assert "Several plans begin with 'pln_aaaa': pln_aaaa00000001, pln_aaaa00000002." in several
    assert "There is no plan 'pln_cccc'" in here.ok("apply", "pln_cccc", code=1).err
    assert here.ok("apply", "pln_bbbb", "--json").json["id"] == "apply-pln_bbbb00000001"


def test_projects_teams_and_connections_are_named_by_a_prefix_of_their_ids(built: Installation) -> None:
    (project,) = built.ok("projects", "list", "--json").json
    (team,) = built.ok("teams", "list", "--json").json

    assert built.ok("projects", "show", project["id"][:8], "--json").json["id"] == project["id"]
    assert built.ok("teams", "show", team["id"][:8], "--json").json["id"] == team["id"]
    assert run_of(built) in built.ok("runs", "show", run_of(built)[:14]).out


def test_an_undo_says_that_jira_keeps_key_and_name_until_the_trash_is_emptied(built: Installation) -> None:
    run = run_of(built)

    for said in (built.ok("undo", run, "--plan", code=2).out, built.ok("undo", run, "--yes").out.split("Plan")[-1]):
        assert 'its key ML and its name "ML" stay taken until it is deleted there' in said
        assert "fix: To use them again, have an administrator of Jira delete ML permanently" in said
    found = built.ok("runs", "list", "--json").json[0]
    assert [one["code"] for one in found["findings"]] == ["name-stays-taken"]
    assert found["state"] == "completed"


def test_a_skip_while_the_loop_is_paused_says_when_the_iteration_begins(built: Installation) -> None:
    built.ok("schedule", "pause", "ML", "--reason", "A freeze.")

    said = built.ok("schedule", "skip", "ML", "--reason", "A fair.")
    first = built.ok("schedule", "skip", "ML", "--reason", "Another fair.", "--json").json["coming"]

    assert "Skipped: iteration 1 begins on " in said.out
    assert "not before the schedule is resumed" in said.out
    assert "Paused by" in said.out
    assert first["iteration"] == 1
    assert first["first"] not in said.out  # that was another length later


def test_fields_are_called_as_people_call_them(built: Installation) -> None:
    wrong = {
        ("plan", "ML", "--restore", "no such thing"): "what to restore: ",
        ("plan", "ML", "--carry-over", "nxt"): "carry-over: ",
        ("plan", "ML", "--time-zone", "Europe/Berlim"): "the time zone: ",
        ("plan", "ML", "--name", "x" * 90): "the project's name: ",
        ("plan", "ML", "--set", "start_date=soon"): "parameter start_date: ",
        ("carry", "ML", "FRD-16=next"): "",
    }
    for command, place in wrong.items():
        said = built.ok(*command, code=1).err
        assert place in said, said
        for inner in ("restore[0]", "turning", "carry_over", "time_zone", "answers FRD", "decision move"):
            assert inner not in said, said

    shown = built.ok("plan", "ML", "--carry-over", "leave", "--wip-limit", "3", code=2).out
    assert "carry-over: " in shown
    assert "WIP limit: " in shown
    assert "turning" not in shown


def test_everything_that_is_wrong_with_a_plan_is_told_at_once(here: Installation, tmp_path: Path) -> None:
    calendar = tmp_path / "calendar.yaml"
    calendar.write_text("holidays: {country: Atlantis}\n", encoding="utf-8")

    said = here.ok(
        *("plan", "ML", "--team", TEAM_FILE, "--template", tmp_path / "none.yaml", "--calendar", calendar),
        *("--set", "x", "--time-zone", "Europe/Berlim", "--name", "x" * 90),
        code=1,
    ).err

    for part in ("none.yaml", "Atlantis", "--set", "Europe/Berlim", "the project's name"):
        assert part in said, part


def test_a_proposed_command_repeats_what_was_given(here: Installation, sandbox: SandboxServer, tmp_path: Path) -> None:
    no_team = here.ok("plan", "ML", "--create", "--template", SMALL, "--set", "a=b c", code=1).err
    assert f"phaseloop plan ML --create --template {SMALL} --set 'a=b c' --team team.yaml" in no_team

    table = tmp_path / "people.csv"
    table.write_text("Who,roles,Work Email\nML engineer 1,ml,ml-1@example.com\n", encoding="utf-8")
    mapped = ("--map", "Work Email=email", "--map", "Who=person")
    no_zone = here.ok("teams", "import", table, *mapped, "--json", code=1).err
    assert f"phaseloop teams import {table} --map 'Work Email=email' --map Who=person --json --time-zone" in no_zone

    here.ok("connections", "add", "second", "--url", sandbox.url, "--email", DEMO_EMAIL, stdin=DEMO_TOKEN)
    several = here.ok(*NEW, code=1).err
    assert f"--team {TEAM_FILE} --set start_date=next-monday --connection jira" in several


def test_an_advance_that_was_only_shown_is_proposed_with_what_was_said_of_it(built: Installation) -> None:
    built.ok("advance", "ML", "--yes")

    shown = built.ok("advance", "ML", "--carry", "leave", code=2).out

    assert "phaseloop advance ML --carry leave --yes" in shown


def test_counts_of_one_are_in_the_singular(built: Installation) -> None:
    everything = built.ok("plan", "ML", "--all").out + built.ok("status", "ML").out

    assert "1 pt " in everything
    for plural in ("pts", "tickets", "characters", "iterations", "calls", "epics"):
        assert f" 1 {plural}" not in everything.replace("(1 ", " 1 "), plural
