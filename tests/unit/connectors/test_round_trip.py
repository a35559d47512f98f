"""A text keeps its words and its structure on the way to a tracker and back, whatever the tracker keeps it in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from connectors.jira.adf import from_adf
from connectors.jira.adf_writing import document, to_adf
from connectors.jira.markup import to_wiki
from connectors.jira.wiki import from_wiki
from connectors.trello import markup as trello
from sandbox.jira.adf import problem
from sandbox.jira.wiki import wiki_to_adf

# --- what a text says: judged by a reader of Markdown that none of the code under test calls this way ---

_READER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_CONTAINERS = {"bullet_list", "ordered_list", "list_item", "blockquote", "table", "tr", "th", "td"}


def structure(markdown: str) -> list[Any]:
    """Headings, lists, quotes, tables, code and the words in them, with which of them are bold, struck, code, links."""
    root: list[Any] = ["text"]
    stack = [root]
    level = ""
    for token in _READER.parse(markdown):
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if token.type.endswith("_open") and kind in _CONTAINERS:
            stack.append([kind])
        elif token.type.endswith("_close") and kind in _CONTAINERS:
            done = stack.pop()
            stack[-1].append(done)
        elif kind == "inline":
            words = said(token.children or ())
            inside = stack[-1]
            if inside[0] == "list_item" and len(inside) > 1 and inside[-1][0] == "p":
                inside[-1][1].extend([*(("", " "),), *words])  # the paragraphs of an item are told apart by nothing
            else:
                inside.append([level or "p", words])
        elif token.type in {"fence", "code_block"}:
            language = "" if "{code" in token.content else token.info.strip()  # then it is in a macro without one
            stack[-1].append(["code", language, token.content.strip("\n")])
        elif kind == "hr":
            stack[-1].append(["hr"])
        level = token.tag if token.type == "heading_open" else ""
    return settled(root)


def said(tokens: Iterable[Token]) -> list[tuple[str, str]]:
    """Words, each with what marks it."""
    marks: list[str] = []
    found: list[tuple[str, str]] = []
    for token in tokens:
        if token.type.endswith("_open"):
            marks.append(str(token.attrs["href"]) if token.type == "link_open" else token.type.removesuffix("_open"))
        elif token.type.endswith("_close"):
            marks.pop()
        elif token.type in {"softbreak", "hardbreak"}:
            found.append(("", " "))
        elif token.type == "code_inline":  # beside code the document format lets only a link stand
            links = [mark for mark in marks if ":" in mark]
            found.append((" ".join(sorted({*links, "code"})), token.content))
        else:
            shown = {mark for mark in marks if mark != token.content}  # an address is a link of its own accord
            found.append((" ".join(sorted(shown)), token.content))
    return found


def settled(node: list[Any]) -> list[Any]:
    """Neighbours of the same marks as one, and blanks as one."""
    if node and isinstance(node[-1], list) and node[0] in {"p", "h1", "h2", "h3", "h4", "h5", "h6"}:
        letters = [
            (mark if char.strip() else "", char if char.strip() else " ") for mark, text in node[1] for char in text
        ]
        runs: list[list[str]] = []
        for mark, char in letters:
            if char == " " and (not runs or runs[-1][1].endswith(" ")):
                continue
            if runs and (runs[-1][0] == mark or char == " "):
                runs[-1][1] += char
            else:
                runs.append([mark, char])
        if runs:
            runs[-1][1] = runs[-1][1].rstrip()
        return [node[0], [tuple(run) for run in runs if run[1]]]
    return [settled(one) if isinstance(one, list) else one for one in node]


# --- Markdown as people write it, made up ---

WORD = st.sampled_from(
    [
        "model",
        "v1.2",
        "模型",
        "訓練",
        "naïve",
        "a_b",
        "run_models",
        "3*4",
        "10^6",
        "x-y",
        "-flag",
        "--all",
        "state-of-the-art",
        "{name}",
        "[x]",
        "(y)",
        ":)",
        "C:\\data",
        "50%",
        "a|b",
        "R&D",
        "&amp;",
        "&#42;",
        "#5",
        "h1.",
        "bq.",
        "!important!",
        "~2",
        "~~",
        "??",
        "@all",
        "{code}",
        "{quote}",
        "{*}",
        "h1",
        "<b>",
        "“said”",
        "—",
        "🚀",
        "x\\",
        "\\",
        "*",
        "_",
        "`",
        "**",
        "__init__",
        "don't",
        "e.g.,",
        "1.",
        "2)",
        "+",
        "-",
        "=",
        "==",
        "---",
        "|",
        "||",
        ">",
        "#",
        "!",
        "$x$",
        "[",
        "]",
        "{{x}}",
        "https://example.com/a_b?x=1&y=2",
        "{color:red}",
        "bug:",
        "(on)",
    ]
)
CODE = st.one_of(
    st.sampled_from(
        [
            "{a}",
            "a}",
            "{",
            "}",
            "}}",
            "{{x}}",
            "x = {'a': [1]}",
            "run --x",
            "*a*",
            "_b_",
            "C:\\x",
            "a|b",
            "\\}",
            "&#125;",
            "&amp;",
            "-",
            "[x]",
            "~",
            "h1. x",
            "{code}",
            "\\\\",
            "a\\",
            "!x!",
            "(x)",
            "模型",
        ]
    ),
    st.text("ab{}[]|\\*_-&#;!~^ 1", min_size=1, max_size=8).map(str.strip).filter(bool),
)
ESCAPE = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&=:])")


def escaped(word: str) -> str:
    return ESCAPE.sub(r"\\\1", word) if not word.startswith("https://") else word


def code(text: str) -> str:
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


PLAIN = WORD.map(escaped)
LINE_OF_WORDS = st.lists(PLAIN, min_size=1, max_size=4).map(" ".join)


def emphasised(sign: str) -> st.SearchStrategy[str]:
    inner = st.lists(st.one_of(PLAIN, CODE.map(code)), min_size=1, max_size=3).map(" ".join)
    return st.builds(
        lambda words, after: f"{sign}{words}{sign}{after}", inner, st.sampled_from(["", "s", "訓練", ".", ","])
    )


LINK = st.builds(
    lambda words, address: f"[{words}]({address})",
    st.one_of(LINE_OF_WORDS.filter(lambda words: "https://" not in words), CODE.map(code)),
    st.sampled_from(
        [
            "https://example.com",
            "https://example.com/a_b*c*?x=1#y",
            "<https://example.com/(x)>",
            "https://example.com/%7Bx%7D",
            "mailto:a@example.com",
        ]
    ),
)
PIECE = st.one_of(
    PLAIN,
    PLAIN,
    CODE.map(code),
    emphasised("**"),
    emphasised("*"),
    emphasised("~~"),
    emphasised("***"),
    LINK,
    st.sampled_from(
        [
            "<https://example.com/x_y>",
            "**a *b* c**",
            "*a **b***",
            "~~**x** y~~",
            "**模型**s",
            "模**型**",
            "a*b*c",
            "**[x](https://example.com)**y",
            "“**x**”",
            "**a**~~b~~",
            "*a*`b`",
        ]
    ),
)
LINE = st.lists(PIECE, min_size=1, max_size=5).map(" ".join)
CELL = LINE.map(lambda line: re.sub(r"(?<!\\)\|", r"\\|", line))


def indented(text: str, by: int) -> str:
    return text.replace("\n", "\n" + " " * by)


def fence(text: str) -> str:
    return f"```python\n{text}\n```"


FENCE = (
    st.lists(CODE, min_size=1, max_size=3)
    .map("\n".join)
    .filter(lambda text: not ("{code" in text and "{noformat" in text))
    .map(fence)
)


def listed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    item = st.builds(lambda line, more: "\n".join([line, *more]), LINE, st.lists(inner, max_size=1))

    def bullets(items: Sequence[str]) -> str:
        return "\n".join(f"- {indented(one, 2)}" for one in items)

    def numbers(items: Sequence[str]) -> str:
        return "\n".join(f"{at}. {indented(one, 3)}" for at, one in enumerate(items, 1))

    return st.builds(
        lambda make, items: make(items), st.sampled_from([bullets, numbers]), st.lists(item, min_size=1, max_size=3)
    )


LIST = st.recursive(listed(FENCE), listed, max_leaves=3)
TABLE = (
    st.integers(1, 3)
    .flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=2, max_size=3))
    .map(
        lambda rows: "\n".join(
            [
                f"| {' | '.join(rows[0])} |",
                f"|{' --- |' * len(rows[0])}",
                *(f"| {' | '.join(row)} |" for row in rows[1:]),
            ]
        )
    )
)
PARAGRAPH = st.lists(LINE, min_size=1, max_size=2).map("  \n".join)
QUOTE = st.lists(st.one_of(PARAGRAPH, LIST, FENCE), min_size=1, max_size=2).map(
    lambda blocks: "\n".join(f"> {line}".rstrip() for line in "\n\n".join(blocks).split("\n"))
)
HEADING = st.builds(lambda level, line: f"{'#' * level} {line}", st.integers(1, 6), LINE)
MARKDOWN = st.lists(
    st.one_of(PARAGRAPH, PARAGRAPH, HEADING, LIST, TABLE, QUOTE, FENCE, st.just("---")), min_size=1, max_size=4
).map("\n\n".join)

KNOWN = [
    "`{a}` and `a}` and `}`",
    "h1\\. is no heading\n\nbq\\. is no quote",
    "**model**s 和**模型**訓練",
    "- a\n  ```\n  x\n\n  y\n  ```\n- b",
    "- a\n- b\n\n* c",
    "1. a\n   - b\n     1. c\n2. d",
    "> a\n>\n> - b\n\n> c",
    "| a | b |\n| --- | --- |\n| `x\\|y` | c\\|d |",
    "# a \\#",
    "a  \n\\# b  \n\\- c",
    "&amp;amp; \\\\* \\`x\\`",
    "- h1\\. x\n- \\# y",
    "**#**",
    "x **#** y",
    "**-**",
    "~~#~~",
    "~~https://a.example/b~~",
    "**https://a.example/b** ~~x https://a.example/b~~",
]


@pytest.mark.parametrize("markdown", KNOWN)
def test_what_was_once_read_back_wrong_is_read_back_right(markdown: str) -> None:
    assert structure(from_wiki(to_wiki(markdown))) == structure(markdown)
    assert structure(from_adf(document(to_adf(markdown)))) == structure(markdown)
    assert structure(from_adf(wiki_to_adf(to_wiki(markdown)))) == structure(markdown)


@given(MARKDOWN)
def test_markdown_comes_back_from_wiki_markup(markdown: str) -> None:
    assert structure(from_wiki(to_wiki(markdown))) == structure(markdown)


@given(MARKDOWN)
def test_markdown_comes_back_from_a_document(markdown: str) -> None:
    nodes = document(to_adf(markdown))
    assert problem(nodes) is None
    assert structure(from_adf(nodes)) == structure(markdown)


@given(MARKDOWN)
def test_jira_shows_what_was_sent_as_wiki_markup(markdown: str) -> None:
    shown = wiki_to_adf(to_wiki(markdown))
    assert problem(shown) is None
    assert structure(from_adf(shown)) == structure(markdown)


@given(MARKDOWN)
def test_what_was_read_is_read_the_same_again(markdown: str) -> None:
    once = from_wiki(to_wiki(markdown))
    assert structure(from_wiki(to_wiki(once))) == structure(once)


@given(MARKDOWN)
def test_trello_shows_the_text_and_nothing_of_our_line(markdown: str) -> None:
    card, comments = trello.description(markdown, "uid", "ticket:a")
    assert comments == ()
    assert structure(card) == structure(markdown)
    assert structure(trello.whole(card, ())) == structure(markdown)
