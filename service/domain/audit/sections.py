"""A record's text as sections: which words stand under which of the headings that the template asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from connectors.records import TEXT_READ
from service.domain.audit.headings import BARE, EXPERIMENTS, PERFORMANCE, headings
from service.domain.audit.prose import ADDRESS, LINK, count, fold, plain
from service.domain.audit.subject import SectionRule
from service.domain.audit.vocabulary import speaks_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_BOLD_LEVEL = 7
"""A line in bold as a heading: deeper than any real one."""
_TICK_BOX = re.compile(r"^\[[ xX]?\]\s+")
_BOLD_LEAD = re.compile(r"^(\*\*|__)([^*_\n]{1,120}?)\s*(:?)\s*\1\s*(:?)[ \t]*")
_ADDRESSES = re.compile(f"{LINK.pattern}|{ADDRESS.pattern}", re.IGNORECASE)
_AFTER_ADDRESS = ".,;:!?'*_~"


class Kind(StrEnum):
    """What a block of text is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    QUOTE = "quote"
    CODE = "code"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Link:
    """An address in a text; `text` is what it is shown as, empty where it stands bare."""

    url: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; cells are Markdown. Every row has as many cells as `header`."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a text that stands on its own: a paragraph, a line of a list, a table.

    `text` is Markdown without the marks of the block itself (`##`, `-`, `>`); lines are kept. `level` is that of a
    heading, 0 for one that is underlined; for anything else, how deep it is in lists, from 1, 0 for outside. `table` is
    set for a table, whose `text` is empty.
    """

    kind: Kind
    text: str
    level: int = 0
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading. `key` is the template's, `title` the heading as people wrote it (empty: there is
    none), `level` that of the heading, 0 for one that is only a bold line.

    `text` is its body as Markdown, `plain` the same without marks and addresses, `lines` the plain text of each
    paragraph's line, line of a list and row of a table. `empty`: no word in it. `blocks` is what the rest is made of.
    """

    key: str
    title: str
    level: int
    text: str
    plain: str
    lines: tuple[str, ...]
    links: tuple[Link, ...]
    tables: tuple[Table, ...]
    empty: bool
    blocks: tuple[Block, ...] = ()


def parse(text: str) -> tuple[Block, ...]:
    """The blocks of a Markdown text in order, in time that grows with its length; raises nothing. Of a text longer than
    `TEXT_READ` only that much is read."""
    return tuple(_blocks(_markdown().parse(text[:TEXT_READ])))


@cache
def _markdown() -> MarkdownIt:
    """Only blocks are parsed: what stands in a line is read by patterns that take time in proportion to it. HTML and
    indented text are read as the words that they are; trackers show them as such."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable(["html_block", "reference", "code", "inline"])


def sections_of(text: str, rules: Sequence[SectionRule]) -> Mapping[str, Section]:
    """The sections by key, one for each rule: one whose heading is not there is empty and has no title.

    A heading is known by the rule's titles or, for the nine keys that the checks look for, by what they are called in
    a dozen languages; level, case, accents, numbering, emphasis and emoji make no difference. Where a section has no
    real heading, a line in bold, one that begins with the title in bold, or one that is nothing but the title does.
    What stands under the same heading twice is taken together.
    """
    return sections_from(parse(text), rules)


def sections_from(blocks: Iterable[Block], rules: Sequence[SectionRule]) -> Mapping[str, Section]:
    """`sections_of` for a text that is parsed already."""
    sorting = _Sorting(rules)
    sorting.sort(tuple(blocks))
    return {rule.key: sorting.section(rule.key) for rule in rules}


def loose_from(blocks: Iterable[Block], rules: Sequence[SectionRule]) -> tuple[Section, ...]:
    """What stands under none of the known headings, one section without a key for each heading that is not known and
    for what stands above the first one; those without a word are left out."""
    sorting = _Sorting(rules)
    sorting.sort(tuple(blocks))
    return tuple(one for one in sorting.loose() if not one.empty)


def body_of(key: str, title: str, blocks: Iterable[Block], level: int = 0) -> Section:
    """Blocks as the body of a section."""
    kept = tuple(blocks)
    lines = tuple(line for block in kept for line in plain_of(block))
    links = {link.url: link for block in kept for link in _links_in(block)}
    text = "\n".join(lines)
    return Section(
        key=key,
        title=title,
        level=level,
        text=markdown_of(kept),
        plain=text,
        lines=lines,
        links=tuple(links.values()),
        tables=tuple(block.table for block in kept if block.table is not None),
        empty=not count(text) and not links,
        blocks=kept,
    )


def links_of(markdown: str) -> tuple[Link, ...]:
    """The addresses in a text, in order, each once: those of links, in angle brackets and bare ones."""
    found: dict[str, Link] = {}
    for match in _ADDRESSES.finditer(markdown):
        text, url, bare = match.groups()
        if bare:
            url = bare.rstrip(_AFTER_ADDRESS)
            url = url if "(" in url else url.rstrip(")" + _AFTER_ADDRESS)
        found.setdefault(url, Link(url, plain(text) if text else ""))
    return tuple(found.values())


def plain_of(block: Block) -> tuple[str, ...]:
    """The plain lines of a block: those of its text, or the rows of its table, the header's first."""
    if block.table is not None:
        rows = (block.table.header, *block.table.rows)
        return tuple(
            line for row in rows if (line := " | ".join(" ".join(plain(cell).split()) for cell in row).strip(" |"))
        )
    if block.kind is Kind.CODE:
        return tuple(line.strip() for line in block.text.split("\n") if line.strip())
    return tuple(line for line in plain(block.text).split("\n") if line)


def markdown_of(blocks: Iterable[Block]) -> str:
    """Blocks as Markdown again, that reads the same."""
    return "\n\n".join(_written(block) for block in blocks)


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    """Walk over the tokens of the blocks, knowing what each stands in."""
    inside: list[str] = []
    fresh = False  # whether the next text is the first of a line of a list
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.type == "table_open":
            index, table = _table(tokens, index)
            yield Block(Kind.TABLE, "", inside.count("list_item"), table)
            continue
        if token.type in ("list_item_open", "blockquote_open"):
            inside.append(token.type.removesuffix("_open"))
            fresh = fresh or token.type == "list_item_open"
        elif token.type in ("list_item_close", "blockquote_close"):
            inside.pop()
            fresh = False
        elif token.type == "fence":
            yield Block(Kind.CODE, token.content.rstrip("\n"), inside.count("list_item"))
        elif token.type == "inline":
            opener = tokens[index - 1]
            if (block := _text_block(opener, token.content, inside, fresh=fresh)).text:
                yield block
            fresh = False
        index += 1


def _text_block(opener: Token, content: str, inside: Sequence[str], *, fresh: bool) -> Block:
    depth = inside.count("list_item")
    if opener.type == "heading_open":
        return Block(Kind.HEADING, content.strip(), int(opener.tag[1:]) if opener.markup.startswith("#") else 0)
    if fresh and depth:
        return Block(Kind.ITEM, _TICK_BOX.sub("", content).strip(), depth)
    return Block(Kind.QUOTE if "blockquote" in inside else Kind.PARAGRAPH, content.strip(), depth)


def _table(tokens: Sequence[Token], begin: int) -> tuple[int, Table]:
    """The table whose first token is at `begin`, and where what follows it begins."""
    rows: list[list[str]] = []
    index = begin
    while tokens[index].type != "table_close":
        if tokens[index].type == "tr_open":
            rows.append([])
        elif tokens[index].type == "inline":
            rows[-1].append(tokens[index].content.strip())
        index += 1
    header, *body = rows
    return index + 1, Table(tuple(header), tuple(tuple(row) for row in body))


class _Sorting:
    """Puts the blocks of a record under its headings."""

    def __init__(self, rules: Sequence[SectionRule]) -> None:
        self._headings = headings(tuple(rules))
        self._bodies: dict[str, list[Block]] = {}
        self._titles: dict[str, tuple[str, int]] = {}
        self._open: list[tuple[str, int]] = []
        self._loose: list[tuple[str, list[Block]]] = [("", [])]

    def sort(self, blocks: Sequence[Block]) -> None:
        """Take in the blocks of a record, once."""
        known = [self._headings.key_of(block.text) if block.kind is Kind.HEADING else None for block in blocks]
        # The same name further down is a heading inside of another section, as `Results` in `Experiments and results`.
        highest: dict[str, int] = {}
        for block, key in zip(blocks, known, strict=True):
            if key:
                highest[key] = min(highest.get(key, _BOLD_LEVEL), block.level or 1)
        for block, key in zip(blocks, known, strict=True):
            if block.kind is Kind.HEADING:
                self._heading(block, None if key and (block.level or 1) > highest[key] else key)
            else:
                self._body(block, highest)
        self._demote()

    def _demote(self) -> None:
        """Take what stands under a bare "Performance" as results, unless it speaks of production."""
        title, level = self._titles.get(PERFORMANCE, ("", 0))
        blocks = self._bodies.get(PERFORMANCE, [])
        said = fold("\n".join(line for block in blocks for line in plain_of(block)))
        if fold(title).strip(" :") not in BARE or not said or speaks_of("production", said):
            return
        self._bodies.setdefault(EXPERIMENTS, []).extend(self._bodies.pop(PERFORMANCE))
        self._titles.setdefault(EXPERIMENTS, (title, level))
        del self._titles[PERFORMANCE]

    def section(self, key: str) -> Section:
        """The section as it is by now."""
        title, level = self._titles.get(key, ("", 0))
        return body_of(key, title, self._bodies.get(key, ()), level)

    def loose(self) -> Iterator[Section]:
        """What stands under no known heading, by now."""
        return (body_of("", title, blocks) for title, blocks in self._loose)

    def _heading(self, block: Block, key: str | None) -> None:
        if key and self._is_bare() and not self._headings.is_own(block.text):
            self._add(block)  # people paste their own headings right below the one that asked
        elif key is not None:
            self._begin(key, block.text, block.level, block.level or 1)
        elif block.level:  # one that is not known ends the sections that are no higher, and belongs to what is above
            if not self._is_bare():
                self._close(block.level)
            if self._open:
                self._add(block)
            else:
                self._loose.append((plain(block.text), []))
        else:  # an underlined one may well be a line above a rule
            self._add(Block(Kind.PARAGRAPH, block.text))

    def _body(self, block: Block, real: Mapping[str, int]) -> None:
        """A block that is no heading, but whose lines may be headings of sections that have no real one."""
        if block.kind in (Kind.TABLE, Kind.CODE) or block.level > 1:
            self._add(block)
            return
        kept: list[str] = []
        for n, line in enumerate(block.text.split("\n")):
            lead = self._lead(line, alone=n == 0 and block.kind is Kind.PARAGRAPH)
            if lead is None or lead[0] in real:
                kept.append(line)
                continue
            self._add(Block(block.kind, "\n".join(kept), block.level))
            key, title, rest = lead
            self._begin(key, title, 0, _BOLD_LEVEL)
            block, kept = Block(Kind.PARAGRAPH, ""), [rest] if rest else []
        self._add(Block(block.kind, "\n".join(kept), block.level))

    def _lead(self, line: str, *, alone: bool) -> tuple[str, str, str] | None:
        """The section that a line opens, the title as written, and what follows on the line. One in plain letters must
        be nothing but the title, and stand `alone` or end in a colon."""
        if bold := _BOLD_LEAD.match(line):
            rest = line[bold.end() :].strip()
            if (rest and not (bold[3] or bold[4])) or not (key := self._headings.key_of(bold[2])):
                return None
            return key, bold[2], rest
        if (alone or line.endswith(":")) and (key := self._headings.key_of(line, whole=True)):
            return key, line.rstrip(" :"), ""
        return None

    def _begin(self, key: str, title: str, level: int, depth: int) -> None:
        self._close(depth)
        self._open.append((key, depth))
        if key:
            self._titles.setdefault(key, (plain(title), level))

    def _is_bare(self) -> bool:
        """Whether nothing stands yet under the heading that was opened last."""
        return bool(self._open) and not self._bodies.get(self._open[-1][0])

    def _close(self, depth: int) -> None:
        while self._open and self._open[-1][1] >= depth:
            self._open.pop()

    def _add(self, block: Block) -> None:
        if not (block.text or block.table is not None):
            return
        if not self._open:
            self._loose[-1][1].append(block)
        elif self._open[-1][0]:
            self._bodies.setdefault(self._open[-1][0], []).append(block)


def _links_in(block: Block) -> tuple[Link, ...]:
    if block.table is None:
        return links_of(block.text)
    return tuple(link for row in (block.table.header, *block.table.rows) for cell in row for link in links_of(cell))


def _written(block: Block) -> str:
    if block.table is not None:
        rows = (block.table.header, ("---",) * len(block.table.header), *block.table.rows)
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)
    if block.kind is Kind.HEADING:
        return f"{'#' * (block.level or 2)} {block.text}"
    if block.kind is Kind.CODE:
        return f"```\n{block.text}\n```"
    lead = {Kind.ITEM: "- ", Kind.QUOTE: "> "}.get(block.kind, "")
    depth = block.level - 1 if block.kind is Kind.ITEM else block.level
    after = "> " if block.kind is Kind.QUOTE else " " * len(lead)
    indent = "  " * depth
    return "\n".join(f"{indent}{after if n else lead}{line}" for n, line in enumerate(block.text.split("\n")))
