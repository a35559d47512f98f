"""Public holidays of countries and their regions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from functools import cache, lru_cache
from threading import Lock

from service.domain.problems import Problem
from service.domain.template.shape import one_of

_NEAR = 0.85
"""How like a name must be to be taken for a slip of the pen."""

_QUIET = Lock()
"""Warnings are turned off for the whole process, so one thread at a time does it."""


@lru_cache(maxsize=4096)
def public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The public holidays of that year, in a known country and subdivision, on the days on which they are kept.

    Where feasts are announced year by year, only those are known that the library has; of the others it warns, and it
    is right to continue without them.
    """
    return _year(country, subdivision, year)[0]


@lru_cache(maxsize=4096)
def make_up_days(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The days of weekends in that year on which the country works, to make up for days off during the week."""
    return _year(country, subdivision, year)[1]


def _year(country: str, subdivision: str | None, year: int) -> tuple[frozenset[date], frozenset[date]]:
    import holidays

    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = holidays.country_holidays(country, subdiv=subdivision, years=year, expand=False)
        return frozenset(found), frozenset(getattr(found, "weekend_workdays", ())) - frozenset(found)


def check_place(
    country: str | None,
    subdivision: str | None,
    source: str,
    path: str = "",
    lines: tuple[int | None, int | None] = (None, None),
) -> list[Problem]:
    """Refuse a country or subdivision whose holidays are not known, with the nearest one that is.

    `lines` are those of the country and of the subdivision; `path` leads to what holds the two.
    """
    prefix = f"{path}." if path else ""
    if country is None:
        if subdivision is None:
            return []
        message = f'the subdivision "{subdivision}" stands without a country'
        return [Problem(source, lines[1], f"{prefix}subdivision", message, "name the country, too")]
    if country not in _places():
        fix = _meant_country(country) or 'write its two letters, such as "DE" or "IN"'
        return [Problem(source, lines[0], f"{prefix}country", f'unknown country "{country}"', fix)]
    if subdivision is None or subdivision in _places()[country]:
        return []
    known = _places()[country]
    fix = _meant_subdivision(country, subdivision) or (
        one_of(known, 40) if known else f"{country} has none; leave it out"
    )
    message = f'unknown subdivision "{subdivision}" of {country}'
    return [Problem(source, lines[1], f"{prefix}subdivision", message, fix)]


@cache
def _places() -> dict[str, list[str]]:
    """Subdivisions by the two letters of the country."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    return {code: subdivisions for code, subdivisions in known.items() if len(code) == 2}


def _meant_country(written: str) -> str:
    from holidays.registry import COUNTRIES

    codes: dict[str, str] = {}
    for module, (_, code, *longer) in COUNTRIES.items():
        if code in _places():
            codes |= {module.replace("_", " "): code, code.casefold(): code} | {
                other.casefold(): code for other in longer
            }
    return _only_one(written, codes)


def _meant_subdivision(country: str, written: str) -> str:
    import holidays

    aliases: dict[str, str] = getattr(holidays.country_holidays(country), "subdivisions_aliases", {})
    codes = {name.casefold(): code for name, code in aliases.items()}
    codes |= {code.casefold(): code for code in _places()[country]}
    return _only_one(written, codes)


def _only_one(written: str, codes: Mapping[str, str]) -> str:
    """The place that is meant: by its name, or by a slip of the pen in it. What could be two is none: Holland is not
    Poland, though it is spelled nearly so."""
    name = " ".join(written.casefold().replace("_", " ").split())
    if name in codes:
        return f'did you mean "{codes[name]}"?'
    near = {codes[one] for one in get_close_matches(name, sorted(codes), n=3, cutoff=_NEAR)} if len(name) > 3 else set()
    return f'did you mean "{near.pop()}"?' if len(near) == 1 else ""
