"""Collects what phaseloop tells people about records, in its documentation and in what findings say to write, so that a
copy of it in a record is known. `make told` adds what is new; what was told once stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from service.domain.audit import copies
from service.domain.audit.prose import plain, sentences
from service.domain.audit.sections import Kind, parse
from service.domain.audit.text_checks import asked

DOCS = Path(__file__).parents[1] / "docs"
PAGES = (DOCS / "reference" / "audit.md", DOCS / "how-to" / "audit.md")
_QUOTED = re.compile(r'"[^"]*"')
"""An example in a hint: one of the examples, which may come up by chance (`examples.py`)."""
FILE = Path(copies.__file__).with_name("told.txt")


def told() -> Iterator[str]:
    """The sentences of the documentation of the audit and of its hints, in order, each long enough to be known."""
    hints = (_QUOTED.sub(" ... ", one) for one in asked())
    for text in (*(cell for page in PAGES for cell in _cells(page.read_text(encoding="utf-8"))), *hints):
        for sentence in sentences(" ".join(plain(text).split())):
            if copies.is_long(sentence):
                yield sentence


def _cells(markdown: str) -> Iterator[str]:
    for block in parse(markdown):
        if block.table is not None:
            yield from (cell for row in block.table.rows for cell in row)
        elif block.kind not in (Kind.CODE, Kind.HEADING):
            yield block.text


def write() -> None:
    """Add what is told today to the file."""
    known = FILE.read_text(encoding="utf-8").splitlines() if FILE.exists() else []
    FILE.write_text("\n".join(dict.fromkeys((*known, *told()))) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
