"""The calendar feed, read back by the library that calendar programs are written with."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.loop.course import Begun, Course, Stage, course
from service.domain.plan.feed import feed
from service.domain.team.calendar import Calendar, DateRange, working_days
from service.domain.template.template import Template
from tests.unit.domain.samples import MONDAY, phase, settled, template, ticket
from tests.unit.domain.test_calendar import ZONES

BERLIN = Calendar("Europe/Berlin")
STAMP = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
URL = "https://tracker.example.com/browse/ML"


def process(**fields: Any) -> Template:
    """One phase of two fortnights; planning, a stand-up, a review and a retrospective."""
    value = template(phase(ticket("make"), iterations=2)).model_dump()
    value["ceremonies"]["events"] = [
        meeting("planning", "start", 90),
        meeting("stand-up", "daily", 15, roles=["ml", "pm"]),
        meeting("review", "end", 60),
        meeting("retrospective", "end", 45),
    ]
    return Template.model_validate({**value, **fields})


def meeting(key: str, at: str, minutes: int, **fields: Any) -> dict[str, Any]:
    title = key.capitalize()
    return {"key": key, "title": title, "at": at, "minutes": minutes, "purpose": f"{title} is held.", **fields}


def written(
    calendar: Calendar = BERLIN, of: Template | None = None, along: Course | None = None, **fields: Any
) -> bytes:
    made = of or process()
    parameters = settled(made, **fields.pop("parameters", {"start_date": MONDAY.isoformat()}))
    along = along or course(made, parameters, calendar)
    given_fields = {"url": URL, "stamp": STAMP, **fields}
    return feed(made, parameters, "Churn", "ML", "prj_1", along, calendar, **given_fields)


def entries(document: bytes) -> dict[str, Any]:
    """Events by the part of their identity that is the feed's own."""
    found = icalendar.Calendar.from_ical(document).events
    by_name = {str(event["UID"]).removeprefix("prj_1.").removesuffix("@phaseloop"): event for event in found}
    assert len(by_name) == len(found)
    return by_name


def times(event: Any) -> tuple[str, str]:
    return event.start.isoformat(), event.end.isoformat()


def test_an_iteration_is_an_entry_of_whole_days_that_keeps_nobody_busy() -> None:
    found = entries(written())["iteration-1"]
    assert (found.start, found.end) == (date(2026, 3, 16), date(2026, 3, 28))  # the end is the day after
    assert str(found["SUMMARY"]) == "ML Build 1"
    assert str(found["DESCRIPTION"]) == "Build for Churn."
    assert (str(found["URL"]), str(found["TRANSP"])) == (URL, "TRANSPARENT")


def test_planning_is_first_thing_and_review_and_retrospective_end_with_the_iteration() -> None:
    found = entries(written())
    assert times(found["meeting-1-planning"]) == ("2026-03-16T09:00:00+01:00", "2026-03-16T10:30:00+01:00")
    assert times(found["meeting-1-review"]) == ("2026-03-27T15:15:00+01:00", "2026-03-27T16:15:00+01:00")
    assert times(found["meeting-1-retrospective"]) == ("2026-03-27T16:15:00+01:00", "2026-03-27T17:00:00+01:00")


def test_there_is_a_stand_up_each_working_day_on_the_first_one_after_planning() -> None:
    holiday = Calendar("Europe/Berlin", days_off=frozenset({date(2026, 3, 18)}))
    found = entries(written(holiday))
    starts = [found[f"meeting-1-stand-up-{number}"].start for number in range(1, 10)]
    assert [day.date() for day in starts] == working_days(DateRange(MONDAY, date(2026, 3, 29)), holiday)
    assert [day.time() for day in starts] == [time(10, 30), *[time(9)] * 8]
    assert "meeting-1-stand-up-10" not in found


def test_meetings_stay_at_their_hour_when_the_clocks_change() -> None:
    found = entries(written())["meeting-2-planning"]
    assert found.start.isoformat() == "2026-03-30T09:00:00+02:00"
    assert found["DTSTART"].params["TZID"] == "Europe/Berlin"


def test_a_meeting_names_its_iteration_what_it_is_for_and_who_comes() -> None:
    found = entries(written())
    assert str(found["meeting-2-stand-up-1"]["SUMMARY"]) == "Stand-up: ML Build 2"
    assert str(found["meeting-2-stand-up-1"]["DESCRIPTION"]) == (
        "Stand-up is held.\n\nWith: ML Engineer, Product Manager."
    )
    assert str(found["meeting-2-planning"]["DESCRIPTION"]).endswith("With: everybody.")


def test_the_record_is_due_so_many_working_days_after_the_end() -> None:
    easter = Calendar("Europe/Berlin", country="DE")  # Good Friday is 3 April, Easter Monday the 6th
    of_april = process(cadence={**process().model_dump()["cadence"], "iteration_days": 14})
    found = entries(written(easter, of_april, parameters={"start_date": "2026-03-23"}))
    assert found["iteration-1"].end == date(2026, 4, 3)
    assert (found["record-1"].start, found["record-1"].end) == (date(2026, 4, 8), date(2026, 4, 9))
    assert str(found["record-1"]["SUMMARY"]) == "Record due: ML Build 1"


def test_without_meetings_there_are_iterations_and_deadlines_only() -> None:
    of_sprints = process(ceremonies={**process().model_dump()["ceremonies"], "when": {"method": "scrum"}})
    found = entries(written(BERLIN, of_sprints, parameters={"start_date": MONDAY.isoformat(), "method": "kanban"}))
    assert sorted(found) == ["iteration-1", "iteration-2", "record-1", "record-2"]


def test_what_moves_keeps_its_identity_and_is_newer() -> None:
    before = entries(written())
    after = entries(written(parameters={"start_date": "2026-03-23"}, stamp=STAMP + timedelta(hours=2)))
    assert set(before) == set(after)
    moved = before["meeting-1-planning"], after["meeting-1-planning"]
    assert moved[0].start + timedelta(days=7) == moved[1].start
    assert int(moved[1]["SEQUENCE"]) - int(moved[0]["SEQUENCE"]) == 120
    assert moved[1]["DTSTAMP"].dt == STAMP + timedelta(hours=2)


def test_the_same_inputs_give_the_same_document() -> None:
    assert written() == written()


def test_iterations_that_have_begun_keep_the_names_they_had() -> None:
    assert str(entries(written(titles={1: "ML Discovery 1"}))["iteration-1"]["SUMMARY"]) == "ML Discovery 1"


def test_an_iteration_of_a_phase_that_the_template_no_longer_has_is_still_there() -> None:
    made = process()
    begun = [Begun(1, Stage("former"), DateRange(MONDAY, date(2026, 3, 29)))]
    along = course(made, settled(made), BERLIN, begun, coming=Stage("build"))
    found = entries(written(along=along))
    assert str(found["iteration-1"]["SUMMARY"]) == "Iteration 1"
    assert str(found["meeting-1-planning"]["SUMMARY"]) == "Planning: Iteration 1"
    assert str(found["iteration-2"]["SUMMARY"]) == "ML Build 2"


def test_titles_with_marks_of_their_own_in_the_format_come_through() -> None:
    title = 'Sprint; no, \\really\\ a "long" one: “überlange” ' + "x" * 100
    document = written(titles={1: title})
    assert str(entries(document)["iteration-1"]["SUMMARY"]) == title
    assert max(len(line) for line in document.split(b"\r\n")) <= 75


def test_the_feed_says_what_it_is_and_when_to_look_again() -> None:
    document = icalendar.Calendar.from_ical(written())
    assert (str(document["X-WR-CALNAME"]), str(document["METHOD"]), str(document["VERSION"])) == (
        "Churn",
        "PUBLISH",
        "2.0",
    )
    assert document["REFRESH-INTERVAL"].dt == timedelta(hours=1)


def test_a_project_without_iterations_has_an_empty_feed() -> None:
    assert entries(written(along=Course(()))) == {}


def test_utc_needs_no_time_zone_of_its_own() -> None:
    document = written(Calendar("UTC"))
    assert b"VTIMEZONE" not in document
    assert b"DTSTART:20260316T090000Z" in document


@pytest.mark.parametrize("start", ["0001-06-04", "9998-06-01"])
def test_no_date_is_too_far_for_the_feed(start: str) -> None:
    assert "iteration-2" in entries(written(Calendar("Asia/Tokyo"), parameters={"start_date": start}))


@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone != "UTC"])
def test_the_feed_s_own_time_zone_shows_what_the_clocks_show(zone: str) -> None:
    """Each change is dated by the clock before it (RFC 5545, 3.6.5)."""
    calendar = Calendar(zone)
    spring = process(phases=[phase(ticket("make"), iterations=26)])
    (zones,) = icalendar.Calendar.from_ical(written(calendar, spring)).walk("VTIMEZONE")
    clocks = sorted(zones.subcomponents, key=lambda clock: clock["DTSTART"].dt - clock["TZOFFSETFROM"].td)
    onsets = [(clock["DTSTART"].dt - clock["TZOFFSETFROM"].td).replace(tzinfo=UTC) for clock in clocks]
    assert onsets[0] < datetime(2026, 3, 16, tzinfo=UTC)
    hour, end = onsets[0], datetime(2027, 3, 16, tzinfo=UTC)
    while hour < end:
        shown = [clock for clock, onset in zip(clocks, onsets, strict=True) if onset <= hour][-1]
        assert shown["TZOFFSETTO"].td == hour.astimezone(calendar.zone).utcoffset(), hour
        hour += timedelta(hours=1)
    for before, after in pairwise(clocks):
        assert after["TZOFFSETFROM"].td == before["TZOFFSETTO"].td


@given(
    zone=st.sampled_from(ZONES),
    start=st.dates(date(2025, 1, 1), date(2035, 12, 31)),
    opens=st.integers(0, 20),
    minutes=st.lists(st.integers(5, 240), min_size=3, max_size=3),
)
def test_meetings_last_as_long_as_they_say_and_lie_inside_their_iteration(
    zone: str, start: date, opens: int, minutes: list[int]
) -> None:
    made = process()
    value = made.model_dump()
    value["ceremonies"]["events"] = [
        meeting(key, at, length) for (key, at), length in zip(MEETINGS.items(), minutes, strict=True)
    ]
    calendar = Calendar(zone, start_time=time(opens), end_time=time(opens + 3))
    along = course(made, settled(made, start_date=start), calendar)
    found = entries(written(calendar, Template.model_validate(value), along, parameters={"start_date": start}))
    for turn in along.turns:
        for name, event in found.items():
            if not name.startswith(f"meeting-{turn.number}-"):
                continue
            length = event.end.astimezone(UTC) - event.start.astimezone(UTC)
            assert length == timedelta(minutes=minutes[list(MEETINGS).index(name.split("-")[2])])
        first, last = found[f"meeting-{turn.number}-opening"], found[f"meeting-{turn.number}-closing"]
        assert first.start.astimezone(UTC) == turn.starts.astimezone(UTC)
        assert last.end.astimezone(UTC) == turn.ends.astimezone(UTC)


MEETINGS = {"opening": "start", "daily": "daily", "closing": "end"}
