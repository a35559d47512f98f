"""The lines of a section, and the rows of its tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.audit.prose import plain
from service.domain.audit.sections import Section, plain_of


def rows_of(section: Section) -> Iterator[tuple[str, str]]:
    """Each line of the section as it was written and in plain words; of a table, each row but the header."""
    for block in section.blocks:
        if block.table is not None:
            yield from ((" | ".join(row), line) for row in block.table.rows if (line := _plain_row(row)))
        else:
            raw = [line for line in block.text.split("\n") if line.strip()]
            told = plain_of(block)
            yield from zip(raw, told, strict=True) if len(raw) == len(told) else ((block.text, "\n".join(told)),)


def _plain_row(row: tuple[str, ...]) -> str:
    return " | ".join(" ".join(plain(cell).split()) for cell in row).strip(" |")
