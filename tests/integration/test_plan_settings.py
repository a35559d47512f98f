"""A plan has no effects: the settings it was made with come with its apply, whole, and go back with its undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.testing import SandboxServer
from tests.integration.conftest import SMALL, TEAM_FILE, Installation
from tests.integration.desks import JiraDesk

NEW = ("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE, "--set", "start_date=2027-01-04")


@pytest.fixture
def desk(sandbox: SandboxServer) -> JiraDesk:
    return JiraDesk(sandbox.url)


@pytest.fixture
def built(here: Installation) -> Installation:
    here.ok(*NEW, code=2)
    here.ok("apply", "ML")
    return here


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The small template with one ticket more."""
    text = SMALL.read_text(encoding="utf-8").replace("version: 1.0.0", "version: 1.1.0")
    more = (
        "      - {key: explain, title: Explain the model, epic: model, role: ml, description: Explain it.,\n"
        "         done: [It is explained], deliverable: a text, points: 1}\n"
    )
    file = tmp_path / "newer.yaml"
    file.write_text(text.replace("    record: {epic", more + "    record: {epic"), encoding="utf-8")
    return file


@pytest.fixture
def other_team(tmp_path: Path) -> Path:
    """The team of the demonstration, in which the data engineer can take less."""
    file = tmp_path / "team.yaml"
    text = TEAM_FILE.read_text(encoding="utf-8")
    file.write_text(text.replace("capacity: 14", "capacity: 3"), encoding="utf-8")
    return file


def settings(installation: Installation) -> Any:
    return installation.ok("projects", "show", "ML", "--json").json


def team(installation: Installation) -> Any:
    return installation.ok("teams", "show", "Demo team", "--json").json["team"]


def test_a_plan_that_is_left_alone_changes_nothing(
    built: Installation, desk: JiraDesk, newer: Path, other_team: Path, tmp_path: Path
) -> None:
    calendar = tmp_path / "calendar.yaml"
    calendar.write_text("holidays: {country: DE}\n", encoding="utf-8")
    before = settings(built), team(built), desk.titles()
    firings = built.ok("schedule", "next", "ML", "--json").json

    for given in (
        ("--template", newer),
        ("--team", other_team),
        ("--set", "start_date=2027-02-01"),
        ("--calendar", calendar),
        ("--carry-over", "next"),
        ("--name", "Another name"),
        ("--time-zone", "Asia/Tokyo"),
        ("--wip-limit", "3"),
        ("--ahead", "2"),
    ):
        shown = built.run("plan", "ML", *given, "--json").json
        assert shown["settings"], given

    assert (settings(built), team(built), desk.titles()) == before
    assert built.ok("schedule", "next", "ML", "--json").json == firings
    assert built.ok("plan", "ML").out.count("Nothing to do") == 1


def test_what_is_applied_takes_effect_whole_and_is_undone_whole(
    built: Installation, desk: JiraDesk, newer: Path, other_team: Path
) -> None:
    before = settings(built), team(built)["members"], desk.titles()

    shown = built.ok("plan", "ML", "--template", newer, "--team", other_team, code=2)
    assert "Settings that come with this plan" in shown.out
    assert "template: small 1.0.0 (" in shown.out
    assert "team Data engineer: " in shown.out
    assert settings(built) == before[0]

    run = built.ok("apply", "ML", "--json").json
    assert settings(built)["template_title"] == "small 1.1.0"
    assert desk.titles()["Explain the model"] == 1
    assert [one.get("capacity") for one in team(built)["members"] if one["person"] == "Data engineer"] == [3]

    undo = built.ok("undo", run["id"], "--plan", code=2)
    assert "Settings that go back" in undo.out
    assert "small 1.1.0" in undo.out
    built.ok("undo", run["id"], "--yes")
    after = settings(built)
    assert {**after, "serial": 0} == {**before[0], "serial": 0}
    assert (team(built)["members"], desk.titles()) == before[1:]
    assert "Nothing to do" in built.ok("plan", "ML").out  # the loop would not make it again


def test_a_plan_with_settings_alone_is_a_change_and_is_undone(built: Installation) -> None:
    shown = built.ok("plan", "ML", "--carry-over", "backlog", code=2)
    assert "nothing changes in the tracker" in shown.out

    run = built.ok("apply", "ML", "--json").json
    assert settings(built)["carry_over"] == "backlog"

    built.ok("undo", run["id"], "--yes")
    assert settings(built)["carry_over"] is None
    assert "Nothing to do" in built.ok("undo", run["id"]).out


def test_a_setting_that_somebody_changed_again_stays_when_the_run_is_undone(built: Installation) -> None:
    built.ok("plan", "ML", "--carry-over", "backlog", "--ahead", "3", code=2)
    run = built.ok("apply", "ML", "--json").json
    built.ok("projects", "set", "ML", "--carry-over", "leave")

    undo = built.ok("undo", run["id"], "--yes", code=0)

    assert "The setting carry-over was changed again" in undo.out
    assert settings(built)["carry_over"] == "leave"


def test_a_plan_is_refused_when_its_team_was_changed_since(built: Installation, other_team: Path) -> None:
    built.ok("plan", "ML", "--team", other_team, code=2)
    other = other_team.with_name("third.yaml")
    other.write_text(other_team.read_text().replace("capacity: 3", "capacity: 4"), encoding="utf-8")
    built.ok("teams", "import", other)
    before = settings(built)

    refused = built.ok("apply", "ML", code=1)

    assert 'the team "Demo team" was changed' in refused.err.replace("'", '"')
    assert settings(built) == before


def test_settings_are_set_on_purpose_and_shown(built: Installation) -> None:
    built.ok("projects", "set", "ML", "--wip-limit", "4", "--name", "Churn")
    shown = built.ok("projects", "show", "ML").out
    assert "Churn" in shown
    assert "WIP limit" in shown
    assert "Nothing to set was given" in built.ok("projects", "set", "ML", code=64).err
