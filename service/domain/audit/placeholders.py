"""What stands where an answer should be: TBD, lorem ipsum, empty tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.domain.audit.numbers import KEY
from service.domain.audit.phrases import PLACEHOLDER
from service.domain.audit.prose import ADDRESS, count, fold, plain
from service.domain.audit.sections import Kind, Section, Table
from service.domain.audit.vocabulary import speaks_of

_SHOUTED = re.compile(r"(?<![\w`/.-])(?:TBD|TBA|T\.B\.D\.?|FIXME|XXX|TODO(?=\s*(?::|$|[.,;!)|])))(?![\w`/-])|\?{3,}")
_FILL_IN = re.compile(
    r"<\s?(?:fill|insert|your|add|write|enter|todo|tbd|xx)[^<>]{0,60}>"
    r"|\[\s?(?:fill|insert|your|enter|tbd|todo)\b[^\[\]]{0,60}\](?!\()",
    re.IGNORECASE,
)
_MOST_WORDS = 6
"""A line of at most so many words that has such a phrase is nothing but a placeholder."""
_BRACKETED = re.compile(
    r"^\W{0,4}(?:\[[^\]]{1,80}\]|<[^>]{1,80}>|\{\{?[^}]{1,80}\}\}?|[(\uff08][^)\uff09]{1,80}[)\uff09])[\s.*_]*$"
)
"""A line that is nothing but something in brackets."""
_BLANKS = re.compile(
    r"(?<![\w`])(?:XX+(?:\.X+)?|_{3,}|\.{4,})(?:\s?%)?(?![\w`-])|(?<![\w`])[A-Z]{2,10}-(?:X{2,}|N{2,})(?!\w)"
)
"""Where a number or a key is to be put."""
_EMPTY = re.compile(r"^\W{0,4}[^\W\d][\w /().-]{0,40}[:\uff1a]\s*%?$")
"""A label with nothing after it."""
_CODE = re.compile(r"`[^`\n]{1,400}`")


def is_placeholder(text: str) -> bool:
    """Whether a plain text stands where an answer should be: it says that it is to be written, or has no word."""
    if _SHOUTED.search(text) or _FILL_IN.search(text):
        return True
    words = count(text)
    if not words:
        return bool(text.strip(" |-"))
    folded = fold(text)
    if words <= _MOST_WORDS and (_BRACKETED.match(text) or _BLANKS.search(text) or _EMPTY.match(text)):
        return True
    if words <= _MOST_WORDS and speaks_of("unfilled", folded) and not any(char.isdigit() for char in folded):
        return True
    return (
        "lorem ipsum" in folded
        or folded.strip(" .:*") in ("todo", "to do", "n.n.", "x", "xx")
        or (words <= _MOST_WORDS and PLACEHOLDER.first(folded) is not None)
    )


def placeholders(section: Section) -> Iterator[str]:
    """What stands in a section where an answer should be, as plain lines; a table without a filled row is told as
    `empty table`. The status of a ticket is none."""
    for block in section.blocks:
        if block.table is not None:
            yield from _in_table(block.table)
        elif block.kind is not Kind.CODE:
            for raw in _CODE.sub(" ", block.text).split("\n"):
                line = plain(raw) or raw.strip()
                if not line or _is_status(line) or (_EMPTY.match(line) and ADDRESS.search(raw)):
                    continue  # what follows a label may be an address, which is no word
                if is_placeholder(line) or _FILL_IN.search(raw):
                    yield line


def _in_table(table: Table) -> Iterator[str]:
    rows = [[plain(cell) for cell in row] for row in table.rows]
    if not any(count(cell) and not is_placeholder(cell) for row in rows for cell in row):
        yield "empty table: " + " | ".join(plain(cell) for cell in table.header)
        return
    for row in rows:
        found = next((cell for cell in row if count(cell) and is_placeholder(cell)), None)
        if found is not None and not _is_status(" ".join(row)):
            yield " | ".join(row)


def _is_status(line: str) -> bool:
    """Whether the line tells of a ticket that is to do, and leaves nothing else open."""
    return KEY.search(line) is not None and "TBD" not in line and "???" not in line
