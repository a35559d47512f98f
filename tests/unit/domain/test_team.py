"""Teams from YAML, CSV and JSON: the same rules, every problem at once, each at its place."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest

from service.domain.problems import InvalidInput
from service.domain.team.calendar import DateRange
from service.domain.team.team import (
    PEOPLE_LIMIT,
    Absence,
    Member,
    Team,
    check_team,
    read_team,
    read_team_table,
    team_from_json,
)
from service.domain.team.team_csv import decoded
from service.domain.template.template import Template
from tests.unit.domain.samples import template

YAML = """\
name: Churn
time_zone: Europe/Berlin
members:
  - person: ML engineer 1
    email: ml-1@example.com
    roles: [ml, data]
    capacity: 16
    absences:
      - 2026-03-20
      - from: 2026-04-01
        to: 2026-04-10
  - person: Product manager
    account: 712020:0b1c
    roles: [pm]
"""

CSV = """\
person,email,account,roles,capacity,absences
ML engineer 1,ml-1@example.com,,ml data,16,2026-03-20 2026-04-01..2026-04-10
Product manager,,712020:0b1c,pm,,
"""


def problems(text: str, source: str = "team.yaml") -> list[str]:
    with pytest.raises(InvalidInput) as refusal:
        read_team(text, source)
    return [str(problem) for problem in refusal.value.problems]


def member(**fields: Any) -> dict[str, Any]:
    return {"person": "A", "email": "a@example.com", "roles": ["ml"], **fields}


def json_problems(*members: dict[str, Any], **fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        team_from_json({"name": "T", "members": list(members), **fields})
    return [(problem.pointer, problem.message) for problem in refusal.value.problems]


def test_a_team_is_read_from_yaml() -> None:
    team = read_team(YAML, "team.yaml")
    first, second = team.members
    assert (team.name, team.time_zone) == ("Churn", "Europe/Berlin")
    assert (first.person, first.handle, first.roles, first.capacity) == (
        "ML engineer 1",
        "ml-1@example.com",
        ("ml", "data"),
        16,
    )
    assert first.away == (
        DateRange(date(2026, 3, 20), date(2026, 3, 20)),
        DateRange(date(2026, 4, 1), date(2026, 4, 10)),
    )
    assert (second.handle, second.capacity, second.away) == ("712020:0b1c", None, ())


def test_the_same_team_is_read_from_csv_named_after_its_file() -> None:
    from_table = read_team(CSV, "teams/Churn.csv")
    assert from_table == read_team(YAML, "team.yaml").model_copy(update={"time_zone": None})


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + CSV,
        CSV.replace(",", ";"),
        CSV.replace(",", "\t"),
        CSV.replace("\n", "\r\n"),
        CSV.replace("ml data", '"ml;data"'),
        CSV.replace("ml data", "ml|data").replace(" 2026-04-01..", "|2026-04-01/"),
        CSV.replace("person,email,", "Person,E-Mail,").replace("roles", "Role"),
        CSV.replace("\nProduct", "\n\n,,,,,\nProduct"),
    ],
    ids=["bom", "semicolons", "tabs", "crlf", "quoted-list", "bars", "headings", "empty-lines"],
)
def test_a_spreadsheet_s_habits_change_nothing(text: str) -> None:
    assert read_team(text, "Churn.csv") == read_team(CSV, "Churn.csv")


@pytest.mark.parametrize("kind", ["yaml", "csv"])
def test_the_documented_examples_are_teams(kind: Literal["yaml", "csv"]) -> None:
    page = (Path(__file__).parents[3] / "docs/reference/team-file.md").read_text(encoding="utf-8")
    (example,) = re.findall(rf"```{kind}\n(.*?)```", page, flags=re.DOTALL)
    team = read_team(example, f"Churn.{kind}")
    assert [(one.person, one.roles, one.capacity, len(one.away)) for one in team.members] == [
        ("ML engineer 1", ("ml", "feature-eng"), 16, 2),
        ("Product manager", ("pm",), None, 0),
    ]


def test_every_field_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/team-file.md").read_text(encoding="utf-8")
    for model in (Team, Member, Absence):
        for name, field in model.model_fields.items():
            assert f"`{field.alias or name}`" in page


def test_the_format_can_be_named_where_the_file_s_name_does_not_tell() -> None:
    assert read_team(CSV, "Churn", "csv") == read_team(CSV, "Churn.csv")
    assert read_team(YAML, "Churn.csv", "yaml").name == "Churn"


def test_a_team_survives_the_way_to_json_and_back() -> None:
    team = read_team(YAML, "team.yaml")
    assert team_from_json(team.to_json()) == team
    assert team.to_json()["members"][0]["absences"] == ["2026-03-20", {"from": "2026-04-01", "to": "2026-04-10"}]


def test_a_team_says_when_it_works() -> None:
    calendar = "calendar: {time_zone: Europe/Paris, working_days: [mon, tue], holidays: {country: FR}}\nmembers:"
    team = read_team(YAML.replace("time_zone: Europe/Berlin\n", "").replace("members:", calendar), "team.yaml")
    assert team.calendar is not None
    assert (team.zone, team.calendar.working_days) == ("Europe/Paris", ("mon", "tue"))
    assert team_from_json(team.to_json()) == team
    assert read_team(YAML, "team.yaml").zone == "Europe/Berlin"
    assert read_team(CSV, "Churn.csv").zone is None


def test_what_a_team_s_calendar_says_wrongly_is_said_with_the_rest() -> None:
    text = YAML.replace("members:", "calendar:\n  time_zone: Europe/Paris\n  holidays: {country: France}\nmembers:")
    both = '"Europe/Paris" stands here and "Europe/Berlin" as the `time_zone` of the team'
    assert problems(text.replace("email: ml-1@example.com", "email: ml-1")) == [
        f"team.yaml:4 calendar.time_zone: {both}; keep one of the two",
        'team.yaml:5 calendar.holidays.country: unknown country "France"; did you mean "FR"?',
        'team.yaml:8 members[0].email: "ml-1" is not an e-mail address; write one such as ml-1@example.com',
    ]


def test_the_account_is_asked_for_before_the_address() -> None:
    team = team_from_json({"name": "T", "members": [member(account="712020:0b1c")]})
    assert team.members[0].handle == "712020:0b1c"


def test_a_capacity_of_none_is_kept_apart_from_no_limit() -> None:
    team = team_from_json({"name": "T", "members": [member(capacity=0)]})
    assert team.members[0].capacity == 0
    assert team.to_json()["members"][0]["capacity"] == 0


def test_everything_that_a_team_says_wrongly_is_said_at_once_with_its_line() -> None:
    text = """\
name: T
time_zone: Europe/Berlim
members:
  - person: A
    email: a@example.com
    roles: [ml, ml]
    absences:
      - from: 2026-03-03
        to: 2026-03-02
  - person: a
    email: A@Example.com
    roles: [ml]
  - person: C
    roles: [ml]
  - person: D
    email: nowhere
    account: x y
    roles: [ml]
"""
    assert problems(text) == [
        'team.yaml:2 time_zone: unknown time zone "Europe/Berlim"; did you mean "Europe/Berlin"?',
        'team.yaml:6 members[0].roles[1]: "ml" stands here twice; keep one of the two',
        "team.yaml:8 members[0].absences[0]: `from` (2026-03-03) is after `to` (2026-03-02); exchange the two",
        'team.yaml:10 members[1].person: "a" stands here and on line 4; list every person once',
        'team.yaml:11 members[1].email: "A@Example.com" stands here and on line 5; list every person once',
        'team.yaml:13 members[2]: "C" has neither `email` nor `account`; give one of them',
        'team.yaml:16 members[3].email: "nowhere" is not an e-mail address; write one such as ml-1@example.com',
        'team.yaml:17 members[3].account: "x y" is not an account id: it has spaces; copy it from the profile',
    ]


def test_a_misspelt_field_is_refused_with_the_right_one() -> None:
    (problem,) = problems(YAML.replace("capacity:", "capasity:"))
    assert problem == 'team.yaml:7 members[0].capasity: unknown field; did you mean "capacity"?'


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"capacity": -1}, "/members/0/capacity"),
        ({"capacity": True}, "/members/0/capacity"),
        ({"capacity": 1.5}, "/members/0/capacity"),
        ({"capacity": "16"}, "/members/0/capacity"),
        ({"capacity": 1001}, "/members/0/capacity"),
        ({"roles": []}, "/members/0/roles"),
        ({"roles": "ml"}, "/members/0/roles"),
        ({"roles": ["ML"]}, "/members/0/roles/0"),
        ({"person": ""}, "/members/0/person"),
        ({"person": "A\nB"}, "/members/0/person"),
        ({"absences": ["2026-02-30"]}, "/members/0/absences/0"),
        ({"absences": [20260301]}, "/members/0/absences/0"),
        ({"absences": ["2026-03-01T09:00:00"]}, "/members/0/absences/0"),
        ({"absences": [{"from": "2026-03-01"}]}, "/members/0/absences/0/to"),
        ({"absences": [{"first": "2026-03-01", "last": "2026-03-01"}]}, "/members/0/absences/0/from"),
        ({"email": None, "account": None}, "/members/0"),
        ({"email": "a@b@c"}, "/members/0/email"),
    ],
)
def test_a_wrong_value_in_json_is_refused_at_its_pointer(fields: dict[str, Any], pointer: str) -> None:
    assert pointer in [where for where, _ in json_problems(member(**fields))]


def test_people_of_the_same_account_are_one_person() -> None:
    found = json_problems(member(account="x"), member(person="B", email="b@example.com", account="x"))
    assert found == [("/members/1/account", '"x" stands here and at members[0].account')]


def test_a_team_needs_somebody_and_a_name() -> None:
    assert [where for where, _ in json_problems()] == ["/members"]
    with pytest.raises(InvalidInput, match="name: missing"):
        team_from_json({"members": [member()]})


@pytest.mark.parametrize("value", [None, [], "x", 7, {"members": None}])
def test_what_is_no_team_at_all_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        team_from_json(value)


def test_a_file_of_another_kind_is_refused_as_such() -> None:
    (problem,) = problems("format: phaseloop/v1\nkind: template\n" + YAML)
    assert 'this is a "template", and a team is wanted' in problem


def test_five_hundred_people_are_a_team_and_one_more_is_not() -> None:
    people = [member(person=f"P{n}", email=f"p-{n}@example.com") for n in range(PEOPLE_LIMIT + 1)]
    assert len(team_from_json({"name": "T", "members": people[:-1]}).members) == PEOPLE_LIMIT
    assert json_problems(*people) == [("/members", "501 people")]


@pytest.mark.parametrize("source", ["team.yaml", "team.csv"])
def test_a_file_over_a_megabyte_is_refused_unread(source: str) -> None:
    (problem,) = problems("x" * 1_000_001, source)
    assert "the text has 1,000,001 characters" in problem


def test_a_table_s_headings_are_checked() -> None:
    assert problems("persn,email,email\nA,a@example.com,\n", "team.csv") == [
        'team.csv:1: the heading "email" stands twice; keep one of the two',
        'team.csv:1: unknown heading "persn"; did you mean "person"?',
        (
            'team.csv:1: the heading "person" is missing; add it, or say which heading it is: --map "HEADING=person"'
            "; not used so far: persn"
        ),
        (
            'team.csv:1: the heading "roles" is missing; add it, or say which heading it is: --map "HEADING=roles"'
            "; not used so far: persn"
        ),
    ]


@pytest.mark.parametrize(
    ("heading", "fix"),
    [
        ("Name,email,roles", 'if "Name" is it, say --map Name=person; else add it'),
        ("Full name,email,roles", "if \"Full name\" is it, say --map 'Full name=person'; else add it"),
        ("person,email,Job title", "if \"Job title\" is it, say --map 'Job title=roles'; else add it"),
        ("X,email,roles", 'add it, or say which heading it is: --map "HEADING=person"; not used so far: X'),
        (",email,roles", "add it; the headings are person, email, account, roles, capacity, absences"),
    ],
)
def test_a_heading_that_other_tables_call_otherwise_is_proposed(heading: str, fix: str) -> None:
    [problem] = problems(f"{heading}\nA,a@example.com,ml\n", "team.csv")
    assert problem.endswith(fix)


def test_a_table_s_problems_name_the_line_of_the_person() -> None:
    text = 'person,email,roles,capacity\n"A\nwith a break",a@example.com,ml,\n\nB,b@example.com,ml,many\n'
    found = problems(text, "team.csv")
    assert any(problem.startswith('team.csv:2 column "person": several lines') for problem in found)
    assert any(problem.startswith('team.csv:5 column "capacity":') for problem in found)


def test_a_cell_too_many_is_refused() -> None:
    (problem,) = problems("person,email,roles\nA,a@example.com,ml,data\n", "team.csv")
    assert problem == "team.csv:2: 4 cells under 3 headings; put cells that hold the separator in quotes"


def test_a_quote_that_is_never_closed_is_refused_at_its_line() -> None:
    (problem,) = problems('person,email,roles\nA,a@example.com,ml\n"B,b@example.com,ml\n', "team.csv")
    assert problem.startswith("team.csv:3: this is not a table")


@pytest.mark.parametrize(("text", "words"), [("", "the file is empty"), ("person,roles,email\n", "members")])
def test_a_table_without_people_is_refused(text: str, words: str) -> None:
    assert any(words in problem for problem in problems(text, "team.csv"))


@pytest.fixture
def process() -> Template:
    return template()


def test_a_role_that_the_template_lacks_is_named_with_the_nearest(process: Template) -> None:
    team = team_from_json({"name": "T", "members": [member(roles=["ml", "dataa"]), member_b()]})
    (problem,) = check_team(team, process)
    assert str(problem) == 'team T members[0].roles[1]: "A" holds the unknown role "dataa"; did you mean "data"?'


def member_b() -> dict[str, Any]:
    return member(person="B", email="b@example.com")


def test_a_role_that_is_switched_off_may_be_held(process: Template) -> None:
    assert "feature" in process.roles
    team: Team = team_from_json({"name": "T", "members": [member(roles=["feature"])]})
    assert check_team(team, process) == []


def test_a_table_as_spreadsheets_export_it_is_read() -> None:
    table = "sep=;\r\nPerson;Work Email;Manager;Roles;Absences;;\r\nA;a@example.com;B;ml;2026-04-13;;\r\n;;;;;;\r\n"
    team, notes = read_team_table(table, "team.csv", columns={"Work Email": "email"}, time_zone="Europe/Berlin")
    assert (team.members[0].email, team.members[0].absences, team.zone) == (
        "a@example.com",
        (date(2026, 4, 13),),
        "Europe/Berlin",
    )
    assert team.columns == {"Work Email": "email"}
    assert [note.split(".")[0] for note in notes] == ['Not read: "Manager"']
    again, _ = read_team_table(table, "team.csv", remembered=team_from_json(team.to_json()).columns, time_zone="UTC")
    assert again.members == team.members


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ("A;a@x.org;ml;;3.4.2026", 'team.csv:2 column "Away": "3.4.2026" is not right here; write days as 2026-04-13'),
        ("A;a@x.org;ml;8,5;", 'team.csv:2 column "capacity": "8,5" is text; write a whole number from 0 to 1000'),
        ("A;nobody;ml;;", 'team.csv:2 column "email": "nobody" is not an e-mail address'),
        ("A;;ml;;", 'team.csv:2: "A" has neither `email` nor `account`'),
    ],
)
def test_a_wrong_cell_is_named_by_its_line_and_column(cells: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_team_table(f"person;email;roles;capacity;Away\n{cells}\n", "team.csv", columns={"Away": "absences"})
    [only] = refused.value.problems
    assert str(only).startswith(problem)
    assert "members[" not in str(only)
    assert "indented" not in str(only)


def test_a_heading_that_may_be_meant_is_asked_for_with_what_to_type() -> None:
    found = problems("person,Work Email,roles\nA,a@example.com,ml\n", "team.csv")
    assert found == [
        'team.csv:1: unknown heading "Work Email"; did you mean "email"? Then say --map \'Work Email=email\''
    ]
    with pytest.raises(InvalidInput, match='there is no heading "Mail"'):
        read_team_table("person,email,roles\nA,a@example.com,ml\n", "team.csv", columns={"Mail": "email"})
    with pytest.raises(InvalidInput) as refused:
        read_team_table("person,email,roles\nA,a@example.com,ml\n", "team.csv", columns={"email": "emial"})
    assert [str(one) for one in refused.value.problems] == [
        'team.csv:1: "emial" is none of our columns; did you mean "email"?'
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encodings_of_windows_are_seen_and_a_guess_is_said(encoding: str) -> None:
    text, notes = decoded("person\nMüller\n".encode(encoding), "team.csv")
    assert text == "person\nMüller\n"
    assert bool(notes) == (encoding in {"utf-16", "cp1252"})
    assert all("Müller" in note or "UTF-16" in note for note in notes)


def test_text_in_no_known_encoding_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="name its encoding"):
        decoded(b"\x81\x8d\xff", "team.csv")
    with pytest.raises(InvalidInput, match="unknown encoding"):
        decoded(b"a", "team.csv", "klingon")
    assert decoded("Łódź".encode("cp1250"), "team.csv", "cp1250")[0] == "Łódź"
