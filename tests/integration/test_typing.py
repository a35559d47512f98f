"""What a person types: wrong commands, tables from a spreadsheet, templates to check. Each command is a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.conftest import ROOT, Installation

TABLE = "sep=;\nperson;Work Email;roles;Manager;absences;;\nMüller;m@example.com;pm;Nobody;2027-01-11;;\n"


@pytest.mark.parametrize(
    "command",
    [
        ["plan"],
        ["nonsense"],
        ["plan", "ML", "--nonsense"],
        ["history", "ML", "--csv", "--json"],
        ["sandbox", "--port", "many"],
        ["teams", "import", "x.csv", "--map", "Mail"],
    ],
)
def test_a_command_that_is_written_wrong_leaves_with_64(installation: Installation, command: list[str]) -> None:
    assert "Traceback" not in installation.ok(*command, code=64).err


def test_a_word_that_is_no_choice_is_told_with_those_there_are(installation: Installation) -> None:
    told = installation.ok("audit", "report", "--fail-on", "bad", code=64).err

    assert "'--fail-on': 'bad' is not one of 'partly', 'undocumented'." in told


def test_a_name_that_is_nearly_right_is_proposed(installation: Installation, tmp_path: Path) -> None:
    team = tmp_path / "churn.csv"
    team.write_text("person,email,roles\nA,a@example.com,ml\n")
    installation.ok("teams", "import", team, "--time-zone", "UTC")
    installation.connect("http://127.0.0.1:9")

    assert 'Did you mean "jira"?' in installation.ok("connections", "check", "jria", code=1).err
    assert 'Did you mean "churn"?' in installation.ok("teams", "show", "chrun", code=1).err


def test_a_table_asks_for_its_time_zone_and_remembers_what_was_said(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "our team.csv"
    file.write_bytes(TABLE.encode("cp1252"))
    mapped = ("--map", "Work Email=email")

    refused = installation.ok("teams", "import", file, *mapped, code=1)
    assert f"phaseloop teams import '{file}' --map 'Work Email=email' --time-zone" in refused.err
    assert "No teams yet" in installation.ok("teams", "list").out

    kept = installation.ok("teams", "import", file, *mapped, "--timezone", "Europe/Berlin")
    assert "cp1252" in kept.out
    assert '"Manager"' in kept.out
    assert "in Europe/Berlin" in kept.out
    assert "in Europe/Berlin" in installation.ok("teams", "import", file).out, "what was said is remembered"
    shown = installation.ok("teams", "show", "our team", "--json").json["team"]
    assert shown["columns"] == {"Work Email": "email"}
    assert shown["members"][0]["person"] == "Müller"


def test_a_wrong_cell_is_named_as_the_spreadsheet_has_it(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "team.csv"
    file.write_text(TABLE.replace("2027-01-11", "11.1.2027"), encoding="utf-8")
    command = ("teams", "import", file, "--map", "Work Email=email", "--timezone", "Mars")
    said = installation.ok(*command, code=1).err
    assert f'{file}:3 column "absences": "11.1.2027"' in said
    assert 'unknown time zone "Mars"' in said
    assert "defect" not in said


def test_warnings_of_a_template_are_shown_and_are_problems_where_asked(
    installation: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "few.yaml"
    file.write_text((ROOT / "tests/integration/small.yaml").read_text(encoding="utf-8"), encoding="utf-8")

    answer = installation.ok("templates", "validate", file)
    assert f"warning: {file}:" in answer.out
    [shown] = installation.ok("templates", "validate", file, "--json").json
    assert shown["valid"] is True
    assert shown["warnings"]

    assert f"{file}:" in installation.ok("templates", "validate", file, "--strict", code=1).out
    assert "warning" not in installation.ok("templates", "validate", "iterative-ml", "--strict").out
