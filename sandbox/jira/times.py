"""Moments as the vendor writes and reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime


def stamp(moment: datetime) -> str:
    """Platform form: ``2026-11-23T09:00:00.000+0000``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def zulu(moment: datetime) -> str:
    """Agile form: ``2026-11-23T09:00:00.000Z``."""
    return stamp(moment).removesuffix("+0000") + "Z"


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def parse_moment(text: object) -> datetime | None:
    """A moment in any ISO form with or without offset (UTC then); none if it is not one."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_day(text: object) -> str | None:
    """An ISO day as it was given; none if it is not one."""
    if not isinstance(text, str):
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None
