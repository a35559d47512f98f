"""Fields of items as people say them: people and items by their names, never by a key or an id. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from service.domain.plan.plan import Plan

HOMES = frozenset({"epic", "iteration"})
"""Fields of a ticket that name another item."""

PROSE = frozenset({"text", "goal"})
"""Fields that a tracker may show in another form than they were written in."""

MOMENTS = frozenset({"starts", "ends"})

STRANGER = "somebody who is not in the team"

_CALLED = {"points": "estimate", "starts": "start", "ends": "end"}

_STATUSES = {"todo": "to do", "doing": "in progress"}

_LONGEST = 60
"""Characters of a value that are shown."""

_BEFORE = 12
"""Characters of a text that are shown before the first that differs."""


def names_in(plan: Plan) -> dict[str, str]:
    """What people call everything that a plan's fields refer to: people by their accounts, items by our keys and by the
    tracker's keys and ids."""
    titles = {str(key): str(fields["title"]) for key, fields in plan.observed.items() if fields.get("title")}
    titles |= {str(change.key): change.title for change in plan.changes}
    titles |= {str(item.key): item.title for item in plan.items}
    remote = {
        name: titles[str(key)] for key, ref in plan.known.items() if str(key) in titles for name in (ref.id, ref.key)
    }
    return {**remote, **titles, **plan.people}


def called(name: str) -> str:
    """What people call a field."""
    return _CALLED.get(name, name)


def said(name: str, value: Any, names: Mapping[str, str]) -> str:
    """A field's value in a sentence; `names` as of `names_in`."""
    if value is None or value == "" or value == []:
        return "nobody" if name == "assignee" else "none" if name in HOMES else "empty"
    if name == "assignee":
        return names.get(str(value), STRANGER)
    if name in HOMES and str(value) not in names:
        return f"another {name}"
    if isinstance(value, list | tuple):
        value = ", ".join(str(one) for one in value)
    if isinstance(value, float):
        return f"{value:g}"
    if name == "status":
        return _STATUSES.get(str(value), str(value))
    text = " ".join((names.get(str(value), str(value)) if name in HOMES else _moment(name, value)).split())
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return f'"{short}"' if name in PROSE | HOMES | {"title", "checklist"} else short


def differing(name: str, then: Any, now: Any) -> tuple[Any, Any]:
    """Both values of a field; of texts what begins a little before their first difference."""
    if name not in PROSE | {"checklist"} or not isinstance(then, str) or not isinstance(now, str):
        return then, now
    same = next(
        (place for place, (a, b) in enumerate(zip(then, now, strict=False)) if a != b), min(map(len, (then, now)))
    )
    start = same - _BEFORE
    return (f"…{then[start:]}", f"…{now[start:]}") if start > 0 else (then, now)


def difference(name: str, then: Any, now: Any, names: Mapping[str, str]) -> str:
    """What a field was and is, or is and will be: `estimate: 3 -> 5`."""
    before, after = (said(name, value, names) for value in differing(name, then, now))
    return f"{called(name)}: {before} -> {after}"


def _moment(name: str, value: Any) -> str:
    if name not in MOMENTS:
        return str(value)
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{at:%Y-%m-%d %H:%M %Z}"
