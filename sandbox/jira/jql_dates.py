"""Moments in JQL: absolute dates, relative periods, and the functions around now."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

_FORMATS: Final = ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d")
_PERIOD: Final = re.compile(r"([+-]?)((?:\d+[wdhmMy]\s*)+)")
_PART: Final = re.compile(r"(\d+)([wdhmMy])")
_UNITS: Final = {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def read_moment(text: str, now: datetime) -> datetime | None:
    """A moment from a date, a date and time, milliseconds since 1970, or a period from now such as ``-5d`` or
    ``4w 2d``; none if it is neither."""
    text = text.strip()
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    if re.fullmatch(r"\d{11,15}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return shifted(now, text)


def shifted(moment: datetime, period: str) -> datetime | None:
    """The moment moved by a period (``-1w 2d``; ``M`` months and ``y`` years too); none for another text."""
    match = _PERIOD.fullmatch(period.strip())
    if match is None:
        return None
    sign = -1 if match[1] == "-" else 1
    for number, unit in _PART.findall(match[2]):
        try:
            if unit in _UNITS:
                moment += sign * int(number) * _UNITS[unit]
            else:
                moment = _by_months(moment, sign * int(number) * (12 if unit == "y" else 1))
        except (OverflowError, ValueError):
            return None
    return moment


def _by_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    for day in (moment.day, 30, 29, 28):
        try:
            return moment.replace(year=year, month=month + 1, day=min(day, moment.day))
        except ValueError:
            if day == 28:  # every month has it, so the year itself is out of range
                raise
    return moment


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _week(now: datetime) -> datetime:
    """Weeks start on Sunday, as in the vendor's default locale."""
    return _midnight(now) - timedelta(days=(now.weekday() + 1) % 7)


_STARTS: Final[dict[str, tuple[Callable[[datetime], datetime], str]]] = {
    "day": (_midnight, "d"),
    "week": (_week, "w"),
    "month": (lambda now: _midnight(now).replace(day=1), "M"),
    "year": (lambda now: _midnight(now).replace(month=1, day=1), "y"),
}


def function_moment(name: str, arguments: tuple[str, ...], now: datetime) -> datetime | None:
    """The moment of ``now()``, ``startOfDay("-1d")``, ``endOfWeek()`` and the like; none for another function or
    for an increment that is not one."""
    low = name.lower()
    if low == "now":
        return now
    match = re.fullmatch(r"(start|end)of(day|week|month|year)", low)
    if match is None:
        return None
    start_of, unit = _STARTS[match[2]]
    moment: datetime | None = now
    if arguments:
        increment = arguments[0].strip()
        # A bare number counts in the function's own unit.
        increment = increment + unit if re.fullmatch(r"[+-]?\d+", increment) else increment
        moment = shifted(now, increment)
    if moment is None:
        return None
    start = start_of(moment)
    if match[1] == "start":
        return start
    following = shifted(start, f"1{unit}")
    return following - timedelta(milliseconds=1) if following else None
