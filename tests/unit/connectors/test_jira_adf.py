"""The Atlassian Document Format: read as Markdown, written from it, and compared by its words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jira.adf import from_adf, words
from connectors.jira.adf_writing import addressed, document, to_adf, without_headings
from connectors.jira.markup import to_wiki
from sandbox.jira.adf import problem
from sandbox.jira.wiki import wiki_to_adf

Json = dict[str, Any]

MARKDOWN = [
    "**bold** and *em* and ~~gone~~ and `run_models --x`",
    "# One\n\n## Two **x** `c`",
    "Setext\n======",
    "- a\n  - b\n    1. c\n- d\n\nafter",
    "- \n- - x",
    "3. one\n4. two\n\n   more",
    "[docs](https://example.com/a_b?x=1) <https://example.com/a_b> [*x*](mailto:a@example.com)",
    "| a | b |\n|---|---|\n| x | _z_ |\n| | y |",
    "```python\nx = {'a': [1]}\n```\ntext",
    "> said\n>\n> - a\n>\n> > twice",
    "above\n\n---\n\nbelow",
    "<b>x</b>\n\n<div>a</div>\n\nnext",
    "first  \nsecond\nthird",
    "state-of-the-art run_models 3*4 a^b -flag [brackets] {braces} great! C:\\data a \\\\ b &amp; c",
    "- [ ] open\n- [x] done",
    "see https://example.com/a_b. And (https://example.com/x)",
]


def text(value: str, **marks: Json) -> Json:
    made = [{"type": name, **({"attrs": attrs} if attrs else {})} for name, attrs in marks.items()]
    return {"type": "text", "text": value, **({"marks": made} if made else {})}


def node(kind: str, *content: Json, **attrs: Any) -> Json:
    return {"type": kind, "content": list(content), **({"attrs": attrs} if attrs else {})}


def paragraph(*content: Json) -> Json:
    return node("paragraph", *content)


# --- reading ---


@pytest.mark.parametrize(
    ("block", "markdown"),
    [
        (node("heading", text("Goal"), level=2), "## Goal"),
        (node("heading", text("Goal"), level="x"), "# Goal"),
        (paragraph(text("a ", strong={}), text("b"), {"type": "hardBreak"}, text("# c")), "**a** b\n\\# c"),
        (paragraph(text("x", strong={}, em={}, strike={}), text("y", code={})), "~~***x***~~`y`"),
        (paragraph(text("run", link={"href": "https://e.org/(1)"})), "[run](<https://e.org/(1)>)"),
        (paragraph(text("https://e.org", link={"href": "https://e.org"})), "<https://e.org>"),
        (paragraph(node("mention", id="712020:1", text="@Somebody")), "@712020:1"),
        (paragraph(node("inlineCard", url="https://e.org/x")), "<https://e.org/x>"),
        (node("blockCard", data={"url": "https://e.org/x"}), "<https://e.org/x>"),
        (paragraph(node("status", text="OK", color="green"), node("emoji", shortName=":x:", text="❌")), "OK❌"),
        (paragraph(node("date", timestamp="1795392000000"), node("date", timestamp="no")), "2026-11-23no"),
        (node("panel", node("heading", text("Goal"), level=2), paragraph(text("x"))), "## Goal\n\nx"),
        (node("expand", paragraph(text("x")), title="More"), "**More**\n\nx"),
        (node("blockquote", paragraph(text("x")), paragraph(text("y"))), "> x\n>\n> y"),
        (node("codeBlock", text("x = 1\n```"), language="python"), "````python\nx = 1\n```\n````"),
        (node("rule"), "---"),
        (node("mediaSingle", node("media", type="file", id="4", alt="plot.png")), "![plot.png](plot.png)"),
        (node("mediaSingle", node("media", type="external", url="https://e.org/x.png")),
         "![https://e.org/x.png](https://e.org/x.png)"),
        (node("bulletList", node("listItem", paragraph(text("a")), node("orderedList",
              node("listItem", paragraph(text("b")))))), "- a\n  1. b"),
        (node("taskList", node("taskItem", text("a"), state="DONE"), node("taskItem", text("b"), state="TODO")),
         "- [x] a\n- [ ] b"),
        (node("table", node("tableRow", node("tableHeader", paragraph(text("a"))), node("tableHeader")),
              node("tableRow", node("tableCell", paragraph(text("x|y"))), node("tableCell"))),
         "| a |  |\n| --- | --- |\n| x\\|y |  |"),
        (node("layoutSection", node("layoutColumn", paragraph(text("a"))), node("layoutColumn", paragraph(text("b")))),
         "a\n\nb"),
        (node("brandNewThing", paragraph(text("still read"))), "still read"),
    ],
)  # fmt: skip
def test_nodes_are_read_as_markdown(block: Json, markdown: str) -> None:
    assert from_adf(document([block])) == markdown


@pytest.mark.parametrize("value", [None, "", "text", 4, [], {}, {"content": "x"}, {"content": [4, None, "x"]}])
def test_what_is_no_document_is_empty(value: Any) -> None:
    assert from_adf(value) == ""


def test_a_document_nested_without_end_is_read_by_its_words() -> None:
    deep = paragraph(text("the bottom"))
    for _ in range(5000):
        deep = node("blockquote", deep)
    assert "the bottom" in from_adf(document([deep]))
    assert words(deep) == ["the", "bottom"]


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
KINDS = st.sampled_from(
    ["text", "paragraph", "heading", "table", "tableRow", "taskItem", "mention", "date", "media", "bulletList", "x"]
)
NODES = st.recursive(
    st.dictionaries(st.sampled_from(["type", "text", "attrs", "marks", "content"]), LEAVES),
    lambda inner: st.fixed_dictionaries(
        {"type": KINDS},
        optional={
            "content": st.one_of(LEAVES, st.lists(inner, max_size=4)),
            "attrs": st.one_of(LEAVES, st.dictionaries(st.sampled_from(["level", "id", "url", "data"]), LEAVES)),
            "marks": st.one_of(st.none(), st.lists(inner, max_size=2)),
            "text": LEAVES,
        },
    ),
    max_leaves=20,
)


@given(st.lists(NODES, max_size=4))
def test_no_document_raises(nodes: list[Json]) -> None:
    assert isinstance(from_adf({"content": nodes}), str)
    assert all(words(*nodes))


# --- writing ---


@pytest.mark.parametrize("markdown", [*MARKDOWN, "- ```\n  code\n  ```\n- # Title\n\n  > said\n\n  ---"])
def test_markdown_becomes_a_document_that_the_format_allows(markdown: str) -> None:
    blocks = to_adf(markdown)
    assert blocks
    assert problem(document(blocks)) is None
    assert problem(document(without_headings(blocks))) is None
    assert not any(one["type"] == "heading" for one in without_headings(blocks))


@pytest.mark.parametrize("markdown", MARKDOWN)
def test_a_text_says_the_same_whichever_way_it_came_to_jira(markdown: str) -> None:
    """Seeded as wiki markup, and filled in as nodes: what was written first is known again."""
    assert words(*wiki_to_adf(to_wiki(markdown))["content"]) == words(*to_adf(markdown))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60))
def test_any_markdown_becomes_a_valid_document(markdown: str) -> None:
    assert problem(document(to_adf(markdown))) is None


def test_only_links_to_pages_and_people_are_links() -> None:
    [only] = to_adf("[a](javascript:alert(1)) [b](#top) ![c](https://e.org/c.png)")
    assert [(one["text"], one.get("marks")) for one in only["content"]] == [
        ("a b ", None),
        ("c", [{"type": "link", "attrs": {"href": "https://e.org/c.png"}}]),
    ]


def test_an_address_stands_before_the_words_and_none_before_words_to_nobody() -> None:
    blocks = to_adf("Please sign.")
    assert addressed(blocks, []) == blocks
    first, second = addressed(blocks, ["1", "2"])
    assert [one.get("attrs", {}).get("id", one.get("text")) for one in first["content"]] == ["1", " ", "2"]
    assert [second] == blocks


def test_markdown_nested_without_end_is_written_as_it_stands() -> None:
    blocks = to_adf(">" * 3000 + " x\n\nafter")
    assert problem(document(blocks)) is None
    assert words(*blocks)[-1] == "after"


# --- comparing ---


def test_white_space_marks_and_dashes_make_no_difference() -> None:
    ours = to_adf("Planned **12** -- see [x](https://e.org)\n\n- one\n- two")
    theirs = [
        paragraph(text(" Planned 12 \u2014 see "), text("x", link={"href": "https://e.org"})),
        paragraph(),
        paragraph(text("one")),
        paragraph(text("two", em={})),
    ]
    assert words(*ours) == words(*theirs)


@pytest.mark.parametrize(
    "added",
    [
        paragraph(text("more")),
        paragraph(node("mention", id="1")),
        paragraph(text("12", strike={})),
        paragraph(text("12", link={"href": "https://e.org"})),
        node("mediaSingle", node("media", type="file", id="4")),
        node("rule"),
        node("taskList", node("taskItem", state="DONE")),
        node("extension", extensionKey="x", extensionType="y"),
    ],
)
def test_whatever_can_be_seen_makes_a_difference(added: Json) -> None:
    ours = to_adf("Planned 12")
    assert words(*ours, added) != words(*ours)
    assert words(added)
