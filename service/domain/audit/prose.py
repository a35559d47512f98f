"""Reading what people write: plain words of Markdown, phrases in many languages, and how alike two texts are. All of it
takes time in proportion to the text, and raises nothing."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import pairwise

QUOTE_LIMIT = 200
"""The most characters of a text that a finding quotes."""

_TAG = re.compile(r"</?[A-Za-z!][^<>]{0,1000}>")
_HIDDEN = re.compile(r"<(/?)(script|style)\b[^<>]{0,1000}>", re.IGNORECASE)
LINK = re.compile(
    r"(?<!\\)!?\[((?:[^\[\]\\\n]|\\.){0,500})\]"
    r"\(\s{0,3}<?([^\s<>()]{1,2048}(?:\([^\s<>()]{0,256}\)[^\s<>()]{0,512}){0,2})>?(?:\s[^()\n]{0,300})?\)"
)
"""A link or image of Markdown: its text, its address."""
ADDRESS = re.compile(r"<?(?<!\w)((?:https?|ftp)://[^\s<>\"|\]]{1,2048})>?", re.IGNORECASE)
"""An address that stands bare or in angle brackets."""
_MARKS = re.compile(r"`{1,3}|~~|(?<![\w\\])[*_]{1,3}(?=\S)|(?<=[^\s\\])[*_]{1,3}(?!\w)|(?<!\\)\*{2,3}")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_WORD = re.compile(r"[^\W_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}][^\W_]+)?")
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]")
"""Characters of scripts that put no blanks between words."""
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_SENTENCE_END = re.compile(
    r"(?<=[.!?;])(?<!\bvs\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bbzw\.)(?<!\bz\.B\.)(?<!\bca\.)(?<!\bno\.)(?<!\bp\.\sej\.)\s+"
    r"|\n+|(?<=[\u3002\uff01\uff1f])"
)


def plain(markdown: str) -> str:
    """The words that a reader sees: no marks, tags, addresses or unseen characters. Line ends are kept, other white
    space is one blank."""
    text = _UNSEEN.sub("", markdown.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    text = _without_hidden(text) if "<" in text else text
    text = LINK.sub(lambda found: found.group(1), text)
    text = ADDRESS.sub("", text)
    text = html.unescape(_MARKS.sub("", _TAG.sub("", text)))
    text = _UNSEEN.sub("", _ESCAPED.sub(r"\1", text))
    return "\n".join(line for line in (" ".join(line.split()) for line in text.split("\n")) if line)


def _without_hidden(text: str) -> str:
    """The text without what stands between the tags of scripts and styles; one that is never closed hides nothing."""
    kept, begin, opened = [], 0, None
    for tag in _HIDDEN.finditer(text):
        if opened is None and not tag.group(1):
            opened = tag
        elif opened is not None and tag.group(1) and tag.group(2).lower() == opened.group(2).lower():
            kept.append(text[begin : opened.start()])
            begin, opened = tag.end(), None
    return "".join([*kept, text[begin:]])


def fold(text: str) -> str:
    """The text as it is compared: no capitals, no accents, one form for each character."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one)).replace(
        "\N{RIGHT SINGLE QUOTATION MARK}", "'"
    )


def flat(text: str) -> str:
    """The text folded character by character: as long as it was, so that places in one are places in the other."""
    if text.isascii():
        return text.lower()
    return "".join((fold(one) or " ")[0] if one > "\x7f" else one.lower() for one in text)


def word_spans(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The words of a text, flat and with one blank between them and around, and where each stands in the text."""
    flattened = flat(text)
    spans = [one.span() for one in _WORD.finditer(flattened)]
    return f" {' '.join(flattened[start:end] for start, end in spans)} ", spans


def words(text: str) -> list[str]:
    """The words of a plain text, folded, in order."""
    return _WORD.findall(fold(text))


def count(text: str) -> int:
    """How many words a plain text has; where words are not set apart, two characters count as one."""
    dense = len(_DENSE.findall(text))
    return len(_WORD.findall(_DENSE.sub(" ", text) if dense else text)) + (dense + 1) // 2


def sentences(text: str) -> list[str]:
    """The sentences of a plain text, without blanks around them."""
    return [one for part in _SENTENCE_END.split(text) if part and (one := part.strip())]


def clip(text: str) -> str:
    """A text on one line, short enough to be quoted."""
    line = " ".join(text[: 4 * QUOTE_LIMIT].split())
    return line if len(line) <= QUOTE_LIMIT else line[: QUOTE_LIMIT - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def short(text: str) -> str:
    """A text on one line, short enough to be named inside of a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


class Phrases:
    """Phrases to look for. A `*` at the end of a word stands for any ending; all is folded; in scripts with blanks
    only whole words are found."""

    def __init__(self, *phrases: str) -> None:
        self._phrases = phrases

    def told(self) -> tuple[str, ...]:
        """The phrases."""
        return tuple(one.strip() for group in self._phrases for one in group.split("|"))

    @cached_property
    def _shape(self) -> re.Pattern[str]:
        """Made on first use: most commands look for none."""
        told = set(map(fold, self.told())) - {""}
        dense = [one for one in told if _DENSE.match(one[0])]
        spaced = _branches(told.difference(dense))
        shapes = [f"(?<!\\w){spaced}(?!\\w)"] if spaced else []
        return re.compile("|".join([*shapes, *([_branches(dense)] if dense else [])]))

    def first(self, folded: str) -> re.Match[str] | None:
        """The first of them in a folded text."""
        return self._shape.search(folded)

    def all(self, folded: str) -> Iterator[re.Match[str]]:
        """All of them in a folded text, in order."""
        return self._shape.finditer(folded)

    def without(self, folded: str) -> str:
        """A folded text without them."""
        return self._shape.sub(" ", folded)

    def within(self, text: str) -> bool:
        """Whether any is in a plain text."""
        return self._shape.search(fold(text)) is not None


def _branches(phrases: Iterable[str]) -> str:
    """A pattern of any of these, the longer ones first; put apart by their first letters, so that most words of a text
    are passed over at once."""
    by_letter: dict[str, list[str]] = {}
    for phrase in sorted(phrases, key=lambda one: (-len(one), one)):
        shape = re.escape(phrase[1:]).replace(r"\ ", r"[\s,]{1,3}").replace(r"\*", r"\w{0,20}")
        by_letter.setdefault(re.escape(phrase[0]), []).append(shape)
    branches = [f"{letter}(?:{'|'.join(rest)})" for letter, rest in sorted(by_letter.items())]
    return f"(?:{'|'.join(branches)})" if branches else ""


def likeness(one: str, other: str) -> float:
    """How alike two plain texts are, from 0 to 1: the share of pairs of neighbouring words that they have in common,
    counted as often as they come. 0 if either has no word."""
    first, second = _pairs(one), _pairs(other)
    whole = first.total() + second.total()
    if not first or not second:
        return 0.0
    return 2 * (first & second).total() / whole


def _pairs(text: str) -> Counter[tuple[str, ...]]:
    found = list(_tokens(text))
    return Counter(pairwise(found)) if len(found) > 1 else Counter((one,) for one in found)


def _tokens(text: str) -> Iterable[str]:
    for word in words(text):
        if _DENSE.search(word):
            yield from word
        else:
            yield word
