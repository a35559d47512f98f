"""Texts in the markups of trackers, as the Markdown that the port speaks: for files beside a tracker."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any

from connectors.jira.adf import from_adf
from connectors.jira.wiki import from_wiki


class Markup(StrEnum):
    """How a text is written."""

    MARKDOWN = "markdown"
    WIKI = "wiki"
    ADF = "adf"


_WIKI = re.compile(r"(?m)^(?:h[1-6]\. |\|\|[^|\n]+\|\||bq\. |\{(?:code|quote|panel|noformat)\b)")
_NOT_WIKI = re.compile(r"(?m)^(?:#{1,6} |```)|^\|[ :|-]+\|$")


def markup_of(text: str, name: str = "") -> Markup:
    """How a text is written, by the name of its file and by what stands in it."""
    suffix = name.rpartition(".")[2].lower()
    if suffix in ("json", "adf") or (suffix not in ("md", "markdown") and text.lstrip().startswith('{"')):
        return Markup.ADF
    if suffix in ("wiki", "jira") or (_WIKI.search(text) and not _NOT_WIKI.search(text)):
        return Markup.WIKI
    return Markup.MARKDOWN


def to_markdown(text: str, markup: Markup) -> str:
    """The text as Markdown. Raises ValueError, in words, where it is not written so."""
    if markup is Markup.WIKI:
        return from_wiki(text)
    return from_adf(_document(text)) if markup is Markup.ADF else text


def _document(text: str) -> dict[str, Any]:
    """The document of ADF in a file: alone, or as the description of an issue as the REST API gives it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}") from None
    for path in ((), ("body",), ("description",), ("fields", "description")):
        found = value
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, dict) and found.get("type") == "doc":
            return found
    raise ValueError('it is JSON, but no document of ADF: nothing has "type": "doc"')
