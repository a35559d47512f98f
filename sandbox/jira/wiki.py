"""Read Jira's wiki markup into the Atlassian Document Format (the direction that /rest/api/2 writes need).

Known: headings, paragraphs with line breaks, nested lists, tables, rules, quotes, panels, code and noformat blocks,
strong, emphasis, strike, underline, sub and super, colour, monospace, links, mentions, bare URLs, escapes.  Anything
else (images, emoticons, macros of apps) stays text, as it was written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.jira.adf import Node

PANEL_COLOURS: Final = {
    "info": "#deebff",
    "note": "#eae6ff",
    "success": "#e3fcef",
    "warning": "#fffae6",
    "error": "#ffebe6",
}
"""The background by which the vendor's wiki form of a panel tells its type."""

_NAMED_COLOURS: Final = {
    "black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000", "blue": "#0000ff",
    "yellow": "#ffff00", "orange": "#ffa500", "purple": "#800080", "gray": "#808080", "grey": "#808080",
    "brown": "#a52a2a", "teal": "#008080", "navy": "#000080", "maroon": "#800000",
}  # fmt: skip

_HEADING: Final = re.compile(r"\s*h([1-6])\.\s+(.*)")
_RULE: Final = re.compile(r"\s*-{4,}\s*$")
_QUOTED: Final = re.compile(r"\s*bq\.\s+(.*)")
_LIST_ITEM: Final = re.compile(r"\s*([*#]+|-+)\s+(.*)")
_MACRO: Final = re.compile(r"(?<![\\{])\{(code|noformat|quote|panel)(?::([^}\n]*))?\}")
_TABLE_ROW: Final = re.compile(r"\s*\|")


def wiki_to_adf(text: str) -> Node:
    """Give the document that `text` describes; every text has one (what is not markup stays text)."""
    return {"type": "doc", "version": 1, "content": _blocks(text.replace("\r\n", "\n").replace("\r", "\n"))}


def _blocks(text: str) -> list[Node]:
    return list(_Blocks(text.split("\n")).read())


@dataclass
class _Item:
    """An item of a list: its bullets, and lines of words (as text) and blocks of code, in order."""

    bullets: str
    blocks: list[str | Node]

    @property
    def numbered(self) -> bool:
        return self.bullets[-1] == "#"

    def goes_on(self, line: str) -> bool:
        if self.blocks and isinstance(self.blocks[-1], str):
            self.blocks[-1] += f"\n{line}"
        else:
            self.blocks.append(line)
        return True

    def content(self) -> list[Node]:
        nodes = [{"type": "paragraph", "content": inline(one)} if isinstance(one, str) else one for one in self.blocks]
        return nodes or [{"type": "paragraph", "content": []}]


class _Blocks:
    """Walks the lines of one container (a document, a quote, a panel) and yields its blocks."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = list(lines)
        self.at = 0

    def read(self) -> Iterator[Node]:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not line.strip():
                self.at += 1
            elif block := self._single_line(line) or self._macro(line) or self._list(line) or self._table(line):
                yield block
            else:
                yield from self._paragraph()

    def _single_line(self, line: str) -> Node | None:
        block: Node | None = None
        if match := _HEADING.fullmatch(line):
            block = {"type": "heading", "attrs": {"level": int(match[1])}, "content": inline(match[2])}
        elif _RULE.match(line):
            block = {"type": "rule"}
        elif match := _QUOTED.fullmatch(line):
            block = {"type": "blockquote", "content": [{"type": "paragraph", "content": inline(match[1])}]}
        if block is not None:
            self.at += 1
        return block

    def _macro(self, line: str) -> Node | None:
        match = _MACRO.match(line.lstrip())
        if match is None:
            return None
        name, parameters = match[1], match[2] or ""
        rest = [line.lstrip()[match.end() :], *self.lines[self.at + 1 :]]
        closing = re.compile(r"(?<!\\)\{" + name + r"\}")
        for offset, candidate in enumerate(rest):
            if end := closing.search(candidate):
                inner = [*rest[:offset], candidate[: end.start()]]
                after = candidate[end.end() :]
                self.at += offset + 1
                if after.strip():
                    self.at -= 1
                    self.lines[self.at] = after
                return _macro_block(name, parameters, inner)
        return None

    def _list(self, line: str) -> Node | None:
        if _LIST_ITEM.fullmatch(line) is None or _RULE.match(line):
            return None
        items: list[_Item] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            match = _LIST_ITEM.fullmatch(line)
            if match and not _RULE.match(line):
                if items and len(match[1]) == 1 and (match[1] == "#") != items[0].numbered:
                    break  # on the first level the other kind of bullet begins a list of its own
                items.append(_Item(match[1], []))
                line = match[2]
            elif not self._continues_a_line():
                break
            if not (self._code_in(line, items[-1]) or items[-1].goes_on(line.strip())):
                break
        return _list_node(items)

    def _code_in(self, line: str, item: "_Item") -> bool:
        """Take a block of code that begins on this line into the item: no blank line stands before it."""
        macro = _MACRO.search(line)
        if macro is None or macro[1] not in {"code", "noformat"}:
            self.at += 1
            return False
        before = line[: macro.start()]
        held = self.at
        self.lines[self.at] = line[macro.start() :]
        block = self._macro(self.lines[self.at])
        if block is None:
            self.lines[held] = line
            self.at += 1
            return False
        if before.strip():
            item.goes_on(before.strip())
        item.blocks.append(block)
        return True

    def _continues_a_line(self) -> bool:
        line = self.lines[self.at]
        starts_block = _HEADING.fullmatch(line) or _RULE.match(line) or _QUOTED.fullmatch(line)
        macro = _MACRO.match(line.lstrip())
        other = macro is not None and macro[1] not in {"code", "noformat"}
        return bool(line.strip()) and not (starts_block or _TABLE_ROW.match(line) or other)

    def _table(self, line: str) -> Node | None:
        if not _TABLE_ROW.match(line):
            return None
        rows: list[Node] = []
        while self.at < len(self.lines) and _TABLE_ROW.match(self.lines[self.at]):
            row = _row(self.lines[self.at].strip())
            if row is None:
                break
            rows.append(row)
            self.at += 1
        return {"type": "table", "content": rows} if rows else None

    def _paragraph(self) -> Iterator[Node]:
        gathered: list[str] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not line.strip() or (gathered and self._begins_a_block(line)):
                break
            self.at += 1
            inside = _MACRO.search(line, 1) if line.lstrip()[:1] != "{" else None
            if inside and line[: inside.start()].strip() and self._closes(inside[1], line[inside.end() :]):
                gathered.append(line[: inside.start()])
                self.at -= 1
                self.lines[self.at] = line[inside.start() :]
                break
            gathered.append(line)
        content = inline("\n".join(line.strip() for line in gathered))
        if content:
            yield {"type": "paragraph", "content": content}

    def _begins_a_block(self, line: str) -> bool:
        if _HEADING.fullmatch(line) or _RULE.match(line) or _QUOTED.fullmatch(line) or _LIST_ITEM.fullmatch(line):
            return True
        if _TABLE_ROW.match(line):
            return _row(line.strip()) is not None
        match = _MACRO.match(line.lstrip())
        return match is not None and self._closes(match[1], line.lstrip()[match.end() :], ahead=1)

    def _closes(self, name: str, rest_of_line: str, *, ahead: int = 0) -> bool:
        mark = "{" + name + "}"
        return mark in rest_of_line or any(mark in line for line in self.lines[self.at + ahead :])


def _macro_block(name: str, parameters: str, inner: list[str]) -> Node:
    if name in {"code", "noformat"}:
        if len(inner) > 1 and not inner[0].strip():
            inner = inner[1:]
        if len(inner) > 1 and not inner[-1].strip():
            inner = inner[:-1]
        text = "\n".join(inner)
        block: Node = {"type": "codeBlock", "content": [{"type": "text", "text": text}] if text else []}
        language = next((part for part in parameters.split("|") if part and "=" not in part), "")
        if language:
            block["attrs"] = {"language": language}
        return block
    blocks = _fitting(_blocks("\n".join(inner)), name) or [{"type": "paragraph", "content": []}]
    if name == "quote":
        return {"type": "blockquote", "content": blocks}
    settings = dict(part.split("=", 1) for part in parameters.split("|") if "=" in part)
    colour = settings.get("bgColor", "").lower()
    kind = next((kind for kind, shade in PANEL_COLOURS.items() if shade == colour), "info")
    if settings.get("title"):
        title: Node = {"type": "text", "text": settings["title"], "marks": [{"type": "strong"}]}
        blocks.insert(0, {"type": "paragraph", "content": [title]})
    return {"type": "panel", "attrs": {"panelType": kind}, "content": blocks}


def _fitting(blocks: list[Node], container: str) -> list[Node]:
    """Flatten what the format does not let stand in a quote or a panel (a table, a quote in a panel)."""
    refused = {"table", "panel", "blockquote"} | ({"heading", "rule"} if container == "quote" else set())
    kept: list[Node] = []
    for block in blocks:
        if block["type"] not in refused:
            kept.append(block)
        elif block["type"] == "heading":
            kept.append({"type": "paragraph", "content": block["content"]})
        elif block["type"] in {"panel", "blockquote"}:
            kept.extend(_fitting(block["content"], container))
        elif block["type"] == "table":
            kept.extend(p for row in block["content"] for cell in row["content"] for p in cell["content"])
    return kept


def _list_node(items: Sequence[_Item]) -> Node:
    """Build nested lists from items: `**` is a level below `*`, `*#` a numbered list below a bullet."""
    roots: list[tuple[str, Node]] = []
    open_lists: list[tuple[str, Node]] = []
    for one in items:
        bullets = one.bullets
        kind = "orderedList" if bullets[-1] == "#" else "bulletList"
        depth = min(len(bullets), len(open_lists) + 1)
        del open_lists[depth:]
        if len(open_lists) == depth and open_lists[-1][0] != kind and depth > 1:
            open_lists.pop()
        if len(open_lists) < depth:
            fresh: Node = {"type": kind, "content": []}
            if kind == "orderedList":
                fresh["attrs"] = {"order": 1}
            if open_lists:
                open_lists[-1][1]["content"][-1]["content"].append(fresh)
            else:
                roots.append((kind, fresh))
            open_lists.append((kind, fresh))
        item: Node = {"type": "listItem", "content": one.content()}
        open_lists[-1][1]["content"].append(item)
    return roots[0][1]


def _row(line: str) -> Node | None:
    cells: list[Node] = []
    at = 0
    while at < len(line):
        bars = len(line[at:]) - len(line[at:].lstrip("|"))
        if bars == 0:
            return None
        at += min(bars, 2)
        if at >= len(line):
            break
        end = _end_of_cell(line, at)
        kind = "tableHeader" if bars > 1 else "tableCell"
        content = inline(line[at:end].strip())
        cells.append({"type": kind, "attrs": {}, "content": [{"type": "paragraph", "content": content}]})
        at = end
    return {"type": "tableRow", "content": cells} if cells else None


def _end_of_cell(line: str, at: int) -> int:
    """Find the bar that ends a cell: not one that is escaped, nor the one inside a [title|address] link."""
    depth = 0
    while at < len(line):
        char = line[at]
        if char == "\\":
            at += 2
            continue
        if char == "[" and "]" in line[at:]:
            depth += 1
        elif char == "]":
            depth = max(0, depth - 1)
        elif char == "|" and depth == 0:
            return at
        at += 1
    return len(line)


# --- text within a line ---------------------------------------------------------------------------------------------

_MARK_OF: Final[dict[str, Node]] = {
    "*": {"type": "strong"},
    "_": {"type": "em"},
    "-": {"type": "strike"},
    "+": {"type": "underline"},
    "^": {"type": "subsup", "attrs": {"type": "sup"}},
    "~": {"type": "subsup", "attrs": {"type": "sub"}},
}
ESCAPABLE: Final = frozenset("-#*_+?^~|%{}[]()!@")
"""What a backslash keeps from being markup; before anything else it is a backslash."""

_LETTER: Final = re.compile(r"[A-Za-z0-9]|[^\x00-\x7f]")
"""What a bare mark may not touch: the vendor takes whatever is not ASCII for a letter."""

_URL: Final = re.compile(r"https?://[^\s|\]\[{}<>\"\\]*[^\s|\]\[{}<>\"\\.,;:!?')*_]")
_ENTITY: Final = re.compile(r"&#([1-9][0-9]{1,3});")
_IN_CODE: Final = re.compile(r"\\([-#*_+?^~|%{}\[\]()!@])|&#([1-9][0-9]{1,3});")
_COLOUR: Final = re.compile(r"\{color:([^}\n]+)\}")
_CODE: Final = re.compile(r"\{\{(.+?)\}\}(?!\})", re.DOTALL)
_LINK: Final = re.compile(
    r"\[(?:(?P<title>(?:\\.|[^\]|\\\n])+)\|)?(?P<href>(?:https?|ftp|file)://[^\]|\s]+|mailto:[^\]|\s]+|[#/][^\]|\s]*)"
    r"(?P<card>\|smart-(?:link|card|embed))?\]"
)
_MENTION: Final = re.compile(r"\[~(?:accountid:)?([^\]|\n]+)\]")


def inline(text: str, marks: tuple[Node, ...] = ()) -> list[Node]:
    """Give the inline nodes of one run of text; a newline in it is a hard break."""
    return _merged(_Inline(text, marks).read())


class _Inline:
    def __init__(self, text: str, marks: tuple[Node, ...]) -> None:
        self.text = text
        self.marks = marks
        self.at = 0
        self.plain = ""

    def read(self) -> Iterator[Node]:
        while self.at < len(self.text):
            nodes = self._special()
            if nodes is None:
                self.plain += self.text[self.at]
                self.at += 1
                continue
            if self.plain:
                yield self._text(self.plain)
                self.plain = ""
            yield from nodes
        if self.plain:
            yield self._text(self.plain)

    def _text(self, text: str, *more: Node) -> Node:
        marks = [*self.marks, *more]
        return {"type": "text", "text": text, "marks": marks} if marks else {"type": "text", "text": text}

    def _special(self) -> list[Node] | None:
        char = self.text[self.at]
        if char == "\n":
            self.at += 1
            return [{"type": "hardBreak"}]
        if char == "\\":
            return self._escape()
        if char == "{":
            return self._brace()
        if char == "[":
            return self._bracket()
        if char in _MARK_OF:
            return self._mark(char, braced=False)
        if char == "&" and (entity := _ENTITY.match(self.text, self.at)):
            self.at = entity.end()
            self.plain += chr(int(entity[1]))
            return []
        if char == "h" and (match := _URL.match(self.text, self.at)) and not self._after_word():
            self.at = match.end()
            return [self._text(match[0], {"type": "link", "attrs": {"href": match[0]}})]
        return None

    def _escape(self) -> list[Node] | None:
        following = self.text[self.at + 1 : self.at + 2]
        if following == "\\":
            self.at += 2
            if self.text[self.at : self.at + 1] == "\n":
                self.at += 1
            return [{"type": "hardBreak"}]
        if following and following in ESCAPABLE:
            self.plain += following
            self.at += 2
            return []
        return None

    def _brace(self) -> list[Node] | None:
        if match := _CODE.match(self.text, self.at):
            self.at = match.end()
            kept = tuple(mark for mark in self.marks if mark["type"] == "link")
            return [{"type": "text", "text": _unescaped(match[1]), "marks": [*kept, {"type": "code"}]}]
        if match := _COLOUR.match(self.text, self.at):
            colour = _hex_colour(match[1])
            end = self.text.find("{color}", match.end())
            nested = any(mark["type"] == "textColor" for mark in self.marks)
            if end > 0 and colour and not nested:
                inner = self.text[match.end() : end]
                self.at = end + len("{color}")
                return inline(inner, (*self.marks, {"type": "textColor", "attrs": {"color": colour}}))
        char = self.text[self.at + 1 : self.at + 2]
        if char in _MARK_OF and self.text[self.at + 2 : self.at + 3] == "}":
            return self._mark(char, braced=True)
        return None

    def _bracket(self) -> list[Node] | None:
        if match := _MENTION.match(self.text, self.at):
            self.at = match.end()
            return [{"type": "mention", "attrs": {"id": match[1]}}]
        match = _LINK.match(self.text, self.at)
        if match is None:
            return None
        self.at = match.end()
        href = match["href"]
        if match["card"]:
            return [{"type": "inlineCard", "attrs": {"url": href}}]
        link: Node = {"type": "link", "attrs": {"href": href}}
        kept = tuple(mark for mark in self.marks if mark["type"] != "link")
        if match["title"]:
            return inline(match["title"], (*kept, link))
        return [{"type": "text", "text": href.removeprefix("mailto:"), "marks": [*kept, link]}]

    def _mark(self, char: str, *, braced: bool) -> list[Node] | None:
        if not braced and self._after_word():
            return None
        mark = _MARK_OF[char]
        if any(held["type"] == mark["type"] for held in self.marks):
            return None
        start = self.at + (3 if braced else 1)
        end, after = _closing_braced(self.text, start, char) if braced else _closing(self.text, start, char)
        if end < 0:
            return None
        self.at = after
        return inline(self.text[start:end], (*self.marks, mark))

    def _after_word(self) -> bool:
        if not self.at:
            return False
        before = self.text[self.at - 1]
        return _LETTER.match(before) is not None or before in "\\/"


def _closing(text: str, start: int, char: str) -> tuple[int, int]:
    """Find the mark that ends a phrase begun at `start`: on its line, not after a space, before a word or escaped."""
    if start >= len(text) or text[start].isspace() or text[start] == char:
        return -1, -1
    at = start
    while at < len(text) and text[at] != "\n":
        if text[at] == "\\":
            at += 2
            continue
        if text.startswith("{{", at) and (code := _CODE.match(text, at)):
            at = code.end()
            continue
        if text[at] == "[" and (link := _LINK.match(text, at)):
            at = link.end()
            continue
        if text[at] == char and at > start and not text[at - 1].isspace() and text[at - 1] != "{":
            following = text[at + 1 : at + 2]
            if _LETTER.match(following) is None and following != char:
                return at, at + 1
        at += 1
    return -1, -1


def _closing_braced(text: str, start: int, char: str) -> tuple[int, int]:
    end = text.find("{" + char + "}", start)
    return (end, end + 3) if end > start else (-1, -1)


def _unescaped(text: str) -> str:
    """The text of code: escapes and entities are read in it as anywhere, each once."""
    return _IN_CODE.sub(lambda found: found[1] or chr(int(found[2])), text)


def _hex_colour(name: str) -> str | None:
    name = name.strip().lower()
    if re.fullmatch(r"#[0-9a-f]{6}", name):
        return name
    if re.fullmatch(r"#[0-9a-f]{3}", name):
        return "#" + "".join(digit * 2 for digit in name[1:])
    return _NAMED_COLOURS.get(name)


def _merged(nodes: Iterator[Node]) -> list[Node]:
    """Join neighbouring text nodes that carry the same marks."""
    merged: list[Node] = []
    for node in nodes:
        before: dict[str, Any] | None = merged[-1] if merged else None
        if before and node["type"] == before["type"] == "text" and node.get("marks") == before.get("marks"):
            merged[-1] = {**before, "text": before["text"] + node["text"]}
        else:
            merged.append(node)
    return merged
