"""The Atlassian Document Format, as REST version 3 gives rich text: read as Markdown, and as bare words.

Nodes are plain JSON. A node that is not known is read through to what is in it: nothing that people see is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.jira.markdown import Bare, Markup, Sign, coded, fenced, guarded, heading, joined, link

Node = Mapping[str, Any]

_DEEPEST = 40
"""What is nested deeper is read as words alone; no editor of the vendor's makes it."""

_INLINE = frozenset(
    {"text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status", "placeholder", "inlineExtension"}
    | {"mediaInline"}
)
_LISTS = frozenset({"bulletList", "orderedList"})
_MARKS = {"strong": "**", "em": "*", "strike": "~~"}
_SIGNS = re.compile(r"[\\*_`]")
_OUTERMOST_FIRST = tuple(reversed(_MARKS))
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
    list_before, other = "", False
    for node in nodes:
        if node.get("type") in _INLINE:  # no block of its own: a task's words, for one
            loose.append(node)
            continue
        if loose:
            found.append(_paragraph({"content": loose}, depth))
            loose = []
        kind = str(node.get("type"))
        if kind in _LISTS and depth <= _DEEPEST:
            other = kind == list_before and not other  # or the two would be one list
            found.append(_list(node, depth, other=other))
        else:
            found.append(_block(node, depth))
        if found[-1]:
            list_before = kind if kind in _LISTS else ""
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
    return heading(int(level) if level in set("123456") else 1, " ".join(_line(node).split()))


def _code(node: Node, _depth: int) -> str:
    return fenced("".join(str(one.get("text") or "") for one in children(node)), _attr(node, "language"))


def _quote(node: Node, depth: int) -> str:
    inner = "\n\n".join(_blocks(children(node), depth + 1))
    return "\n".join(f"> {line}".rstrip() for line in inner.split("\n")) if inner else ""


def _titled(node: Node, depth: int) -> str:
    inner = "\n\n".join(_blocks(children(node), depth + 1))
    title = " ".join(_attr(node, "title").split())
    return f"**{title}**\n\n{inner}".strip() if title else inner


def _list(node: Node, depth: int, *, other: bool = False) -> str:
    return "\n".join(_items(node, depth, other=other))


def _items(node: Node, depth: int, *, other: bool) -> Iterator[str]:
    number = _attr(node, "order") if node.get("type") == "orderedList" else ""
    count = min(int(number), 999_999_000) if number.isdecimal() and number.isascii() else 1
    for one in children(node):
        if one.get("type") == "taskList":  # a level of tasks stands beside its task, not in it
            yield from (f"  {line}" for line in _list(one, depth + 1).split("\n"))
            continue
        begin = _bullet(node, one, count, other=other)
        indent = " " * (len(begin.split(" ")[0]) + 1)
        inner = _in_item(one, depth + 1).split("\n")
        yield f"{begin} {inner[0]}".rstrip()
        yield from (f"{indent}{line}".rstrip() for line in inner[1:])


def _in_item(item: Node, depth: int) -> str:
    """What is in an item, close together; a list that may not follow words closely stands apart."""
    found = ""
    for block in _blocks(children(item), depth):
        apart = found and re.match(r"(?!1[.)] \S)\d+[.)]|[-*](?:\n|$)|1[.)](?:\n|$)", block)
        found += f"{chr(10) * (2 if apart else 1)}{block}" if found else block
    return found


def _bullet(owner: Node, item: Node, number: int, *, other: bool) -> str:
    if item.get("type") in {"taskItem", "blockTaskItem"}:
        return "- [x]" if _attr(item, "state") == "DONE" else "- [ ]"
    if owner.get("type") == "orderedList":
        return f"{number}{')' if other else '.'}"
    return "*" if other else "-"


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
    return f"!{link([name], _attr(node, 'url') or name)}" if name else ""


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
    """The nodes of a line: marks that neighbours have in common are written once around them."""
    pieces: list[str] = []
    begun: list[str] = []
    nodes = children(node)
    for at, one in enumerate(nodes):
        marks, following = _marks(one), _marks(nodes[at + 1]) if at + 1 < len(nodes) else {}
        if one.get("type") == "text" and not str(one.get("text") or "").strip():  # no phrase ends with a blank
            marks = {name: mark for name, mark in marks.items() if name in following}
        keep = next((depth for depth, name in enumerate(begun) if name not in marks), len(begun))
        text = str(one.get("text") or "") if one.get("type") == "text" else ""
        words = text.strip()
        pieces += _ended([begun.pop() for _ in begun[keep:]])
        pieces.append(text[: len(text) - len(text.lstrip())] if words else text)
        if words:
            fresh = [name for name in marks if name not in begun]
            if len(fresh) > 1:
                fresh = sorted(_OUTERMOST_FIRST, key=lambda name: -_reach(nodes, at, name))
                fresh = [name for name in fresh if name in marks and name not in begun]
            begun += fresh
            pieces += [Sign(_MARKS[name], opens=True) for name in fresh]
            pieces += _marked(one, words)
            rest = text[len(text.rstrip()) :]
            if rest:
                keep = next((depth for depth, name in enumerate(begun) if name not in following), len(begun))
                pieces += _ended([begun.pop() for _ in begun[keep:]])
                pieces.append(rest)
        elif one.get("type") != "text":
            pieces.append(_piece(one))
    return joined([*pieces, *_ended(list(reversed(begun)))])


def _marks(node: Node) -> Mapping[str, Node]:
    """The marks of a text that Markdown has a sign for."""
    found = {str(mark.get("type")): mark for mark in node.get("marks") or () if isinstance(mark, Mapping)}
    return {name: found[name] for name in _MARKS if name in found} if node.get("type") == "text" else {}


def _reach(nodes: Sequence[Node], start: int, name: str) -> int:
    """How many nodes from here on have a mark; more than a few are as many."""
    few = nodes[start : start + 64]
    return next((at for at, one in enumerate(few) if name not in _marks(one)), len(few))


def _ended(names: Sequence[str]) -> list[str]:
    return [Sign(_MARKS[name], opens=False) for name in names]


def _marked(node: Node, words: str) -> Iterator[str]:
    marks = {str(mark.get("type")): mark for mark in node.get("marks") or () if isinstance(mark, Mapping)}
    href = _attr(marks.get("link", {}), "href")
    if href and words == href:
        yield Bare(href)
    elif href:
        yield link([coded(words) if "code" in marks else words], href)
    else:
        yield coded(words) if "code" in marks else words


def _piece(node: Node) -> str:
    """An inline node other than text."""
    match node.get("type"):
        case "hardBreak":
            return "\n"
        case "mention":
            return f"@{_attr(node, 'id')}"
        case "inlineCard":
            return Markup(_address(node))
        case "date":
            return _day(_attr(node, "timestamp"))
        case "mediaInline":
            return Markup(_media(node, 0))
        case "emoji":
            return _attr(node, "text") or _attr(node, "shortName")
        case _:
            return _attr(node, "text") or Markup(_line(node))


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
