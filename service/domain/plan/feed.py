"""A project's iterations and meetings as a calendar feed (RFC 5545), for the calendar programs of its people.

Every entry keeps its identity when it moves: an iteration is known by its number, a meeting by its place in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import icalendar
from icalendar.enums import TRANSP

from service.domain.loop.course import Course, Turn
from service.domain.plan.ticket_text import Context, Wording
from service.domain.team.calendar import Calendar, working_day_after, working_days
from service.domain.template.template import Ceremony, ParameterValue, Phase, Template
from service.domain.template.text import render

_PRODUCT = "-//phaseloop//phaseloop//EN"
_LOOK_AGAIN = timedelta(hours=1)
_AROUND = timedelta(days=100)
_EARLIEST, _LATEST = date.min + _AROUND + timedelta(days=1), date.max - _AROUND
_FIRST_REVISION = datetime(2020, 1, 1, tzinfo=UTC)


def feed(
    template: Template,
    parameters: Mapping[str, ParameterValue],
    project_name: str,
    project_key: str,
    project_id: str,
    course: Course,
    calendar: Calendar,
    *,
    url: str | None,
    stamp: datetime,
    titles: Mapping[int, str] | None = None,
) -> bytes:
    """The iterations of the course with their meetings and the deadlines of their records, as an iCalendar document.

    An iteration is an entry of whole days, from its first working day to its last. Meetings at its start follow each
    other from the moment it starts, daily ones are held each working day when it begins (on the first day after those
    of the start), and the last one at its end is over when the iteration is.

    `url` is the project's page in its tracker. `stamp` is when anything here changed last: the same inputs give the
    same document, and calendar programs take the entries of a later stamp for newer. `titles` are the names of
    iterations as they were when they began, by number.

    Raises `InvalidInput` when a deadline is beyond the end of the calendar.
    """
    base = {**parameters, "project": {"name": project_name, "key": project_key}}
    writer = _Writer(Wording(template, parameters, base), project_id, calendar, url, stamp, titles or {})
    events = [event for turn in course.turns for event in writer.turn(turn)]
    document = icalendar.Calendar.new(
        prodid=_PRODUCT,
        uid=f"{project_id}@phaseloop",
        name=project_name,
        method="PUBLISH",
        url=url,
        last_modified=stamp,
        refresh_interval=_LOOK_AGAIN,
        subcomponents=[*_zone(course, calendar), *events],
    )
    document.add("X-WR-TIMEZONE", calendar.time_zone)
    document.add("X-PUBLISHED-TTL", icalendar.vDuration(_LOOK_AGAIN))
    written: bytes = document.to_ical()
    return written


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the entries of one project."""

    wording: Wording
    project_id: str
    calendar: Calendar
    url: str | None
    stamp: datetime
    titles: Mapping[int, str]

    def turn(self, turn: Turn) -> Iterator[icalendar.Event]:
        """The entries of one iteration."""
        phase = next((one for one in self.wording.template.phases if one.key == turn.stage.phase), None)
        context = self._context(turn, phase)
        title = self.titles.get(turn.number)
        if title is None:
            title = self.wording.iteration(turn.entry, context) if phase else f"Iteration {turn.number}"
        goal = self.wording.goal(phase, context) if phase else ""
        yield self._days(f"iteration-{turn.number}", turn.starts.date(), turn.ends.date(), title, goal)
        for name, event, starts, ends in self._meetings(turn):
            heading, text = f"{render(event.title, context)}: {title}", self._about(event, context)
            yield self._entry(f"meeting-{turn.number}-{name}", starts, ends, heading, text)
        due = working_day_after(turn.ends.date(), self.wording.template.record.grace_working_days, self.calendar)
        text = f"The record of {title} is to be written and signed by the end of this day."
        yield self._days(f"record-{turn.number}", due, due, f"Record due: {title}", text)

    def _context(self, turn: Turn, phase: Phase | None) -> Context:
        stage = turn.stage
        iteration = {"number": turn.number, "of_phase": stage.of_phase, "last": turn.turns, "loop": stage.loop}
        if phase is None:  # begun as a phase that the template no longer has
            words = dict.fromkeys(("title", "short", "focus", "output"), stage.phase)
            return {**self.wording.base, "phase": {"key": stage.phase, **words}, "iteration": iteration}
        return self.wording.context(phase, iteration)

    def _about(self, event: Ceremony, context: Context) -> str:
        who = self.wording.role_titles(event.roles) or "everybody"
        return f"{render(event.purpose, context)}\n\nWith: {who}."

    def _meetings(self, turn: Turn) -> Iterator[tuple[str, Ceremony, datetime, datetime]]:
        """Every meeting of the iteration with a name of its own there."""
        held = self.wording.events()
        of_start, daily, of_end = ([event for event in held if event.at == at] for at in ("start", "daily", "end"))
        free = turn.starts
        for event, starts, ends in self._one_by_one(of_start, turn.starts):
            yield event.key, event, starts, ends
            free = ends
        for number, day in enumerate(working_days(turn.dates, self.calendar), 1):
            first = max(free, self.calendar.at(day, self.calendar.start_time), key=lambda at: at.astimezone(UTC))
            for event, starts, ends in self._one_by_one(daily, first):
                yield f"{event.key}-{number}", event, starts, ends
        first = self._later(turn.ends, -sum(event.minutes for event in of_end))
        for event, starts, ends in self._one_by_one(of_end, first):
            yield event.key, event, starts, ends

    def _one_by_one(self, events: Iterable[Ceremony], first: datetime) -> Iterator[tuple[Ceremony, datetime, datetime]]:
        for event in events:
            ends = self._later(first, event.minutes)
            yield event, first, ends
            first = ends

    def _later(self, instant: datetime, minutes: int) -> datetime:
        """So many minutes later as they pass, whatever the clocks do."""
        return (instant.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(self.calendar.zone)

    def _days(self, name: str, first: date, last: date, summary: str, text: str) -> icalendar.Event:
        """An entry of whole days, during which people are not busy."""
        entry = self._entry(name, first, last + timedelta(days=1), summary, text)
        entry.transparency = TRANSP.TRANSPARENT
        return entry

    def _entry(self, name: str, starts: date, ends: date, summary: str, text: str) -> icalendar.Event:
        return icalendar.Event.new(
            uid=f"{self.project_id}.{name}@phaseloop",
            stamp=self.stamp,
            sequence=int((self.stamp - _FIRST_REVISION) / timedelta(minutes=1)),
            start=starts,
            end=ends,
            summary=summary,
            description=text,
            url=self.url,
        )


def _zone(course: Course, calendar: Calendar) -> list[icalendar.Timezone]:
    """The time zone's clocks in the course's time: what they show at first, and every change. UTC needs none.

    Written here because icalendar 7.3 dates a change by the clock after it, and RFC 5545 (3.6.5) by the one before.
    """
    if calendar.time_zone == "UTC" or not course.turns:
        return []
    earliest, latest = max(course.turns[0].dates.first, _EARLIEST), min(course.turns[-1].dates.last, _LATEST)
    first, last = (datetime.combine(day, time(), UTC) for day in (earliest - _AROUND, latest + _AROUND))
    zone = icalendar.Timezone()
    zone.add("TZID", calendar.time_zone)
    zone.add_component(_clock(first, first.astimezone(calendar.zone), calendar))
    for instant in _changes(first, last, calendar):
        zone.add_component(_clock(instant, (instant - timedelta(seconds=1)).astimezone(calendar.zone), calendar))
    return [zone]


def _clock(instant: datetime, before: datetime, calendar: Calendar) -> icalendar.Component:
    """What the clocks show from `instant` on; `before` is a time in the zone just before it."""
    after, former = instant.astimezone(calendar.zone), before.utcoffset() or timedelta()
    clock = icalendar.TimezoneDaylight() if after.dst() else icalendar.TimezoneStandard()
    clock.add("DTSTART", (instant + former).replace(tzinfo=None))
    clock.add("TZOFFSETFROM", former)
    clock.add("TZOFFSETTO", after.utcoffset())
    clock.add("TZNAME", after.tzname())
    return clock


def _changes(first: datetime, last: datetime, calendar: Calendar) -> Iterator[datetime]:
    """The instants, in UTC and to the second, from which the clocks show another offset."""

    def offset(instant: datetime) -> timedelta | None:
        return instant.astimezone(calendar.zone).utcoffset()

    day = timedelta(days=1)
    while first < last:
        if offset(first) != offset(first + day):
            before, after = first, first + day
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) // 2
                middle = middle.replace(microsecond=0)
                before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
            yield after
        first += day
