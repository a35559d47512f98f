"""Iterations for a project whose tracker has none: stretches of two weeks, by when its tickets were worked on. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from connectors.records import Document, Surveyed
from connectors.values import RemoteRef

LENGTH = timedelta(days=14)
"""How long a stretch is: what most teams take for an iteration."""


def fortnights(documents: Iterable[Document], url: str, now: datetime) -> tuple[Surveyed, ...]:
    """These tickets by the two weeks in which they were done (last), or else made; oldest first, and without stretches
    in which nothing was. They begin on a Monday, the first one with the earliest ticket's week, and are told in UTC.
    `url` is where people see the whole; a stretch that is over is closed, the others are active. A ticket without any
    date is in none."""
    dated = [(moment, one) for one in documents if (moment := worked_on(one)) is not None]
    if not dated:
        return ()
    earliest = min(moment for moment, _ in dated).astimezone(UTC).date()
    monday = earliest - timedelta(days=earliest.weekday())
    stretches: dict[date, list[Document]] = {}
    for moment, one in dated:
        past = moment.astimezone(UTC).date() - monday
        stretches.setdefault(monday + past // LENGTH * LENGTH, []).append(one)
    return tuple(_stretch(first, stretches[first], url, now) for first in sorted(stretches))


def worked_on(document: Document) -> datetime | None:
    """When a ticket was done last, or else made; None if nothing tells."""
    done = [step.at for step in document.steps if step.status == "done"]
    return done[-1] if document.status == "done" and done else document.created_at


def _stretch(first: date, documents: list[Document], url: str, now: datetime) -> Surveyed:
    starts = datetime.combine(first, time.min, UTC)
    ends = starts + LENGTH
    last = (ends - timedelta(days=1)).date()
    return Surveyed(
        ref=RemoteRef(first.isoformat(), first.isoformat(), url),
        title=f"{first.isoformat()} to {last.isoformat()}",
        status="closed" if ends <= now else "active",
        starts=starts,
        ends=ends,
        documents=tuple(documents),
    )
