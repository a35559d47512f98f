"""An iteration over its days, as far as anybody knows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.values import ItemKey
from service.domain.loop.burn_up import BurnUp, burn_up
from service.domain.loop.figures import Outcome, Sum, TicketRecord
from service.domain.team.calendar import DateRange

SPAN = DateRange(date(2027, 1, 4), date(2027, 1, 8))
BERLIN = ZoneInfo("Europe/Berlin")
BEGAN = datetime(2027, 1, 4, 8, tzinfo=UTC)


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2027, 1, day, hour, tzinfo=UTC)


def ticket(key: str, points: float | None = 3, **more: Any) -> TicketRecord:
    return TicketRecord(ItemKey(f"ticket:{key}"), key, points=points, **more)


def done(key: str, when: datetime | None, points: float | None = 3, **more: Any) -> TicketRecord:
    return ticket(key, points, status="done", outcome=Outcome.DONE, done=when, created=at(1), **more)


def shown(*records: TicketRecord, looked: datetime | None = None) -> BurnUp:
    return burn_up(2, records, SPAN, BERLIN, BEGAN, looked)


def test_before_anybody_has_looked_nothing_is_known_but_what_was_planned() -> None:
    found = shown(ticket("a"), ticket("b", 5))

    assert found.planned == Sum(2, 8)
    assert (found.until, found.known) == (None, ())
    assert len(found.days) == 5


def test_what_is_done_counts_from_its_day_on_until_the_last_day_that_is_known() -> None:
    found = shown(done("a", at(5)), done("b", at(6)), ticket("c"), looked=at(7))

    assert [(one.day.day, one.done) for one in found.known] == [
        (4, Sum()),
        (5, Sum(1, 3)),
        (6, Sum(2, 6)),
        (7, Sum(2, 6)),
    ]


def test_without_a_look_it_is_known_until_the_last_thing_that_the_tickets_tell_of() -> None:
    found = shown(done("a", at(5)), ticket("b", started=at(6, 9), created=at(1)))

    assert found.until == at(6, 9)
    assert [one.day.day for one in found.known] == [4, 5, 6]


def test_tickets_that_were_looked_at_and_tell_nothing_new_are_known_for_the_first_day() -> None:
    found = shown(ticket("a", created=at(1)))

    assert found.until == BEGAN
    assert [one.day.day for one in found.known] == [4]


def test_a_day_is_one_of_the_project_s_zone() -> None:
    found = shown(done("a", at(5, 23) + timedelta(minutes=30)), looked=at(7))

    assert [one.done.tickets for one in found.known] == [0, 0, 1, 1]


def test_what_was_done_before_it_began_counts_on_the_first_day() -> None:
    assert [one.done.tickets for one in shown(done("a", at(2)), looked=at(5)).known] == [1, 1]


def test_what_is_done_on_nobody_knows_which_day_is_in_the_sum_and_on_no_day() -> None:
    found = shown(done("a", None), done("b", at(5)), looked=at(5))

    assert (found.done, found.undated) == (Sum(2, 6), Sum(1, 3))
    assert [one.done.tickets for one in found.known] == [0, 1]


def test_added_and_removed_tickets_change_what_is_in_it_and_not_what_was_planned() -> None:
    found = shown(ticket("a"), ticket("b", outcome=Outcome.REMOVED), ticket("c", 1, planned=False), looked=at(5))

    assert found.planned == Sum(2, 6)
    assert found.present == Sum(2, 4)


def test_an_iteration_that_lasts_longer_than_planned_has_more_days() -> None:
    found = shown(done("a", at(10)), looked=at(11))

    assert found.days[-1] == date(2027, 1, 11)
    assert len(found.known) == len(found.days)
