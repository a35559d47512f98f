"""Jira's wiki markup to Markdown, so that what people wrote is read in one markup whatever the tracker keeps.

Every text has a reading, and it takes time in proportion to its length: marks are paired in one pass, and nothing is
looked for twice. What is no markup stays text. Colours, panels and anchors say nothing that Markdown can say; they are
taken off and what is in them stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.jira.markdown import Bare, Markup, Sign, coded, fenced, guarded, heading, joined, link
from connectors.memory import remembered

_TAG = re.compile(
    r"(?<![\\{])\{(code|noformat|quote|panel|info|note|tip|warning|expand|toc|anchor|color)(?::([^{}\n]*))?\}"
)
_HEADING = re.compile(r"h([1-6])\.(?:\s+(.*))?")
_RULE = re.compile(r"-{4,}")
_QUOTED = re.compile(r"bq\.\s+(.*)")
_ITEM = re.compile(r"([*#]+|-+)\s+(.*)")
_TITLE = re.compile(r"(?:^|\|)\s*title\s*=\s*([^|]*)")


@remembered(256)
def from_wiki(wiki: str) -> str:
    """The Markdown of a text in Jira's wiki markup, without blank lines around it; empty for one without words."""
    # The changes of a record are read with it each time, and they never change themselves.
    return "\n\n".join(_blocks(wiki.replace("\r\n", "\n").replace("\r", "\n"))).strip()


# --- blocks ----------------------------------------------------------------------------------------------------------


def _blocks(text: str) -> list[str]:
    """The Markdown blocks of a text. A quote is open from one `{quote}` to the next; one that is never closed is
    none."""
    outside, quoted = _Text(), None
    for kind, value in _pieces(text):
        reading = outside if quoted is None else quoted
        if kind == "quote" and quoted is None:
            outside.end()
            quoted = _Text()
        elif kind == "quote":
            inner = "\n\n".join(reading.blocks())
            outside.alone("\n".join(f"> {line}".rstrip() for line in inner.split("\n")))
            quoted = None
        elif kind == "text":
            reading.read(value)
        elif kind == "code":
            reading.code(value)
        else:
            reading.alone(value)
    return [*outside.blocks(), *(quoted.blocks() if quoted else ())]


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """The text between macros, the blocks that code and titles make, and where quotes begin and end."""
    at = start = 0
    endless: set[str] = set()
    while (tag := _TAG.search(text, at)) is not None:
        name, parameters = tag[1], tag[2] or ""
        at = tag.end()
        if name == "color":  # within a line
            continue
        if name in {"code", "noformat"}:
            closing = f"{{{name}}}"
            end = -1 if name in endless else text.find(closing, at)
            if end < 0:
                endless.add(name)
                continue
            yield "text", text[start : tag.start()]
            yield "code", fenced(text[at:end], _language(parameters) if name == "code" else "")
            at = end + len(closing)
        else:
            yield "text", text[start : tag.start()]
            if name == "quote":
                yield "quote", ""
            elif title := _title(name, parameters):
                yield "block", f"**{title}**"
        start = at
    yield "text", text[start:]


def _language(parameters: str) -> str:
    named = (part.strip() for part in parameters.split("|"))
    return next(
        (part.removeprefix("language=") for part in named if re.fullmatch(r"(?:language=)?[\w+#.-]+", part)), ""
    )


def _title(name: str, parameters: str) -> str:
    if name == "anchor":
        return ""
    titled = _TITLE.search(parameters)
    title = titled[1] if titled else (parameters if name == "expand" else "")
    return " ".join(title.split())


@dataclass
class _Text:
    """The blocks of a text, as its lines and its blocks of code are read one by one."""

    done: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    kind: str = ""
    widths: list[int] = field(default_factory=list)
    markers: str = ""
    before: str = ""

    def blocks(self) -> list[str]:
        """What was read; the block that is open is closed."""
        self.end()
        return self.done

    def end(self) -> None:
        """Close the block that is open."""
        if self.lines:
            self.done.append("\n".join(self.lines))
            self.before = self.markers if self.kind == "list" else ""
        self.lines, self.kind, self.widths = [], "", []

    def alone(self, block: str) -> None:
        """A block by itself."""
        self.end()
        self.done.append(block)
        self.before = ""

    def code(self, block: str) -> None:
        """A block of code; right after the words of an item it is in that item."""
        if self.kind != "list":
            self.alone(block)
            return
        indent = " " * sum(self.widths)
        if self.lines[-1].endswith((_NOTHING, "1.")) and self.bare:
            self.lines[-1] = f"{self.lines[-1].rstrip()} {block.split(chr(10), maxsplit=1)[0]}"
            block = block.partition("\n")[2]
        self.lines += [f"{indent}{line}".rstrip() for line in block.split("\n")]
        self.bare = False

    def goes_on(self, kind: str) -> None:
        """Continue with a block of this kind, or begin it."""
        if self.kind != kind:
            self.end()
            self.kind = kind

    bare: bool = False
    """Whether the item that is open has no words yet."""

    def item(self, bullets: str, text: str) -> None:
        """A line of a list, at most a level deeper than the one before it."""
        if self.kind == "list" and len(bullets) == 1 and (bullets == "#") != (self.markers in _ORDERED):
            self.end()  # on the first level the other kind of bullet begins another list
        begins = self.kind != "list"
        self.goes_on("list")
        depth = min(len(bullets), len(self.widths) + 1)
        ordered = bullets[depth - 1] == "#" if depth == len(bullets) else bullets[-1] == "#"
        if begins:
            first, other = _ORDERED if ordered else _BULLETS
            self.markers = other if self.before == first else first
        marker = ("1." if ordered else "-") if depth > 1 else self.markers
        del self.widths[depth - 1 :]
        indent = " " * sum(self.widths)
        self.widths.append(len(marker) + 1)
        words, *more = inline(text).strip().split("\n")
        self.bare = not words
        if self.bare and depth > 1:  # nothing at all would make a heading of the line above
            words = _NOTHING
        self.lines.append(f"{indent}{marker} {guarded(words)}".rstrip(" "))
        self.lines += [f"{' ' * sum(self.widths)}{guarded(line.strip())}" for line in more if line.strip()]

    def plain(self, line: str) -> None:
        """A line of a paragraph, or one that continues with the last line of a list."""
        if self.kind != "list":
            self.goes_on("paragraph")
        indent = " " * sum(self.widths)
        self.lines += [indent + guarded(part.strip()) for part in inline(line).split("\n") if part.strip()]
        self.bare = False

    def row(self, line: str) -> None:
        """A row of a table; the first one is its head."""
        first = self.kind != "table"
        self.goes_on("table")
        cells = [" ".join(inline(cell).split()).replace("|", "\\|") for cell in _cells(line)]
        self.lines.append(f"| {' | '.join(cells)} |")
        if first:
            self.lines.append(f"|{' --- |' * len(cells)}")

    def read(self, text: str) -> None:
        """The lines of a text without macros."""
        first, *lines = text.split("\n")
        if first.strip() or not (self.kind == "list" and self.lines):  # what is left of a line with code on it
            lines.insert(0, first)
        for at, raw in enumerate(lines):
            line = raw.strip()
            if not line:
                if at < len(lines) - 1:  # or the line continues with what comes next
                    self.end()
            else:
                self._line(line)

    def _line(self, line: str) -> None:
        if begins := _HEADING.fullmatch(line):
            self.alone(heading(int(begins[1]), " ".join(inline(begins[2] or "").split())))
        elif _RULE.fullmatch(line):
            self.alone("---")
        elif said := _QUOTED.fullmatch(line):
            self.alone("\n".join(f"> {guarded(part.strip())}" for part in inline(said[1]).split("\n")))
        elif item := _ITEM.fullmatch(line):
            self.item(item[1], item[2])
        elif line.startswith("|") and line.strip("| "):
            self.row(line)
        else:
            self.plain(line)


_BULLETS = ("-", "*")
_ORDERED = ("1.", "1)")
_NOTHING = "&nbsp;"


def _cells(line: str) -> list[str]:
    """The cells of a row: bars part them, but for those that are escaped or in a link."""
    cells: list[str] = []
    at = start = len(line) - len(line.lstrip("|"))
    while at < len(line):
        if line[at] == "\\":
            at += 2
        elif line[at] == "[" and (bracketed := _BRACKETS.match(line, at)):
            at = bracketed.end()
        elif line[at] == "|":
            cells.append(line[start:at])
            start = at + (2 if line.startswith("||", at) else 1)
            at = start
        else:
            at += 1
    if line[start:].strip():
        cells.append(line[start:])
    return cells


# --- text within a line ----------------------------------------------------------------------------------------------

_NEXT = re.compile(r"[\\{\[!&*_\-+^~]|https?://")
_URL = re.compile(r"https?://[^\s|\]\[{}<>\"\\]*[^\s|\]\[{}<>\"\\.,;:!?')*_]")
_ENTITY = re.compile(r"&#(\d{1,6});|&(nbsp|amp|lt|gt|quot);")
_NAMED = {"nbsp": " ", "amp": "&", "lt": "<", "gt": ">", "quot": '"'}
_MONOSPACE = re.compile(r"\{\{((?:\\\}|(?!\}\}|\{\{)[^\n])+\}*)\}\}")
_IN_CODE = re.compile(r"\\([-#*_+?^~|%{}\[\]()!@])|&#(\d{1,6});|&(nbsp|amp|lt|gt|quot);")
_COLOUR = re.compile(r"\{color(?::[^{}\n]*)?\}")
_BRACED_MARK = re.compile(r"\{([*_\-+^~])\}")
_BRACKETS = re.compile(r"\[((?:\\.|[^\[\]\\\n])+)\]")
_IMAGE = re.compile(r"!([^!\s|][^!|\n]*)(?:\|([^!\n]*))?!")
_ALT = re.compile(r"(?:^|,)\s*alt\s*=\s*\"?([^\",]*)")
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:|www\.|[#/^])\S+")
_FILE = re.compile(r"(?:https?://\S+|.*\.\w{2,5})")
_ESCAPABLE = frozenset("-#*_+?^~|%{}[]()!@")
"""What Jira lets a backslash stand before; before anything else it is a backslash."""
_LETTER = re.compile(r"[A-Za-z0-9]|[^\x00-\x7f]")
_OPENING = {"*": "**", "_": "*", "-": "~~", "+": "", "^": "^", "~": ""}


@dataclass
class _Mark:
    """A sign that may begin or end a phrase; `shown` is what becomes of it, the sign itself unless it is paired."""

    sign: str
    opens: bool
    closes: bool
    shown: str


def inline(text: str) -> str:
    """The Markdown of one line; a line break in it is a new line."""
    return joined(_inline(text))


def _inline(text: str) -> list[str]:
    parts: list[str | _Mark] = []
    at = 0
    while (special := _NEXT.search(text, at)) is not None:
        parts.append(text[at : special.start()])
        part, at = _part(text, special.start())
        parts.append(part)
    parts.append(text[at:])
    _pair([part for part in parts if isinstance(part, _Mark)])
    return [part.shown if isinstance(part, _Mark) else part for part in parts]


def _part(text: str, at: int) -> tuple[str | _Mark, int]:
    """What begins at a place that is special, and where it ends."""
    match text[at]:
        case "h":
            url = _URL.match(text, at)
            return (_bare(url[0]), url.end()) if url else ("h", at + 1)
        case "\\":
            return _escape(text, at)
        case "{":
            return _brace(text, at)
        case "[":
            return _bracket(text, at)
        case "!":
            image = _IMAGE.match(text, at)
            if image is not None and _FILE.fullmatch(image[1]):
                return _picture(image[1], image[2] or ""), image.end()
            return "!", at + 1
        case "&":
            entity = _ENTITY.match(text, at)
            return (_character(entity), entity.end()) if entity else ("&", at + 1)
        case sign:
            return _bare_mark(text, at, sign), at + 1


def _escape(text: str, at: int) -> tuple[str, int]:
    following = text[at + 1 : at + 2]
    if following == "\\":
        return "\n", at + 2
    return (following, at + 2) if following in _ESCAPABLE else ("\\", at + 1)


def _bare(url: str) -> str:
    """An address that stands bare; one with signs that emphasise goes between angle brackets."""
    return Bare(url) if set(url) & set("*_~`") else Markup(url)


def _picture(source: str, parameters: str) -> Markup:
    said = _ALT.search(parameters)
    alt = said[1].strip() if said else ("" if "://" in source else source)
    return Markup(f"!{link([alt], source)}")


def _character(entity: re.Match[str]) -> str:
    if entity[2]:
        return _NAMED[entity[2]]
    number = int(entity[1])
    return chr(number) if number in range(32, 0xD800) or number in range(0xE000, 0x110000) else entity[0]


def _in_code(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    entity = _ENTITY.fullmatch(found[0])
    return _character(entity) if entity else found[0]


def _brace(text: str, at: int) -> tuple[str | _Mark, int]:
    if code := _MONOSPACE.match(text, at):
        return coded(_IN_CODE.sub(_in_code, code[1])), code.end()
    if mark := _BRACED_MARK.match(text, at):
        return _Mark(mark[1], opens=True, closes=True, shown=mark[0]), mark.end()
    if colour := _COLOUR.match(text, at):
        return "", colour.end()
    return "{", at + 1


def _bracket(text: str, at: int) -> tuple[str, int]:
    """A link or a mention; anything else in brackets is text."""
    match = _BRACKETS.match(text, at)
    if match is None:
        return "[", at + 1
    if match[1].startswith("~"):
        return f"@{match[1][1:].removeprefix('accountid:')}", match.end()
    *title, address = match[1].split("|")
    if title and address.startswith("smart-"):
        *title, address = title
    address = address.strip()
    if not _ADDRESS.fullmatch(address):
        return "[", at + 1
    named = "|".join(title).strip()
    if named in {"", address}:
        return Bare(address, address.removeprefix("mailto:")), match.end()
    return link(_inline(named), address), match.end()


def _bare_mark(text: str, at: int, sign: str) -> _Mark:
    """A sign begins a phrase before a word and after none, and ends one the other way round; doubled it is neither.
    Whatever is not ASCII counts as a letter."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    doubled = sign in (before, after)
    opens = bool(after) and not after.isspace() and _LETTER.match(before) is None and before != "\\" and not doubled
    closes = bool(before) and not before.isspace() and _LETTER.match(after) is None and not doubled
    return _Mark(sign, opens, closes, sign)


def _shown(sign: str) -> tuple[Markup, Markup]:
    shown = _OPENING[sign]
    if shown in {"", "^"}:
        return Markup(shown), Markup("")
    return Sign(shown, opens=True), Sign(shown, opens=False)


def _pair(marks: list[_Mark]) -> None:
    """Pair each sign that ends a phrase with the one that began it; those between them that are open stay signs."""
    begun: dict[str, int] = {}
    for place, mark in enumerate(marks):
        if mark.closes and mark.sign in begun:
            start = begun[mark.sign]
            marks[start].shown, mark.shown = _shown(mark.sign)
            begun = {sign: one for sign, one in begun.items() if one < start}
        elif mark.opens and mark.sign not in begun:
            begun[mark.sign] = place
