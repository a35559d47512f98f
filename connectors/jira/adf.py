"""The Atlassian Document Format, as REST version 3 gives rich text: read as Markdown, and as bare words.

Nodes are plain JSON. A node that is not known is read through to what is in it: nothing that people see is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.jira.wiki import coded, fenced, guarded

Node = Mapping[str, Any]

_DEEPEST = 40
"""What is nested deeper is read as words alone; no editor of the vendor's makes it."""

_INLINE = frozenset(
    {"text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status", "placeholder", "inlineExtension"}
    | {"mediaInline"}
)
_MARKS = {"strong": "**", "em": "*", "strike": "~~"}
_SIGNS = re.compile(r"[\\*_`]")
_DASHES = re.compile(r"[\u2010-\u2015]+|-{2,}")


def from_adf(document: Any) -> str:
    """The Markdown of a document, without blank lines around it; empty for anything that is none."""
    return "\n\n".join(_blocks(children(document), 0)).strip()


def children(node: Any) -> list[Node]:
    """The nodes that are in a node."""
    content = node.get("content") if isinstance(node, Mapping) else None
    return [one for one in content if isinstance(one, Mapping)] if isinstance(content, list) else []


def _attr(node: Node, name: str) -> str:
    attrs = node.get("attrs")
    value = attrs.get(name) if isinstance(attrs, Mapping) else None
    return "" if value is None else str(value)


# --- blocks ----------------------------------------------------------------------------------------------------------


def _blocks(nodes: Sequence[Node], depth: int) -> list[str]:
    found: list[str] = []
    loose: list[Node] = []
    for node in nodes:
        if node.get("type") in _INLINE:  # no block of its own: a task's words, for one
            loose.append(node)
            continue
        if loose:
            found.append(_paragraph({"content": loose}, depth))
            loose = []
        found.append(_block(node, depth))
    if loose:
        found.append(_paragraph({"content": loose}, depth))
    return [one for one in found if one]


def _block(node: Node, depth: int) -> str:
    if depth > _DEEPEST:
        return " ".join(words(node))
    read = _BLOCKS.get(str(node.get("type")))
    return read(node, depth) if read is not None else "\n\n".join(_blocks(children(node), depth + 1))


def _paragraph(node: Node, _depth: int) -> str:
    return "\n".join(guarded(line.strip()) for line in _line(node).split("\n") if line.strip())


def _heading(node: Node, _depth: int) -> str:
    level = _attr(node, "level")
    return f"{'#' * (int(level) if level in set('123456') else 1)} {' '.join(_line(node).split())}".rstrip()


def _code(node: Node, _depth: int) -> str:
    return fenced("".join(str(one.get("text") or "") for one in children(node)), _attr(node, "language"))


def _quote(node: Node, depth: int) -> str:
    inner = "\n\n".join(_blocks(children(node), depth + 1))
    return "\n".join(f"> {line}".rstrip() for line in inner.split("\n")) if inner else ""


def _titled(node: Node, depth: int) -> str:
    inner = "\n\n".join(_blocks(children(node), depth + 1))
    title = " ".join(_attr(node, "title").split())
    return f"**{title}**\n\n{inner}".strip() if title else inner


def _list(node: Node, depth: int) -> str:
    return "\n".join(_items(node, depth))


def _items(node: Node, depth: int) -> Iterator[str]:
    for one in children(node):
        if one.get("type") == "taskList":  # a level of tasks stands beside its task, not in it
            yield from (f"  {line}" for line in _list(one, depth + 1).split("\n"))
            continue
        begin = _bullet(node, one)
        inner = "\n".join(_blocks(children(one), depth + 1)).split("\n")
        yield f"{begin} {inner[0]}".rstrip()
        yield from (f"{'   ' if begin == '1.' else '  '}{line}".rstrip() for line in inner[1:])


def _bullet(owner: Node, item: Node) -> str:
    if item.get("type") in {"taskItem", "blockTaskItem"}:
        return "- [x]" if _attr(item, "state") == "DONE" else "- [ ]"
    return "1." if owner.get("type") == "orderedList" else "-"


def _table(node: Node, depth: int) -> str:
    rows = [[_cell(cell, depth) for cell in children(row)] for row in children(node)]
    rows = [row for row in rows if row]
    if not rows:
        return ""
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, f"|{' --- |' * len(rows[0])}", *body])


def _cell(node: Node, depth: int) -> str:
    return " ".join(" ".join(_blocks(children(node), depth + 1)).split()).replace("|", "\\|")


def _media(node: Node, _depth: int) -> str:
    name = _attr(node, "alt") or _attr(node, "url") or _attr(node, "id")
    return f"![{name}]({_attr(node, 'url') or name})" if name else ""


def _card(node: Node, _depth: int) -> str:
    return _address(node)


_BLOCKS: dict[str, Callable[[Node, int], str]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "codeBlock": _code,
    "blockquote": _quote,
    "bulletList": _list,
    "orderedList": _list,
    "taskList": _list,
    "decisionList": _list,
    "table": _table,
    "rule": lambda _node, _depth: "---",
    "media": _media,
    "blockCard": _card,
    "embedCard": _card,
    "expand": _titled,
    "nestedExpand": _titled,
}


# --- text within a line ----------------------------------------------------------------------------------------------


def _line(node: Node) -> str:
    return "".join(_piece(one) for one in children(node))


def _piece(node: Node) -> str:
    match node.get("type"):
        case "text":
            return _marked(node)
        case "hardBreak":
            return "\n"
        case "mention":
            return f"@{_attr(node, 'id')}"
        case "inlineCard":
            return _address(node)
        case "date":
            return _day(_attr(node, "timestamp"))
        case "mediaInline":
            return _media(node, 0)
        case "emoji":
            return _attr(node, "text") or _attr(node, "shortName")
        case _:
            return _attr(node, "text") or _line(node)


def _marked(node: Node) -> str:
    text = str(node.get("text") or "")
    marks = {str(mark.get("type")): mark for mark in node.get("marks") or () if isinstance(mark, Mapping)}
    href = _attr(marks.get("link", {}), "href")
    if text.strip() and text == href:
        return f"<{href}>"
    inner = text.strip()
    if inner and "code" in marks:
        inner = coded(inner)
    for name, sign in _MARKS.items():
        if inner and name in marks:
            inner = f"{sign}{inner}{sign}"
    if inner and href:
        inner = f"[{inner}]({f'<{href}>' if set(href) & set(' ()<>') else href})"
    before, after = len(text) - len(text.lstrip()), len(text.rstrip())
    return f"{text[:before]}{inner}{text[max(after, before) :]}"


def _address(node: Node) -> str:
    attrs = node.get("attrs")
    data = attrs.get("data") if isinstance(attrs, Mapping) else None
    address = _attr(node, "url") or (str(data.get("url") or "") if isinstance(data, Mapping) else "")
    return f"<{address}>" if address else ""


def _day(timestamp: str) -> str:
    try:
        return datetime.fromtimestamp(int(timestamp) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return timestamp


# --- words -----------------------------------------------------------------------------------------------------------


def words(*nodes: Node) -> list[str]:
    """The words of nodes, markup aside, by which two texts say the same or not.

    What is to be seen and is no word (a picture, a link's address, a line struck out, a task's tick) is a word here, so
    that a text to which somebody added such a thing does not say the same as before.
    """
    told: list[str] = []
    waiting = list(reversed(nodes))
    while waiting:
        one = waiting.pop()
        told += [_said(one) if one.get("type") in _INLINE else f" {_said(one)} "]
        waiting += reversed(children(one))
    return _DASHES.sub("-", _SIGNS.sub("", "".join(told))).split()


def _said(node: Node) -> str:
    """What a node says besides what is in it."""
    kind = str(node.get("type"))
    if kind == "text":
        marks = {str(mark.get("type")): mark for mark in node.get("marks") or () if isinstance(mark, Mapping)}
        text, href = str(node.get("text") or ""), _attr(marks.get("link", {}), "href")
        struck = f"~~{text}~~" if "strike" in marks else text
        return f"{struck}<{href}>" if href and href != text else struck
    if kind in {"taskItem", "blockTaskItem"}:
        return "[x]" if _attr(node, "state") == "DONE" else "[ ]"
    if kind in {"media", "mediaInline"}:
        return f"<{_attr(node, 'id') or _attr(node, 'url')}>"
    if kind == "inlineCard" or kind in {"blockCard", "embedCard"}:
        return _address(node).strip("<>")
    if kind in {"rule", "extension", "inlineExtension", "bodiedExtension"}:
        return f"<{kind}>"
    if kind == "hardBreak":
        return " "
    return _piece({**node, "content": []}) if kind in _INLINE else ""
