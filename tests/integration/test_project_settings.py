"""What a project says of its working time and of how its loop turns: kept, laid over team and template, refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from service import templates
from service.context import Context, open_context
from service.domain.problems import InvalidInput
from service.domain.team.calendar import Calendar
from service.domain.team.calendar_file import spec_from_json
from service.domain.team.team import Team, team_from_json
from service.domain.template.reader import read_template
from service.domain.template.template import Loop
from service.settings import Settings
from service.store.tables import ProjectRow
from service.usecases.setup import connections, projects, teams
from tests.homes import furnish

TEXT = templates.load(str(Path(__file__).parent / "small.yaml"))
TEMPLATE = read_template(TEXT.text, TEXT.source)
SUNDAY_EVENING = datetime(2026, 3, 15, 22, 30, tzinfo=UTC)
"""In Auckland it is Monday already."""


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    furnish(tmp_path)
    opened = open_context(Settings(_env_file=None, home=tmp_path, database_url=None, secret_key=None))
    connections.put(opened, "jira", "jira", {"url": "http://127.0.0.1:9", "email": "demo@example.com"}, "token")
    team(opened)
    yield replace(opened, now=lambda: SUNDAY_EVENING)
    opened.close()


def team(context: Context, **fields: Any) -> Team:
    member = {"person": "ML engineer 1", "email": "ml-1@example.com", "roles": ["ml"]}
    made = team_from_json({"name": "Churn", "members": [member], **fields})
    teams.put(context, made)
    return made


def put(context: Context, **fields: Any) -> ProjectRow:
    calendar = fields.pop("calendar", None)
    request = projects.Request(
        name="Churn",
        key="ML",
        connection="jira",
        team="Churn",
        template=TEXT,
        parameters=fields.pop("parameters", {}),
        calendar=None if calendar is None else spec_from_json(calendar),
        **fields,
    )
    return projects.put(context, request)


def refusal(context: Context, **fields: Any) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        put(context, **fields)
    return [str(problem) for problem in refused.value.problems]


def test_a_project_that_says_nothing_works_and_turns_as_its_team_and_template_do(context: Context) -> None:
    churn = team(context, calendar={"time_zone": "Europe/Paris", "holidays": {"country": "FR"}})
    row = put(context)
    assert projects.calendar_of(row, churn) == Calendar("Europe/Paris", country="FR")
    assert projects.turning_of(row, TEMPLATE) == TEMPLATE.loop
    assert (row.calendar, row.turning) == ({}, {})


def test_what_a_project_says_goes_over_its_team(context: Context) -> None:
    churn = team(context, calendar={"start": "8:00", "holidays": {"country": "FR"}})
    row = put(context, calendar={"time_zone": "Asia/Tokyo", "holidays": {"country": "JP"}, "days_off": ["2026-03-17"]})
    found = projects.calendar_of(projects.get(context, row.id), churn)
    assert found == Calendar("Asia/Tokyo", start_time=time(8), country="JP", days_off=frozenset({date(2026, 3, 17)}))


def test_a_change_of_calendar_or_turning_makes_plans_stale_and_the_same_again_does_not(context: Context) -> None:
    serials = [
        put(context).serial,
        put(context, calendar={"start": "8:00"}).serial,
        put(context, calendar={"start": "8:00"}).serial,
        put(context).serial,
        put(context, turning={"carry_over": "next"}).serial,
        put(context, turning={"carry_over": "next"}).serial,
        put(context, calendar={}).serial,
        put(context, turning={"ahead": 4}).serial,
        put(context, turning={"ahead": "4"}).serial,
    ]
    assert serials == [1, 2, 2, 2, 3, 3, 4, 5, 5]


def test_a_setting_that_is_not_given_stays_and_turning_changes_field_by_field(context: Context) -> None:
    put(context, calendar={"start": "8:00"}, turning={"carry_over": "backlog", "ahead": "4"})
    row = put(context, turning={"wip_limit": "6", "ahead": "all"})
    assert projects.turning_of(row, TEMPLATE) == Loop(carry_over="backlog", ahead="all", wip_limit=6)
    assert row.calendar == {"start": "8:00"}
    assert projects.turning_of(put(context, turning={"wip_limit": None}), TEMPLATE).wip_limit is None


def test_every_wrong_setting_is_said_at_once_and_nothing_is_kept(context: Context) -> None:
    found = refusal(
        context,
        calendar={"start": "16:30"},
        turning={"carry_over": "nxt", "ahead": 0, "wip": 3},
        parameters={"start_date": "soon"},
    )
    assert found == [
        "calendar start: a working day from 16:30 to 17:00 is too short; end at least two hours after the start",
        'parameters start_date: "soon" is not a date; give one such as 2026-01-05, or `today`, or `next-monday`',
        'turning carry_over: unknown word "nxt"; did you mean "next"? It is one of: ask, next, backlog, leave',
        'turning ahead: "0" is not right here; write a whole number of at least 1, or all',
        "turning wip: unknown field; the fields here are: carry_over, ahead, wip_limit",
    ]
    assert projects.listed(context) == []


def test_one_time_zone_is_enough(context: Context) -> None:
    both = '"Europe/Paris" stands here and "Europe/Berlin" is given for the project'
    assert refusal(context, time_zone="Europe/Berlin", calendar={"time_zone": "Europe/Paris"}) == [
        f"calendar time_zone: {both}; keep one of the two"
    ]
    assert refusal(context, time_zone="Europe/Berlim") == [
        'project time_zone: unknown time zone "Europe/Berlim"; did you mean "Europe/Berlin"?'
    ]
    assert 'unknown time zone ""' in refusal(context, time_zone="")[0]
    assert put(context, time_zone="Europe/Paris", calendar={"time_zone": "Europe/Paris"}).time_zone == "Europe/Paris"
    assert put(context, calendar={"start": "8:00"}).time_zone == "Europe/Paris"


def test_a_team_s_later_change_reaches_the_project_except_its_time_zone(context: Context) -> None:
    row = put(context)
    churn = team(context, time_zone="Asia/Tokyo", calendar={"end": "16:00"})
    assert projects.calendar_of(row, churn) == Calendar("UTC", end_time=time(16))


def test_a_team_s_later_change_that_does_not_go_with_the_project_is_said(context: Context) -> None:
    row = put(context, calendar={"start": "14:00"})
    with pytest.raises(InvalidInput, match="a working day from 14:00 to 15:00 is too short"):
        projects.calendar_of(row, team(context, calendar={"end": "15:00"}))


def test_today_is_the_project_s_own(context: Context) -> None:
    row = put(context, time_zone="Pacific/Auckland", parameters={"start_date": "today"})
    assert row.parameters["start_date"] == "2026-03-16"


def test_what_a_project_says_of_its_audit_is_kept_and_the_rest_is_as_in_the_template(context: Context) -> None:
    first = put(context, audit={"gate": "block", "grace_working_days": "1"})
    assert first.audit == {"gate": "block", "grace_working_days": 1}

    again = put(context, audit={"hosts": ["runs.example.com"], "grace_working_days": None})

    assert again.audit == {"gate": "block", "hosts": ["runs.example.com"]}
    assert again.serial == first.serial
    assert put(context).audit == again.audit


def test_a_project_may_not_loosen_the_audit_of_its_template(context: Context) -> None:
    with pytest.raises(InvalidInput) as refused:
        put(context, audit={"grace_working_days": 29, "checks": {"D10": "minor"}, "hosts": ["not a host"]})

    assert {problem.path for problem in refused.value.problems} == {"grace_working_days", "checks.D10", "hosts[0]"}
    assert "phaseloop audit waive" in str(refused.value)


def test_what_no_audit_knows_is_refused(context: Context) -> None:
    with pytest.raises(InvalidInput, match="gat"):
        put(context, audit={"gat": "block"})
