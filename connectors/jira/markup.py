"""Markdown to Jira's wiki markup, as REST version 2 takes it, and the description of a ticket made of it."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from mistletoe.block_token import Document
from mistletoe.contrib.jira_renderer import JiraRenderer

from connectors.jira.wiki import from_wiki

__all__ = ["DESCRIPTION_LIMIT", "DONE_MEANS", "description", "from_wiki", "normalised", "one_at_a_time", "to_wiki"]

DESCRIPTION_LIMIT = 32_767
"""The most characters that Jira keeps in a description."""

DONE_MEANS = "Done means"
"""The heading above a checklist."""

_CUT = "\n\n_(cut here: the text was longer than the 32,767 characters that Jira keeps)_"

_BRACKETS = re.compile(r"[{}\[\]]")
# A mark inside a word (`run_models`, `state-of-the-art`) or alone between blanks means nothing to Jira.
_PHRASE_MARK = re.compile(r"(?<!\w)[-*_+^~](?=\S)|(?<=\S)[-*_+^~](?!\w)|^[-*_+^~]|[-*_+^~]$")
_IMAGE_MARK = re.compile(r"!(?=\S)")
# Jira draws these as icons; a backslash before the parenthesis keeps them as they were written.
_EMOTICON = re.compile(r"\((?=(?:[xynidh/!?+*-]|on|off|flag|flagoff|\*[rgby])\))")
_ESCAPING_BACKSLASH = re.compile(r"\\(?=[\\{}\[\]*_+^~!(#|-])")
_LINE_START = re.compile(r"^(?=[#|])")
_BLANK_LINES = re.compile(r"\n{3,}")

# mistletoe keeps its token types in module globals while a renderer is open.
one_at_a_time = threading.Lock()


# mistletoe is annotated only in part; what it gives back is checked by the tests of this module.
_Base: Any = JiraRenderer


class WikiRenderer(_Base):  # type: ignore[misc]
    """mistletoe's Jira renderer with the cases mended that reach Jira as other text than was written."""

    def render_raw_text(self, token: Any, escape: bool = True) -> str:
        """Plain text, with everything escaped that Jira would take for markup, and nothing else."""
        return _escape(token.content) if escape else str(token.content)

    def render_paragraph(self, token: Any) -> str:
        """A paragraph; a `#` or `|` at its start would begin a list or a table."""
        return _LINE_START.sub(r"\\", str(super().render_paragraph(token)))

    def render_block_code(self, token: Any) -> str:
        """A code block; one that itself speaks of Jira's code macro goes into the other macro."""
        text = token.children[0].content
        if "{code" not in text:
            return str(super().render_block_code(token))
        return f"{{noformat}}\n{text}{{noformat}}{self._block_eol(token)}"

    @staticmethod
    def render_html_span(token: Any) -> str:
        """HTML is shown as it was written: Jira has no HTML in its text."""
        return _escape(token.content)

    def render_html_block(self, token: Any) -> str:
        """HTML is shown as it was written, as a paragraph of its own."""
        return _escape(token.content.strip()) + str(self._block_eol(token))

    def render_thematic_break(self, token: Any) -> str:
        """A rule, with the blank line that keeps the next paragraph apart."""
        return "----" + str(self._block_eol(token))

    def render_table(self, token: Any) -> str:
        """A table; mistletoe escapes the bars of a cell once more than its text was."""
        return str(super().render_table(token)).replace("\\\\|", "\\|")


def _escape(text: str) -> str:
    if text == "\\":  # a backslash that the author escaped comes alone, and the next character in a text of its own
        return "&#92;"
    text = _ESCAPING_BACKSLASH.sub("&#92;", text)
    for pattern in (_BRACKETS, _PHRASE_MARK, _IMAGE_MARK, _EMOTICON):
        text = pattern.sub(lambda match: "\\" + match.group(0), text)
    return text


def to_wiki(markdown: str) -> str:
    """Render Markdown as Jira wiki markup, without blank lines around it. Safe to call from several threads."""
    if not markdown.strip():
        return ""
    with one_at_a_time, WikiRenderer() as renderer:
        return normalised(str(renderer.render(Document(markdown))))


def description(text: str, checklist: Sequence[str]) -> str:
    """What a ticket says: its text, then what done means as a bullet list. Cut visibly at Jira's limit."""
    parts = [to_wiki(text)]
    if checklist:
        lines = [f"* {to_wiki(' '.join(line.split()))}" for line in checklist if line.strip()]
        parts.append("\n".join([f"h3. {DONE_MEANS}", "", *lines]))
    whole = "\n\n".join(part for part in parts if part)
    return whole if len(whole) <= DESCRIPTION_LIMIT else _cut(whole)


def _cut(text: str) -> str:
    kept = text[: DESCRIPTION_LIMIT - len(_CUT) - len("\n{noformat}")].rstrip("\\")
    for macro in ("{code", "{noformat", "{quote"):
        if kept.count(macro) % 2:
            kept += f"\n{macro}}}"
    return kept + _CUT


def normalised(text: str | None) -> str:
    """Text without the differences in white space that a tracker makes on its own."""
    lines = [line.rstrip() for line in (text or "").replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
