"""The links of a record: found in its text and beside it, told by kinds. They are looked at, never opened.

Whether an address is one that a record may lead to is told by `hosts`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from connectors.records import Document
from service.domain.audit.subject import LinkKind
from service.domain.comparison import fold

TEXT: Final = "text"
BESIDE: Final = "link"
FILE: Final = "attachment"

_FOUND: Final = re.compile(
    r"""
      \[(?P<label>[^\[\]\n]{0,500})\]\(\s{0,9}
        (?:<(?P<angled>[^<>\n]{0,4000})>|(?P<inline>[^\s()<>]{0,4000}(?:\([^\s()]{0,500}\)[^\s()<>]{0,4000}){0,9}))
        (?:\s[^()\n]{0,300})?\)?
    | ^\ {0,3}\[(?P<name>[^\[\]\n]{1,500})\]:\s{0,9}<?(?P<defined>[^\s<>]{1,4000})
    | <(?P<auto>[A-Za-z][A-Za-z0-9+.\-]{1,30}:[^<>\s]{1,4000})>
    | (?<![A-Za-z0-9+.\-])(?P<bare>[A-Za-z][A-Za-z0-9+.\-]{1,30}://[^\s<>"`|]{1,4000})
    | (?<![\w./@\-])(?P<www>www\.[^\s<>"`|]{1,4000})
    """,
    re.VERBOSE,
)
_ESCAPED: Final = re.compile(r"\\([_*~#!.+&=?%()\[\]{}|-])")
_HEADING: Final = re.compile(r"\s{0,3}#{1,6}\s+(.*?)[\s#]*$")
_LEAD: Final = re.compile(r"[:\uff1a][\s*_]*$")
_WORDS: Final = re.compile(r"\w")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{1,30}):")
_ROOM: Final = 200
"""How many characters on each side of a link are beside it."""

_NAMES: Final = """
    mailto tel s3 s3a s3n gs gcs az abfs abfss adl wasb wasbs hdfs dbfs runs models mlflow-artifacts azureml hf dvc git
    ssh oci docker arn doi urn sha256 md5
"""
_NO_LINKS: Final = frozenset(_NAMES.split())
"""Schemes that name a thing or a person and are no link: nobody is led there."""

_DENIALS: Final = """
    no not none without missing lacks nor never kein keine keinen keiner ohne nicht fehlt sin ningun ninguna sans aucun
    aucune pas non senza nessun nessuna sem nenhum nenhuma geen zonder niet brak bez nie
"""
_NEGATIONS: Final = frozenset(_DENIALS.split())


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it was found: `label` is its text, `beside` what stands next to it, `source` where it is: `section
    Links`, `text`, `link` (put on the ticket beside its text) or `attachment`."""

    url: str
    label: str = ""
    beside: str = ""
    source: str = TEXT


def links_of(document: Document) -> tuple[Link, ...]:
    """All links of a ticket: those in its text, those beside it, and its attachments."""
    beside = [Link(one.url, one.title, source=BESIDE) for one in document.links]
    files = [Link(one.url, one.name, source=FILE) for one in document.attachments]
    return (*links_in(document.text), *beside, *files)


def links_in(text: str) -> tuple[Link, ...]:
    """The links in a Markdown text, in order: written out, in angle brackets, or under words. What names a thing and
    leads nowhere (s3://..., mailto:...), and places in the text itself, are none."""
    return tuple(_links_in(text))


def kinds_of(link: Link, kinds: Sequence[LinkKind]) -> frozenset[str]:
    """The keys of the kinds that a link is of: one of their words stands in it or beside it (and is not denied there:
    "no model card yet"), or its address has one of their shapes."""
    inside, beside = fold(f"{link.label} \n {link.url}"), fold(f"{link.beside} \n {link.label}")
    found = set()
    for kind in kinds:
        words = _words_of(kind)
        by_words = words is not None and (_says(words, beside) or words.search(inside) is not None)
        if by_words or any(_has_shape(link.url.casefold(), shape.casefold()) for shape in kind.addresses):
            found.add(kind.key)
    return frozenset(found)


def is_ticket(url: str, own: str) -> bool:
    """Whether an address leads to a ticket of the tracker in which the ticket at `own` is: what is called "Run the
    models" there is work, and neither a run nor a model."""
    place = own.rpartition("/")[0]
    return bool(place) and url.startswith(f"{place}/")


def negated(text: str, start: int) -> bool:
    """Whether what begins at `start` of a folded text is denied by a word shortly before it."""
    return bool(_NEGATIONS.intersection(re.findall(r"\w+", text[max(0, start - 40) : start])[-3:]))


def _says(words: re.Pattern[str], folded: str) -> bool:
    return any(not negated(folded, found.start()) for found in words.finditer(folded))


@lru_cache(maxsize=256)
def _words_of(kind: LinkKind) -> re.Pattern[str] | None:
    words = "|".join(_whole(word) for one in kind.words if (word := fold(one)))
    return re.compile(words) if words else None


def _has_shape(url: str, shape: str) -> bool:
    """Whether an address has a shape in which `*` stands for anything; in one go from left to right."""
    first, *middle = shape.split("*")
    if not middle:
        return url == shape
    last = middle.pop()
    if not url.startswith(first) or len(url) < len(first) + len(last) or not url.endswith(last):
        return False
    place, end = len(first), len(url) - len(last)
    for piece in middle:
        found = url.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


def _whole(word: str) -> str:
    """A word on its own; in writing without blanks between words, anywhere."""
    dense = any(unicodedata.name(char, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI")) for char in word)
    return re.escape(word) if dense else rf"(?<!\w){re.escape(word)}(?!\w)"


def _links_in(text: str) -> Iterator[Link]:
    source, lead = TEXT, ""
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading:
            source = f"section {heading.group(1).strip()[:100]}" if heading.group(1).strip() else TEXT
        found = [(one, url) for one in _FOUND.finditer(line) if (url := _address(one))]
        spans = [(one.start(), one.end()) for one, _ in found]
        for place, (one, url) in enumerate(found):
            before = line[max(spans[place - 1][1] if place else 0, one.start() - _ROOM) : one.start()]
            after = line[
                one.end() : min(spans[place + 1][0] if place + 1 < len(spans) else len(line), one.end() + _ROOM)
            ]
            beside = f"{before} {after}"
            label = one.group("label") or one.group("name") or ""
            if not _WORDS.search(beside) and len(found) == 1:
                beside = lead
            yield Link(url, label.strip(), beside.strip(), source)
        if heading:
            lead = heading.group(1)
        elif not found and line.strip() and not line.lstrip().startswith(">"):
            lead = line[-_ROOM:] if _LEAD.search(line) else ""


def _address(found: re.Match[str]) -> str:
    """The address that was found; empty where it is none that anybody is led to."""
    kind = found.lastgroup or ""
    raw = found.group("angled") or found.group("inline") or found.group("defined") or found.group("auto") or ""
    if kind in ("bare", "www"):
        raw = _trimmed(found.group(kind))
    url = html.unescape(_ESCAPED.sub(r"\1", raw)).strip()
    if kind == "www":
        return f"http://{url}"
    if url.startswith("//"):
        return f"https:{url}"
    scheme = _SCHEME.match("".join(char for char in url if char.isprintable() and not char.isspace()))
    return url if scheme and scheme.group(1).lower() not in _NO_LINKS else ""


def _trimmed(url: str) -> str:
    """An address in running text without the marks that end the sentence around it."""
    while url and (url[-1] in ".,;:!?'*_~]}\u3002\uff0c" or (url[-1] == ")" and url.count(")") > url.count("("))):
        url = url[:-1]
    return url
