"""Long lists, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

ON_A_PAGE = 100

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is shown, as `1 to 100 of 1,234`, empty where that is all of it; and where those before and
    after it are."""

    span: str = ""
    before: str = ""
    after: str = ""


WHOLE = Paging()
"""All of a list is on one page."""


def paged(found: Sequence[One], page: int, address: str) -> tuple[Sequence[One], Paging]:
    """What is on that page of the list at this address; pages count from 1."""
    first = (page - 1) * ON_A_PAGE
    shown = found[first : first + ON_A_PAGE]
    last = first + len(shown)
    if len(shown) == len(found):
        return shown, WHOLE
    span = f"{first + 1:,} to {last:,} of {len(found):,}" if shown else f"none of {len(found):,}"
    before = _at(address, page - 1) if page > 1 else ""
    return shown, Paging(span, before, _at(address, page + 1) if last < len(found) else "")


def _at(address: str, page: int) -> str:
    return f"{address}?{urlencode({'page': page})}" if page > 1 else address
