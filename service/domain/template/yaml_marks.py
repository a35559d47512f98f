"""A document as a tree of values that know their lines, and the ways (paths) through it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Union

from service.domain.problems import InvalidInput, Problem

Path = tuple[str | int, ...]
"""The way from the top of a document to a value: names and 0-based positions."""

Plain = Union[bool, int, float, str, list["Plain"], dict[str, "Plain"], None]  # noqa: UP007  # refers to itself
"""What a document says, without its lines. Dates stay text."""

MAX_DEPTH = 32
"""No document is nested deeper; it bounds every recursion over its tree."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value and the 1-based line it begins on, 0 where the document has no lines.

    `size`, `characters` and `height` count what is below it, too.
    """

    line: int
    size: int = 1
    characters: int = 0
    height: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar(Node):
    """A single value as written. `literal`: a `|` block, whose text begins on the next line."""

    text: str
    quoted: bool
    literal: bool = False

    @property
    def value(self) -> bool | int | float | str | None:
        """What the text means under the YAML 1.2 core schema; quoted text is text."""
        if self.quoted:
            return self.text
        if self.text in _WORDS:
            return _WORDS[self.text]
        if _INTEGER.fullmatch(self.text):
            return int(self.text)
        if _DECIMAL.fullmatch(self.text):
            return float(self.text)
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Node):
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A name of a mapping, the line the name stands on, and its value."""

    name: str
    line: int
    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping(Node):
    """Names with values, in the order written; every name once."""

    entries: tuple[Entry, ...]

    def get(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.name == name), None)


@dataclass(frozen=True, slots=True)
class Marks:
    """Finds the values and lines of a document again."""

    source: str
    root: Node

    @classmethod
    def of(cls, value: object, source: str) -> Marks:
        """Marks for plain JSON values, which have no lines. Raises InvalidInput for what is nested too deep."""
        return cls(source, _node(value, source, 0))

    def node(self, path: Path) -> Node | None:
        """The value at `path`; None where there is none."""
        found = self._find(path)
        return found[1] if found else None

    def line(self, path: Path, within: int = -1) -> int | None:
        """The line of the value at `path`, or of the nearest part around it that exists; None: there are no lines.

        A list or mapping is found at its name, and so is a value that is not there. `within` counts line breaks inside
        the value; it matters for `|` blocks only, because elsewhere the breaks of the text are not those of the file.
        """
        for length in range(len(path), -1, -1):
            found = self._find(path[:length])
            if found is None:
                continue
            name_line, node = found
            if isinstance(node, Scalar) and (node.text or node.quoted or not name_line):
                inside = node.literal and length == len(path) and within >= 0 and node.line
                return (node.line + 1 + within if inside else node.line) or None
            return name_line or node.line or None
        return None

    def name_line(self, path: Path) -> int | None:
        """The line on which the last name of `path` stands."""
        found = self._find(path)
        return ((found[0] or found[1].line) or None) if found else self.line(path)

    def problem(self, path: Path, message: str, fix: str = "", *, within: int = -1) -> Problem:
        """A problem with the value at `path`, `within` as many lines of its text."""
        return Problem(self.source, self.line(path, within), readable(path), message, fix)

    def _find(self, path: Path) -> tuple[int, Node] | None:
        """The line of the last name of the path (0: it ends in a position) and the value."""
        name_line, node = 0, self.root
        for part in path:
            if isinstance(node, Mapping) and isinstance(part, str):
                entry = node.get(part)
                if entry is None:
                    return None
                name_line, node = entry.line, entry.value
            elif isinstance(node, Listing) and isinstance(part, int) and part < len(node.items):
                name_line, node = 0, node.items[part]
            else:
                return None
        return name_line, node


def readable(path: Path) -> str:
    """`("phases", 2, "tickets", 0)` as people read it: `phases[2].tickets[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def plain(node: Node) -> Plain:
    """The values of a tree."""
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    if isinstance(node, Mapping):
        return {entry.name: plain(entry.value) for entry in node.entries}
    assert isinstance(node, Scalar)  # noqa: S101  # there are three kinds of node
    return node.value


def _node(value: object, source: str, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise InvalidInput([Problem(source, None, "", f"nested more than {MAX_DEPTH} deep", "write it flatter")])
    if isinstance(value, dict):
        entries = tuple(Entry(name=str(key), line=0, value=_node(v, source, depth + 1)) for key, v in value.items())
        return Mapping(line=0, entries=entries)
    if isinstance(value, list | tuple):
        return Listing(line=0, items=tuple(_node(item, source, depth + 1) for item in value))
    if value is None or isinstance(value, bool):
        return Scalar(line=0, text="" if value is None else str(value).lower(), quoted=False)
    return Scalar(line=0, text=str(value), quoted=not isinstance(value, int | float))
