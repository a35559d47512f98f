"""Instants and days as pages say them: exact in the project's zone with its offset, relative beside that. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from service.domain.english import counted

_SECONDS = {"day": 86400, "hour": 3600, "minute": 60}


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant: `iso` for machines, `text` exact for people, `near` how far away it is."""

    iso: str
    text: str
    near: str


def moment(at: datetime, zone: str, now: datetime, *, seconds: bool = False) -> Moment:
    """The instant in this zone: `Thu 21 Jan, 13:57 +01:00`, with the year where it is another one than now's. On the
    same day the time alone; with `seconds` where these matter."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    said = f"{clock} {offset(local)}"
    if local.date() != today.date():
        said = f"{day(local.date(), today.year)}, {said}"
    return Moment(local.isoformat(timespec="seconds"), said, near(at - now))


def offset(local: datetime) -> str:
    """The offset from UTC: `+01:00`."""
    said = f"{local:%z}"
    return f"{said[:3]}:{said[3:5]}".replace("-", "\N{MINUS SIGN}")


def day(on: date, year: int) -> str:
    """A day: `Thu 21 Jan`, with the year where it is another one."""
    return f"{on:%a} {on.day} {on:%b}" + (f" {on.year}" if on.year != year else "")


def days(first: date, last: date, year: int) -> str:
    """From one day to another: `11 to 22 Jan`, `28 Dec to 8 Jan`."""
    ends = f"{last.day} {last:%b}" + (f" {last.year}" if last.year != year else "")
    begins = f"{first.day}" if (first.month, first.year) == (last.month, last.year) else f"{first.day} {first:%b}"
    return f"{begins} to {ends}"


def near(apart: timedelta) -> str:
    """How far something is away: `in 4 days`, `1 minute ago`, `now`."""
    seconds = apart.total_seconds()
    for noun, size in _SECONDS.items():
        if abs(seconds) >= size:
            said = counted(int(abs(seconds) // size), noun)
            return f"in {said}" if seconds > 0 else f"{said} ago"
    return "now"


def lasting(seconds: float) -> str:
    """How long something took or takes: `0.4 s`, `12 s`, `3 min`."""
    if seconds < 0.1:
        return "under 0.1 s"
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def points(number: float | None) -> str:
    """Points without a useless fraction; a dash where there is no estimate."""
    return f"{number:g}" if number is not None else "\N{EN DASH}"
