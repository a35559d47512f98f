"""Show an Atlassian Document as HTML: for the pages for people and for `renderedFields`."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from sandbox.jira.adf import Node

_SAFE_SCHEMES: Final = ("http://", "https://", "mailto:", "/", "#")
_MARK_TAGS: Final = {"strong": "strong", "em": "em", "strike": "del", "underline": "ins", "code": "code"}
_BOXES: Final = {
    "paragraph": "p", "blockquote": "blockquote", "bulletList": "ul", "listItem": "li", "tableRow": "tr",
    "tableCell": "td", "tableHeader": "th", "decisionList": "ul", "decisionItem": "li", "caption": "figcaption",
    "mediaSingle": "figure", "mediaGroup": "figure",
}  # fmt: skip
# Wiki markup has no tasks; people write list items that begin with brackets instead.
_CHECKBOX: Final = re.compile(r"(<p>)\[([ xX])\] ")
_TICKED: Final = '<span aria-hidden="true">☑</span> <span class="sr">done: </span>'
_OPEN: Final = '<span aria-hidden="true">☐</span> <span class="sr">to do: </span>'


def adf_to_html(document: Mapping[str, Any], name_of: Callable[[str], str] | None = None) -> str:
    """Give HTML in which every value is escaped and links lead only to web, mail and in-page addresses.

    `name_of` turns the account id of a mention into a name; without it the mention's own text is shown.
    """
    return _Html(name_of or (lambda _: "")).nodes(document.get("content", []))


class _Html:
    def __init__(self, name_of: Callable[[str], str]) -> None:
        self.name_of = name_of

    def nodes(self, nodes: Sequence[Node]) -> str:
        return "".join(self.node(node) for node in nodes)

    def node(self, node: Node) -> str:
        kind, attrs = node["type"], node.get("attrs", {})
        inner = self.nodes(node.get("content", []))
        if kind == "listItem" and (match := _CHECKBOX.match(inner)):
            return f'<li class="task">{match[1]}{_OPEN if match[2] == " " else _TICKED}{inner[match.end() :]}</li>'
        if kind in _BOXES:
            return f"<{_BOXES[kind]}>{inner}</{_BOXES[kind]}>"
        if kind == "text":
            return _marked(node)
        if kind == "heading":
            # The page's own headings are levels 1 and 2, so that a document's begin at 3.
            level = min(6, int(attrs["level"]) + 2)
            return f"<h{level}>{inner}</h{level}>"
        if kind == "table":
            return f'<div class="scroll"><table>{inner}</table></div>'
        if kind in {"panel", "expand", "nestedExpand"}:
            return _box(kind, attrs, inner)
        return self._leaf(kind, attrs, inner)

    def _leaf(self, kind: str, attrs: Mapping[str, Any], inner: str) -> str:
        known: dict[str, Callable[[], str]] = {
            "hardBreak": lambda: "<br>",
            "rule": lambda: "<hr>",
            "codeBlock": lambda: f"<pre><code>{inner}</code></pre>",
            "orderedList": lambda: f'<ol start="{int(attrs.get("order", 1))}">{inner}</ol>',
            "taskList": lambda: f'<ul class="tasks">{inner}</ul>',
            "taskItem": lambda: f"<li>{_TICKED if attrs.get('state') == 'DONE' else _OPEN}{inner}</li>",
            "blockTaskItem": lambda: f"<li>{_TICKED if attrs.get('state') == 'DONE' else _OPEN}{inner}</li>",
            "mention": lambda: f'<span class="mention">{escape(self._mention(attrs))}</span>',
            "emoji": lambda: escape(str(attrs.get("text") or attrs.get("shortName", ""))),
            "status": lambda: f'<span class="lozenge">{escape(str(attrs.get("text", "")))}</span>',
            "date": lambda: f"<time>{escape(_day(attrs.get('timestamp')))}</time>",
            "media": lambda: f"<span>{escape(str(attrs.get('alt') or attrs.get('url') or 'attachment'))}</span>",
        }
        if kind in known:
            return known[kind]()
        if kind in {"inlineCard", "blockCard", "embedCard"}:
            url = str(attrs.get("url") or attrs.get("data", {}).get("url", ""))
            return _link(url, escape(url))
        return inner

    def _mention(self, attrs: Mapping[str, Any]) -> str:
        name = self.name_of(str(attrs.get("id", ""))) or str(attrs.get("text", "")).removeprefix("@")
        return f"@{name or attrs.get('id', '')}"


def _box(kind: str, attrs: Mapping[str, Any], inner: str) -> str:
    if kind == "panel":
        return f'<div class="panel panel-{escape(str(attrs.get("panelType", "info")))}">{inner}</div>'
    title = escape(str(attrs.get("title") or "More"))
    return f"<details><summary>{title}</summary>{inner}</details>"


def _marked(node: Node) -> str:
    html = escape(node["text"])
    for mark in reversed(node.get("marks", [])):
        kind, attrs = mark["type"], mark.get("attrs", {})
        if kind in _MARK_TAGS:
            html = f"<{_MARK_TAGS[kind]}>{html}</{_MARK_TAGS[kind]}>"
        elif kind == "subsup":
            tag = "sup" if attrs.get("type") == "sup" else "sub"
            html = f"<{tag}>{html}</{tag}>"
        elif kind == "textColor":
            html = f'<span style="color:{escape(str(attrs.get("color", "")))}">{html}</span>'
        elif kind == "link":
            html = _link(str(attrs.get("href", "")), html)
    return html


def _link(href: str, inner: str) -> str:
    if not href.lower().startswith(_SAFE_SCHEMES):
        return inner
    return f'<a href="{escape(href)}" rel="nofollow noreferrer">{inner}</a>'


def _day(timestamp: object) -> str:
    try:
        return datetime.fromtimestamp(int(str(timestamp)) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return str(timestamp)
