"""Check a value against the Atlassian Document Format: node types, what may stand inside what, required attributes.

The rules follow the published structure of the format (developer.atlassian.com, "Document structure").  The vendor
answers a broken document with the bare word INVALID_INPUT; `problem` says in addition where the fault is, so that the
sandbox can be more helpful in its own log than the vendor is.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Node: TypeAlias = dict[str, Any]

MAX_DEPTH: Final = 100
"""Deeper nesting is refused; no editor of the vendor's makes it, and it keeps the recursion bounded."""

_INLINE: Final = frozenset(
    {"text", "hardBreak", "mention", "emoji", "inlineCard", "date", "status", "placeholder", "inlineExtension",
     "mediaInline"}
)  # fmt: skip
_LISTS: Final = frozenset({"bulletList", "orderedList"})
_MEDIA: Final = frozenset({"mediaSingle", "mediaGroup"})
_TASKS: Final = frozenset({"taskList", "decisionList"})
_CARDS: Final = frozenset({"blockCard", "embedCard"})
_BLOCKS: Final = (
    _LISTS | _MEDIA | _TASKS | _CARDS
    | {"paragraph", "heading", "codeBlock", "blockquote", "panel", "rule", "table", "extension"}
)  # fmt: skip
_CELL: Final = (_BLOCKS - {"table"}) | {"nestedExpand"}

CHILDREN: Final[Mapping[str, frozenset[str]]] = {
    "doc": _BLOCKS | {"expand", "bodiedExtension", "layoutSection"},
    "paragraph": _INLINE,
    "heading": _INLINE,
    "codeBlock": frozenset({"text"}),
    "bulletList": frozenset({"listItem"}),
    "orderedList": frozenset({"listItem"}),
    "listItem": _LISTS | {"paragraph", "codeBlock", "mediaSingle", "taskList", "extension"},
    "blockquote": _LISTS | _MEDIA | {"paragraph", "codeBlock", "extension"},
    "panel": _LISTS | _MEDIA | _TASKS | {"paragraph", "heading", "blockCard", "codeBlock", "rule", "extension"},
    "table": frozenset({"tableRow"}),
    "tableRow": frozenset({"tableCell", "tableHeader"}),
    "tableCell": _CELL,
    "tableHeader": _CELL,
    "mediaSingle": frozenset({"media", "caption"}),
    "mediaGroup": frozenset({"media"}),
    "caption": _INLINE,
    "taskList": frozenset({"taskItem", "taskList", "blockTaskItem"}),
    "taskItem": _INLINE,
    "blockTaskItem": frozenset({"paragraph", "extension"}),
    "decisionList": frozenset({"decisionItem"}),
    "decisionItem": _INLINE,
    "expand": (_BLOCKS - _CARDS) | {"blockCard", "embedCard", "nestedExpand"},
    "nestedExpand": _LISTS | _MEDIA | _TASKS | {"paragraph", "heading", "codeBlock", "blockquote", "panel", "rule",
                                                "extension"},
    "bodiedExtension": _BLOCKS | {"expand"},
    "layoutSection": frozenset({"layoutColumn"}),
    "layoutColumn": _BLOCKS | {"expand", "bodiedExtension"},
}  # fmt: skip
"""For each node with content: the nodes that may stand directly inside it."""

_NOT_EMPTY: Final = frozenset(
    {"bulletList", "orderedList", "listItem", "blockquote", "panel", "table", "mediaSingle", "mediaGroup",
     "taskList", "decisionList", "tableCell", "tableHeader", "expand", "nestedExpand", "layoutColumn"}
)  # fmt: skip
_LEAVES: Final = (_INLINE - {"text"}) | {"rule", "media", "blockCard", "embedCard", "extension"}

_Check: TypeAlias = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _one_of(*allowed: object) -> _Check:
    return lambda value: not isinstance(value, bool) and value in allowed


_REQUIRED_ATTRS: Final[Mapping[str, Mapping[str, _Check]]] = {
    "heading": {"level": _one_of(1, 2, 3, 4, 5, 6)},
    "panel": {"panelType": _one_of("info", "note", "tip", "warning", "error", "success", "custom")},
    "mention": {"id": _text},
    "emoji": {"shortName": _text},
    "date": {"timestamp": _filled},
    "status": {"text": _filled, "color": _one_of("neutral", "purple", "blue", "red", "yellow", "green")},
    "media": {"type": _one_of("file", "link", "external")},
    "taskList": {"localId": _text},
    "taskItem": {"localId": _text, "state": _one_of("TODO", "DONE")},
    "blockTaskItem": {"localId": _text, "state": _one_of("TODO", "DONE")},
    "decisionList": {"localId": _text},
    "decisionItem": {"localId": _text, "state": _text},
    "extension": {"extensionKey": _filled, "extensionType": _filled},
    "inlineExtension": {"extensionKey": _filled, "extensionType": _filled},
    "bodiedExtension": {"extensionKey": _filled, "extensionType": _filled},
    "embedCard": {"url": _text, "layout": _text},
    "layoutColumn": {"width": lambda value: isinstance(value, int | float) and 0 <= value <= 100},
}

_MARKS: Final[Mapping[str, Mapping[str, _Check]]] = {
    "strong": {},
    "em": {},
    "code": {},
    "strike": {},
    "underline": {},
    "link": {"href": _text},
    "subsup": {"type": _one_of("sub", "sup")},
    "textColor": {"color": lambda value: isinstance(value, str) and _is_hex_colour(value)},
    "backgroundColor": {"color": lambda value: isinstance(value, str) and _is_hex_colour(value)},
    "annotation": {"id": _text, "annotationType": _one_of("inlineComment")},
    "alignment": {"align": _one_of("center", "end")},
    "indentation": {"level": _one_of(1, 2, 3, 4, 5, 6)},
    "breakout": {"mode": _one_of("wide", "full-width")},
    "border": {},
    "dataConsumer": {},
    "fragment": {},
}
_ON_BLOCKS: Final = frozenset({"alignment", "indentation", "breakout", "border", "dataConsumer", "fragment", "link",
                               "annotation"})  # fmt: skip
_BESIDE_CODE: Final = frozenset({"code", "link", "annotation"})


def _is_hex_colour(value: str) -> bool:
    return len(value) == 7 and value[0] == "#" and all(digit in "0123456789abcdefABCDEF" for digit in value[1:])


def problem(value: object) -> str | None:
    """Say where `value` breaks the format, as a path such as `content[2].attrs.level`; None when it is a document."""
    if not isinstance(value, dict):
        return "a document is an object"
    if value.get("type") != "doc":
        return "type: a document has type 'doc'"
    if value.get("version") != 1 or isinstance(value.get("version"), bool):
        return "version: must be 1"
    if set(value) - {"type", "version", "content"}:
        return f"unknown member {min(set(value) - {'type', 'version', 'content'})!r}"
    if not isinstance(value.get("content"), list):
        return "content: a document has a list of blocks"
    return _children(value, "", 0)


def _children(node: Mapping[str, Any], path: str, depth: int) -> str | None:
    kind = node["type"]
    content = node.get("content", [])
    if not isinstance(content, list):
        return f"{path}content: must be a list"
    if kind in _NOT_EMPTY and not content:
        return f"{path}content: a {kind} is not empty"
    for index, child in enumerate(content):
        place = f"{path}content[{index}]"
        if not isinstance(child, dict):
            return f"{place}: a node is an object"
        if not isinstance(child.get("type"), str) or child["type"] not in CHILDREN[kind]:
            return f"{place}: {child.get('type')!r} may not stand in a {kind}"
        found = _node(child, f"{place}.", depth + 1)
        if found:
            return found
    return None


def _node(node: Mapping[str, Any], path: str, depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"{path}: nested deeper than {MAX_DEPTH}"
    kind = node["type"]
    unknown = set(node) - ({"type", "text", "marks"} if kind == "text" else {"type", "attrs", "content", "marks"})
    if unknown:
        return f"{path}{min(unknown)}: unknown member of a {kind}"
    found = _attrs(node, kind, path) or _marks(node, kind, path)
    if found:
        return found
    if kind == "text":
        return None if _filled(node.get("text")) else f"{path}text: must be a non-empty string"
    if kind in _LEAVES:
        return f"{path}content: a {kind} has none" if node.get("content") else None
    if kind == "codeBlock" and any(isinstance(c, dict) and c.get("marks") for c in node.get("content") or []):
        return f"{path}content: text in a codeBlock has no marks"
    return _children(node, path, depth)


def _attrs(node: Mapping[str, Any], kind: str, path: str) -> str | None:
    attrs = node.get("attrs", {})
    if not isinstance(attrs, dict):
        return f"{path}attrs: must be an object"
    for name, check in _REQUIRED_ATTRS.get(kind, {}).items():
        if not check(attrs.get(name)):
            return f"{path}attrs.{name}: missing or not allowed in a {kind}"
    if kind == "media":
        needed = "url" if attrs["type"] == "external" else "id"
        if not _filled(attrs.get(needed)):
            return f"{path}attrs.{needed}: missing in a media"
    if kind in {"inlineCard", "blockCard"} and not (_filled(attrs.get("url")) or isinstance(attrs.get("data"), dict)):
        return f"{path}attrs.url: missing in a {kind}"
    return None


def _marks(node: Mapping[str, Any], kind: str, path: str) -> str | None:
    marks = node.get("marks", [])
    if not isinstance(marks, list):
        return f"{path}marks: must be a list"
    names: list[str] = []
    for index, mark in enumerate(marks):
        name = mark.get("type") if isinstance(mark, dict) else None
        if not isinstance(name, str) or name not in _MARKS or (kind != "text" and name not in _ON_BLOCKS):
            return f"{path}marks[{index}]: {name!r} is not a mark of a {kind}"
        attrs = mark.get("attrs", {})
        if not isinstance(attrs, dict):
            return f"{path}marks[{index}].attrs: must be an object"
        for attr, check in _MARKS[name].items():
            if not check(attrs.get(attr)):
                return f"{path}marks[{index}].attrs.{attr}: missing or not allowed"
        names.append(name)
    if len(names) != len(set(names)):
        return f"{path}marks: a mark stands twice"
    if "code" in names and set(names) - _BESIDE_CODE:
        return f"{path}marks: code goes with no other mark but a link"
    return None
