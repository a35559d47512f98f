"""Custom fields with their type in brackets, as the vendor's own editor writes them: ``"Story Points[Number]"``."""

from __future__ import annotations

import re
from typing import Final

from sandbox.jira.state import Field

_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "float": ("number",),
    "jsw-story-points": ("number",),
    "textfield": ("short text",),
    "textarea": ("paragraph",),
    "select": ("dropdown",),
    "multiselect": ("dropdown (multiple choices)", "select list (multiple choices)"),
    "cascadingselect": ("dropdown (cascading)", "select list (cascading)"),
    "multicheckboxes": ("checkboxes",),
    "radiobuttons": ("radio buttons",),
    "datepicker": ("date",),
    "datetime": ("time stamp",),
    "labels": ("labels",),
    "url": ("url",),
    "userpicker": ("user picker (single user)", "people"),
    "multiuserpicker": ("user picker (multiple users)", "people"),
    "people": ("people",),
    "grouppicker": ("group picker (single group)",),
    "multigrouppicker": ("group picker (multiple groups)",),
    "project": ("project picker (single project)",),
    "version": ("version picker (single version)",),
    "multiversion": ("version picker (multiple versions)",),
}


def split_type(name: str) -> tuple[str, str]:
    """A custom field's name and the type after it in brackets, as the vendor's own editor writes the two."""
    match = re.fullmatch(r"(.+?)\s*\[([^\[\]]+)\]", name)
    return (match[1], match[2].strip()) if match and match[1] != "cf" else (name, "")


def types_of(field: Field) -> set[str]:
    """What the vendor calls a custom field's type in brackets; beside the common ones this is unsure."""
    key = str(field.schema.get("custom", "")).rpartition(":")[2]
    named = _TYPES.get(key)
    if named is None:
        named = {"number": ("number",), "string": ("short text",)}.get(str(field.schema.get("type")), ())
    return set(named)
