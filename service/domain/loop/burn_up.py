"""How much of an iteration is done on which of its days, as far as anybody knows. Pure.

What is known: with which tickets it began, which are in it by the last look, and of a done ticket the instant that the
tracker tells. On which day a ticket came into the iteration or left it nobody tells, so there is no line of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from service.domain.loop.figures import Outcome, Sum, TicketRecord, total
from service.domain.team.calendar import DateRange

_IN_IT = frozenset({Outcome.OPEN, Outcome.DONE})


@dataclass(frozen=True, slots=True)
class DoneBy:
    """What was done by the end of a day, all days before it included; by `until` on the last one that is known."""

    day: date
    done: Sum


@dataclass(frozen=True, slots=True)
class BurnUp:
    """Iteration `number` over its days. `planned` is what it began with, `present` what is in it by the last look, both
    by the estimates of that look. `known` are the days up to `until`, the last instant of which anything is known;
    None where nobody has looked since it began. `undated` is done on days that the tracker does not tell: it is in
    `done` and on no day."""

    number: int
    days: Sequence[date]
    planned: Sum
    present: Sum
    done: Sum
    known: Sequence[DoneBy]
    undated: Sum
    until: datetime | None


def burn_up(
    number: int,
    records: Iterable[TicketRecord],
    span: DateRange,
    zone: ZoneInfo,
    began: datetime,
    looked: datetime | None = None,
) -> BurnUp:
    """The tickets of an iteration over its days in this zone. `looked` is when the tracker was read for them; without
    it they are known until the last thing that they tell of, and not at all where they tell of none. What was done
    before the iteration began counts on its first day; one that lasts longer than planned has more days."""
    records = list(records)
    done = [one for one in records if one.outcome is Outcome.DONE]
    until = looked or _latest(records, began)
    last = until.astimezone(zone).date() if until is not None else span.first
    days = tuple(DateRange(span.first, max(span.last, last)))
    dated = [(max(one.done.astimezone(zone).date(), span.first), one.points) for one in done if one.done is not None]
    return BurnUp(
        number=number,
        days=days,
        planned=total(one.points for one in records if one.planned),
        present=total(one.points for one in records if one.outcome in _IN_IT),
        done=total(one.points for one in done),
        known=tuple(
            DoneBy(day, total(points for at, points in dated if at <= day))
            for day in days
            if until is not None and day <= max(last, span.first)
        ),
        undated=total(one.points for one in done if one.done is None),
        until=until,
    )


def _latest(records: Iterable[TicketRecord], began: datetime) -> datetime | None:
    """The last instant that the tickets tell of. Those that nobody has looked at since tell of none."""
    told = [at for one in records for at in (one.created, one.started, one.done) if at is not None]
    return max([began, *told]) if told else None
