"""A team as a table: one person a line, as a spreadsheet saves it."""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.domain.file_forms import form_of
from service.domain.problems import InvalidInput, Problem
from service.domain.template.marked_yaml import MAX_CHARACTERS
from service.domain.template.shape import meant, one_of
from service.domain.template.yaml_marks import Entry, Listing, Marks, Node, Scalar
from service.domain.template.yaml_marks import Mapping as MarkedMapping

COLUMNS = ("person", "email", "account", "roles", "capacity", "absences")
"""The headings, in any order and any letters. `person` and `roles` are required."""

IGNORED = "-"
"""Where a column is asked for: the heading is none of ours."""

_ALIASES = {"e-mail": "email", "role": "roles", "absence": "absences"}
_REQUIRED = ("person", "roles")
_HANDLES = ("email", "account")
_SEPARATORS = ",;\t"
_SAYS_SEPARATOR = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)
_IN_ROW = re.compile(r"members\[\d+\]\.(\w+).*")
_CELLS = {
    "absences": "write days as 2026-04-13 and spans as 2026-04-13..2026-04-24, with spaces between several",
    "capacity": "write a whole number from 0 to 1000, or leave the cell empty for no limit",
}
_LIST = re.compile(r"[;|,\s]+")
_SPAN = re.compile(r"\.\.|/")
_NAMED = 120
"""Characters of the headings that a problem names."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was read: its members as YAML would give them, what the columns are called in the file, and what was
    passed over or taken for something, in words for people."""

    marks: Marks
    headings: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def in_cells(self, problem: Problem) -> Problem:
        """A problem with a member as one with a cell: a table has lines and columns, no fields."""
        found = _IN_ROW.fullmatch(problem.path)
        field = found[1] if found else ""
        if field not in self.headings:
            path = "" if problem.path.startswith("members[") else problem.path
            return Problem(problem.source, problem.line, path, problem.message, problem.fix)
        fix = _CELLS.get(field, problem.fix) if "twice" not in problem.message else problem.fix
        return Problem(problem.source, problem.line, f'column "{self.headings[field]}"', problem.message, fix)


def decoded(raw: bytes, source: str, encoding: str | None = None) -> tuple[str, tuple[str, ...]]:
    """The text of a table as a spreadsheet saved it, and a note where the encoding was guessed.

    A byte order mark says which Unicode it is; what is not UTF-8 is what Windows writes in western Europe, or what
    `encoding` names. Raises `InvalidInput` where it can be neither.
    """
    if (form := form_of(raw)) is not None:
        raise InvalidInput([Problem(source, None, "", f"this is {form[0]}, not a table as text", form[1])])
    try:
        if encoding is not None:
            return raw.decode(encoding).removeprefix("\ufeff"), ()
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            return raw.decode("utf-16"), ("The file is UTF-16, as its first bytes say.",)
        if b"\0" not in raw:
            try:
                return raw.decode("utf-8-sig"), ()
            except UnicodeDecodeError:
                text = raw.decode("cp1252")
            letters = ", ".join(sorted({word for word in re.findall(r"\w+", text) if not word.isascii()})[:3])
            return text, (
                f"The file is not UTF-8; it was read as Windows-1252 (cp1252): {letters or 'look at its signs'}.",
            )
    except LookupError:
        message, fix = f'unknown encoding "{encoding}"', "such as utf-8, utf-16, cp1252 or cp1250"
        raise InvalidInput([Problem(source, None, "", message, fix)]) from None
    except UnicodeError:
        pass
    message = f"the text is not {encoding}" if encoding else "the text is neither UTF-8 nor Windows-1252"
    fix = "save it as CSV UTF-8, or name its encoding (--encoding cp1250)"
    raise InvalidInput([Problem(source, None, "", message, fix)])


def read_table(
    text: str, source: str, given: Mapping[str, str] | None = None, remembered: Mapping[str, str] | None = None
) -> Table:
    """Read a table of members into the same tree that YAML gives, named after the file.

    The separator is what a first line `sep=;` says, else the comma, semicolon or tab, whichever the heading line uses
    most. `given` says which of `COLUMNS` a heading stands for (or `IGNORED`), `remembered` the same from another time,
    for headings that need not be there. Columns of other names are passed over with a note. Raises `InvalidInput` with
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
    columns = _Columns(headings, heading_line, source, given or {}, remembered or {})
    problems += columns.problems
    for line, cells in body:
        if any(cell.strip() for cell in cells[columns.width :]):
            message = f"{len(cells)} cells under {columns.width} headings"
            problems.append(Problem(source, line, "", message, "put cells that hold the separator in quotes"))
    if problems:
        raise InvalidInput(problems)
    members = tuple(
        _member({name: cells[at] for name, at in columns.places.items() if at < len(cells)}, line)
        for line, cells in body
    )
    entries = {"name": _text(_stem(source), 0), "members": Listing(line=heading_line, items=members)}
    marks = Marks(source, _mapping(entries, heading_line))
    return Table(marks, {name: headings[at].strip() for name, at in columns.places.items()}, tuple(columns.notes))


def _rows(text: str, source: str) -> tuple[list[tuple[int, list[str]]], list[Problem]]:
    """The rows that hold anything, each with the line it begins on."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    said = _SAYS_SEPARATOR.fullmatch(first)
    separator = (said[1] or "\t") if said else max(_SEPARATORS, key=first.count)
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
    return rows[1:] if said else rows, []


class _Columns:
    """Which column of a table is which of ours."""

    def __init__(
        self, headings: Sequence[str], line: int, source: str, given: Mapping[str, str], remembered: Mapping[str, str]
    ) -> None:
        self.line, self.source = line, source
        self.width = max((at for at, heading in enumerate(headings, 1) if heading.strip()), default=0)
        self.places: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        words = [_folded(heading) for heading in headings[: self.width]]
        asked = {_folded(heading): column for heading, column in {**remembered, **given}.items()}
        self._check(given, words, headings)
        foreign: list[str] = []
        for at, word in enumerate(words):
            name = asked.get(word, _ALIASES.get(word, word))
            if name in COLUMNS and name in self.places:
                self._problem(f'the heading "{name}" stands twice', "keep one of the two")
            elif name in COLUMNS:
                self.places[name] = at
            elif name != IGNORED and word not in asked:  # one that is asked for as none of our columns is told already
                foreign.append(headings[at].strip())
        self._pass_over(foreign)
        for name in _REQUIRED:
            if name not in self.places:
                self._problem(f'the heading "{name}" is missing', _instead(name, foreign))

    def _problem(self, message: str, fix: str) -> None:
        self.problems.append(Problem(self.source, self.line, "", message, fix))

    def _check(self, given: Mapping[str, str], words: Sequence[str], headings: Sequence[str]) -> None:
        for heading, column in given.items():
            if column != IGNORED and column not in COLUMNS:
                self._problem(f'"{column}" is none of our columns', meant(column, COLUMNS) or one_of(COLUMNS))
            if _folded(heading) not in words:
                there = [one.strip() for one in headings if one.strip()]
                self._problem(f'there is no heading "{heading}"', one_of(there))

    def _pass_over(self, foreign: Sequence[str]) -> None:
        """Headings that are none of ours: a note, but where one may be a slip of the pen for what is needed."""
        needed = [name for name in _REQUIRED if name not in self.places]
        needed += [name for name in _HANDLES if not any(handle in self.places for handle in _HANDLES)]
        others: list[str] = []
        for heading in foreign:
            slip = meant(_folded(heading), needed)
            if slip:
                name = slip.split('"')[1]
                more = "" if name in _REQUIRED else f" Then say --map {shlex.quote(f'{heading}={name}')}"
                self._problem(f'unknown heading "{heading[:60]}"', slip + more)
            elif heading:
                others.append(heading)
        if others:
            named = ", ".join(f'"{one[:60]}"' for one in others)
            self.notes.append(f'Not read: {named}. A column of another name is read with --map "HEADING=column".')


_LIKELY = {
    "person": re.compile(r"\b(name|person|member|employee|colleague|who|user)\b"),
    "roles": re.compile(r"\b(roles?|functions?|positions?|jobs?|titles?|disciplines?)\b"),
}
"""What headings of other tables call a column that is needed here."""


def _instead(name: str, foreign: Sequence[str]) -> str:
    """How to have a column that is missing: from one of another name, where there is one that may be it."""
    likely = [one for one in foreign if _LIKELY[name].search(_folded(one))]
    if likely:
        column = shlex.quote(f"{likely[0]}={name}")
        return f'if "{likely[0][:60]}" is it, say --map {column}; else add it'
    if any(foreign):
        named = ", ".join(one for one in foreign if one)
        return f'add it, or say which heading it is: --map "HEADING={name}"; not used so far: {named[:_NAMED]}'
    return f"add it; the headings are {', '.join(COLUMNS)}"


def _folded(heading: str) -> str:
    return " ".join(heading.split()).casefold()


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
