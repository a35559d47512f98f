"""Jira's wiki markup to Markdown, so that what people wrote is read in one markup whatever the tracker keeps.

Every text has a reading, and it takes time in proportion to its length: marks are paired in one pass, and nothing is
looked for twice. What is no markup stays text. Colours, panels and anchors say nothing that Markdown can say; they are
taken off and what is in them stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TAG = re.compile(
    r"(?<!\\)\{(code|noformat|quote|panel|info|note|tip|warning|expand|toc|anchor|color)(?::([^{}\n]*))?\}"
)
_HEADING = re.compile(r"h([1-6])\.(?:\s+(.*))?")
_RULE = re.compile(r"-{4,}")
_QUOTED = re.compile(r"bq\.\s+(.*)")
_ITEM = re.compile(r"([*#]+|-+)\s+(.*)")
_NO_MARKUP = re.compile(r"(?=(?:[#>]|[-+*](?:\s|$)|\d{1,9}[.)](?:\s|$)|```|~~~))")
_TITLE = re.compile(r"(?:^|\|)\s*title\s*=\s*([^|]*)")


def from_wiki(wiki: str) -> str:
    """The Markdown of a text in Jira's wiki markup, without blank lines around it; empty for one without words."""
    return "\n\n".join(_blocks(wiki.replace("\r\n", "\n").replace("\r", "\n"))).strip()


# --- blocks ----------------------------------------------------------------------------------------------------------


def _blocks(text: str) -> list[str]:
    """The Markdown blocks of a text. A quote is open from one `{quote}` to the next; one that is never closed is
    none."""
    outside: list[str] = []
    quoted: list[str] | None = None
    for kind, value in _pieces(text):
        if kind == "quote" and quoted is None:
            quoted = []
        elif kind == "quote":
            outside.append("\n".join(f"> {line}".rstrip() for line in "\n\n".join(quoted or ()).split("\n")))
            quoted = None
        else:
            found = [value] if kind == "block" else _text_blocks(value)
            (outside if quoted is None else quoted).extend(found)
    return [*outside, *(quoted or ())]


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
            yield "block", fenced(text[at:end], _language(parameters) if name == "code" else "")
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


def fenced(code: str, language: str = "") -> str:
    """Code as a fenced block, with a fence that it does not hold itself."""
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", code)), default=0))
    return f"{fence}{language}\n{code.strip(chr(10))}\n{fence}"


@dataclass
class _Text:
    """The blocks of a text without macros, as its lines are read one by one."""

    done: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    kind: str = ""
    widths: list[int] = field(default_factory=list)

    def end(self) -> None:
        """Close the block that is open."""
        if self.lines:
            self.done.append("\n".join(self.lines))
        self.lines, self.kind, self.widths = [], "", []

    def alone(self, block: str) -> None:
        """A block of one line."""
        self.end()
        self.done.append(block)

    def goes_on(self, kind: str) -> None:
        """Go on with a block of this kind, or begin it."""
        if self.kind != kind:
            self.end()
            self.kind = kind

    def item(self, bullets: str, text: str) -> None:
        """A line of a list, at most a level deeper than the one before it."""
        self.goes_on("list")
        depth = min(len(bullets), len(self.widths) + 1)
        ordered = bullets[depth - 1] == "#" if depth == len(bullets) else bullets[-1] == "#"
        del self.widths[depth - 1 :]
        indent = " " * sum(self.widths)
        self.widths.append(3 if ordered else 2)
        first, *more = inline(text).split("\n")
        self.lines.append(f"{indent}{'1.' if ordered else '-'} {first}".rstrip())
        self.lines += [f"{' ' * sum(self.widths)}{line}" for line in more]

    def plain(self, line: str) -> None:
        """A line of a paragraph, or one that goes on with the last line of a list."""
        if self.kind != "list":
            self.goes_on("paragraph")
        indent = " " * sum(self.widths)
        self.lines += [indent + guarded(part.strip()) for part in inline(line).split("\n") if part.strip()]

    def row(self, line: str) -> None:
        """A row of a table; the first one is its head."""
        first = self.kind != "table"
        self.goes_on("table")
        cells = [" ".join(inline(cell).split()) for cell in _cells(line)]
        self.lines.append(f"| {' | '.join(cells)} |")
        if first:
            self.lines.append(f"|{' --- |' * len(cells)}")


def _text_blocks(text: str) -> list[str]:
    reading = _Text()
    for raw in text.split("\n"):
        line = raw.strip()
        if not line:
            reading.end()
        elif heading := _HEADING.fullmatch(line):
            words = " ".join(inline(heading[2] or "").split())
            reading.alone(f"{'#' * int(heading[1])} {words}".rstrip())
        elif _RULE.fullmatch(line):
            reading.alone("---")
        elif said := _QUOTED.fullmatch(line):
            reading.alone("\n".join(f"> {part}" for part in inline(said[1]).split("\n")))
        elif item := _ITEM.fullmatch(line):
            reading.item(item[1], item[2])
        elif line.startswith("|") and line.strip("| "):
            reading.row(line)
        else:
            reading.plain(line)
    reading.end()
    return reading.done


def guarded(line: str) -> str:
    """A line of plain words, kept from beginning a heading, a list, a quote or a block of code."""
    if _NO_MARKUP.match(line) is None:
        return line
    number = re.match(r"\d+", line)
    return f"{number[0]}\\{line[number.end() :]}" if number else f"\\{line}"


def _cells(line: str) -> list[str]:
    """The cells of a row: bars part them, but for those that are escaped or in a link."""
    cells: list[str] = []
    at = start = len(line) - len(line.lstrip("|"))
    last = line.rfind("]")
    while at < len(line):
        if line[at] == "\\":
            at += 2
        elif line[at] == "[" and at < last:
            at = line.index("]", at)
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
_URL = re.compile(r"https?://[^\s|\]\[{}<>\"\\]*")
_ENTITY = re.compile(r"&#(\d{1,6});|&(nbsp|amp|lt|gt|quot);")
_NAMED = {"nbsp": " ", "amp": "&", "lt": "<", "gt": ">", "quot": '"'}
_MONOSPACE = re.compile(r"\{\{((?:(?!\}\}|\{\{)[^\n])+)\}\}")
_COLOUR = re.compile(r"\{color(?::[^{}\n]*)?\}")
_BRACED_MARK = re.compile(r"\{([*_\-+^~])\}")
_BRACKETS = re.compile(r"\[((?:\\.|[^\[\]\\\n])+)\]")
_IMAGE = re.compile(r"!([^!\s|][^!|\n]*)(?:\|[^!\n]*)?!")
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:|www\.|[#/^])\S+")
_FILE = re.compile(r"(?:https?://\S+|.*\.\w{2,5})")
_ESCAPED = re.compile(r"\\([^\w\s])")
_MARKDOWN_MARKS = "*_`|"
_OPENING = {"*": "**", "_": "*", "-": "~~", "+": "", "^": "^", "~": ""}
_CLOSING = {**_OPENING, "^": ""}


@dataclass
class _Mark:
    """A sign that may begin or end a phrase; `shown` is what becomes of it, the sign itself unless it is paired."""

    sign: str
    opens: bool
    closes: bool
    shown: str


def inline(text: str) -> str:
    """The Markdown of one line; a line break in it is a new line."""
    parts: list[str | _Mark] = []
    at = 0
    while (special := _NEXT.search(text, at)) is not None:
        parts.append(text[at : special.start()])
        part, at = _part(text, special.start())
        parts.append(part)
    parts.append(text[at:])
    _pair([part for part in parts if isinstance(part, _Mark)])
    return "".join(part.shown if isinstance(part, _Mark) else part for part in parts)


def _part(text: str, at: int) -> tuple[str | _Mark, int]:
    """What begins at a place that is special, and where it ends."""
    match text[at]:
        case "h":
            url = _URL.match(text, at)
            return (url[0], url.end()) if url else ("h", at + 1)
        case "\\":
            return _escape(text, at)
        case "{":
            return _brace(text, at)
        case "[":
            return _bracket(text, at)
        case "!":
            image = _IMAGE.match(text, at)
            if image is not None and _FILE.fullmatch(image[1]):
                return f"![{'' if '://' in image[1] else image[1]}]({_target(image[1])})", image.end()
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
    if following and not following.isalnum() and not following.isspace():
        return (f"\\{following}" if following in _MARKDOWN_MARKS else following), at + 2
    return "\\", at + 1


def _character(entity: re.Match[str]) -> str:
    if entity[2]:
        return _NAMED[entity[2]]
    number = int(entity[1])
    if number == ord("\\"):
        return "\\\\"
    return chr(number) if number in range(32, 0xD800) or number in range(0xE000, 0x110000) else entity[0]


def _brace(text: str, at: int) -> tuple[str | _Mark, int]:
    if code := _MONOSPACE.match(text, at):
        return coded(_ENTITY.sub(_character, _ESCAPED.sub(r"\1", code[1])).replace("\\\\", "\\")), code.end()
    if mark := _BRACED_MARK.match(text, at):
        return _Mark(mark[1], opens=True, closes=True, shown=mark[0]), mark.end()
    if colour := _COLOUR.match(text, at):
        return "", colour.end()
    return "{", at + 1


def coded(text: str) -> str:
    """Code within a line, between signs that it does not hold itself."""
    if "`" not in text:
        return f"`{text}`"
    fence = "`" * (1 + max(map(len, re.findall(r"`+", text))))
    return f"{fence} {text} {fence}"


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
    words = " ".join(inline("|".join(title)).split())
    if not words or words == address:
        return f"<{address.removeprefix('mailto:')}>", match.end()
    return f"[{words}]({_target(address)})", match.end()


def _target(address: str) -> str:
    """An address as a link's target."""
    return f"<{address}>" if any(char in address for char in " ()<>") else address


def _bare_mark(text: str, at: int, sign: str) -> _Mark:
    """A sign begins a phrase before a word and after none, and ends one the other way round; doubled it is neither."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    doubled = sign in (before, after)
    opens = bool(after) and not after.isspace() and not before.isalnum() and before != "\\" and not doubled
    closes = bool(before) and not before.isspace() and not after.isalnum() and not doubled
    return _Mark(sign, opens, closes, sign)


def _pair(marks: list[_Mark]) -> None:
    """Pair each sign that ends a phrase with the one that began it; those between them that are open stay signs."""
    begun: dict[str, int] = {}
    for place, mark in enumerate(marks):
        if mark.closes and mark.sign in begun:
            start = begun[mark.sign]
            marks[start].shown, mark.shown = _OPENING[mark.sign], _CLOSING[mark.sign]
            begun = {sign: one for sign, one in begun.items() if one < start}
        elif mark.opens and mark.sign not in begun:
            begun[mark.sign] = place
