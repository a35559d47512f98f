"""A record's text as sections, however people write headings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.records import TEXT_READ
from service.domain.audit.prose import clip, count, likeness, plain
from service.domain.audit.sections import Block, Kind, Link, Section, Table, links_of, markdown_of, parse, sections_of
from service.domain.audit.subject import SectionRule
from tests.effort import examples
from tests.unit.domain.audit.corpus import rules, samples


def section(text: str, key: str = "goal") -> Section:
    return sections_of(text, rules())[key]


HEADINGS = {
    "as in the template": "## Goal and hypothesis",
    "another level": "##### Goal and hypothesis",
    "capitals": "## GOAL AND HYPOTHESIS",
    "half of it": "# Hypothesis",
    "a slash": "### Goal/hypothesis",
    "an ampersand": "## Goals & hypotheses:",
    "a number": "## 3.1 Goal and hypothesis",
    "a number with a bracket": "## 2) Goal",
    "emphasis": "## **Goal** and _hypothesis_",
    "emoji": "## \N{DIRECT HIT} Goal",
    "a remark": "## Goal (what we test)",
    "closing marks": "## Goal ##",
    "underlined": "Goal and hypothesis\n===",
    "bold": "**Goal and hypothesis**",
    "bold with a colon": "**Goal:**",
    "underscores": "__Goal__",
    "plain with a colon": "Goal and hypothesis:",
    "German": "## Ziel und Hypothese",
    "Spanish without accents": "## Objetivo e hipotesis",
    "Japanese": "## \u76ee\u6a19\u3068\u4eee\u8aac",
}


@pytest.mark.parametrize("heading", HEADINGS.values(), ids=HEADINGS)
def test_a_heading_is_known_however_it_is_written(heading: str) -> None:
    found = section(f"Before.\n\n{heading}\n\nWe test holidays.\n\n## Data used\n\norders v3")

    assert found.plain == "We test holidays."
    assert found.title


def test_the_template_s_own_names_go_before_what_is_built_in() -> None:
    rule = (SectionRule("goal", ("Aim", "Results"), ""), SectionRule("experiments", ("Experiments",), ""))

    found = sections_of("## Results\n\nx\n\n## Experiments\n\ny", rule)

    assert (found["goal"].plain, found["experiments"].plain) == ("x", "y")


def test_a_section_that_is_not_there_is_empty_and_has_no_title() -> None:
    found = sections_of("## Goal\n\nx", rules())

    assert list(found) == [rule.key for rule in rules()]
    assert (found["risks"].title, found["risks"].empty, found["risks"].lines) == ("", True, ())


def test_a_heading_further_down_stays_in_its_section() -> None:
    found = section(
        "## Experiments\n\n### Data used\n\nhalf\n\n### Results\n\n0.8\n\n## Data used\n\norders", "experiments"
    )

    assert found.lines == ("Data used", "half", "Results", "0.8")


def test_a_heading_that_is_not_known_ends_a_section_of_its_level() -> None:
    found = section("## Goal\n\nours\n\n### More\n\nours too\n\n## Appendix\n\nnot ours")

    assert found.lines == ("ours", "More", "ours too")


def test_a_line_above_a_rule_is_no_heading_that_ends_a_section() -> None:
    assert section("## Goal\n\nWe test holidays\n---\nand regions").lines == ("We test holidays", "and regions")


def test_bold_lines_without_blank_lines_between_are_headings() -> None:
    text = "**Goal**\nWe test holidays\n**Data used**\norders v3\n**Risks:** none known"

    assert [section(text, key).plain for key in ("goal", "data", "risks")] == [
        "We test holidays",
        "orders v3",
        "none known",
    ]


def test_a_bold_word_is_no_heading_where_the_section_has_a_real_one() -> None:
    found = section("## Goal\n\nx\n\n## Experiments\n\n**Goal:** to see\n\n0.8", "experiments")

    assert found.lines == ("Goal: to see", "0.8")


def test_what_stands_under_the_same_heading_twice_is_taken_together() -> None:
    assert section("## Goal\n\nfirst\n\n## Data used\n\nx\n\n## Goal\n\nsecond").lines == ("first", "second")


def test_the_checklist_below_the_record_is_part_of_no_section() -> None:
    assert section("## Sign-off\n\n\n### Done means\n\n- all filled in", "sign-off").empty


def test_a_section_has_its_links_tables_and_lines() -> None:
    listed = "- [run *7*](https://a.example.com/r_(7))\n  - https://b.example.com/x."
    text = f"## Links\n\n{listed}\n\n| a | b |\n|---|---|\n| 1 | |"

    found = section(text, "links")

    assert found.links == (Link("https://a.example.com/r_(7)", "run 7"), Link("https://b.example.com/x"))
    assert found.tables == (Table(("a", "b"), (("1", ""),)),)
    assert found.lines == ("run 7", "a | b", "1")


def test_blocks_tell_what_they_are() -> None:
    text = "# A\n\ntwo\nlines\n\n- [x] one\n  - two\n\n    more\n\n> said\n\n```py\ncode\n```\n\nB\n---"

    assert parse(text) == (
        Block(Kind.HEADING, "A", 1),
        Block(Kind.PARAGRAPH, "two\nlines"),
        Block(Kind.ITEM, "one", 1),
        Block(Kind.ITEM, "two", 2),
        Block(Kind.PARAGRAPH, "more", 2),
        Block(Kind.QUOTE, "said"),
        Block(Kind.CODE, "code"),
        Block(Kind.HEADING, "B", 0),
    )


def test_no_more_is_read_than_a_text_may_have() -> None:
    text = "## Goal\n\n" + "x" * TEXT_READ + "\n\n## Risks and limits\n\nlost"

    assert section(text, "risks").empty


@pytest.mark.parametrize("one", [one for one in samples() if one.text], ids=lambda one: one.name)
def test_blocks_written_again_read_the_same(one: object) -> None:
    blocks = [block for block in parse(one.text) if block.kind is not Kind.HEADING]

    assert [block.text for block in parse(markdown_of(blocks))] == [block.text for block in blocks]


def test_plain_words_have_no_marks_tags_addresses_or_unseen_characters() -> None:
    text = "**F1**\u202e of `model_b` is <b>0.8</b>, [run](https://a.b/c) <script>alert(1)</script>https://x.y/z 2"
    text += " \\* 3 &lt; 7 snake_case"

    assert plain(text) == "F1 of model_b is 0.8, run 2 * 3 < 7 snake_case"


def test_a_quote_is_one_line_and_short() -> None:
    assert clip("a\n b") == "a b"
    assert len(clip("word " * 500)) <= 200


def test_words_are_counted_where_none_are_set_apart() -> None:
    assert count("We test holidays") == 3
    assert count("\u5b66\u6821\u306e\u4f11\u307f") == 3


def test_likeness_goes_from_nothing_in_common_to_the_same() -> None:
    text = "we keep the model with holidays for the whole of the next quarter"

    assert likeness(text, text.upper()) == 1.0
    assert likeness(text, "nothing of this was said before") == 0.0
    assert likeness("", text) == 0.0
    assert 0.5 < likeness(text, text.replace("holidays", "weather")) < 1.0


def test_addresses_are_found_once_each_without_the_marks_around_them() -> None:
    text = "(https://a.example.com/x), <https://b.example.com> [b](https://b.example.com)"
    text += ' ![p](http://c.example.com/p.png "t")'

    assert [link.url for link in links_of(text)] == [
        "https://a.example.com/x",
        "https://b.example.com",
        "http://c.example.com/p.png",
    ]


@settings(max_examples=examples(100), deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_its_sections_and_loses_no_word_of_them(text: str) -> None:
    found = sections_of(f"## Risks\n\n{text}", rules())

    assert set(found) == {rule.key for rule in rules()}
    assert all(one.empty == (not count(one.plain) and not one.links) for one in found.values())
