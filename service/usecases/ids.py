"""Ids as people give them: in full, or by a unique prefix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.usecases.errors import Conflict

NAMED_AT_MOST = 5
"""How many of the ids that begin alike are named."""

_ID = re.compile("[a-z]{3}_[0-9a-f]+")
"""What an id or the beginning of one looks like (see `store.secrets.new_id`); names are not taken for one."""


def whole(session: Session, column: InstrumentedAttribute[str], given: str, several: str) -> str:
    """The id that people name by it or by its beginning, `given` itself where none begins so. Raises Conflict, with the
    ids in question, where more than one does; `several` is what they are called: `plans`."""
    if not _ID.fullmatch(given):
        return given
    begins: Any = column.startswith(given, autoescape=True)
    found = session.scalars(select(column).where(begins).order_by(column).limit(NAMED_AT_MOST + 1)).all()
    if given in found or not found:
        return given
    if len(found) > 1:
        raise ambiguous(several, given, found)
    return found[0]


def ambiguous(several: str, given: str, found: Sequence[str]) -> Conflict:
    """That the beginning of an id does not say which one is meant."""
    named = ", ".join(found[:NAMED_AT_MOST]) + (" and more" if len(found) > NAMED_AT_MOST else "")
    return Conflict("ambiguous", f"Several {several} begin with {given!r}: {named}.", "Give more of the id.")
