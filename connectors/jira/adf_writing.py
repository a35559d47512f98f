"""Markdown to nodes of the Atlassian Document Format, as REST version 3 takes rich text.

Only what the format allows in each place is made; what may not stand somewhere (a table in a quote) goes there as
paragraphs. HTML is shown as it was written: the format has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mistletoe.block_token import Document

from connectors.jira.markup import one_at_a_time

Node = dict[str, Any]
Marks = tuple[Node, ...]

_BARE_URL = re.compile(r"https?://[^\s<>\"|\\]*[^\s<>\"|\\.,;:!?')*_\]]")
_SAFE = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_IN_ITEMS = frozenset({"paragraph", "bulletList", "orderedList", "codeBlock"})
_MARK_OF = {"Strong": "strong", "Emphasis": "em", "Strikethrough": "strike"}


def to_adf(markdown: str) -> list[Node]:
    """The blocks that a Markdown text becomes; none for one without words. Safe to call from several threads."""
    if not markdown.strip():
        return []
    try:
        with one_at_a_time:
            return list(_blocks(Document(markdown).children or ()))
    except RecursionError:  # nested deeper than anybody means
        return [_paragraph([_text(line, ())]) for line in markdown.split("\n") if line.strip()]


def document(blocks: Iterable[Any]) -> Node:
    """Blocks as a whole document."""
    return {"type": "doc", "version": 1, "content": list(blocks)}


def addressed(blocks: Sequence[Node], accounts: Sequence[str]) -> list[Node]:
    """Blocks with a line before them that names these accounts, so that Jira tells them."""
    if not accounts:
        return list(blocks)
    names: list[Node] = []
    for account in accounts:
        names += [{"type": "mention", "attrs": {"id": account}}, _text(" ", ())]
    return [_paragraph(names[:-1]), *blocks]


def without_headings(blocks: Iterable[Node]) -> list[Node]:
    """Blocks in which headings are bold lines, so that they begin no section."""
    return [_bold(one) if one["type"] == "heading" else one for one in blocks]


def _bold(heading: Node) -> Node:
    strong = {"type": "strong"}
    parts: list[Node] = []
    for part in heading["content"]:
        kinds = {mark["type"] for mark in part.get("marks", ())}
        plain = part["type"] != "text" or kinds & {"strong", "code"}
        parts.append(part if plain else {**part, "marks": [*part.get("marks", ()), strong]})
    return _paragraph(parts)


# --- blocks ----------------------------------------------------------------------------------------------------------


def _paragraph(content: list[Node]) -> Node:
    return {"type": "paragraph", "content": content}


def _blocks(tokens: Iterable[Any]) -> Iterator[Node]:
    for token in tokens:
        yield from _block(token)


def _block(token: Any) -> Iterator[Node]:
    match type(token).__name__:
        case "Heading" | "SetextHeading":
            yield {"type": "heading", "attrs": {"level": token.level}, "content": _inline(token.children)}
        case "Paragraph":
            if content := _inline(token.children):
                yield _paragraph(content)
        case "BlockCode" | "CodeFence":
            yield _code(token)
        case "Quote":
            if inner := list(_fitting(_blocks(token.children))):
                yield {"type": "blockquote", "content": inner}
        case "List":
            yield _list(token)
        case "Table":
            yield _table(token)
        case "ThematicBreak":
            yield {"type": "rule"}


def _code(token: Any) -> Node:
    text = str(token.children[0].content).rstrip("\n")
    node: Node = {"type": "codeBlock", "content": [_text(text, ())] if text else []}
    return {**node, "attrs": {"language": token.language}} if token.language else node


def _fitting(blocks: Iterable[Node]) -> Iterator[Node]:
    """Blocks as they may stand in a quote or an item of a list."""
    for block in blocks:
        if block["type"] in _IN_ITEMS:
            yield block
        elif block["type"] == "heading":
            yield _bold(block)
        elif block["type"] != "rule":  # a quote or a table, by their paragraphs
            yield from _fitting(block["content"])


def _list(token: Any) -> Node:
    items = [{"type": "listItem", "content": _item(one)} for one in token.children]
    if token.start is None:
        return {"type": "bulletList", "content": items}
    return {"type": "orderedList", "attrs": {"order": int(token.start)}, "content": items}


def _item(token: Any) -> list[Node]:
    content = list(_fitting(_blocks(token.children)))
    if not content or content[0]["type"] in {"bulletList", "orderedList"}:
        content.insert(0, _paragraph([]))
    return content


def _table(token: Any) -> Node:
    rows = [("tableHeader", token.header)] if getattr(token, "header", None) is not None else []
    rows += [("tableCell", row) for row in token.children]
    return {
        "type": "table",
        "content": [
            {
                "type": "tableRow",
                "content": [
                    {"type": kind, "attrs": {}, "content": [_paragraph(_inline(cell.children))]}
                    for cell in row.children
                ],
            }
            for kind, row in rows
        ],
    }


# --- text within a line ----------------------------------------------------------------------------------------------


def _inline(tokens: Iterable[Any] | None) -> list[Node]:
    """The inline nodes of tokens, neighbours of the same marks joined."""
    joined: list[Node] = []
    for node in _pieces(tokens or (), ()):
        before = joined[-1] if joined else None
        if before and node["type"] == before["type"] == "text" and node.get("marks") == before.get("marks"):
            joined[-1] = {**before, "text": before["text"] + node["text"]}
        else:
            joined.append(node)
    return joined


def _pieces(tokens: Iterable[Any], marks: Marks) -> Iterator[Node]:
    for token in tokens:
        yield from _piece(token, marks)


def _piece(token: Any, marks: Marks) -> Iterator[Node]:
    kind = type(token).__name__
    match kind:
        case "RawText":
            yield from _words(str(token.content), marks)
        case "LineBreak":
            yield _text(" ", marks) if token.soft else {"type": "hardBreak"}
        case "InlineCode":
            if code := str(token.children[0].content):
                yield _text(code, (*(one for one in marks if one["type"] == "link"), {"type": "code"}))
        case "Link" | "AutoLink":
            yield from _link(token.children, str(token.target), marks)
        case "Image":
            yield from _link(token.children, str(token.src), marks)
        case "Strong" | "Emphasis" | "Strikethrough":
            mark = {"type": _MARK_OF[kind]}
            yield from _pieces(token.children, marks if mark in marks else (*marks, mark))
        case _:
            yield from _pieces(token.children or (), marks)


def _link(tokens: Iterable[Any], target: str, marks: Marks) -> Iterator[Node]:
    """A link; one that a browser would not follow to another page is its words alone."""
    kept = tuple(one for one in marks if one["type"] != "link")
    if _SAFE.fullmatch(target) is None:
        yield from _pieces(tokens, kept)
        return
    link = {"type": "link", "attrs": {"href": target}}
    inside = list(_pieces(tokens, (*kept, link)))
    yield from inside or [_text(target, (*kept, link))]


def _words(text: str, marks: Marks) -> Iterator[Node]:
    """Plain text, in which an address that stands bare becomes a link."""
    at = 0
    if not any(one["type"] == "link" for one in marks):
        for url in _BARE_URL.finditer(text):
            if text[at : url.start()]:
                yield _text(text[at : url.start()], marks)
            yield _text(url[0], (*marks, {"type": "link", "attrs": {"href": url[0]}}))
            at = url.end()
    if text[at:]:
        yield _text(text[at:], marks)


def _text(text: str, marks: Marks) -> Node:
    return {"type": "text", "text": text, "marks": list(marks)} if marks else {"type": "text", "text": text}
