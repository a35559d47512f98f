"""When the people of a project are written to: hours and days that are quiet, in the project's time zone and by its
calendar. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from service.domain.team.calendar import Calendar

_FAR = 800
"""How many ends of nights and days off are looked at: more than a year of them."""


@dataclass(frozen=True, slots=True)
class NoticeHours:
    """From `quiet_from` to `quiet_to` on the local clock nobody is written to, through the night where the second is
    the earlier one; None: there are no such hours. With `days_off` nobody is on days on which nobody works either. On
    working days the stand-up is at `stand_up`; None: there is none."""

    quiet_from: time | None = None
    quiet_to: time | None = None
    days_off: bool = False
    stand_up: time | None = None

    def next_stand_up(self, after: datetime, calendar: Calendar) -> datetime | None:
        """When the next stand-up after that is; None: there is none."""
        return self._stand_up(after, calendar, 1)

    def last_stand_up(self, now: datetime, calendar: Calendar) -> datetime | None:
        """When the newest one was until now; None: there was none."""
        return self._stand_up(now, calendar, -1)

    def _stand_up(self, beside: datetime, calendar: Calendar, step: int) -> datetime | None:
        day = beside.astimezone(calendar.zone).date()
        for _ in range(_FAR if self.stand_up is not None else 0):
            found = calendar.at(day, self.stand_up or time()).astimezone(UTC)
            if calendar.is_working(day) and (found > beside if step > 0 else found <= beside):
                return found
            day += step * timedelta(days=1)
        return None

    def quiet_until(self, now: datetime, calendar: Calendar) -> datetime | None:
        """When the quiet ends that is now; None: it is not quiet."""
        until = now
        for _ in range(_FAR):
            local = until.astimezone(calendar.zone)
            if self.quiet_to is not None and self._is_quiet(local.time()):
                until = _next(calendar, until, self.quiet_to)
            elif self.days_off and not calendar.is_working(local.date()):
                until = _next(calendar, until, time())
            else:
                break
        return until if until > now else None

    def _is_quiet(self, clock: time) -> bool:
        begins, ends = self.quiet_from, self.quiet_to
        if begins is None or ends is None:
            return False
        return begins <= clock < ends if begins <= ends else clock >= begins or clock < ends

    def to_json(self) -> dict[str, Any]:
        """The form that is stored and shown."""
        return {
            "quiet_from": _said(self.quiet_from),
            "quiet_to": _said(self.quiet_to),
            "days_off": self.days_off,
            "stand_up": _said(self.stand_up),
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> NoticeHours:
        """What `to_json` gave; what is missing is the usual."""
        return cls(
            _time(said.get("quiet_from")),
            _time(said.get("quiet_to")),
            bool(said.get("days_off")),
            _time(said.get("stand_up")),
        )


def _next(calendar: Calendar, after: datetime, clock: time) -> datetime:
    """The next time that the local clock shows this, also where it shows it twice."""
    day = after.astimezone(calendar.zone).date()
    while True:
        for fold in (0, 1):
            found = calendar.at(day, clock.replace(fold=fold)).astimezone(UTC)
            if found > after:
                return found
        day += timedelta(days=1)


def _said(clock: time | None) -> str | None:
    return f"{clock:%H:%M}" if clock is not None else None


def _time(text: object) -> time | None:
    return time.fromisoformat(str(text)) if text is not None else None
