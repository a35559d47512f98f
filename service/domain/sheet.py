"""Tables as CSV for spreadsheets, in which no text of anybody's is a formula. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_AFTER_SEPARATOR = re.compile(r"([;\t\r\n][\s\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")


def sheet(headings: Sequence[str], lines: Iterable[Iterable[object]]) -> str:
    """A table as CSV, its headings first; no cell of it is a formula."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([safe(cell) for cell in line] for line in lines)
    return out.getvalue()


def safe(cell: object) -> object:
    """The cell, text that a spreadsheet would take for a formula made text again by an apostrophe before it.

    What parts cells elsewhere (`;`, a tab, a line end) begins one there: a program that splits at it would find the
    formula that stands after it, so it gets its apostrophe too.
    """
    if not isinstance(cell, str):
        return cell
    words = cell.lstrip()
    within = _AFTER_SEPARATOR.sub(r"\1'", words)
    begins = words.startswith(_SIGNS) or cell.startswith(("\t", "\r"))
    return f"{chr(39) if begins else ''}{cell[: len(cell) - len(words)]}{within}"
