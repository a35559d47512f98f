"""How a view is made from what has its fields."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_V = TypeVar("_V", bound="DataclassInstance")


def made(kind: type[_V], source: object, **more: Any) -> _V:
    """The view of this kind with the fields that `source` has under the same names, and `more`."""
    named = {one.name: getattr(source, one.name) for one in fields(kind) if one.name not in more}
    return kind(**named, **more)


def instant(moment: datetime | None) -> str | None:
    """A moment as JSON has it."""
    return moment.isoformat() if moment is not None else None
