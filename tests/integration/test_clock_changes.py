"""When the clocks change: every bound of an iteration fires once, at the right local time, none is skipped and none
comes twice; also those that fall into the hour that is missing in spring or comes again in autumn. The schedule and
the store are the real ones, in three zones, one of which shifts by half an hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from service import schedule
from service.domain.loop import loop_state
from service.domain.team.calendar_file import CalendarSpec
from service.settings import Settings
from service.store import loops, runs
from service.store.tables import LoopRow, RunRow
from service.usecases.loop import advance_outcome, scheduling
from service.usecases.plan.project_state import material
from service.usecases.setup import projects
from tests.integration.loops import Shop, request

WEEK = timedelta(days=7)
SUNDAY = 6
ITERATIONS = 3
"""Weeks that are played: the one before the clocks change, and two after; the change is between the first two."""

ENGINES = 2
"""Clocks that fire at each tick, one after the other."""


@dataclass(frozen=True)
class Change:
    """The clocks of a zone change on `sunday`. `hits` is a local time that is missing, or comes twice, on that day;
    `at` is the instant that is meant, in UTC: the time moved on by what is skipped, or the first of the two.
    `offsets` are those before and after, in minutes."""

    zone: str
    sunday: date
    hits: str
    at: str
    offsets: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.zone.partition('/')[2]}-{self.sunday}"


SPRING = [
    Change("Europe/Berlin", date(2026, 3, 29), "02:30", "2026-03-29T01:30", (60, 120)),
    Change("America/New_York", date(2026, 3, 8), "02:30", "2026-03-08T07:30", (-300, -240)),
    Change("Australia/Lord_Howe", date(2026, 10, 4), "02:15", "2026-10-03T15:45", (630, 660)),
]
AUTUMN = [
    Change("Europe/Berlin", date(2026, 10, 25), "02:30", "2026-10-25T00:30", (120, 60)),
    Change("America/New_York", date(2026, 11, 1), "01:30", "2026-11-01T05:30", (-240, -300)),
    Change("Australia/Lord_Howe", date(2026, 4, 5), "01:45", "2026-04-04T14:45", (660, 630)),
]
LATE_ENOUGH = [change for change in (*SPRING, *AUTUMN) if change.hits >= "02:15"]
"""Where a working day of two hours can end at the time that is hit."""


@dataclass
class Bench:
    """A project of one-week iterations, whose time is played."""

    shop: Shop
    zone: ZoneInfo

    def play(self, first: date, last: date, late: timedelta = timedelta(hours=2)) -> list[tuple[str, datetime]]:
        """Let time go from the one local midnight to the other; which runs the clocks began, and what instant each was
        due at. None begins before that, nor later than `late`."""
        fired = []
        for instant in self._ticks(first, last):
            self.shop.clock.now = instant
            for _ in range(ENGINES):
                due = self.shop.due()
                for run_id, _partition in schedule.fire(self.shop.context, instant):
                    assert due is not None
                    assert due <= instant < due + late
                    fired.append((run_id.replace(f"{self.shop.project.id}-", ""), due))
                    self._done(run_id)
        return fired

    def _ticks(self, first: date, last: date) -> Iterator[datetime]:
        """The instants at which the clock looks: each quarter of an hour early on Sundays, else every two hours."""
        instant = datetime(first.year, first.month, first.day, tzinfo=self.zone).astimezone(UTC)
        end = datetime(last.year, last.month, last.day, tzinfo=self.zone).astimezone(UTC)
        while instant < end:
            yield instant
            local = instant.astimezone(self.zone)
            often = local.weekday() == SUNDAY and local.hour < 4
            instant += timedelta(minutes=15 if often else 120)

    def _done(self, run_id: str) -> None:
        """As the run does when it ends: the loop stands where it took it, and what is due next is set by our code."""
        project = self.shop.project.id
        proposes = run_id.startswith(loop_state.PROPOSE)
        if not proposes:
            self.shop.advance()
        ours = material(self.shop.context, project)
        now = self.shop.clock()
        with self.shop.context.database.session() as session:
            run = session.get_one(RunRow, run_id)
            loop = session.get_one(LoopRow, project)
            assert runs.begin(session, run_id, now) is not None
            if proposes:
                name = f"proposed:{run.iteration}"
                loops.record_event(session, project, name, "proposed", "", at=now, by="clock", iteration=run.iteration)
            else:
                loop.updated_at = now
            advance_outcome.set_next(session, ours, loop)
            runs.finish(session, run_id, now)


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    opened = Shop.open(settings)
    yield opened
    opened.context.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, _env_file=None, database_url=None)


def bench(shop: Shop, change: Change, first: date, start: str, end: str) -> Bench:
    """Weeks from `first` on, with these hours on each day of the week."""
    every_day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    asked = replace(
        request(),
        parameters={"start_date": first.isoformat(), "iteration_days": 7},
        time_zone=change.zone,
        calendar=CalendarSpec(working_days=every_day, start=start, end=end),
        turning={"carry_over": "ask"},
    )
    shop.clock.now = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=3)
    projects.put(shop.context, asked)
    shop.begin_loop()
    return Bench(shop, ZoneInfo(change.zone))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def instant(day: date, clock: str, offset: int) -> datetime:
    """The UTC instant of a local time at this offset."""
    return utc(f"{day}T{clock}") - timedelta(minutes=offset)


NAMES = ["advance-1", "propose-1", "advance-2", "propose-2", "advance-3", "propose-3"]


@pytest.mark.parametrize("change", [*SPRING, *AUTUMN], ids=str)
def test_an_iteration_that_begins_in_the_hour_of_the_change_begins_once(shop: Shop, change: Change) -> None:
    before, after = change.offsets
    sunday = change.sunday
    table = bench(shop, change, sunday - WEEK, change.hits, "18:00")

    fired = table.play(sunday - WEEK, sunday + (ITERATIONS - 1) * WEEK)

    expected = [
        instant(sunday - WEEK, change.hits, before),
        instant(sunday - timedelta(days=1), "18:00", before),
        utc(change.at),
        instant(sunday + timedelta(days=6), "18:00", after),
        instant(sunday + WEEK, change.hits, after),
        instant(sunday + timedelta(days=13), "18:00", after),
    ]
    assert fired == list(zip(NAMES, expected, strict=True))


@pytest.mark.parametrize("change", LATE_ENOUGH, ids=str)
def test_an_iteration_that_ends_in_the_hour_of_the_change_ends_once(shop: Shop, change: Change) -> None:
    before, after = change.offsets
    monday = change.sunday - timedelta(days=6)
    table = bench(shop, change, monday, "00:10", change.hits)

    fired = table.play(monday, monday + ITERATIONS * WEEK)

    expected = [
        instant(monday, "00:10", before),
        utc(change.at),
        instant(monday + WEEK, "00:10", after),
        instant(change.sunday + WEEK, change.hits, after),
        instant(monday + 2 * WEEK, "00:10", after),
        instant(change.sunday + 2 * WEEK, change.hits, after),
    ]
    assert fired == list(zip(NAMES, expected, strict=True))


@pytest.mark.parametrize("change", [*SPRING, *AUTUMN], ids=str)
def test_working_hours_keep_their_local_time_when_the_clocks_change(shop: Shop, change: Change) -> None:
    monday = change.sunday - timedelta(days=6)
    table = bench(shop, change, monday, "09:00", "17:00")
    told = scheduling.next_firings(shop.context, shop.project.id, len(NAMES))

    fired = table.play(monday, monday + ITERATIONS * WEEK)

    assert [name for name, _at in fired] == NAMES
    assert [at for _name, at in fired] == [firing.at for firing in told]
    local = [at.astimezone(table.zone) for _name, at in fired]
    assert [f"{at:%a %H:%M}" for at in local] == ["Mon 09:00", "Sun 17:00"] * ITERATIONS
    assert [at.date() for at in local[::2]] == [monday + number * WEEK for number in range(ITERATIONS)]
    hours = [(end - begin) / timedelta(hours=1) for (_, begin), (_, end) in zip(fired[::2], fired[1::2], strict=True)]
    shift = (change.offsets[1] - change.offsets[0]) / 60
    assert hours == [152 - shift, 152, 152]


@pytest.mark.parametrize("change", [SPRING[0], AUTUMN[0], SPRING[2], AUTUMN[2]], ids=str)
def test_bounds_missed_while_the_clocks_changed_are_made_up_for_one_after_the_other(shop: Shop, change: Change) -> None:
    table = bench(shop, change, change.sunday - WEEK, change.hits, "18:00")
    away = table.play(change.sunday - WEEK, change.sunday - timedelta(days=3))

    caught_up = table.play(change.sunday + 2 * WEEK, change.sunday + 2 * WEEK + timedelta(days=1), late=3 * WEEK)

    assert [name for name, _at in away] == ["advance-1"]
    after = change.offsets[1]
    assert caught_up == [
        ("propose-1", instant(change.sunday - timedelta(days=1), "18:00", change.offsets[0])),
        ("advance-2", utc(change.at)),
        ("advance-3", instant(change.sunday + WEEK, change.hits, after)),
        ("propose-3", instant(change.sunday + timedelta(days=13), "18:00", after)),
        ("advance-4", instant(change.sunday + 2 * WEEK, change.hits, after)),
    ]
