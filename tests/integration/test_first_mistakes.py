"""What a person who is new writes wrong, and what they read then: the place, in words of the door they came through,
and the command or field to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.conftest import Answer, Installation


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with the projects ML, called "ML delivery", and CH, whose tracker is not to be reached."""
    installation = Installation(tmp_path_factory.mktemp("mistakes") / "home")
    installation.furnish()
    more = ("--url", "https://tracker.invalid", "--email", "a@example.com")
    installation.ok("connections", "add", "jira", *more, stdin="secret\n")
    for key, name in (("ML", "ML delivery"), ("CH", "Churn")):
        installation.has_project(key, "jira")
        installation.ok("projects", "set", key, "--name", name)
    return installation


def said(answer: Answer, *words: str, code: int) -> None:
    """That a command ended so, with these words and without any that are a library's."""
    text = " ".join((answer.out + answer.err).split())
    assert answer.code == code, text
    for word in words:
        assert word in text, text
    for raw in ("Input should be", "bug", "Traceback", "Value error"):
        assert raw not in text, text


# --- a project by its name --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("projects", "show"), ("status", "--offline"), ("history",)], ids=" ".join)
@pytest.mark.parametrize("name", ["ML delivery", "ml  DELIVERY"])
def test_a_project_is_known_by_its_name_too(set_up: Installation, command: tuple[str, ...], name: str) -> None:
    said(set_up.run(*command, name), "ML", code=0)


def test_a_plan_takes_a_name_where_no_team_says_that_a_project_is_to_be_set_up(set_up: Installation) -> None:
    answer = set_up.run("plan", "ML delivery")

    assert answer.code == 1  # the tracker is not there
    assert "There is no project" not in answer.err
    assert "tracker.invalid" in answer.out + answer.err


def test_a_key_goes_before_the_name_of_another_project(set_up: Installation) -> None:
    set_up.ok("projects", "set", "CH", "--name", "ML")

    assert set_up.ok("projects", "show", "ML", "--json").json["key"] == "ML"

    set_up.ok("projects", "set", "CH", "--name", "Churn")


def test_a_name_that_two_projects_have_is_answered_with_both(set_up: Installation) -> None:
    set_up.ok("projects", "set", "CH", "--name", "ML delivery")

    said(set_up.run("status", "ML delivery"), "Several projects are called 'ML delivery'", "Name one by its id", code=1)

    set_up.ok("projects", "set", "CH", "--name", "Churn")


# --- what is not given ------------------------------------------------------------------------------------------------

LACKING = {
    # a command, and what is said of what it lacks
    "connections add other": ("--url", "--email", "connections add other --url URL --email EMAIL"),
    "connections add other --kind trello": ("--key", "connections add other --kind trello --key KEY"),
    "audit waive ML D01": ("--reason: is missing", "--until: is missing"),
    "audit waive ML D01 --reason because": ("--until: is missing",),
    "phase ML back": ("--reason: is missing", "the phase: is missing"),
    "phase ML next": ("--reason: is missing",),
    "advance ML --phase back --yes": ("the phase: is missing", "--reason: is missing"),
    "advance ML --phase next --yes": ("--reason: is missing",),
    "schedule skip ML": ("--reason: is missing",),
    "schedule pause ML": ("--reason: is missing",),
    "projects set ML": ("Nothing to set was given",),
}


@pytest.mark.parametrize("command", LACKING)
def test_what_is_missing_makes_a_command_that_is_written_wrong(set_up: Installation, command: str) -> None:
    said(set_up.run(*command.split(), stdin="secret\n"), *LACKING[command], code=64)


def test_a_value_that_a_tracker_does_not_take_is_an_error_and_names_its_option(set_up: Installation) -> None:
    add = ("connections", "add", "other", "--email", "a@example.com", "--url")

    said(set_up.run(*add, "http://tracker.example.com", stdin="x\n"), "--url: must start with https://", code=1)
    said(set_up.run(*add, "nothing here", stdin="x\n"), "--url: ", code=1)


@pytest.mark.parametrize(("kind", "meant"), [("gira", '"jira"'), ("trelo", '"trello"')])
def test_a_kind_of_tracker_that_there_is_not_is_answered_with_the_one_that_was_meant(
    set_up: Installation, kind: str, meant: str
) -> None:
    said(set_up.run("connections", "add", "other", "--kind", kind), f"Did you mean {meant}?", code=64)


def test_a_kind_of_tracker_is_taken_in_capitals_too(set_up: Installation) -> None:
    said(set_up.run("connections", "add", "other", "--kind", "Trello"), "A connection to Trello needs --key", code=64)


# --- what the machine lacks -------------------------------------------------------------------------------------------


def test_a_service_does_not_start_without_the_certificates_that_it_is_to_trust(
    installation: Installation, tmp_path: Path
) -> None:
    installation.furnish()
    lost = Installation(installation.home, {"PHASELOOP_CA_BUNDLE": str(tmp_path / "none.pem")})

    said(lost.run("serve", "--port", "0"), "PHASELOOP_CA_BUNDLE", "none.pem", "is not there", code=1)


def test_what_is_recorded_is_shown_without_the_key_that_opens_credentials(set_up: Installation) -> None:
    key = set_up.home / "key"
    kept = key.read_text()
    key.unlink()
    try:
        said(set_up.run("status", "--offline"), "ML delivery", "Churn", code=0)
        said(set_up.run("status", "ML"), "ML delivery", "key file", str(key), code=1)
        said(set_up.run("history", "ML"), code=0)
        said(set_up.run("connections", "check", "jira"), "key file", code=1)
        assert not key.exists()
    finally:
        key.write_text(kept)


# --- files ------------------------------------------------------------------------------------------------------------

FILES = {
    "a workbook": (b"PK\x03\x04\x14\x00\xff\xfe xl/workbook.xml", "an Excel workbook", "CSV"),
    "a former workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file", "CSV"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a PDF", "made from"),
    "text of Windows": ("name: Müller".encode("cp1252"), "not UTF-8 text", "ave it as UTF-8"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("command", [("teams", "import"), ("templates", "validate"), ("triggers", "add")], ids=" ".join)
def test_a_file_that_is_no_text_is_called_what_it_is(
    set_up: Installation, tmp_path: Path, name: str, command: tuple[str, ...]
) -> None:
    content, words, fix = FILES[name]
    file = tmp_path / "real.file"
    file.write_bytes(content)

    said(set_up.run(*command, file), words, fix, code=1)


def test_a_workbook_that_is_called_a_table_is_told_as_one(set_up: Installation, tmp_path: Path) -> None:
    file = tmp_path / "team.csv"
    file.write_bytes(FILES["a workbook"][0])

    said(set_up.run("teams", "import", file, "--time-zone", "UTC"), "an Excel workbook", code=1)


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("schedule", "next", "--count", "many"), "'--count': it must be a whole number"),
        (("schedule", "next", "--count", "0"), "'--count': it must be at least 1"),
        (("tokens", "create", "ci", "--days", "soon"), "'--days': it must be a whole number"),
        (("simulate", "--months", "six"), "'--months': it must be a whole number"),
        (("demo", "--tracker", "gira"), 'Did you mean "jira"?'),
    ],
)
def test_a_value_of_the_wrong_sort_is_told_in_our_words(
    set_up: Installation, command: tuple[str, ...], words: str
) -> None:
    said(set_up.run(*command), words, code=64)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("demo --keep", "--keep goes with --once"),
        ("undo apply-pln_1 --plan --yes", "--plan and --yes exclude one another"),
        ("projects remove ML --plan --yes", "--plan and --yes exclude one another"),
        ("projects set ML --wip-limit many", "none for no limit"),
    ],
)
def test_options_that_do_not_go_together_or_say_nothing_are_refused(
    set_up: Installation, command: str, words: str
) -> None:
    said(set_up.run(*command.split()), words, code=64)


def test_a_name_is_not_taken_away(set_up: Installation) -> None:
    said(set_up.run("projects", "set", "ML", "--name", ""), "--name must not be empty", code=64)


def test_a_move_and_its_phase_are_proposed_where_they_are_misspelt(set_up: Installation) -> None:
    said(set_up.run("phase", "ML", "nxt", "--reason", "now"), 'did you mean "next"?', code=1)


def test_a_home_folder_that_is_a_file_is_called_one(tmp_path: Path) -> None:
    file = tmp_path / "home"
    file.write_text("")

    said(Installation(file).run("teams", "import", "x.yaml"), f"{file} is a file", "Name a folder", code=1)
