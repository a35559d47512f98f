"""Rich text as the two versions of the platform API see it.

It is kept as it was written: a ``str`` is wiki markup (written through version 2), a ``dict`` an Atlassian Document
(written through version 3); reading through the other version converts it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.jira.adf import problem as adf_problem
from sandbox.jira.rich_html import adf_to_html
from sandbox.jira.state import RichText
from sandbox.jira.wiki import wiki_to_adf
from sandbox.jira.wiki_writer import adf_to_wiki

INVALID_INPUT = "INVALID_INPUT"  # the vendor's whole message for a document that breaks the format

__all__ = ["INVALID_INPUT", "adf_problem", "as_adf", "as_html", "as_text", "as_wiki", "wiki_to_adf"]


def as_adf(value: RichText) -> dict[str, Any]:
    """The document, converted if it was written as wiki markup."""
    return wiki_to_adf(value) if isinstance(value, str) else value


def as_wiki(value: RichText) -> str:
    """The wiki markup, converted if it was written as a document."""
    return value if isinstance(value, str) else adf_to_wiki(value)


def as_html(value: RichText, name_of: Callable[[str], str] | None = None) -> str:
    """Escaped HTML of either form; `name_of` gives the name behind a mentioned account id."""
    return adf_to_html(as_adf(value), name_of)


def as_text(value: RichText) -> str:
    """The bare words, for text search: blocks on lines of their own, no markup."""
    return "\n".join(line for line in _lines(as_adf(value)) if line)


def _lines(node: dict[str, Any]) -> list[str]:
    children = node.get("content", [])
    if any(child["type"] in {"text", "hardBreak", "mention", "status"} for child in children):
        return ["".join(_word(child) for child in children)]
    return [line for child in children for line in _lines(child)]


def _word(node: dict[str, Any]) -> str:
    if node["type"] == "text":
        return str(node["text"])
    return " " if node["type"] == "hardBreak" else str(node.get("attrs", {}).get("text", ""))
