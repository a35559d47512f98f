"""What was kept of a project that has ended is shown by its key, by every command that reads; by the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.conftest import SMALL, TEAM_FILE, Installation

NEW = ("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE, "--set", "start_date=2027-01-04")


@pytest.fixture
def ended(here: Installation) -> Installation:
    """An installation two of whose projects were called ML, one after the other, and have ended."""
    here.ok(*NEW, code=2)
    here.ok("projects", "remove", "ML", "--yes")
    here.ok(*NEW, code=2)
    here.ok("apply", "ML")
    here.ok("projects", "remove", "ML", "--yes")
    return here


def _last(installation: Installation) -> str:
    return str(installation.ok("projects", "list", "--json").json[-1]["id"])


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "report"),
        ("audit", "report", "--csv"),
        ("audit", "verify", "--project"),
        ("audit", "decisions"),
        ("audit", "metrics"),
        ("projects", "show"),
        ("runs", "list", "--project"),
    ],
    ids=" ".join,
)
def test_the_last_project_of_a_key_is_read_and_said_to_have_ended(ended: Installation, words: tuple[str, ...]) -> None:
    by_key = ended.ok(*words, "ml")
    by_id = ended.ok(*words, _last(ended))

    assert by_key.out == by_id.out
    for answer in (by_key, by_id):
        assert "The project ML has ended on" in answer.err
        assert _last(ended) in answer.err
    if "--csv" not in words:
        assert ended.ok(*words, "ML", "--json").json == ended.ok(*words, _last(ended), "--json").json


def test_that_a_project_was_ended_is_in_its_history_and_a_notice(here: Installation) -> None:
    here.ok(*NEW, code=2)
    here.ok("apply", "ML")
    project = _last(here)
    here.ok("projects", "remove", "ML", "--yes")

    events = here.ok("history", project, "--json").json["events"]
    assert [one["text"] for one in events if one["kind"] == "ended"] == [f"ML was ended by {events[-1]['by']}."]
    assert "ML was ended by" in here.ok("notify", "preview", project, "project-ended").out


def test_the_binder_of_an_ended_project_is_written_by_its_key(ended: Installation, tmp_path: Path) -> None:
    file = tmp_path / "ml.html"

    answer = ended.ok("audit", "export", "ML", "--output", file)

    assert "has ended" in answer.err
    assert "Good" in ended.ok("audit", "verify", file).out


def test_one_that_goes_on_is_preferred_and_nothing_is_said(ended: Installation) -> None:
    plan = ended.ok(*NEW, "--name", "ML again", "--json", code=1).json
    assert plan["id"] is None  # its key is taken by what was built and left
    ended.ok("plan", "MORE", *NEW[2:], code=2)

    answer = ended.ok("audit", "report", "MORE")

    assert "has ended" not in answer.err


def test_who_writes_is_still_told_that_it_has_ended(ended: Installation) -> None:
    answer = ended.ok("advance", "ML", code=1)

    assert "has ended: phaseloop history ML" in answer.err
