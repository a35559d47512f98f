"""`phaseloop simulate`: the same seed plays the same months; downtime is made up for; clocks change."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from service.cli.main import app
from service.domain.team.calendar import DateRange
from simulation.cast import characters, come_along
from simulation.report import Began, Closed
from tests.simulation.stories import Story, script


def test_the_same_seed_plays_the_same(tmp_path: Path) -> None:
    once, again = (
        Story(script("jira", months=1, seed=7, audit={"gate": "warn"}), tmp_path / name).play()
        for name in ("once", "again")
    )

    assert json.dumps(once.to_json(), default=str) == json.dumps(again.to_json(), default=str)


def test_another_seed_has_other_people_ill_and_away() -> None:
    span = DateRange(date(2026, 1, 5), date(2026, 7, 4))
    teams = [come_along(seed, span) for seed in (7, 8)]

    assert teams[0] == come_along(7, span)
    assert teams[0] != teams[1]
    assert [one.ill for one in characters(teams[0], 7, span)] != [one.ill for one in characters(teams[1], 8, span)]


def test_three_weeks_without_the_service_are_made_up_for_in_order(tmp_path: Path) -> None:
    down = DateRange(date(2026, 1, 15), date(2026, 2, 5))
    story = Story(script("jira", months=2, trouble=False, down=down), tmp_path / "home")

    report = story.play()

    late = [one for one in report.of(Began) if one.at != one.starts]
    assert [one.number for one in report.of(Began)] == [1, 2, 3, 4, 5]
    assert [one.number for one in report.of(Closed)] == [1, 2, 3, 4]
    assert [(one.number, one.at.date()) for one in late] == [(2, date(2026, 2, 6)), (3, date(2026, 2, 6))]
    for number, seen in story.begun.items():
        story.check_iterations(number, seen)
        story.check_nothing_twice(seen)
        story.check_own_tickets(number, seen)


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Europe/Berlin", date(2026, 3, 16)),
        ("America/New_York", date(2026, 2, 23)),
        ("Australia/Lord_Howe", date(2026, 3, 23)),
    ],
)
def test_iterations_begin_at_nine_on_the_wall_before_and_after_the_clocks_change(
    zone: str, first: date, tmp_path: Path
) -> None:
    drafted = script("jira", months=1, trouble=False)
    team = drafted.team.model_copy(update={"time_zone": zone})
    story = Story(replace(drafted, team=team, first=first), tmp_path / "home")

    report = story.play()

    begun = report.of(Began)
    assert [one.number for one in begun] == list(range(1, len(begun) + 1))
    assert {(one.at.hour, one.at.minute) for one in begun} == {(9, 0)}
    assert len({one.at.utcoffset() for one in begun}) == 2
    for number, seen in story.begun.items():
        own = next(one for one in seen.iterations if one.title == story.title[number])
        assert own.starts is not None
        assert own.starts.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat() == (
            f"{begun[number - 1].starts:%Y-%m-%dT%H:%M:%S}"
        )


def test_the_command_prints_one_document(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    told = CliRunner().invoke(
        app, ["simulate", "--months", "1", "--start", "2026-01-05", "--json", "--keep", str(folder)]
    )

    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert [one["number"] for one in document["entries"] if one["kind"] == "began"] == [1, 2, 3]
    assert (folder / "sandbox.json").exists()
    assert (folder / "phaseloop.db").exists()


def test_a_folder_that_is_not_empty_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")

    told = CliRunner().invoke(app, ["simulate", "--keep", str(tmp_path)])

    assert told.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_start_that_is_no_date_is_refused_with_the_form() -> None:
    told = CliRunner().invoke(app, ["simulate", "--start", "next week"])

    assert told.exit_code == 1
    assert "write 2026-03-02" in told.output


def test_a_start_at_the_end_of_the_calendar_is_refused() -> None:
    told = CliRunner().invoke(app, ["simulate", "--start", "9999-12-01"])

    assert told.exit_code == 1
    assert "give a day of the years 1970 to 9990" in told.output
