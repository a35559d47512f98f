"""The cells of the tables that a record's form has, by what their columns are for: read before any sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from service.domain.audit.placeholders import is_placeholder
from service.domain.audit.prose import count, fold, plain
from service.domain.audit.sections import Section, Table, links_of
from service.domain.audit.vocabulary import vocabulary

COLUMNS = ("compared", "target", "period", "version", "change", "ticket", "step", "value", "measure", "dataset")
"""What columns are for, the plainest words first: `reference value` is what is compared with."""


def filled_rows(section: Section, *needed: str) -> Iterator[Mapping[str, str]]:
    """The rows of a section's tables that have a column for all that is needed, and something of their own in each;
    by column, in plain words. A link that stands alone is given by its address."""
    for table in section.tables:
        columns = _columns(table)
        if not set(needed) <= set(columns):
            continue
        for row in table.rows:
            cells = {name: _cell(row[place]) for name, place in columns.items()}
            if all(cells[name] for name in needed):
                yield cells


def column_of(head: str) -> str | None:
    """What a column with this head (Markdown) is for, None where that is not known."""
    folded = fold(plain(head))
    return next((one for one in COLUMNS if vocabulary()[f"column-{one}"].first(folded)), None)


def _columns(table: Table) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, head in enumerate(table.header):
        name = column_of(head)
        if name is not None:
            found.setdefault(name, place)
    return found


def _cell(markdown: str) -> str:
    text = " ".join(plain(markdown).split())
    if text and (is_placeholder(text) or not (count(text) or any(char.isdigit() for char in text))):
        return ""
    return text or next((link.url for link in links_of(markdown)), "")
