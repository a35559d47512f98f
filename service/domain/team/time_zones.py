"""Time zones by name, and what somebody means who writes another name: by meaning, or nothing is said of it.

What Windows calls a zone comes from tzlocal's table (CLDR's), the present name of a place from tzdata. What is only
spelled alike is not alike: `GMT+1` is an hour east, `Etc/GMT+1` an hour west.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

from tzlocal.windows_tz import win_tz

from service.domain.problems import Problem

_NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})
"""Files that some systems keep among the time zones; they mean another thing on every machine."""

_EXAMPLE = 'write an IANA name such as "Europe/Paris" or "UTC"'
_OFFSET = re.compile(r"(?:GMT|UTC|Z)?\s*([+\-\u2212])\s*(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)
_CITY = re.compile(r"(?!US/|Canada/|Brazil/|Mexico/|Chile/)[A-Za-z]+/")
_NEAR = 0.85
_AT_MOST = 4


def check_time_zone(name: str, source: str, path: str, line: int | None = None) -> list[Problem]:
    """Refuse a name that is not an IANA time zone, with the one that is meant where that can be known."""
    if name in _known():
        return []
    return [Problem(source, line, path, f'unknown time zone "{name}"', _meant(name))]


@cache
def _known() -> frozenset[str]:
    """The names there are; finding them reads many files."""
    return frozenset(available_timezones() - _NO_PLACES)


def _meant(name: str) -> str:
    written = " ".join(name.replace("_", " ").split()).casefold()
    if offset := _OFFSET.fullmatch(name.strip()):
        return _of_an_offset(offset)
    if zone := _spelled().get(written) or _windows().get(written):
        return f'did you mean "{zone}"?'
    if zones := _abbreviations().get(name.strip().upper(), ()):
        return _of_several(zones)
    near = get_close_matches(written, sorted(_spelled()), n=1, cutoff=_NEAR)
    return f'did you mean "{_spelled()[near[0]]}"?' if near else _EXAMPLE


def _of_an_offset(offset: re.Match[str]) -> str:
    """Nobody's clock follows an offset all year; the zone that does has its sign the other way round."""
    east, hours, minutes = offset[1] == "+", int(offset[2]), int(offset[3] or 0)
    named = f"Etc/GMT{'-' if east else '+'}{hours}" if hours else "UTC"
    if minutes or named not in _known():
        return 'name the place whose clocks you keep, such as "Europe/Paris"'
    return f'name the place whose clocks you keep, such as "Europe/Paris"; the same time all year round is "{named}"'


def _of_several(zones: tuple[str, ...]) -> str:
    if len(zones) == 1:
        return f'did you mean "{zones[0]}"?'
    named = ", ".join(f'"{zone}"' for zone in zones[:_AT_MOST])
    return f"several places call it that, {named} among them; write the one you mean"


@cache
def _windows() -> dict[str, str]:
    """Zones by what Windows calls them, in small letters."""
    return {name.casefold(): _present(zone) for name, zone in win_tz.items() if _present(zone) in _known()}


@cache
def _spelled() -> dict[str, str]:
    """Zones by their names and by the names of their places, in small letters; none that is only an offset."""
    places = {zone for zone in _known() if not zone.startswith("Etc/") and not re.search(r"\d", zone)}
    cities = {_words(zone.rpartition("/")[2]): zone for zone in sorted(places, reverse=True) if _CITY.match(zone)}
    return {name: _present(zone) for name, zone in cities.items()} | {_words(zone): zone for zone in places}


def _words(name: str) -> str:
    return name.replace("_", " ").casefold()


@cache
def _abbreviations() -> dict[str, tuple[str, ...]]:
    """The zones of the larger places by what their clocks are called in winter or summer."""
    found: dict[str, dict[str, None]] = {}
    for zone in sorted(set(_windows().values())):
        if "/" not in zone or zone.startswith("Etc/"):
            continue
        clock = ZoneInfo(zone)
        for month in (1, 7):
            called = datetime(2026, month, 1, tzinfo=UTC).astimezone(clock).tzname() or ""
            if called.isalpha():
                found.setdefault(called.upper(), {})[zone] = None
    return {called: tuple(zones) for called, zones in found.items()}


@cache
def _renamed() -> dict[str, str]:
    """Present names by former ones, as tzdata has them."""
    lines = files("tzdata.zoneinfo").joinpath("tzdata.zi").read_text(encoding="utf-8").splitlines()
    links = (line.split() for line in lines if line.startswith("L "))
    return {former: present for _, present, former in links}


def _present(zone: str) -> str:
    present = _renamed().get(zone, zone)
    return present if "/" in present and present in _known() else zone
