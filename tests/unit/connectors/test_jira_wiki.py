"""Jira's wiki markup, read as Markdown."""

from __future__ import annotations

import gc
import time
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jira.markup import to_wiki
from connectors.jira.wiki import from_wiki, inline


@pytest.mark.parametrize(
    ("wiki", "markdown"),
    [
        ("", ""),
        (" \r\n\n", ""),
        ("Plain words.", "Plain words."),
        ("h1. One\nwords\nh3. Two *b*", "# One\n\nwords\n\n### Two **b**"),
        ("h2.\nh2.no heading", "##\n\nh2.no heading"),
        ("* a\n** b\n**# c\n* d\n\nafter", "- a\n  - b\n    1. c\n- d\n\nafter"),
        ("- a\n- b", "- a\n- b"),
        ("*** too deep\n* a\n*** b", "- too deep\n- a\n  - b"),
        ("# one\nmore\n# two", "1. one\n   more\n1. two"),
        ("* [ ] open\n* [x] done", "- [ ] open\n- [x] done"),
        (
            "||a||b||\n|x|[y|https://e.org]|\n| |z\\|z|",
            "| a | b |\n| --- | --- |\n| x | [y](https://e.org) |\n|  | z\\|z |",
        ),
        ("{code:python}\nx = {'a': [1]}\n{code}\ntext", "```python\nx = {'a': [1]}\n```\n\ntext"),
        ("{code:title=a.py|borderStyle=solid}\n```\n{code}", "````\n```\n````"),
        ("{noformat}*a*{noformat}", "```\n*a*\n```"),
        ("{code}never closed", "{code}never closed"),
        ("{quote}\nsaid\n\n* a\n{quote}\nafter", "> said\n>\n> - a\n\nafter"),
        ("{quote}never closed", "never closed"),
        ("bq. said", "> said"),
        ("{panel:title=Mind this|bgColor=#fff}\nh2. Goal\nwords\n{panel}", "**Mind this**\n\n## Goal\n\nwords"),
        ("{info}\nx\n{info}\n{expand:More}\ny\n{expand}", "x\n\n**More**\n\ny"),
        ("----\nafter", "---\n\nafter"),
        ("{color:red}red{color} {color:#ff0000}*b*{color}", "red **b**"),
        ("{anchor:top}words {toc}", "words"),
    ],
)
def test_blocks_are_read(wiki: str, markdown: str) -> None:
    assert from_wiki(wiki) == markdown


@pytest.mark.parametrize(
    ("wiki", "markdown"),
    [
        ("*b* _i_ -s- +u+ 10^6^ H~2~O", "**b** *i* ~~s~~ u 10^6^ H~2~O"),
        ("{*}b{*}old m{^}2{^}", "**b**old m^2"),
        ("*_both_*", "***both***"),
        ("*b _i* x_", "**b \\_i** x\\_"),
        ("state-of-the-art run_models 3*4 a - b -5 and (-1)", "state-of-the-art run_models 3*4 a - b -5 and (-1)"),
        ("__init__ ** x **", "\\_\\_init\\_\\_ ** x **"),
        ("{{run_models \\-\\-x}} {{a`b}}", "`run_models --x` `` a`b ``"),
        ("[docs|https://e.org/a_b?x=1] [https://e.org/*a*]", "[docs](https://e.org/a_b?x=1) <https://e.org/*a*>"),
        ("[https://e.org|https://e.org|smart-link]", "<https://e.org>"),
        ("[a \\[b\\]|https://e.org/(x)]", "[a [b]](<https://e.org/(x)>)"),
        ("[mail|mailto:a@e.org] [mailto:a@e.org]", "[mail](mailto:a@e.org) <a@e.org>"),
        ("[~accountid:712020:1-2] [~jdoe]", "@712020:1-2 @jdoe"),
        ("[not a link] [] [x", "[not a link] [] [x"),
        ("see https://e.org/_a_/*b*.", "see <https://e.org/_a_/*b>*."),
        ("!plot.png|thumbnail! and !https://e.org/x.png! great! and !this!",
         "![plot.png](plot.png) and ![](https://e.org/x.png) great! and !this!"),
        ("\\*a\\* \\{b\\} \\-c C:\\data a\\\\b &#92; &amp; &nbsp;x", "\\*a\\* {b} -c C:\\data a\nb \\ &  x"),
        ("&#0; &#55296; &#9999999; &bogus;", "\\&#0; \\&#55296; \\&#9999999; &bogus;"),
    ],
)  # fmt: skip
def test_text_within_a_line_is_read(wiki: str, markdown: str) -> None:
    assert inline(wiki) == markdown


@pytest.mark.parametrize(
    "line", ["\\# no list", "> no quote", "1. no list", "2) no list", "+ no list", "```", "#5 next"]
)
def test_plain_words_begin_nothing_in_markdown(line: str) -> None:
    read = from_wiki(line)
    assert read.replace("\\", "") == line.replace("\\", "")
    assert "\\" in read


@pytest.mark.parametrize(
    "markdown",
    [
        "**bold** and *em* and ~~gone~~",
        "`run_models --x`",
        "# One\n\n## Two",
        "- a\n  - b\n    1. c\n- d\n\nafter",
        "[docs](https://example.com/a_b?x=1)",
        "<https://example.com/a_b>",
        "| a | b |\n| --- | --- |\n| x | *z* |\n|  | y |",
        "```python\nx = {'a': [1]}\n```\n\ntext",
        "> said",
        "<b>x</b>\n\nnext",
        "state-of-the-art run_models 3*4 a^b",
        "a -flag and [brackets] {braces} great! and !img! (x) C:\\data",
        "- [ ] Signed off by the product manager",
    ],
)
def test_what_we_write_is_read_back_as_it_was(markdown: str) -> None:
    assert from_wiki(to_wiki(markdown)) == markdown


PIECES = [*"*_-+^~?{}[]|\\!&#h1.2:;/ \n\t<>@(`ab\u202e", "{code}", "{quote}", "{panel:title=", "bq. "]
SIGNS = st.lists(st.sampled_from(PIECES)).map("".join)
UNITS = [
    "*a ",
    "[",
    "{{",
    "!a",
    "_-*+",
    "{quote}",
    "{code}",
    "|[a",
    "\\",
    "* ",
    "h1. a\n",
    "* a\n** b\n",
    "[~",
    "{color:",
]
UNITS += ["{panel:title=", "|", "&#92;", "{", "https://", "a|", "[a|b ", "{*}"]


@given(st.one_of(st.text(), SIGNS))
def test_no_text_raises_and_words_stay(wiki: str) -> None:
    read = from_wiki(wiki + "\n\nThe end")
    assert read.endswith("The end") or "The end" in read


NUMBERS = count()


@pytest.mark.parametrize("unit", UNITS)
def test_reading_takes_time_in_proportion(unit: str) -> None:
    def took(size: int) -> float:
        best = float("inf")
        gc.disable()  # it would go through all that the other tests left
        for _ in range(3):
            text = f"{unit * (size // len(unit))}{next(NUMBERS)}"  # what was read before is kept
            began = time.process_time()
            from_wiki(text)
            best = min(best, time.process_time() - began)
        gc.enable()
        return best

    # In proportion is 4 times, by the square 16; a machine that is busy with other things is asked again.
    assert any(took(80_000) < 9 * took(20_000) + 0.02 for _ in range(5))
