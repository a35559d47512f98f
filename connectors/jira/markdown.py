"""Markdown as a tree in the node types of the Atlassian Document Format, and words kept from being markup.

Both writers, of wiki markup and of documents, begin at this tree, and both readers end at the same escapes, so that the
two markups of the vendor say the same. The tree is Markdown's own: what a place of the vendor's may not hold (a table
in a quote) is the writers' to see to. HTML is words: neither markup of the vendor has any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.entities import html5
from typing import Any, Final
from unicodedata import category

from markdown_it import MarkdownIt
from markdown_it.token import Token

Node = dict[str, Any]
Marks = tuple[Node, ...]

_DEEPEST: Final = 80
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False, "maxNesting": _DEEPEST + 10}).enable(
    ["table", "strikethrough"]
)
# Any target makes a link here; which of them the vendor can follow is the writers' to know.
_MARKDOWN.validateLink = lambda url: True  # type: ignore[method-assign]

_MARK_OF: Final = {"strong": "strong", "em": "em", "s": "strike"}
_LISTS: Final = {"bullet_list": "bulletList", "ordered_list": "orderedList"}
_LANGUAGE: Final = re.compile(r"[\w+#.-]+")


def parsed(markdown: str) -> list[Node]:
    """The blocks of a Markdown text; none for one without words. Takes time in proportion to the text. One that is
    nested deeper than anybody means is read line by line, as the words that stand there."""
    if not markdown.strip():
        return []
    tokens = _MARKDOWN.parse(markdown)
    if any(token.level >= _DEEPEST for token in tokens):
        return [paragraph([text(line.strip())]) for line in markdown.split("\n") if line.strip()]
    return list(_Reading(tokens).blocks(""))


def parsed_line(markdown: str) -> list[Node]:
    """The inline nodes of a text of one line, in which nothing begins a block."""
    return [
        node for token in _MARKDOWN.parseInline(" ".join(markdown.split())) for node in _inline(token.children or ())
    ]


class _Reading:
    """Goes over the tokens of a text, and makes the blocks that they open and close."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = iter(tokens)

    def blocks(self, end: str) -> Iterator[Node]:
        """The blocks up to the token that closes the one they are in."""
        for token in self.tokens:
            if token.type == end:
                return
            yield from self._block(token)

    def _block(self, token: Token) -> Iterator[Node]:
        kind = token.type.removesuffix("_open")
        match kind:
            case "paragraph" | "heading":
                content = self._line(f"{kind}_close")
                if kind == "heading":
                    yield {"type": "heading", "attrs": {"level": int(token.tag[1])}, "content": content}
                elif content:
                    yield paragraph(content)
            case "fence" | "code_block":
                yield _code(token)
            case "blockquote":
                if inner := list(self.blocks("blockquote_close")):
                    yield {"type": "blockquote", "content": inner}
            case "bullet_list" | "ordered_list":
                items = [{"type": "listItem", "content": list(self.blocks("list_item_close"))}
                         for one in self._until(f"{kind}_close") if one.type == "list_item_open"]  # fmt: skip
                attrs = {"attrs": {"order": int(token.attrs.get("start", 1))}} if kind == "ordered_list" else {}
                yield {"type": _LISTS[kind], **attrs, "content": items}
            case "table":
                yield {"type": "table", "content": list(self._rows())}
            case "hr":
                yield {"type": "rule"}

    def _until(self, end: str) -> Iterator[Token]:
        for token in self.tokens:
            if token.type == end:
                return
            yield token

    def _line(self, end: str) -> list[Node]:
        return [node for token in self._until(end) for node in _inline(token.children or ())]

    def _rows(self) -> Iterator[Node]:
        for token in self._until("table_close"):
            if token.type == "tr_open":
                cells: list[Node] = [
                    {"type": "tableHeader" if one.type == "th_open" else "tableCell", "attrs": {},
                     "content": [paragraph(self._line(one.type.replace("open", "close")))]}
                    for one in self._until("tr_close")
                ]  # fmt: skip
                yield {"type": "tableRow", "content": cells}


def paragraph(content: list[Node]) -> Node:
    """A paragraph of inline nodes."""
    return {"type": "paragraph", "content": content}


def text(words: str, marks: Iterable[Node] = ()) -> Node:
    """Words with their marks."""
    kept = list(marks)
    return {"type": "text", "text": words, "marks": kept} if kept else {"type": "text", "text": words}


def _code(token: Token) -> Node:
    words = token.content.rstrip("\n")
    node: Node = {"type": "codeBlock", "content": [text(words)] if words else []}
    language = _LANGUAGE.match(token.info.strip())
    return {**node, "attrs": {"language": language[0]}} if language else node


def _inline(tokens: Iterable[Token]) -> list[Node]:
    """The inline nodes of a line, neighbours of the same marks joined."""
    joined: list[Node] = []
    for node in _pieces(tokens):
        before = joined[-1] if joined else None
        if before and node["type"] == before["type"] == "text" and node.get("marks") == before.get("marks"):
            joined[-1] = {**before, "text": before["text"] + node["text"]}
        else:
            joined.append(node)
    return joined


def _pieces(tokens: Iterable[Token]) -> Iterator[Node]:
    marks: list[Node] = []
    for token in tokens:
        kind = token.type
        if kind.endswith("_open"):
            name = kind.removesuffix("_open")
            href = str(token.attrs.get("href", ""))
            marks.append({"type": "link", "attrs": {"href": href}} if name == "link" else {"type": _MARK_OF[name]})
        elif kind.endswith("_close"):
            marks.pop()
        elif kind == "hardbreak":
            yield {"type": "hardBreak"}
        elif kind == "code_inline":
            yield text(token.content, (*_once(marks), {"type": "code"}))
        elif kind == "image":
            yield {"type": "image", "attrs": {"src": str(token.attrs.get("src", "")), "alt": _words(token)},
                   "marks": _once(marks)}  # fmt: skip
        elif words := " " if kind == "softbreak" else token.content:
            yield text(words, _once(marks))


def _once(marks: Iterable[Node]) -> list[Node]:
    """Marks in the order in which they were begun, the same kind once."""
    return list({mark["type"]: mark for mark in marks}.values())


def _words(image: Token) -> str:
    return "".join(" " if one.type == "softbreak" else one.content for one in image.children or ())


# --- words that are no markup ----------------------------------------------------------------------------------------


class Markup(str):
    """A piece of Markdown that is markup already, among pieces that are words."""


class Link(Markup):
    """A link, which can take the signs around it into itself."""

    words: str
    address: str

    def __new__(cls, words: str, address: str) -> Link:
        """A link around words that are Markdown."""
        target = f"<{address}>" if set(address) & set(" ()<>") else address
        made = super().__new__(cls, f"[{words}]({target})")
        made.words, made.address = words, address
        return made

    def with_sign(self, sign: str) -> Link:
        """The same link, its words as a phrase."""
        return Link(f"{sign}{self.words}{sign}", self.address)


class Bare(Link):
    """A link whose words are its own address, between angle brackets."""

    def __new__(cls, address: str, shown: str = "") -> Bare:
        """A link to an address; `shown` without what every address of its kind begins with."""
        made = Markup.__new__(cls, f"<{shown or address}>")
        made.words, made.address = shown or address, address
        return made


class Sign(Markup):
    """A sign that begins a phrase, or ends one; each is followed by, or follows, the one that goes with it."""

    opens: bool

    def __new__(cls, sign: str, *, opens: bool) -> Sign:
        """A sign such as `**`."""
        made = super().__new__(cls, sign)
        made.opens = opens
        return made


_BEGINS: Final = re.compile(
    r"[#>]|[-+*](?:\s|$)|\d{1,9}[.)](?:\s|$)|```|~~~|=+\s*$|-{2,}\s*$|([-*_])\s*(?:\1\s*){2,}$|(?=[|:\s-]*-)[|:-][|:\s-]*$"
)
_ALWAYS: Final = re.compile(
    r"`|\\(?=[!-/:-@\[-`{-~\n]|$)|\](?=[(\[:])|~(?=~)|(?<=~)~"
    r"|<(?=[A-Za-z][A-Za-z0-9+.-]{1,31}:|[^\s<>@]{1,64}@)"
    r"|&(?=#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|([A-Za-z][A-Za-z0-9]{1,31};))"
)
_EMPHASIS: Final = re.compile(r"\*+|_+")
_CLOSING_SIGNS: Final = re.compile(r"(^|\s)(#+)$")


def joined(pieces: Iterable[str]) -> str:
    """The Markdown of a line made of words and of markup: what is words is read as just them, and as little as
    possible is escaped for it."""
    whole: list[str] = []
    for piece in pieces:
        if whole and not isinstance(piece, Markup) and not isinstance(whole[-1], Markup):
            whole[-1] += piece
        elif piece:
            whole.append(piece)
    whole = _standing(whole)
    escaped = _without_emphasis(whole)
    for at, piece in enumerate(whole[1:], 1):
        if piece.startswith("[") and isinstance(piece, Markup) and escaped[at - 1].endswith("!"):
            escaped[at - 1] = f"{escaped[at - 1][:-1]}\\!"  # or the link would be a picture
    return "".join(escaped)


def _standing(pieces: list[str]) -> list[str]:
    """The pieces, changed where Markdown would take no sign for one: between punctuation and a letter. The punctuation
    goes to the other side of the sign; where there is only a link or code, the phrase stands without its signs."""
    kept: list[str] = list(pieces)
    leading: dict[int, Markup] = {}
    ending: dict[int, Markup] = {}
    left, right = _neighbours(pieces)
    for start, end in _phrases(pieces):
        if right[start] > end:  # nothing is in it
            kept[start] = kept[end] = ""
            continue
        for at, inner, outer in ((start, right[start], left[start]), (end, left[end], right[end])):
            words = kept[inner]
            around = kept[outer] if 0 <= outer < len(kept) else ""
            if outer in (ending if at == start else leading):
                continue
            before, after = (0, -1) if at == start else (-1, 0)
            if not words or _stands(words[before], around and around[after]):
                continue
            signs = "".join({char for char in words if _is_sign(char)})
            letters = words.lstrip(signs) if at == start else words.rstrip(signs)
            if not isinstance(words, Markup) and not isinstance(around, Markup) and letters:
                kept[inner] = letters
                kept[outer] = around + words[: -len(letters)] if at == start else words[len(letters) :] + around
            elif inner == left[end] == right[start] and isinstance(words, Link):
                kept[inner], kept[start], kept[end] = words.with_sign(pieces[start]), "", ""
                break
            elif not isinstance(around, Markup):  # the letter as an entity, which begins and ends with punctuation
                entity = Markup(f"&#{ord(around[after])};")
                (ending if at == start else leading)[outer] = entity
                kept[outer] = around[:-1] if at == start else around[1:]
            else:
                kept[start] = kept[end] = ""
                break
    whole = (one for at, piece in enumerate(kept) for one in (leading.get(at, ""), piece, ending.get(at, "")))
    return [piece for piece in whole if piece]


def _phrases(pieces: list[str]) -> Iterator[tuple[int, int]]:
    """Where phrases begin and end, the inner ones first."""
    begun: list[int] = []
    for at, piece in enumerate(pieces):
        if isinstance(piece, Sign) and piece.opens:
            begun.append(at)
        elif isinstance(piece, Sign) and begun:
            yield begun.pop(), at


def _neighbours(pieces: list[str]) -> tuple[list[int], list[int]]:
    """For each piece the places of those before and after it, signs of its own kind passed over."""
    left, right = list(range(-1, len(pieces) - 1)), list(range(1, len(pieces) + 1))
    for at in range(1, len(pieces)):
        if _of_one_kind(pieces[at - 1], pieces[at]):
            left[at] = left[at - 1]
    for at in range(len(pieces) - 2, -1, -1):
        if _of_one_kind(pieces[at], pieces[at + 1]):
            right[at] = right[at + 1]
    return left, right


def _of_one_kind(one: str, other: str) -> bool:
    return isinstance(one, Sign) and isinstance(other, Sign) and one[0] == other[0]


def _stands(inner: str, outer: str) -> bool:
    """Whether a sign between these is one for Markdown."""
    return not inner.isspace() and (not _is_sign(inner) or not outer or outer.isspace() or _is_sign(outer))


def _is_sign(char: str) -> bool:
    return bool(char) and category(char)[0] in "PS"


def _punctuation(words: str) -> str:
    return "".join({char for char in words if _is_sign(char)})


def _without_emphasis(pieces: list[str]) -> list[str]:
    """The pieces, words escaped; a sign that could emphasise is, unless there is no other that it could go with."""
    able: dict[str, int] = {}
    runs: list[list[re.Match[str]]] = []
    for at, piece in enumerate(pieces):
        found: list[re.Match[str]] = []
        if isinstance(piece, Markup):
            for sign in "*_" if piece[0] not in "`<" else "":
                able[sign] = able.get(sign, 0) + piece.count(sign)
        else:
            before, after = pieces[at - 1][-1:] if at else "", pieces[at + 1][:1] if at + 1 < len(pieces) else ""
            found = [run for run in _EMPHASIS.finditer(piece) if _could(run, before, after)]
            for run in found:
                able[run[0][0]] = able.get(run[0][0], 0) + 1
        runs.append(found)
    written: list[str] = []
    for piece, found in zip(pieces, runs, strict=True):
        if isinstance(piece, Markup):
            written.append(piece)
            continue
        parts: list[str] = []
        at = 0
        for run in found:
            if able[run[0][0]] > 1:
                parts += [_ALWAYS.sub(_kept, piece[at : run.start()]), "".join(f"\\{sign}" for sign in run[0])]
                at = run.end()
        escaped = "".join([*parts, _ALWAYS.sub(_kept, piece[at:])])
        if escaped.startswith("~") and written:  # beside the signs of a phrase it would be one of them
            escaped = f"\\{escaped}"
        if escaped.endswith("~") and not escaped.endswith("\\~") and len(written) < len(pieces) - 1:
            escaped = f"{escaped[:-1]}\\~"
        written.append(escaped)
    return written


def _kept(found: re.Match[str]) -> str:
    return found[0] if found[1] and found[1] not in html5 else f"\\{found[0]}"


def _could(run: re.Match[str], before: str, after: str) -> bool:
    """Whether signs could begin or end emphasis where they stand."""
    words = run.string
    left = words[run.start() - 1] if run.start() else before
    right = words[run.end()] if run.end() < len(words) else after
    if run[0][0] == "_" and left.isalnum() and right.isalnum():
        return False
    return bool(left.strip() or right.strip())


def guarded(line: str) -> str:
    """A line of a paragraph, kept from beginning a heading, a list, a quote, a table, a rule or a block of code."""
    if _BEGINS.match(line) is None:
        return line
    number = re.match(r"\d+", line)
    return f"{number[0]}\\{line[number.end() :]}" if number else f"\\{line}"


def heading(level: int, words: str) -> str:
    """A heading; signs at its end stay."""
    return f"{'#' * level} {_CLOSING_SIGNS.sub(lambda found: f'{found[1]}{chr(92)}{found[2]}', words)}".rstrip()


def link(pieces: Iterable[str], address: str) -> Link:
    """A link around words and markup; brackets in its words go in pairs or are escaped."""
    whole = list(pieces)
    depth = least = 0
    for found in re.finditer(r"[\[\]]", "".join(piece for piece in whole if not isinstance(piece, Markup))):
        depth += 1 if found[0] == "[" else -1
        least = min(least, depth)
    if depth or least:
        whole = [part for piece in whole for part in _without_brackets(piece)]
    return Link(" ".join(joined(whole).split()), address)


def _without_brackets(piece: str) -> list[str]:
    if isinstance(piece, Markup):
        return [piece]
    return [Markup(f"\\{part}") if part in {"[", "]"} else part for part in re.split(r"([\[\]])", piece)]


def fenced(code: str, language: str = "") -> str:
    """Code as a fenced block, with a fence that it does not hold itself."""
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", code)), default=0))
    named = language if _LANGUAGE.fullmatch(language) else ""
    return f"{fence}{named}\n{code.strip(chr(10))}\n{fence}"


def coded(code: str) -> Markup:
    """Code within a line, between signs that it does not hold itself."""
    fence = "`" * (1 + max(map(len, re.findall(r"`+", code)), default=0))
    padded = "`" in code or (code.strip() and code[0] == code[-1] == " ")
    return Markup(f"{fence} {code} {fence}" if padded else f"{fence}{code}{fence}")
