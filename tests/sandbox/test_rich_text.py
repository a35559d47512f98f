"""Rich text: what the document format refuses, and that wiki markup and documents read as each other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.jira.richtext import adf_problem, as_adf, as_html, as_text, as_wiki


def doc(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": list(blocks)}


def text(value: str, *marks: str) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "text", "text": value}
    if marks:
        node["marks"] = [{"type": mark} for mark in marks]
    return node


def para(*inline: dict[str, Any]) -> dict[str, Any]:
    return {"type": "paragraph", "content": list(inline)}


def item(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "listItem", "content": list(blocks)}


def table(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"type": "table", "content": [{"type": "tableRow", "content": list(cells)}]}


@pytest.mark.parametrize(
    "document",
    [
        doc(),
        doc(para()),
        doc(para(text("a", "strong", "em"), {"type": "hardBreak"}, {"type": "mention", "attrs": {"id": "x"}})),
        doc({"type": "heading", "attrs": {"level": 6}, "content": [text("h")]}),
        doc(
            {
                "type": "bulletList",
                "content": [item(para(text("a")), {"type": "orderedList", "content": [item(para())]})],
            }
        ),
        doc({"type": "panel", "attrs": {"panelType": "info"}, "content": [para()]}),
        doc(
            {
                "type": "taskList",
                "attrs": {"localId": "l"},
                "content": [{"type": "taskItem", "attrs": {"localId": "i", "state": "DONE"}, "content": [text("t")]}],
            }
        ),
        doc(
            {
                "type": "table",
                "content": [{"type": "tableRow", "content": [{"type": "tableHeader", "content": [para()]}]}],
            }
        ),
    ],
)
def test_a_well_formed_document_is_accepted(document: dict[str, Any]) -> None:
    assert adf_problem(document) is None


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("plain words", "a document"),
        ({"type": "doc", "content": []}, "version"),
        ({"type": "doc", "version": True, "content": []}, "version"),
        ({"type": "doc", "version": 1}, "content"),
        ({"type": "doc", "version": 1, "content": [], "extra": 1}, "extra"),
        (doc(text("loose")), "content[0]"),
        (doc({"type": "nonsense"}), "content[0]"),
        (doc(para({"type": "text", "text": ""})), "content[0].content[0].text"),
        (doc(para({"type": "text"})), "content[0].content[0].text"),
        (doc(para(text("x", "bold"))), "marks[0]"),
        (doc(para(text("x", "strong", "strong"))), "marks"),
        (doc(para(text("x", "strong", "code"))), "marks"),
        (doc(para({"type": "text", "text": "x", "marks": [{"type": "link"}]})), "href"),
        (doc({"type": "heading", "attrs": {"level": 7}, "content": []}), "attrs.level"),
        (doc({"type": "bulletList", "content": []}), "content"),
        (doc({"type": "bulletList", "content": [para()]}), "content[0].content[0]"),
        (doc({"type": "codeBlock", "content": [text("x", "strong")]}), "marks"),
        (doc({"type": "panel", "attrs": {"panelType": "loud"}, "content": [para()]}), "panelType"),
        (doc({"type": "paragraph", "children": []}), "children"),
        (doc({"type": "mediaSingle", "content": [{"type": "media", "attrs": {"type": "file"}}]}), "attrs.id"),
    ],
)
def test_a_broken_document_is_refused_and_the_place_is_named(document: object, place: str) -> None:
    assert place in (adf_problem(document) or "")


def test_nesting_without_end_is_refused_instead_of_overflowing() -> None:
    node: dict[str, Any] = para(text("x"))
    for _ in range(500):
        node = {"type": "bulletList", "content": [item(node)]}
    assert "nested deeper" in (adf_problem(doc(node)) or "")


WIKI = """h2. Definition of ready
Write *what* and _why_, see [the guide|https://example.com/guide] or https://example.com/x.

* first
** below first
*# counted
* second with {{code}}

# one
# two
----
||Metric||Value||
|recall|0.9 \\| 0.95|

{code:python}
print("*not bold*")
{code}

{quote}
Said once.
{quote}
{panel:bgColor=#fffae6}
Careful: {color:red}hot{color}
{panel}
bq. short
[~accountid:712020:abc] snake_case stays, 2*3*4 stays, a -b- c"""


def test_wiki_markup_reads_as_the_document_it_describes() -> None:
    blocks = as_adf(WIKI)["content"]
    assert [block["type"] for block in blocks] == [
        "heading",
        "paragraph",
        "bulletList",
        "orderedList",
        "rule",
        "table",
        "codeBlock",
        "blockquote",
        "panel",
        "blockquote",
        "paragraph",
    ]
    assert blocks[0]["attrs"] == {"level": 2}
    assert text("what", "strong") in blocks[1]["content"]
    link = {"type": "link", "attrs": {"href": "https://example.com/guide"}}
    assert {"type": "text", "text": "the guide", "marks": [link]} in blocks[1]["content"]
    first = blocks[2]["content"][0]
    assert [child["type"] for child in first["content"]] == ["paragraph", "bulletList", "orderedList"]
    assert blocks[5]["content"][1]["content"][1]["content"][0]["content"] == [text("0.9 | 0.95")]
    assert blocks[6] == {
        "type": "codeBlock",
        "content": [text('print("*not bold*")')],
        "attrs": {"language": "python"},
    }
    assert blocks[8]["attrs"] == {"panelType": "warning"}
    assert blocks[-1]["content"] == [
        {"type": "mention", "attrs": {"id": "712020:abc"}},
        text(" snake_case stays, 2*3*4 stays, a "),
        text("b", "strike"),
        text(" c"),
    ]


def test_every_document_read_from_wiki_markup_is_itself_valid() -> None:
    assert adf_problem(as_adf(WIKI)) is None


@given(st.text(alphabet=" \n*_-+^~{}[]|!\\#abh1.:/q?quotecdpanel", max_size=120))
def test_any_text_has_a_valid_document(wiki: str) -> None:
    assert adf_problem(as_adf(wiki)) is None


_word = st.text(alphabet="abc1.*_-+^~{}[]|!\\#:/ h", min_size=1, max_size=12).map(str.strip).filter(bool)
_marks = st.sampled_from([(), ("strong",), ("em",), ("strike",), ("underline",), ("strong", "em"), ("code",)])
_text = st.builds(lambda value, marks: text(value, *marks), _word, _marks)


def _apart(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put a plain space between neighbours, so that equal marks do not merge, and breaks between the rest."""
    spaced: list[dict[str, Any]] = []
    for node in nodes:
        if spaced:
            spaced.append({"type": "hardBreak"})
        spaced.append(node)
    return spaced


_inline = st.lists(_text, min_size=1, max_size=4).map(_apart)
_paragraph = _inline.map(lambda nodes: para(*nodes))
_heading = st.builds(
    lambda level, nodes: {"type": "heading", "attrs": {"level": level}, "content": nodes}, st.integers(1, 6), _inline
)
_list = st.lists(_paragraph.map(item), min_size=1, max_size=3).map(
    lambda items: {"type": "bulletList", "content": items}
)
_codeblock = (
    st.text(alphabet="ab *#|_\n", min_size=1, max_size=20)
    .filter(lambda s: s.strip() == s)
    .map(lambda s: {"type": "codeBlock", "content": [text(s)]})
)
_block = st.one_of(_paragraph, _heading, _codeblock, st.just({"type": "rule"}))


@given(st.lists(_block, min_size=1, max_size=4), _list)
def test_a_document_survives_being_read_as_wiki_markup(blocks: list[dict[str, Any]], bullets: dict[str, Any]) -> None:
    document = doc(*blocks, bullets)
    assert as_adf(as_wiki(document)) == document


def test_plain_words_stay_readable_when_a_document_is_read_as_wiki() -> None:
    words = "Review well-known_data (v1.2) - 50% [draft] at 10:00!"
    assert as_wiki(doc(para(text(words)))) == words
    assert as_wiki(doc(para(text("now "), text("bold", "strong"), text("!")))) == "now *bold*!"


def test_what_was_written_comes_back_unchanged_on_its_own_version() -> None:
    document = doc(para(text("x")))
    assert as_adf(document) is document
    assert as_wiki("h1.  odd   spacing ") == "h1.  odd   spacing "


def test_html_escapes_values_and_drops_script_addresses() -> None:
    link = {"type": "link", "attrs": {"href": 'javascript:alert("x")'}}
    html = as_html(doc(para(text("<b>&"), {"type": "text", "text": "go", "marks": [link]})))
    assert html == "<p>&lt;b&gt;&amp;go</p>"


def test_html_shows_tasks_tables_and_mentions() -> None:
    tasks = {
        "type": "taskList",
        "attrs": {"localId": "l"},
        "content": [{"type": "taskItem", "attrs": {"localId": "i", "state": "DONE"}, "content": [text("ship")]}],
    }
    html = as_html(doc(tasks, para({"type": "mention", "attrs": {"id": "42"}})), lambda _: "ML 1")
    assert "done: </span>ship" in html
    assert "@ML 1" in html
    assert "<th>" in as_html("||A||\n|b|")


def test_bare_words_leave_the_markup_out() -> None:
    assert as_text("h1. Title\n\n* *one*\n* two") == "Title\none\ntwo"
