"""Plain text of values, for changelogs, searches and pages."""

from __future__ import annotations

from typing import Any

from sandbox.jira.richtext import as_wiki
from sandbox.jira.state import RichText


def plain(value: RichText | None) -> str | None:
    """Rich text as the wiki markup that version 2 shows."""
    return None if value is None else as_wiki(value)


def custom_value(value: Any) -> str | None:
    """A custom field's value as the changelog shows it."""
    if value is None:
        return None
    if isinstance(value, dict):
        if value.get("type") == "doc":
            return as_wiki(value)
        shown = value.get("value") or value.get("displayName") or value.get("name") or value.get("key")
        child = value.get("child")
        return f"Parent values: {shown}; Level 1 values: {child['value']}" if child else str(shown)
    if isinstance(value, list):
        return " ".join(filter(None, (custom_value(part) for part in value))) if value else None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
