"""Markdown becomes the wiki markup that Jira shows as it was meant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.jira.markup import DESCRIPTION_LIMIT, description, normalised, to_wiki


@pytest.mark.parametrize(
    ("markdown", "wiki"),
    [
        ("", ""),
        ("Plain words.", "Plain words."),
        ("**bold** and *em* and ~~gone~~", "*bold* and _em_ and -gone-"),
        ("`run_models --x`", "{{run_models \\-\\-x}}"),
        ("# One\n\n## Two", "h1. One\n\nh2. Two"),
        ("- a\n  - b\n    1. c\n- d\n\nafter", "* a\n** b\n**# c\n* d\n\nafter"),
        ("1. one\n2. two\n\n   more\n3. three", "# one\n# two\nmore\n# three"),
        ("[docs](https://example.com/a_b?x=1)", "[docs|https://example.com/a_b?x=1]"),
        ("<https://example.com/a_b>", "[https://example.com/a_b]"),
        ("| a | b |\n|---|---|\n| x | _z_ |\n| | y |", "||a||b||\n|x|_z_|\n| |y|"),
        ("```python\nx = {'a': [1]}\n```\ntext", "{code:python}\nx = {'a': [1]}\n{code}\n\ntext"),
        ("```\nuse {code} here\n```", "{noformat}\nuse {code} here\n{noformat}"),
        ("> said", "bq. said"),
        ("---\nafter", "----\n\nafter"),
        ("<b>x</b>\n\n<div>a</div>\n\nnext", "<b>x</b>\n\n<div>a</div>\n\nnext"),
        ("first  \nsecond", "first\\\\\nsecond"),
        ("one\ntwo", "one two"),
    ],
)
def test_markdown_is_rendered(markdown: str, wiki: str) -> None:
    assert to_wiki(markdown) == wiki


@pytest.mark.parametrize(
    ("plain", "wiki"),
    [
        ("state-of-the-art run_models 3*4 a^b", "state-of-the-art run_models 3*4 a^b"),
        ("x - y * z", "x - y * z"),
        ("a -flag and [brackets] {braces}", "a \\-flag and \\[brackets\\] \\{braces\\}"),
        ("great! and !img!", "great! and \\!img!"),
        ("f(x) is (y) but (yes)", "f\\(x) is \\(y) but (yes)"),
        ("\\# no list", "\\# no list"),
        ("C:\\data is a path", "C:\\data is a path"),
        ("a \\\\ b", "a &#92; b"),
        ("- [ ] open", "* \\[ \\] open"),
    ],
)
def test_only_what_jira_would_take_for_markup_is_escaped(plain: str, wiki: str) -> None:
    assert to_wiki(plain) == wiki


def test_what_done_means_is_a_bullet_list_under_its_own_heading() -> None:
    assert description("Do it.", ["Metrics are *agreed*", "Reviewed by two\npeople"]) == (
        "Do it.\n\nh3. Done means\n\n* Metrics are _agreed_\n* Reviewed by two people"
    )


def test_a_checklist_without_a_text_and_no_checklist_at_all() -> None:
    assert description("", ["Done"]) == "h3. Done means\n\n* Done"
    assert description("Text", []) == "Text"
    assert description("", []) == ""


def test_a_text_beyond_the_limit_is_cut_with_a_note() -> None:
    cut = description("word " * 10_000, [])
    assert len(cut) <= DESCRIPTION_LIMIT
    assert cut.endswith("(cut here: the text was longer than the 32,767 characters that Jira keeps)_")


def test_a_cut_inside_a_code_block_closes_it() -> None:
    cut = description("```\n" + "x = 1\n" * 10_000 + "```", [])
    assert len(cut) <= DESCRIPTION_LIMIT
    assert cut.count("{code") == 2


def test_a_text_that_just_fits_is_left_alone() -> None:
    text = "a" * DESCRIPTION_LIMIT
    assert description(text, []) == text


def test_texts_that_differ_in_white_space_only_are_the_same() -> None:
    assert normalised("a  \r\n\r\n\r\n\r\nb\r\n") == normalised("\na\n\nb") == "a\n\nb"
    assert normalised(None) == ""


def test_rendering_in_several_threads_at_once_gives_the_same_text() -> None:
    texts = [f"**{number}**\n\n- a\n  - b\n\n```\ncode {number}\n```\n\n> quote" for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(to_wiki, texts)) == [to_wiki(text) for text in texts]
