"""Markdown to nodes of the Atlassian Document Format, as REST version 3 takes rich text.

Only what the format allows in each place is made; what may not stand somewhere (a table in a quote) goes there as
paragraphs. HTML is shown as it was written: the format has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connectors.jira.markdown import Node, paragraph, parsed, text

_BARE_URL = re.compile(r"https?://[^\s<>\"|\\]*[^\s<>\"|\\.,;:!?')*_\]]")
_SAFE = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_IN_ITEMS = frozenset({"paragraph", "bulletList", "orderedList", "codeBlock"})


def to_adf(markdown: str) -> list[Node]:
    """The blocks that a Markdown text becomes; none for one without words. Safe to call from several threads."""
    return [_block(node) for node in parsed(markdown)]


def document(blocks: Iterable[Any]) -> Node:
    """Blocks as a whole document."""
    return {"type": "doc", "version": 1, "content": list(blocks)}


def addressed(blocks: Sequence[Node], accounts: Sequence[str]) -> list[Node]:
    """Blocks with a line before them that names these accounts, so that Jira tells them."""
    if not accounts:
        return list(blocks)
    names: list[Node] = []
    for account in accounts:
        names += [{"type": "mention", "attrs": {"id": account}}, text(" ")]
    return [paragraph(names[:-1]), *blocks]


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
    return paragraph(parts)


# --- blocks ----------------------------------------------------------------------------------------------------------


def _block(node: Node) -> Node:
    content: list[Node] = node.get("content", [])
    match node["type"]:
        case "paragraph" | "heading":
            return {**node, "content": list(_inline(content))}
        case "blockquote":
            inner = list(_fitting([_block(one) for one in content]))
            return {**node, "content": inner or [paragraph([])]}
        case "bulletList" | "orderedList" | "table" | "tableRow":
            return {**node, "content": [_block(one) for one in content]}
        case "tableCell" | "tableHeader":
            return {**node, "content": [_block(one) for one in content]}
        case "listItem":
            inner = list(_fitting([_block(one) for one in content]))
            if not inner or inner[0]["type"] in {"bulletList", "orderedList"}:
                inner.insert(0, paragraph([]))
            return {**node, "content": inner}
        case _:
            return node


def _fitting(blocks: Iterable[Node]) -> Iterator[Node]:
    """Blocks as they may stand in a quote or an item of a list."""
    for block in blocks:
        if block["type"] in _IN_ITEMS:
            yield block
        elif block["type"] == "heading":
            yield _bold(block)
        elif block["type"] != "rule":  # a quote or a table, by their paragraphs
            yield from _fitting(block["content"])


# --- text within a line ----------------------------------------------------------------------------------------------


def _inline(nodes: Iterable[Node]) -> Iterator[Node]:
    """Inline nodes as the format has them, neighbours of the same marks joined."""
    before: Node | None = None
    for node in _pieces(nodes):
        if before and node["type"] == before["type"] == "text" and node.get("marks") == before.get("marks"):
            before = {**before, "text": before["text"] + node["text"]}
            continue
        if before:
            yield before
        before = node
    if before:
        yield before


def _pieces(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        marks = [mark for mark in node.get("marks", ()) if mark["type"] != "link" or _followed(mark["attrs"]["href"])]
        if node["type"] == "image":
            source, alt = node["attrs"]["src"], node["attrs"]["alt"]
            yield from _linked(alt or source, [mark for mark in marks if mark["type"] != "link"], source)
        elif node["type"] != "text":
            yield node
        elif any(mark["type"] == "code" for mark in marks):  # goes with no other mark but a link
            yield text(node["text"], [mark for mark in marks if mark["type"] in {"code", "link"}])
        else:
            yield from _words(node["text"], marks)


def _followed(target: str) -> bool:
    """Whether a browser would follow it to another page; a link to anything else is its words alone."""
    return _SAFE.fullmatch(target) is not None


def _linked(words: str, marks: Sequence[Node], target: str) -> Iterator[Node]:
    link = [{"type": "link", "attrs": {"href": target}}] if _followed(target) else []
    if words:
        yield text(words, [*marks, *link])


def _words(words: str, marks: Sequence[Node]) -> Iterator[Node]:
    """Plain words, in which an address that stands bare becomes a link."""
    at = 0
    if not any(one["type"] == "link" for one in marks):
        for url in _BARE_URL.finditer(words):
            if words[at : url.start()]:
                yield text(words[at : url.start()], marks)
            yield from _linked(url[0], marks, url[0])
            at = url.end()
    if words[at:]:
        yield text(words[at:], marks)
