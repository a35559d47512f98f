"""YAML text to a tree that remembers its lines. Only the syntax is judged here, not what the document says.

The tree is built from the parser's events without recursion and with budgets for size, depth and alias expansion, so
that no text, however made, costs more than its size. Values follow the YAML 1.2 core schema: `no` is a word, `1.10` a
number. Names (mapping keys) are always taken as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from service.domain.problems import InvalidInput, Problem
from service.domain.template.yaml_marks import (
    MAX_DEPTH,
    Entry,
    Listing,
    Mapping,
    Marks,
    Node,
    Path,
    Scalar,
    readable,
)

MAX_CHARACTERS = 1_000_000
"""Longer texts are refused unread."""

MAX_NODES = 20_000
"""Values in one document, aliases counted as often as they are used."""

MAX_EXPANDED_CHARACTERS = 2 * MAX_CHARACTERS

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """A composed document and what its text alone already shows to be wrong (every name that stands twice)."""

    marks: Marks
    problems: tuple[Problem, ...]


def compose(text: str, source: str) -> Document:
    """Parse one YAML document. Raises InvalidInput for what makes the text unreadable."""
    if len(text) > MAX_CHARACTERS:
        fix = f"up to {MAX_CHARACTERS:,} are read; check that this is the right file"
        raise _refusal(source, None, f"the text has {len(text):,} characters", fix)
    return _Composer(source).compose(text.removeprefix("\ufeff"))


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being read."""

    line: int
    is_mapping: bool
    anchor: str | None
    path: Path
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    name: tuple[str, int] | None = None

    @property
    def next_path(self) -> Path:
        if self.is_mapping:
            return (*self.path, self.name[0]) if self.name else self.path
        return (*self.path, len(self.items))

    def close(self) -> Node:
        children = [entry.value for entry in self.entries.values()] if self.is_mapping else self.items
        size = 1 + sum(child.size for child in children)
        characters = sum(child.characters for child in children) + sum(map(len, self.entries))
        height = 1 + max((child.height for child in children), default=0)
        if self.is_mapping:
            entries = tuple(self.entries.values())
            return Mapping(line=self.line, size=size, characters=characters, height=height, entries=entries)
        return Listing(line=self.line, size=size, characters=characters, height=height, items=tuple(self.items))


class _Composer:
    def __init__(self, source: str) -> None:
        self._source = source
        self._frames: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._open_anchors: set[str] = set()
        self._root: Node | None = None
        self._nodes = 0
        self._characters = 0
        self._documents = 0
        self._problems: list[Problem] = []

    def compose(self, text: str) -> Document:
        try:
            for event in _events(text):
                self._take(event)
        except YAMLError as error:
            raise self._broken(error, text) from error
        if self._root is None or (isinstance(self._root, Scalar) and not self._root.text and not self._root.quoted):
            raise _refusal(self._source, None, "the file is empty", "a file begins with `format: ...` and `kind: ...`")
        return Document(Marks(self._source, self._root), tuple(self._problems))

    def _take(self, event: object) -> None:
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._refuse(event, "a second document begins here", "one file holds one document; remove `---`")
        elif isinstance(event, ScalarEvent):
            self._count(event, 1, len(event.value))
            self._add(self._scalar(event), event.anchor)
        elif isinstance(event, AliasEvent):
            self._add(self._alias(event), None)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._open(event)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            frame = self._frames.pop()
            self._add(frame.close(), frame.anchor)

    def _open(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        self._check_tag(event)
        self._count(event, 1, 0)
        path: Path = ()
        if self._frames:
            frame = self._frames[-1]
            if frame.is_mapping and frame.name is None:
                fix = 'put placeholders in quotes: "{{ name }}"'
                raise self._refuse(event, "a bracket begins where a name must be", fix)
            path = frame.next_path
        if len(self._frames) >= MAX_DEPTH:
            message, fix = f"nested more than {MAX_DEPTH} deep", "nothing that is read here is so deep"
            raise _refusal(self._source, _line(event), message, fix, path[:6])
        if event.anchor:
            self._open_anchors.add(event.anchor)
        self._frames.append(_Frame(_line(event), isinstance(event, MappingStartEvent), event.anchor, path))

    def _scalar(self, event: ScalarEvent) -> Scalar:
        self._check_tag(event)
        text: str = event.value
        if _UNPRINTABLE.search(text):
            raise self._refuse(event, "holds a control character or half a character", "write plain text")
        quoted = event.style is not None or event.ctag is not None
        return Scalar(line=_line(event), characters=len(text), text=text, quoted=quoted, literal=event.style == "|")

    def _alias(self, event: AliasEvent) -> Node:
        anchor = event.anchor
        if anchor in self._open_anchors:
            raise self._refuse(event, f"`*{anchor}` stands inside what it repeats", "write the value out")
        node = self._anchors.get(anchor)
        if node is None:
            raise self._refuse(event, f"`*{anchor}` repeats what no `&{anchor}` marked before", "write the value out")
        self._count(event, node.size, node.characters)
        if len(self._frames) + node.height > MAX_DEPTH:
            raise self._refuse(event, f"nested more than {MAX_DEPTH} deep", "write the value out")
        return node

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._open_anchors.discard(anchor)
            self._anchors[anchor] = node
        if not self._frames:
            self._root = node
            return
        frame = self._frames[-1]
        if not frame.is_mapping:
            frame.items.append(node)
        elif frame.name is None:
            if not isinstance(node, Scalar):
                raise _refusal(self._source, node.line, "a name before a colon must be a word", "", frame.path)
            frame.name = (node.text, node.line)
        else:
            self._enter(frame, frame.name, node)
            frame.name = None

    def _enter(self, frame: _Frame, name: tuple[str, int], node: Node) -> None:
        text, line = name
        first = frame.entries.get(text)
        if first is None:
            frame.entries[text] = Entry(name=text, line=line, value=node)
            return
        path = (*frame.path, text)
        message = f'"{text}" stands here and on line {first.line}'
        self._problems.append(Problem(self._source, line, readable(path), message, "keep one of the two"))

    def _check_tag(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        tag = event.tag
        if tag is not None and tag not in ("!", "tag:yaml.org,2002:str"):
            shown = tag.replace("tag:yaml.org,2002:", "!!")[:60]
            raise self._refuse(event, f"the tag {shown} is not read here", "remove it, or put the value in quotes")

    def _count(self, event: object, nodes: int, characters: int) -> None:
        self._nodes += nodes
        self._characters += characters
        if self._nodes > MAX_NODES or self._characters > MAX_EXPANDED_CHARACTERS:
            limits = f"{MAX_NODES:,} values or {MAX_EXPANDED_CHARACTERS:,} characters"
            fix = "check the aliases (`*name`); nothing that is read here is so big"
            raise self._refuse(event, f"more than {limits}, repeated ones counted", fix)

    def _refuse(self, event: object, message: str, fix: str) -> InvalidInput:
        path = self._frames[-1].next_path if self._frames else ()
        return _refusal(self._source, _line(event), message, fix, path)

    def _broken(self, error: YAMLError, text: str) -> InvalidInput:
        if isinstance(error, ReaderError):
            line = text.count("\n", 0, max(int(error.position), 0)) + 1
            return _refusal(self._source, line, "holds a control character or half a character", "write plain text")
        if not isinstance(error, MarkedYAMLError):
            return _refusal(self._source, None, "this is not YAML", "check quotes, brackets and indentation")
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        message, fix = _explain(error, text, line)
        return _refusal(self._source, line, message, fix)


def _events(text: str) -> Iterator[object]:
    yield from YAML(typ="safe", pure=True).parse(text)


def _line(event: object) -> int:
    return int(event.start_mark.line) + 1  # type: ignore[attr-defined]  # every event has its mark


def _refusal(source: str, line: int | None, message: str, fix: str, path: Path = ()) -> InvalidInput:
    return InvalidInput([Problem(source, line, readable(path), message, fix)])


_MISFIT = "this does not fit the lines above"
_REALIGN = "line up the names of one level, and close every quotation mark"
_EXPLANATIONS = (
    ("mapping values are not allowed", "a colon stands where none can be", 'put text with ": " in it in quotes'),
    ("could not find expected ':'", "a line without a colon", "write `name: value`, and indent the lines of a text"),
    ("did not find expected key", _MISFIT, _REALIGN),
    ("expected <block end>", _MISFIT, _REALIGN),
    ("sequence entries are not allowed", "a list begins where none can be", "begin the list on its own line"),
    ("unexpected end of stream", "a quotation mark is opened and not closed", "close it, or double it inside the text"),
    ("expected ',' or", "a bracket is opened and not closed, or a comma is missing", "close it, or quote the text"),
    (
        "scanning a block scalar",
        "text follows `|` or `>` on the same line",
        "begin it on the next line, or quote it all",
    ),
    ("unknown escape character", "a backslash with an unknown letter after it", "use single quotes for such text"),
    ("found undefined tag handle", "a `!` begins a tag that is not read here", "put the value in quotes"),
    ("cannot start any token", "this character cannot begin a value", "put the value in quotes"),
    ("expected the node content", "this character cannot begin a value", "put the value in quotes"),
    ("expected alphabetic or numeric", "`&` and `*` begin names for repeated values", "put the value in quotes"),
    ("expected '<document start>'", "something follows the end of the document", "check the indentation"),
)


def _explain(error: MarkedYAMLError, text: str, line: int) -> tuple[str, str]:
    """In plain words what the parser stumbled over."""
    problem = " ".join(str(part) for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    if re.match(r" *\t", written) or "'\\t'" in problem:
        return "a tab in the indentation", "indent with spaces"
    for phrase, message, fix in _EXPLANATIONS:
        if phrase in problem:
            return message, fix
    return "this is not YAML that can be read", "check quotes, brackets and indentation on this line and above it"
