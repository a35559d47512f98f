"""Sections of a card's text, written where nobody wrote but we; all else stays as it is, to the character. Pure.

What stands in a section is compared by what it says: the vendor's editor writes the same thing with other marks, other
blanks, and invisible characters where a paragraph is empty.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.records import Fill
from connectors.trello.markup import is_ours_alone, without_lines_of_ours

_HEADING = re.compile(r"^ {0,3}(#{1,6})(?=[ \t]|$)")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_NUMBER = re.compile(r"\d+[\W_]+(?=\w)")

_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_LINK = re.compile(r"\[([^\[\]\n]{1,2000})\]\(<?([^()\s<>]{1,2000})>?(?:\s{1,9}\"[^\"\n]{0,200}\")?\)")
_AUTOLINK = re.compile(r"<(https?://[^<>\s]{1,2000})>")
_RULE = frozenset("|-: \t")
_LINE_MARK = re.compile(r"^[ \t]*(?:(?:>|[-*+•]|#{1,6})(?:[ \t]+|$)|>)+")
_EMPHASIS = re.compile(r"(?<!\w)(?:[*_]+|~~|`+)(?=\S)|(?<=\S)(?:[*_]+|~~|`+)(?!\w)")
_ASIDE = 0xE000
"""Escaped signs are put aside there, in Unicode's private use, while marks are taken out."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text after fills: what became of them by their headings, as in `Filled`."""

    text: str
    written: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Heading:
    """A heading: where its line begins, where what follows begins, its level and what it is called."""

    start: int
    end: int
    level: int
    called: str


def written_into(text: str, fills: Sequence[Fill]) -> Written:
    """The text with these sections written, as far as nobody wrote there. A section goes from its heading to the next
    one of its level or above, or to another heading of ours; a heading that is there twice is nobody's to write
    under. Our marker and notes at the end of a text belong to no section."""
    ours = {_called(fill.heading) for fill in fills}
    written: list[str] = []
    left: list[str] = []
    for fill in fills:
        found = _section(text, _called(fill.heading), ours)
        body = without_headings(fill.body)
        if found is None or not _is_ours(text[slice(*found)], body, fill.former):
            left.append(fill.heading)
            continue
        written.append(fill.heading)
        if plain(text[slice(*found)]) != plain(body):
            text = _spliced(text, found, body)
    return Written(text, tuple(written), tuple(left))


def _is_ours(there: str, body: str, former: Sequence[str]) -> bool:
    says = plain(there)
    return says in {"", plain(body), *(plain(without_headings(one)) for one in former)}


def _spliced(text: str, place: tuple[int, int], body: str) -> str:
    """The text with a body in place of what stands there; the blank lines around that stay."""
    start, end = place
    there = text[start:end]
    kept = there.strip()
    if kept:
        begin = start + there.index(kept)
        return text[:begin] + body + text[begin + len(kept) :]
    before = "\n" if text[:start].endswith("\n") else "\n\n"
    return text[:start] + before + body + ("\n\n" + text[end:] if text[end:] else "")


def without_headings(body: str) -> str:
    """A body that divides nothing: its headings are bold lines, and lines that only we write are left out."""
    lines = []
    for line, _, fenced in _lines(without_lines_of_ours(body.strip())):
        found = None if fenced else _heading(line)
        lines.append(line.rstrip("\r\n") if found is None else f"**{found[1]}**" if found[1] else "")
    return "\n".join(lines).strip()


def _section(text: str, called: str, ours: set[str]) -> tuple[int, int] | None:
    """From where to where the only section of that name goes, without its heading; None for none, several, or one in
    which somebody wrote below our last line."""
    lines = _lines(text)
    headings = [
        _Heading(start, start + len(line), found[0], _called(found[1]))
        for line, start, fenced in lines
        if not fenced and (found := _heading(line)) is not None
    ]
    mine = [place for place, one in enumerate(headings) if one.called == called]
    if len(mine) != 1:
        return None
    head = headings[mine[0]]
    after = headings[mine[0] + 1 :]
    end = next((one.start for one in after if one.level <= head.level or one.called in ours), len(text))
    inside = [(line, start) for line, start, fenced in lines if head.end <= start < end and not fenced]
    last = next((start for line, start in inside if is_ours_alone(line)), None)
    if last is None:
        return head.end, end
    below = (line for line, start, _ in lines if last <= start < end and not is_ours_alone(line))
    return None if any(line.strip() for line in below) else (head.end, last)


def _heading(line: str) -> tuple[int, str] | None:
    """The level of a heading and its text; None for another line."""
    found = _HEADING.match(line)
    if found is None:
        return None
    text = line[found.end() :].strip()
    bare = text.rstrip("#")
    return len(found[1]), bare.rstrip() if bare != text and (not bare or bare[-1].isspace()) else text


def _lines(text: str) -> list[tuple[str, int, bool]]:
    """The lines with their ends, where they begin, and whether they are code."""
    found: list[tuple[str, int, bool]] = []
    start, fence = 0, ""
    for line in re.findall(r"[^\n]*\n|[^\n]+\Z", text):
        mark = _FENCE.match(line.rstrip("\r\n"))
        closes = bool(mark and fence and mark[1].startswith(fence) and not mark[2].strip())
        opens = bool(mark and not fence and not (mark[1][0] == "`" and "`" in mark[2]))
        found.append((line, start, bool(fence) or opens))
        fence = "" if closes else mark[1] if opens and mark else fence
        start += len(line)
    return found


def _called(heading: str) -> str:
    """A heading by its words alone: its number, its signs and its letters' case aside."""
    text = plain(heading).casefold()
    words = [place for place, char in enumerate(text) if char.isalnum()]
    bare = text[words[0] : words[-1] + 1] if words else ""
    return _NUMBER.sub("", bare, count=1) if _NUMBER.match(bare) else bare


def plain(text: str) -> str:
    """What a text says, without how it is marked up. Addresses, ticks and numbers are part of what it says."""
    lines = [_line(line) for line in _INVISIBLE.sub("", text).splitlines()]
    return " ".join(" ".join(lines).split())


def _line(line: str) -> str:
    if "-" in line and _RULE.issuperset(line):  # a rule, or the line below the head of a table
        return ""
    line = _ESCAPED.sub(lambda found: chr(_ASIDE + ord(found[1])), line)
    line = _AUTOLINK.sub(r"\1", _LINK.sub(_link, _LINE_MARK.sub("", line)))
    line = _EMPHASIS.sub("", line.replace("|", " | "))
    return "".join(chr(ord(char) - _ASIDE) if _ASIDE <= ord(char) < _ASIDE + 128 else char for char in line)


def _link(found: re.Match[str]) -> str:
    return found[2] if found[1] == found[2] else f"{found[1]} {found[2]}"
