"""A team as a table: one person a line, as a spreadsheet saves it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

from service.domain.marked_yaml import MAX_CHARACTERS
from service.domain.marks import Entry, Listing, Marks, Node, Scalar
from service.domain.marks import Mapping as MarkedMapping
from service.domain.problems import InvalidInput, Problem
from service.domain.shape import meant, one_of

COLUMNS = ("person", "email", "account", "roles", "capacity", "absences")
"""The headings, in any order and any letters. `person` and `roles` are required."""

_ALIASES = {"e-mail": "email", "role": "roles", "absence": "absences"}
_REQUIRED = ("person", "roles")
_SEPARATORS = ",;\t"
_LIST = re.compile(r"[;|,\s]+")
_SPAN = re.compile(r"\.\.|/")


def read_table(text: str, source: str) -> Marks:
    """Read a table of members into the same tree that YAML gives, named after the file.

    The separator is the comma, semicolon or tab, whichever the heading line uses most. Raises `InvalidInput` with
    every problem of the table's form; what the cells say is not judged here.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"the text has {len(text):,} characters"
        raise InvalidInput([Problem(source, None, "", message, f"up to {MAX_CHARACTERS:,} are read")])
    rows, problems = _rows(text.removeprefix("\ufeff"), source)
    if not rows:
        fix = f"begin with the headings {','.join(COLUMNS)}"
        raise InvalidInput(problems or [Problem(source, None, "", "the file is empty", fix)])
    (heading_line, headings), *body = rows
    columns, heading_problems = _columns(headings, heading_line, source)
    problems += heading_problems
    for line, cells in body:
        if any(cell.strip() for cell in cells[len(columns) :]):
            message = f"{len(cells)} cells under {len(columns)} headings"
            problems.append(Problem(source, line, "", message, "put cells that hold the separator in quotes"))
    if problems:
        raise InvalidInput(problems)
    members = tuple(_member(dict(zip(columns, cells, strict=False)), line) for line, cells in body)
    entries = {"name": _text(_stem(source), 0), "members": Listing(line=heading_line, items=members)}
    return Marks(source, _mapping(entries, heading_line))


def _rows(text: str, source: str) -> tuple[list[tuple[int, list[str]]], list[Problem]]:
    """The rows that hold anything, each with the line it begins on."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        return rows, [Problem(source, begins, "", f"this is not a table: {error}", "check the quotes from here on")]
    return rows, []


def _columns(headings: Sequence[str], line: int, source: str) -> tuple[list[str], list[Problem]]:
    columns: list[str] = []
    problems: list[Problem] = []
    for heading in headings:
        word = heading.strip().casefold()
        name = _ALIASES.get(word, word)
        if name not in COLUMNS:
            fix = meant(word, COLUMNS) or one_of(COLUMNS)
            problems.append(Problem(source, line, "", f'unknown heading "{heading.strip()[:60]}"', fix))
        elif name in columns:
            problems.append(Problem(source, line, "", f'the heading "{name}" stands twice', "keep one of the two"))
        columns.append(name)
    problems += [
        Problem(source, line, "", f'the heading "{name}" is missing', f"add it; the headings are {', '.join(COLUMNS)}")
        for name in _REQUIRED
        if name not in columns
    ]
    return columns, problems


def _member(cells: Mapping[str, str], line: int) -> Node:
    """A row as a member; an empty cell is an absent field, except that roles are then an empty list."""
    fields: dict[str, Node] = {}
    for name, cell in cells.items():
        words = [word for word in _LIST.split(cell) if word]
        match name:
            case "roles":
                fields[name] = _listing((_text(word, line) for word in words), line)
            case "absences" if words:
                fields[name] = _listing((_absence(word, line) for word in words), line)
            case "capacity" if words:
                fields[name] = Scalar(line=line, text=cell.strip(), quoted=False)
            case _ if words:
                fields[name] = _text(cell.strip(), line)
    return _mapping(fields, line)


def _absence(written: str, line: int) -> Node:
    """`2026-03-02..2026-03-06`, with `/` for `..` as well, or a single date."""
    first, *rest = _SPAN.split(written)
    if len(rest) != 1:
        return _text(written, line)
    return _mapping({"from": _text(first, line), "to": _text(rest[0], line)}, line)


def _text(text: str, line: int) -> Scalar:
    return Scalar(line=line, text=text, quoted=True)


def _listing(items: Iterable[Node], line: int) -> Listing:
    return Listing(line=line, items=tuple(items))


def _mapping(fields: Mapping[str, Node], line: int) -> MarkedMapping:
    return MarkedMapping(line=line, entries=tuple(Entry(name=n, line=line, value=v) for n, v in fields.items()))


def _stem(source: str) -> str:
    """The file's name without folders and ending."""
    name = re.split(r"[/\\]", source)[-1]
    return (name.rpartition(".")[0] or name).strip() or "team"
