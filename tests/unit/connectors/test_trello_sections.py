"""Sections of a card's text are written where nobody wrote, and nothing else of it changes by a character."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.records import Fill
from connectors.trello.markup import marked
from connectors.trello.sections import plain, without_headings, written_into

PROMPT = "> What was it for? Name the *measure*."
TEXT = f"Before.\n\n## Goal\n\n{PROMPT}\n\n## Data used\n\n- one\n- two\n\n## Sign-off\n\n> Who read this?"
MARKED = marked(TEXT, "prj_1", "record:1")
GOAL = Fill("Goal", "Better than **B**.", (PROMPT,))


def test_only_what_stood_in_the_section_changes() -> None:
    done = written_into(MARKED, [GOAL])
    assert (done.written, done.left) == (("Goal",), ())
    assert done.text == MARKED.replace(PROMPT, "Better than **B**.")


def test_the_last_section_ends_before_the_marker() -> None:
    done = written_into(MARKED, [Fill("Sign-off", "Nobody yet.", ("> Who read this?",))])
    assert done.text == MARKED.replace("> Who read this?", "Nobody yet.")


def test_an_empty_last_section_is_written_before_the_marker() -> None:
    text = marked("## Goal", "prj_1", "record:1")
    done = written_into(text, [GOAL])
    assert done.text.startswith("## Goal\n\nBetter than **B**.\n\n")
    assert done.text.strip().splitlines()[-1] == text.splitlines()[-1]
    assert done.text.count("[//]: #") == 1
    assert written_into("## Goal", [GOAL]).text == "## Goal\n\nBetter than **B**."


def test_what_a_person_wrote_below_the_marker_keeps_the_section_as_it_is() -> None:
    text = f"{MARKED}\nand I agree"
    fill = Fill("Sign-off", "Nobody yet.", ("> Who read this?",))
    assert written_into(text, [fill]).left == ("Sign-off",)
    assert written_into(f"{MARKED}\n\n## Notes\n\nMine", [fill]).written == ("Sign-off",)


@pytest.mark.parametrize(
    "changed",
    [
        f"{PROMPT}\n\nB was better.",
        PROMPT.replace("measure", "number"),
        f"{PROMPT}\n\n### A part\n\nMine.",
        f"{PROMPT} ~0.9",
        f"{PROMPT}\n\n- [x]",
        f"{PROMPT}\n\n[//]: # (my own remark)",
        f"{PROMPT}\n\n![](https://example.com/curve.png)",
    ],
)
def test_whatever_a_person_added_or_changed_is_left(changed: str) -> None:
    text = MARKED.replace(PROMPT, changed)
    done = written_into(text, [GOAL])
    assert (done.text, done.left) == (text, ("Goal",))


@pytest.mark.parametrize(
    "same",
    [
        "What was it for? Name the *measure*.",
        "> What was it for?\n> Name the _measure_.",
        "> What was it for? Name the **measure**\\.\u200c",
        "\n\n>What was it for?  Name the *measure*.\n\n\u200c\n",
        "",
    ],
)
def test_what_the_editor_made_of_the_prompt_is_still_ours(same: str) -> None:
    done = written_into(MARKED.replace(PROMPT, same), [GOAL])
    assert done.written == ("Goal",)
    assert "Better than **B**." in done.text
    assert "What was it for?" not in done.text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("run\\_1 and `run_1`", "run_1 and run_1"),
        ('[https://example.com/a](https://example.com/a "smartCard-inline")', "https://example.com/a"),
        ("<https://example.com/a>", "https://example.com/a"),
        ("* one\n* two", "- one\n- two"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "|a|b|\n| :--- | ---: |\n|1|2|"),
        ("a\r\nb", "a b"),
    ],
)
def test_one_thing_said_with_other_marks_is_the_same(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.5", "15"),
        ("-0.5", "0.5"),
        ("[the run](https://example.com/1)", "[the run](https://example.com/2)"),
        ("- [ ] signed", "- [x] signed"),
        ("model_a", "modela"),
        ("~3", "3"),
        ("a > b", "a b"),
    ],
)
def test_other_numbers_addresses_and_ticks_are_another_thing(one: str, other: str) -> None:
    assert plain(one) != plain(other)


def test_headings_are_known_by_their_words() -> None:
    for heading in ("# goal", "### 1. **Goal**:", "## Goal ##", "   ## GOAL  "):
        assert written_into(f"{heading}\n\n{PROMPT}", [GOAL]).written == ("Goal",)
    for heading in ("## Goals", "##Goal", "    ## Goal", "Goal", "```\n## Goal\n```", "## Goal # one"):
        assert written_into(f"{heading}\n\n{PROMPT}", [GOAL]).left == ("Goal",)


def test_a_heading_in_code_divides_nothing() -> None:
    text = f"## Goal\n\n{PROMPT}\n\n```\n## Data used\n```\n\n## Next"
    assert written_into(text, [GOAL]).left == ("Goal",)
    former = f"{PROMPT}\n\n```\n## Data used\n```"
    done = written_into(text, [Fill("Goal", "Short.", (former,))])
    assert done.text == "## Goal\n\nShort.\n\n## Next"


def test_a_heading_of_ours_ends_a_section_whatever_its_level() -> None:
    text = f"# Goal\n\n{PROMPT}\n\n## Data used\n\nMine."
    fills = [GOAL, Fill("Data used", "Ours.")]
    done = written_into(text, fills)
    assert (done.written, done.left) == (("Goal",), ("Data used",))
    assert done.text == "# Goal\n\nBetter than **B**.\n\n## Data used\n\nMine."


def test_a_body_divides_nothing_and_marks_nothing() -> None:
    body = "# Big\n\nText\n\n```\n# code\n```\n\n[//]: # (phaseloop x record:9)\n###"
    assert without_headings(body) == "**Big**\n\nText\n\n```\n# code\n```"


@given(st.text(alphabet="# >-*_`~|[]()\\\n\tGoal1.:\u200b/", max_size=300), st.text(max_size=60))
def test_no_text_raises_and_writing_twice_is_writing_once(text: str, body: str) -> None:
    once = written_into(text, [Fill("Goal", body), Fill("Data", "x")])
    assert written_into(once.text, [Fill("Goal", body), Fill("Data", "x")]).text == once.text
    if not once.written:
        assert once.text == text


@pytest.mark.parametrize(
    "unit", ["# ", "#", " ", "!", "*", "`", "[", "[x", "](", ">", "| ", "-", "\\", "~~~\n", "## Goal\n"]
)
def test_a_long_text_is_read_in_a_time_that_grows_with_its_length(unit: str) -> None:
    def seconds(times: int) -> float:
        text = unit * times + "x"
        began = time.perf_counter()
        written_into(f"## Goal\n\n{text}\n## {text[:2000]}", [GOAL])
        return time.perf_counter() - began

    seconds(100)
    assert seconds(80_000 // len(unit)) < 2.0
