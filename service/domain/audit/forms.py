"""What an audit says as plain JSON values, the form that is stored, shown and bound. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from service.domain.audit.outcome import Audited

_AUDITED: TypeAdapter[Audited] = TypeAdapter(Audited)


def audited_to_json(audited: Audited) -> dict[str, Any]:
    """An audited iteration as plain JSON values; `audited_from_json` gives it back, equal."""
    value: dict[str, Any] = _AUDITED.dump_python(audited, mode="json")
    return value


def audited_from_json(value: object) -> Audited:
    """An audited iteration from plain JSON values. Raises pydantic's ValidationError, a ValueError."""
    return _AUDITED.validate_python(value)
