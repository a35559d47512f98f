"""The text of a card: Markdown as it is, an invisible last line that says which item it is, and the rest of a text that
is too long. Pure.

Trello shows Markdown, so nothing is rewritten. The marker is a link definition that nothing refers to: Markdown shows
nothing of it. A person who edits the text sees it as one odd line at the end; whether the newer editor keeps it is
unsure, so it serves to find items again whose reference is not known, and for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from connectors.trello.layout import COMMENTS, TEXT_LIMIT
from connectors.values import ItemKey

OF_BOARD = "board:"
"""Stands for the project in the marker of a board that phaseloop made; the key it was made for stands for the item."""

_MARKER = re.compile(r"^\[//\]: # \(phaseloop (\S+) (\S+)\)[ \t]*$", re.MULTILINE)
_PART = re.compile(r"^\[//\]: # \(phaseloop-part (\d{1,4}) (\S+)\)[ \t]*$", re.MULTILINE)
_CONTINUES = "*The text is longer than Trello keeps in a description; it continues in the comments below.*"
_SHORTENED = "*The text was cut here: it is longer than a card and its comments hold.*"
_SAFE = ":@>-_.~"


def marker_line(uid: str, key: str) -> str:
    """The invisible line that says which item of which project a card is."""
    return f"[//]: # (phaseloop {quote(uid, safe=_SAFE)} {quote(key, safe=_SAFE)})"


def marks(text: str) -> tuple[str, ItemKey] | None:
    """The project and the item that a text is marked with; None for a text that is not ours."""
    found = _MARKER.findall(text)
    return (unquote(found[-1][0]), ItemKey(unquote(found[-1][1]))) if found else None


def marked(text: str, uid: str, key: str) -> str:
    """The text with its marker, which replaces any other."""
    plain = without_marker(text)
    line = marker_line(uid, key)
    return f"{plain}\n\n{line}" if plain else line


def without_marker(text: str) -> str:
    """The text as people mean it: without markers and blank ends."""
    return _MARKER.sub("", text).strip()


def without_lines_of_ours(text: str) -> str:
    """A text in which no line can be taken for a marker, or for that of a part."""
    return _PART.sub("", _MARKER.sub("", text))


def is_ours_alone(line: str) -> bool:
    """Whether a line is a marker or a note that only we write."""
    plain = line.strip()
    return plain in {_CONTINUES, _SHORTENED} or bool(_MARKER.fullmatch(plain) or _PART.fullmatch(plain))


def normalised(text: str) -> str:
    """A text that can be compared: one kind of line end, no blanks at line ends, no marker."""
    lines = without_marker(text.replace("\r\n", "\n")).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def description(text: str, uid: str, key: str, most: int = COMMENTS) -> tuple[str, tuple[str, ...]]:
    """A card's description with its marker, and the comments that hold what does not fit, each marked as a part.

    Cut at the end of a paragraph or line where there is one. What is longer than `most` comments together is left
    out, with a note at the end that says so.
    """
    line = marker_line(uid, key)
    room = TEXT_LIMIT - len(line) - 2
    if len(text) <= room:
        return marked(text, uid, key), ()
    note = _CONTINUES if most else _SHORTENED
    first, rest = _cut(text, room - len(note) - 2)
    comments: list[str] = []
    while rest and len(comments) < most:
        line = part_line(key, len(comments) + 1)
        room = TEXT_LIMIT - len(line) - 2
        last = len(comments) + 1 == most and len(rest) > room
        part, rest = _cut(rest, room - len(_SHORTENED) - 2) if last else _cut(rest, room)
        comments.append(f"{part}\n\n{_SHORTENED}\n\n{line}" if last else f"{part}\n\n{line}")
    return marked(f"{first}\n\n{note}", uid, key), tuple(comments)


def part_line(key: str, number: int) -> str:
    """The invisible line at the end of a comment that holds a part of a card's text."""
    return f"[//]: # (phaseloop-part {number} {quote(key, safe=_SAFE)})"


def is_part(comment: str) -> bool:
    """Whether a comment holds a part of a card's text, and so is ours."""
    return _PART.search(comment) is not None


@dataclass(frozen=True, slots=True)
class TextPart:
    """A comment that holds a part of a card's text: which one, of which item, and the text without the line that
    says so. `full` says that nothing more would have fitted in, so the text was cut in the middle of a word."""

    number: int
    key: ItemKey
    text: str
    full: bool = False


def part_of(comment: str) -> TextPart | None:
    """The part of a card's text that a comment holds; None for a comment that is somebody's word."""
    found = _PART.search(comment)
    if found is None:
        return None
    text = (comment[: found.start()] + comment[found.end() :]).rstrip()
    room = TEXT_LIMIT - len(found[0].rstrip()) - 2
    return TextPart(int(found[1]), ItemKey(unquote(found[2])), text, len(text) == room)


def continues(desc: str) -> bool:
    """Whether a description says that the text continues in comments."""
    return _CONTINUES in desc


def whole(desc: str, parts: Iterable[TextPart]) -> str:
    """A card's whole text without markers: its description, and where that says so, the parts in the comments."""
    text = without_marker(desc)
    first, says, after = text.partition(_CONTINUES)
    if not says:
        return text
    mark = _MARKER.search(desc)
    room = TEXT_LIMIT - len(mark[0].rstrip()) - 4 - len(_CONTINUES) if mark else 0
    joined = first.rstrip()
    full = len(joined) == room
    for part in parts:
        joined += _joint(joined, part.text, full) + part.text
        full = part.full
        if len(part.text) < TEXT_LIMIT // 2 - 512:
            break  # so short is only the last one; further comments are of a longer text that was there before
    return f"{joined}\n\n{after.strip()}".strip()


def _joint(before: str, after: str, full: bool) -> str:
    """What stood where a text was cut: nothing in a word, the end of a line in a table, else that of a paragraph."""
    if full or not after or after[0] == " ":
        return ""
    in_table = before.rpartition("\n")[2].startswith("|") and after.startswith("|")
    return "\n" if in_table else "\n\n"


def _cut(text: str, limit: int) -> tuple[str, str]:
    if len(text) <= limit:
        return text, ""
    for end in ("\n\n", "\n", " "):
        place = text.rfind(end, limit // 2, limit)
        if place > 0:
            return text[:place].rstrip(), text[place:].lstrip("\n")
    return text[:limit], text[limit:]
