"""Periods as options name them."""

from __future__ import annotations

from datetime import date

import typer

from service.domain.team.calendar import DateRange


def period_of(given: str | None) -> DateRange | None:
    """The period that an option names, such as 2027-01-01/2027-03-31; None where it names none."""
    if given is None:
        return None
    first, slash, last = given.partition("/")
    try:
        return DateRange(date.fromisoformat(first.strip()), date.fromisoformat(last.strip()))
    except ValueError:
        lacks = "" if slash else " It has no slash."
        message = f"{given!r} is no period.{lacks} Give two days, such as 2027-01-01/2027-03-31."
        raise typer.BadParameter(message, param_hint="--period") from None
