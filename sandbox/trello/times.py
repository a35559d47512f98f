"""Moments as the vendor writes and reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def text(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def optional(moment: datetime | None) -> str | None:
    """The text of a moment, if there is one."""
    return None if moment is None else text(moment)


def parse(value: Any) -> datetime | None:
    """A moment from ISO 8601 or from milliseconds since 1970; none for anything else. No offset means UTC."""
    if isinstance(value, int | float) or (isinstance(value, str) and value.isdigit() and len(value) > 8):
        try:
            return datetime.fromtimestamp(float(value) / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        return None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
