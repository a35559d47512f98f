"""Write an Atlassian Document as Jira's wiki markup (the direction that /rest/api/2 reads need).

Text that was itself written as wiki markup is never sent through here: the sandbox keeps what was written.  What wiki
markup cannot say (several blocks in one list item, tasks, decisions, layouts) is written as near as it can be.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.jira.adf import Node
from sandbox.jira.wiki import PANEL_COLOURS, inline, wiki_to_adf

_SPECIAL: Final = re.compile(r"([*_\-+^~{}\[\]|!])")
_LINE_START: Final = re.compile(r"^(\s*)([#|]|h[1-6]\.|bq\.)", re.MULTILINE)
_BRACES: Final = re.compile(r"[{}\\&\n]")
_PHRASE_MARKS: Final = {"strong": "*", "em": "_", "strike": "-", "underline": "+"}
_STATUS_COLOURS: Final = {
    "neutral": "#97a0af", "purple": "#6554c0", "blue": "#0747a6", "red": "#ff5630", "yellow": "#ff991f",
    "green": "#36b37e",
}  # fmt: skip


def adf_to_wiki(document: Mapping[str, Any]) -> str:
    """Give wiki markup that reads back as the same document, as far as the markup can say it."""
    return _joined(document.get("content", []))


def _joined(blocks: Sequence[Node]) -> str:
    written = [_block(block) for block in blocks]
    return "\n\n".join(text for text in written if text)


def _block(node: Node) -> str:
    writer = _BLOCKS.get(node["type"])
    if writer is not None:
        return writer(node)
    if node["type"] in {"table", "rule"}:
        return _table(node) if node["type"] == "table" else "----"
    return _joined([child for child in node.get("content", []) if child["type"] != "media"])


def _attr(node: Node, name: str, default: Any = "") -> Any:
    return node.get("attrs", {}).get(name, default)


def _paragraph(node: Node) -> str:
    content = node.get("content", [])
    plain = _line(content, "\n")
    return plain if _reads_back(plain, content) else _strict_line(content, "\n")


def _reads_back(text: str, content: Sequence[Node]) -> bool:
    """Tell whether text written without escapes still reads as the one paragraph it came from."""
    if any(child["type"] not in {"text", "hardBreak"} for child in content):
        content = inline(_strict_line(content, "\n"))
    blocks = wiki_to_adf(text)["content"]
    return len(blocks) == 1 and blocks[0]["type"] == "paragraph" and blocks[0]["content"] == list(content)


def _heading(node: Node) -> str:
    return f"h{_attr(node, 'level', 1)}. {_one_line(node.get('content', []))}"


def _one_line(content: Sequence[Node]) -> str:
    plain = _line(content, "\\\\")
    same = inline(plain) == list(content) and "|" not in plain
    return plain if same else _strict_line(content, "\\\\")


def _code(node: Node) -> str:
    text = "".join(child.get("text", "") for child in node.get("content", []))
    language = _attr(node, "language", "")
    return f"{{code{':' + language if language else ''}}}\n{text}\n{{code}}"


def _quote(node: Node) -> str:
    return "{quote}\n" + _joined(node.get("content", [])) + "\n{quote}"


def _panel(node: Node) -> str:
    kind = {"tip": "success"}.get(_attr(node, "panelType"), _attr(node, "panelType"))
    colour = PANEL_COLOURS.get(kind, PANEL_COLOURS["info"])
    return f"{{panel:bgColor={colour}}}\n{_joined(node.get('content', []))}\n{{panel}}"


def _list(node: Node) -> str:
    return "\n".join(_list_lines(node, ""))


def _list_lines(node: Node, above: str) -> list[str]:
    bullets = above + ("#" if node["type"] == "orderedList" else "*")
    lines: list[str] = []
    for item in node.get("content", []):
        texts: list[str] = []
        nested: list[str] = []
        for child in item.get("content", []):
            if child["type"] in {"bulletList", "orderedList"}:
                nested.extend(_list_lines(child, bullets))
            elif child["type"] == "paragraph":
                texts.append(_one_line(child.get("content", [])))
            else:
                nested.append(_block(child))
        lines.append(f"{bullets} " + "\\\\".join(texts))
        lines.extend(nested)
    return lines


def _tasks(node: Node) -> str:
    lines = []
    for item in node.get("content", []):
        if item["type"] == "taskList":
            lines.append(_tasks(item))
        else:
            done = "x" if _attr(item, "state") == "DONE" else " "
            inner = [child for part in item.get("content", []) for child in part.get("content", [part])]
            lines.append(f"* [{done}] {_one_line(inner)}")
    return "\n".join(lines)


def _decisions(node: Node) -> str:
    return "\n".join(f"* {_one_line(item.get('content', []))}" for item in node.get("content", []))


def _table(node: Node) -> str:
    rows = []
    for row in node.get("content", []):
        text, bar = "", "|"
        for cell in row.get("content", []):
            bar = "||" if cell["type"] == "tableHeader" else "|"
            parts = [_cell_text(block) for block in cell.get("content", [])]
            text += bar + ("\\\\".join(part for part in parts if part) or " ")
        rows.append(text + bar)
    return "\n".join(rows)


def _cell_text(block: Node) -> str:
    if block["type"] in {"paragraph", "heading"}:
        return _one_line(block.get("content", []))
    return _block(block).replace("\n", "\\\\")


def _card(node: Node) -> str:
    return f"[{_attr(node, 'url')}|{_attr(node, 'url')}|smart-card]"


def _expand(node: Node) -> str:
    title = _attr(node, "title")
    body = _joined(node.get("content", []))
    return f"*{_escaped(title)}*\n\n{body}" if title else body


def _media(node: Node) -> str:
    media: Node = next((child for child in node.get("content", []) if child["type"] == "media"), {"attrs": {}})
    return f"!{_attr(media, 'alt') or _attr(media, 'url') or _attr(media, 'id')}!"


_BLOCKS: Final[dict[str, Callable[[Node], str]]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "codeBlock": _code,
    "blockquote": _quote,
    "panel": _panel,
    "bulletList": _list,
    "orderedList": _list,
    "taskList": _tasks,
    "decisionList": _decisions,
    "blockCard": _card,
    "embedCard": _card,
    "expand": _expand,
    "nestedExpand": _expand,
    "mediaSingle": _media,
}


# --- text within a line ---------------------------------------------------------------------------------------------


def _line(content: Sequence[Node], line_break: str) -> str:
    return "".join(_piece(node, line_break, strict=False) for node in content)


def _strict_line(content: Sequence[Node], line_break: str) -> str:
    text = "".join(_piece(node, line_break if line_break == "\\\\" else "\\\\\n", strict=True) for node in content)
    return _guard_line_starts(text)


def _guard_line_starts(text: str) -> str:
    """Escape what would open a block at the start of a line: `# `, `|`, `h1.`, `bq.`."""

    def guard(match: re.Match[str]) -> str:
        opening = match[2]
        return match[1] + (f"\\{opening}" if len(opening) == 1 else f"{opening[:-1]}&#46;")

    return _LINE_START.sub(guard, text)


def _piece(node: Node, line_break: str, *, strict: bool) -> str:
    if node["type"] == "text":
        return _marked(node, strict=strict)
    if node["type"] == "hardBreak":
        return line_break
    writer = _INLINE.get(node["type"])
    return writer(node) if writer else _escaped(str(_attr(node, "text")))


def _marked(node: Node, *, strict: bool) -> str:
    text = str(node["text"])
    marks = {mark["type"]: mark for mark in node.get("marks", [])}
    if "code" in marks:
        written = "{{" + _BRACES.sub(_braced_entity, text) + "}}"
    else:
        written = _escaped(text) if strict else text
        for mark in reversed(node.get("marks", [])):
            written = _with_mark(written, mark, strict=strict)
    if "link" in marks:
        href = marks["link"]["attrs"]["href"]
        bare = len(marks) == 1 and text == href and not strict
        written = href if bare else f"[{written}|{href}]"
    return written


def _braced_entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def _with_mark(text: str, mark: Mapping[str, Any], *, strict: bool) -> str:
    if mark["type"] == "textColor":
        return f"{{color:{mark['attrs']['color'].lower()}}}{text}{{color}}"
    sign = _PHRASE_MARKS.get(mark["type"])
    if mark["type"] == "subsup":
        sign = "^" if mark["attrs"]["type"] == "sup" else "~"
    if sign is None:
        return text
    # A mark inside a word, or beside a space, only works in braces.
    return f"{{{sign}}}{text}{{{sign}}}" if strict else f"{sign}{text}{sign}"


def _escaped(text: str) -> str:
    # Two backslashes are a line break in wiki markup, so that a backslash itself can only be said as an entity.
    # An ampersand and a colon have no escape either.
    kept = (_SPECIAL.sub(r"\\\1", part.replace("&", "&#38;")) for part in text.split("\\"))
    return re.sub(r"(https?):(?=//)", r"\1&#58;", "&#92;".join(kept).replace("\n", "\\\\"))


def _status(node: Node) -> str:
    colour = _STATUS_COLOURS.get(_attr(node, "color"), _STATUS_COLOURS["neutral"])
    return f"{{color:{colour}}}*\\[ {_escaped(_attr(node, 'text'))} \\]*{{color}}"


def _date(node: Node) -> str:
    try:
        return datetime.fromtimestamp(int(_attr(node, "timestamp")) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return _escaped(str(_attr(node, "timestamp")))


def _inline_card(node: Node) -> str:
    url = _attr(node, "url") or _attr(node, "data", {}).get("url", "")
    return f"[{url}|{url}|smart-link]"


_INLINE: Final[dict[str, Callable[[Node], str]]] = {
    "mention": lambda node: f"[~accountid:{_attr(node, 'id')}]",
    "emoji": lambda node: str(_attr(node, "text") or _attr(node, "shortName")),
    "inlineCard": _inline_card,
    "status": _status,
    "date": _date,
}
