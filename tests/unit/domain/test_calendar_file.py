"""What teams and projects say of their working time: read with every problem at once, and laid over each other."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.problems import InvalidInput
from service.domain.team.calendar import Calendar, DateRange
from service.domain.team.calendar_file import (
    WEEKDAYS,
    CalendarSpec,
    Freeze,
    Holidays,
    calendar_of,
    over,
    read_calendar,
    spec_from_json,
)

PAGE = Path(__file__).parents[3] / "docs/reference/calendar.md"

YAML = """\
kind: calendar
time_zone: Asia/Jerusalem
working_days: [sun, mon, tue, wed, thu]
start: 8:30
end: 17:00
holidays: {country: IL}
days_off: [2026-07-01]
freezes:
  - {from: 2026-12-21, to: 2027-01-03, reason: Turn of the year}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as refusal:
        read_calendar(text, "calendar.yaml")
    return [str(problem) for problem in refusal.value.problems]


def spec(**fields: Any) -> CalendarSpec:
    return spec_from_json(fields)


def test_a_calendar_is_read_from_a_file_of_its_own() -> None:
    found = read_calendar(YAML, "calendar.yaml")
    assert calendar_of(None, found, "Asia/Jerusalem") == Calendar(
        time_zone="Asia/Jerusalem",
        working_days=frozenset({6, 0, 1, 2, 3}),
        start_time=time(8, 30),
        end_time=time(17),
        country="IL",
        days_off=frozenset({date(2026, 7, 1)}),
        freezes=(DateRange(date(2026, 12, 21), date(2027, 1, 3)),),
    )
    assert found.freezes is not None
    assert found.freezes[0].reason == "Turn of the year"


def test_a_calendar_survives_the_way_to_json_and_back() -> None:
    found = read_calendar(YAML, "calendar.yaml")
    assert spec_from_json(found.to_json()) == found
    assert found.to_json()["freezes"] == [{"from": "2026-12-21", "to": "2027-01-03", "reason": "Turn of the year"}]
    assert CalendarSpec().to_json() == {}


def test_where_nothing_is_said_it_is_nine_to_five_from_monday_to_friday() -> None:
    assert calendar_of(None, CalendarSpec(), "Europe/Paris") == Calendar("Europe/Paris")


def test_a_project_differs_from_its_team_field_by_field() -> None:
    team = spec(working_days=["mon", "tue"], start="08:00", holidays={"country": "DE", "subdivision": "BY"})
    project = spec(working_days=["wed"], holidays={"country": "FR"}, days_off=["2026-05-15"])
    found = calendar_of(team, project, "Europe/Paris")
    assert (found.working_days, found.start_time) == (frozenset({2}), time(8))
    assert (found.country, found.subdivision) == ("FR", None)
    assert found.days_off == {date(2026, 5, 15)}


def test_a_project_can_keep_nobody_s_holidays_and_drop_the_team_s_freezes() -> None:
    team = spec(holidays={"country": "DE"}, freezes=[{"from": "2026-12-21", "to": "2027-01-03"}])
    found = calendar_of(team, spec(holidays={"country": "none"}, freezes=[]), "UTC")
    assert (found.country, found.freezes) == (None, ())


def test_hours_are_judged_together_with_the_team_s() -> None:
    late = spec(start="16:30")
    assert calendar_of(spec(end="20:00"), late, "UTC").start_time == time(16, 30)
    with pytest.raises(InvalidInput, match="calendar start: a working day from 16:30 to 17:00 is too short"):
        calendar_of(None, late, "UTC")


def test_everything_that_a_calendar_says_wrongly_is_said_at_once_with_its_line() -> None:
    assert problems(
        """\
time_zone: Mars/X
start: 9:00
end: "10:00"
holidays:
  country: DE
  subdivision: Bayern
freezes:
  - {from: 2026-12-24, to: 2026-12-01}
  - from: 2026-01-01
    to: 2027-06-30
"""
    ) == [
        'calendar.yaml:1 time_zone: unknown time zone "Mars/X"; write an IANA name such as "Europe/Paris" or "UTC"',
        "calendar.yaml:3 end: a working day from 9:00 to 10:00 is too short; end at least two hours after the start",
        'calendar.yaml:6 holidays.subdivision: unknown subdivision "Bayern" of DE; did you mean "BY"?',
        "calendar.yaml:8 freezes[0]: `from` (2026-12-24) is after `to` (2026-12-01); exchange the two",
        (
            "calendar.yaml:9 freezes[1]: a freeze from 2026-01-01 to 2027-06-30 is longer than a year; "
            "pause the project instead"
        ),
    ]


def test_a_calendar_of_another_shape_is_refused_with_what_would_be_right() -> None:
    assert problems(
        """\
working_days: []
start: 25:00
end: 17
holiday: {country: DE}
holidays: {country: DE, subdivison: BY}
days_off: [2026-02-30]
freezes: [2026-12-24]
"""
    ) == [
        "calendar.yaml:1 working_days: an empty list; write at least 1 entry",
        'calendar.yaml:2 start: "25:00" is not right here; write a time of day such as "09:00"',
        'calendar.yaml:3 end: `17` is read as a number; write a time of day such as "09:00"',
        'calendar.yaml:4 holiday: unknown field; did you mean "holidays"?',
        'calendar.yaml:5 holidays.subdivison: unknown field; did you mean "subdivision"?',
        'calendar.yaml:6 days_off[0]: "2026-02-30" is not right here; write a date such as 2026-01-05',
        'calendar.yaml:7 freezes[0]: "2026-12-24" is text; write names with values (`name: value`, indented)',
    ]
    assert problems("working_days: [mon, tues]") == [
        (
            'calendar.yaml:1 working_days[1]: unknown word "tues"; did you mean "tue"? '
            "It is one of: mon, tue, wed, thu, fri, sat, sun"
        )
    ]


def test_another_document_is_no_calendar() -> None:
    assert 'this is a "team", and a calendar is wanted' in problems("kind: team\nname: T\n")[0]


def test_problems_of_json_have_pointers() -> None:
    with pytest.raises(InvalidInput) as refusal:
        spec(holidays={"country": "Germany"}, freezes=[{"from": "2026-12-24", "to": "2026-12-01"}])
    assert [problem.pointer for problem in refusal.value.problems] == ["/holidays/country", "/freezes/0"]


def test_every_field_is_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for model in (CalendarSpec, Holidays, Freeze):
        for name, field in model.model_fields.items():
            assert f"`{field.alias or name}`" in page


def test_the_documented_calendars_are_right() -> None:
    page = PAGE.read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    assert examples
    for example in examples:
        calendar_of(None, read_calendar(example, "calendar.yaml"), "UTC")


fields = st.fixed_dictionaries(
    {},
    optional={
        "working_days": st.lists(st.sampled_from(WEEKDAYS), min_size=1),
        "start": st.sampled_from(["7:00", "09:30"]),
        "end": st.sampled_from(["16:00", "23:59"]),
        "holidays": st.sampled_from([{"country": "DE"}, {"country": "US", "subdivision": "CA"}, {"country": "none"}]),
        "days_off": st.lists(st.dates().map(str)),
    },
)


@given(team=fields, project=fields)
def test_what_the_project_says_holds_and_the_rest_is_the_team_s(team: dict[str, Any], project: dict[str, Any]) -> None:
    assert over(spec(**team), spec(**project)) == spec(**{**team, **project})
