"""Time spans as Jira people write them: ``1w 2d 3h 4m``, with eight-hour days and five-day weeks."""

from __future__ import annotations

import re

UNITS = {"w": 5 * 8 * 3600, "d": 8 * 3600, "h": 3600, "m": 60}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([wdhm])")


def parse(text: object) -> int | None:
    """Seconds; a bare number means minutes; none if the text is no duration."""
    if isinstance(text, bool):
        return None
    if isinstance(text, int):
        return text * 60
    if not isinstance(text, str) or not text.strip():
        return None
    text = text.strip().lower()
    if text.isdigit():
        return int(text) * 60
    if _PART.sub("", text).strip():
        return None
    return int(sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text)))


def show(seconds: int) -> str:
    """The pretty form; ``0m`` for nothing."""
    parts = []
    for unit, size in UNITS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0m"
