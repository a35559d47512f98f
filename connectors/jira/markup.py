"""Markdown to Jira's wiki markup, as REST version 2 takes it, and the description of a ticket made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from connectors.jira.markdown import Node, parsed, parsed_line
from connectors.jira.wiki import from_wiki

__all__ = ["DESCRIPTION_LIMIT", "DONE_MEANS", "description", "from_wiki", "normalised", "to_wiki"]

DESCRIPTION_LIMIT = 32_767
"""The most characters that Jira keeps in a description."""

DONE_MEANS = "Done means"
"""The heading above a checklist."""

_CUT = "\n\n_(cut here: the text was longer than the 32,767 characters that Jira keeps)_"

# What Jira lets a backslash stand before is a fixed set of signs. `.`, `:`, `&` and the backslash itself are not among
# them: those are said as entities.
_BRACKETS = re.compile(r"[{}\[\]]")
# A mark inside a word (`run_models`, `state-of-the-art`) or alone between blanks means nothing to Jira.
_PHRASE_MARK = re.compile(
    r"(?<![A-Za-z0-9\x80-\U0010ffff])[-*_+^~](?=\S)|(?<=\S)[-*_+^~](?![A-Za-z0-9\x80-\U0010ffff])|^[-*_+^~]|[-*_+^~]$"
)
_IMAGE_MARK = re.compile(r"!(?=\S)")
_CITATION = re.compile(r"\?(?=\?\S)|(?<=\S\?)\?")
# Jira draws these as icons.
_EMOTICON = re.compile(r"\((?=(?:[xynidh/!?+*-]|on|off|flag|flagoff|\*[rgby])\))")
_SMILEY = re.compile(r"(?<!\w)[:;](?=-?[)(DP](?!\w))")
_BACKSLASH = re.compile(r"\\(?!\w)")
_ENTITY = re.compile(r"&(?=#\d{1,6};|[A-Za-z]{2,8};)")
_BARE_URL = re.compile(r"https?://[^\s|\]\[{}<>\"\\]*[^\s|\]\[{}<>\"\\.,;:!?')*_]")
_LINE_START = re.compile(r"^(?=[#|]|[-*#]+(?:\s|$))|^(h[1-6]|bq)\.", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")
_LETTER = re.compile(r"[A-Za-z0-9]|[^\x00-\x7f]")
"""What may not stand beside a mark: Jira takes whatever is not ASCII for a letter."""

_SIGNS = {"strong": "*", "em": "_", "strike": "-"}
_FOLLOWED = re.compile(r"(?:https?|ftp|file)://[^\s|\]]+|mailto:[^\s|\]]+|[#/][^\s|\]]*", re.IGNORECASE)
_IN_ADDRESS = {"[": "%5B", "]": "%5D", "|": "%7C", "{": "%7B", "}": "%7D", "\\": "%5C", " ": "%20"}


def to_wiki(markdown: str) -> str:
    """Markdown as Jira wiki markup, without blank lines around it."""
    return normalised("\n\n".join(_block(node) for node in parsed(markdown)))


# --- blocks ----------------------------------------------------------------------------------------------------------


def _block(node: Node) -> str:
    content: list[Node] = node.get("content", [])
    match node["type"]:
        case "paragraph":
            return _line(content)
        case "heading":
            return f"h{node['attrs']['level']}. {_one_line(content)}".rstrip()
        case "codeBlock":
            return _code(node)
        case "blockquote":
            return _quote(content)
        case "bulletList" | "orderedList":
            return "\n".join(_list(node, ""))
        case "table":
            return "\n".join(_row(row["content"]) for row in content)
        case _:
            return "----"


def _code(node: Node) -> str:
    """A code block; one that itself speaks of Jira's code macro goes into the other macro, one that speaks of both is
    lines of code, for neither has an escape."""
    code = node["content"][0]["text"] if node["content"] else ""
    if "{code" not in code:
        language = node.get("attrs", {}).get("language", "")
        return f"{{code{':' if language else ''}{language}}}\n{code}\n{{code}}"
    if "{noformat" not in code:
        return f"{{noformat}}\n{code}\n{{noformat}}"
    return "\\\\\n".join(_monospace(line) for line in code.split("\n") if line.strip())


def _quote(content: list[Node]) -> str:
    blocks = list(_without_quotes(content))
    if len(blocks) == 1 and blocks[0]["type"] == "paragraph" and not _broken(blocks[0]["content"]):
        return f"bq. {_one_line(blocks[0]['content'])}"
    inner = "\n\n".join(_block(one) for one in blocks)
    return f"{{quote}}\n{inner}\n{{quote}}"


def _broken(content: list[Node]) -> bool:
    return any(one["type"] == "hardBreak" for one in content)


def _without_quotes(blocks: Sequence[Node]) -> Iterator[Node]:
    """Blocks as they may stand in a quote: a quote in it cannot be told from its end."""
    for block in blocks:
        if block["type"] == "blockquote":
            yield from _without_quotes(block["content"])
        else:
            yield block


def _list(node: Node, above: str) -> Iterator[str]:
    """The lines of a list. No line of it is blank: a blank line ends a list."""
    bullets = above + ("#" if node["type"] == "orderedList" else "*")
    for item in node["content"]:
        begun = False
        for block in _in_item(item["content"]):
            if block["type"] in {"bulletList", "orderedList"}:
                if not begun:
                    yield f"{bullets} &#160;"
                yield from _list(block, bullets)
            else:
                words = _block(block)
                yield words if begun else f"{bullets} {words}"
            begun = True
        if not begun:
            yield f"{bullets} &#160;"


def _in_item(blocks: Sequence[Node]) -> Iterator[Node]:
    """Blocks as they may stand in an item of a list: anything else as its paragraphs."""
    for block in blocks:
        if block["type"] in {"paragraph", "codeBlock", "bulletList", "orderedList"}:
            yield block
        elif block["type"] == "heading":
            strong = {"type": "strong"}
            bold = [
                {**one, "marks": [strong, *(m for m in one.get("marks", ()) if m != strong)]}
                for one in block["content"]
            ]
            yield {"type": "paragraph", "content": bold}
        elif block["type"] != "rule":
            yield from _in_item(block["content"])


def _row(cells: list[Node]) -> str:
    bar = "||" if cells[0]["type"] == "tableHeader" else "|"
    words = [_one_line(cell["content"][0]["content"], cell=True) or " " for cell in cells]
    return f"{bar}{bar.join(words)}{bar}"


# --- text within a line ----------------------------------------------------------------------------------------------


def _one_line(content: list[Node], *, cell: bool = False) -> str:
    return _line([{"type": "text", "text": " "} if one["type"] == "hardBreak" else one for one in content], cell=cell)


def _line(content: list[Node], *, cell: bool = False) -> str:
    return _LINE_START.sub(
        lambda found: f"{found[1]}&#46;" if found[1] else "\\", _phrases(content, 0, cell=cell).strip()
    )


def _phrases(content: list[Node], depth: int, *, cell: bool) -> str:
    """The nodes of a line that have the marks above `depth` in common."""
    found: list[tuple[str, str]] = []  # what is marked and with what, or words and nothing
    for mark, group in groupby(content, key=lambda node: _mark(node, depth)):
        if mark is None:
            found += [("", _piece(one, cell=cell)) for one in group]
            continue
        inner = _phrases(list(group), depth + 1, cell=cell)
        if mark["type"] == "link":
            found.append(("", _link(inner, mark["attrs"]["href"])))
        elif mark["type"] in _SIGNS:
            found.append((_SIGNS[mark["type"]], inner))
        else:
            found.append(("", inner))
    written = ""
    for at, (sign, words) in enumerate(found):
        if not sign:
            written += words
            continue
        following = found[at + 1] if at + 1 < len(found) else ("", "")
        beside = written[-1:] + following[1][:1]
        apart = not (
            following[0] or (at and found[at - 1][0]) or _LETTER.search(beside) or set(beside) & set(sign + "\\/{}")
        )
        written += f"{sign}{words}{sign}" if apart and _stays_whole(sign, words) else f"{{{sign}}}{words}{{{sign}}}"
    return written


def _mark(node: Node, depth: int) -> Node | None:
    marks: list[Node] = node.get("marks", [])
    return marks[depth] if depth < len(marks) and marks[depth]["type"] != "code" else None


def _stays_whole(sign: str, words: str) -> bool:
    """Whether a bare mark holds up to the end of these words."""
    if not words.strip() or words != words.strip() or words[0] in sign or words[-1] in f"{sign}\\" or "\n" in words:
        return False
    if _LINE_START.match(f"{sign}{words.replace(chr(92), '')}{sign}") or any(
        address.end() > len(words) for address in _BARE_URL.finditer(words + sign)
    ):
        return False  # it would be a list item of its own, or the end of an address
    return re.search(rf"(?<![\\\s]){re.escape(sign)}(?![A-Za-z0-9]|[^\x00-\x7f])", words) is None


def _piece(node: Node, *, cell: bool) -> str:
    if node["type"] == "hardBreak":
        return "\\\\\n"
    if node["type"] == "image":
        source, alt = node["attrs"]["src"], re.sub(r"[!|,\"\n{}\[\]\\]", " ", node["attrs"]["alt"])
        if "!" in source or not re.fullmatch(r"\S+", source):
            return _escape(alt)
        return f"!{_address(source)}|alt={' '.join(alt.split())}!" if alt.strip() else f"!{_address(source)}!"
    if any(mark["type"] == "code" for mark in node.get("marks", ())):
        return _monospace(node["text"])
    words = _escape(node["text"])
    return words.replace("|", "\\|") if cell else words


def _link(words: str, target: str) -> str:
    """A link; one that Jira would not follow is its words alone."""
    if _FOLLOWED.fullmatch(target) is None:
        return words
    address = _address(target)
    if words == target or f"mailto:{words}" == target or words == _escape(target):
        return f"[{address}]"
    return f"[{_unbarred(words)}|{address}]"


def _unbarred(words: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", words)


def _address(target: str) -> str:
    return "".join(_IN_ADDRESS.get(char, char) for char in target)


def _monospace(code: str) -> str:
    """Code within a line: Jira reads signs, escapes and entities in it as anywhere."""
    words = re.sub(r"[{}\\|]|&(?=#\d{1,6};|[A-Za-z]{2,8};)", lambda found: f"&#{ord(found[0])};", code)
    for pattern in (re.compile(r"[\[\]]"), _PHRASE_MARK, _IMAGE_MARK):
        words = pattern.sub(r"\\\g<0>", words)
    return f"{{{{{words}}}}}"


def _escape(text: str) -> str:
    """Words, with everything escaped that Jira would take for markup, and nothing else; bare addresses as they are."""
    written, at = "", 0
    for url in _BARE_URL.finditer(text):
        written += _escape_words(text[at : url.start()]) + url[0]
        at = url.end()
    return written + _escape_words(text[at:])


def _escape_words(text: str) -> str:
    text = _ENTITY.sub("&#38;", text)
    text = _SMILEY.sub(lambda found: f"&#{ord(found[0])};", _BACKSLASH.sub("&#92;", text))
    for pattern in (_BRACKETS, _PHRASE_MARK, _IMAGE_MARK, _EMOTICON, _CITATION):
        text = pattern.sub(lambda found: f"\\{found[0]}", text)
    return text


def description(text: str, checklist: Sequence[str]) -> str:
    """What a ticket says: its text, then what done means as a bullet list. Cut visibly at Jira's limit."""
    parts = [to_wiki(text)]
    if checklist:
        lines = [f"* {_line(parsed_line(line))}" for line in checklist if line.strip()]
        parts.append("\n".join([f"h3. {DONE_MEANS}", "", *lines]))
    whole = "\n\n".join(part for part in parts if part)
    return whole if len(whole) <= DESCRIPTION_LIMIT else _cut(whole)


def _cut(text: str) -> str:
    kept = text[: DESCRIPTION_LIMIT - len(_CUT) - len("\n{noformat}")].rstrip("\\")
    for macro in ("{code", "{noformat", "{quote"):
        if kept.count(macro) % 2:
            kept += f"\n{macro}}}"
    return kept + _CUT


def normalised(text: str | None) -> str:
    """Text without the differences in white space that a tracker makes on its own."""
    lines = [line.rstrip() for line in (text or "").replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
