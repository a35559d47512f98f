"""A message as Slack's blocks, within its limits: 50 blocks, 3,000 characters a text. Pure.

What people wrote is text and nothing else: `&`, `<` and `>` are escaped, so that nobody is mentioned and nothing is
linked by it, and Slack is told to look for neither (`verbatim`). What does not fit is shortened, and says where all of
it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from connectors.messages import Line, Message, Part

TEXT = 3000
"""The most characters of one text, as Slack counts them: escaped."""
BLOCKS = 50
TOTAL = 11_000
"""Characters of all blocks together. Slack refuses longer messages (`msg_blocks_too_long`) and does not say from where
on."""
TITLE = 300

_MORE = " …"
_KEPT_FREE = 3
"""Blocks that are kept for what stands at the end: that it was shortened, the link, the small print."""
_END = 500
"""The most characters of each of these; the link has twice as many."""

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def escaped(text: str, most: int = TEXT) -> str:
    """Text that people wrote, so that Slack shows it as it is; at most so many characters of the escaped form."""
    parts: list[str] = []
    length, fits = 0, 0
    for character in _plain(text):
        one = _ESCAPED.get(character, character)
        length += _width(one)
        if length > most:
            return "".join(parts[:fits]).rstrip() + _MORE
        parts.append(one)
        if length <= most - len(_MORE):
            fits = len(parts)
    return "".join(parts)


def _plain(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def _width(text: str) -> int:
    """Characters as JavaScript and Java count them: what lies beyond the basic plane is two. The safer of two ways."""
    return len(text) + sum(ord(one) > 0xFFFF for one in text)


def width(text: str) -> int:
    """How long a text is by the stricter way of counting."""
    return _width(text)


def linked(text: str, url: str, most: int = TEXT) -> str:
    """A text that leads somewhere; the text alone where the address cannot be written as one."""
    address = _address(url)
    if not address or len(address) + 4 >= most // 2:
        return escaped(" ".join(text.split()), most)
    shown = escaped(" ".join(text.split()).replace("|", "¦"), most - len(address) - 3)
    return f"<{address}|{shown or address}>"


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return "".join(
        one if one.isascii() and one.isprintable() and one not in "<>|&\"' " else _quoted(one) for one in url
    )


def _quoted(character: str) -> str:
    if character == "&":
        return "&amp;"
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))


class _Layout:
    """Lays texts out, and remembers whether anything had to be shortened."""

    def __init__(self) -> None:
        self.shortened = False

    def cut(self, text: str, most: int) -> str:
        """The text, escaped, within so many characters."""
        self._note(text, most)
        return escaped(text, most)

    def _note(self, text: str, most: int) -> None:
        escaped_whole = sum(_width(_ESCAPED.get(one, one)) for one in _plain(text))
        self.shortened = self.shortened or escaped_whole > most

    def texts(self, parts: tuple[Part, ...]) -> Iterator[str]:
        """The parts as texts of sections: a list that is longer than one continues in the next."""
        for part in parts:
            current = f"*{self.cut(_one_line(part.title), TITLE)}*" if part.title else ""
            if part.text:
                current += "\n" if current else ""
                current += self.cut(part.text.strip(), TEXT - _width(current))
            for line in part.lines:
                row = self._row(line)
                if current and _width(current) + 1 + _width(row) > TEXT:
                    yield current
                    current = row
                else:
                    current = f"{current}\n{row}" if current else row
            if current:
                yield current

    def _row(self, line: Line) -> str:
        self._note(_one_line(line.text), _ROW // 2)
        shown = linked(line.text, line.url, _ROW)
        more = self.cut(_one_line(line.more), _ROW // 2)
        return f"• {shown}{f' {more}' if more else ''}"


_ROW = 600
"""The most characters of a line of a list, without what follows it."""


def body_of(message: Message) -> dict[str, Any]:
    """The message's `text` (for notifications, and for who sees no blocks) and `blocks`."""
    layout = _Layout()
    texts = [f"*{layout.cut(_one_line(message.title), TITLE)}*"]
    used = _width(texts[0])
    for text in layout.texts(message.parts):
        if len(texts) >= BLOCKS - _KEPT_FREE or used + _width(text) > TOTAL:
            layout.shortened = True
            break
        texts.append(text)
        used += _width(text)
    blocks = [_section(text) for text in texts]
    if layout.shortened and message.rest:
        blocks.append(_section(escaped(message.rest, _END)))
    if message.url:
        blocks.append(_section(linked(message.link, message.url, 2 * _END)))
    if message.foot:
        blocks.append({"type": "context", "elements": [_mrkdwn(escaped(_one_line(message.foot), _END))]})
    first = next((part.text for part in message.parts if part.text), "")
    told = _one_line(message.title) + (f"\n{first}" if first and first != message.title else "")
    return {"text": escaped(told), "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text or " ", "verbatim": True}


def _one_line(text: str) -> str:
    return " ".join(text.split())
