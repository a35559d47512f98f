"""People's text as it may be shown: what would hide, turn round or forge text is made visible. Pure."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

_KEPT = frozenset("\t\u200c\u200d\u00ad")
"""Controls that writing needs besides line ends: tabs, joiners (in many scripts, and in emoji), the soft hyphen."""

_LONGEST_ADDRESS = 2000


def visible(text: str) -> str:
    """The text with every control and formatting character that is not of plain writing (overrides of direction, zero
    width, escape sequences) written as `[U+202E]`, and what is no character as the replacement character. Line ends
    are line feeds."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line if line.isprintable() else _told(line) for line in text.split("\n"))


def _told(line: str) -> str:
    return "".join(one if one.isprintable() or one in _KEPT else _named(one) for one in line)


def _named(one: str) -> str:
    category = unicodedata.category(one)
    if category == "Cs":
        return "\ufffd"
    if category in ("Zs", "Co", "Cn"):  # other blanks, private and new characters: odd, but they hide nothing
        return one
    return f"[U+{ord(one):04X}]"


def address(url: str) -> str | None:
    """The address if it may be followed from a page: http or https, with a host, without a user's name or anything
    that is not printable. None for all others, which are shown as text."""
    if len(url) > _LONGEST_ADDRESS or not url.isprintable() or any(one.isspace() for one in url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    return url
