"""What becomes of a text when sections are filled in: people's stay, whatever they did to it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jira.adf import words
from connectors.jira.adf_writing import to_adf
from connectors.jira.notes import Filling
from connectors.records import Fill

Json = dict[str, Any]

PROMPT, FACTS = "What for?", "Planned **12**."


def heading(words: str, level: int = 2) -> Json:
    return {"type": "heading", "attrs": {"level": level}, "content": [{"type": "text", "text": words}]}


def filled(nodes: Sequence[Mapping[str, Any]], *fills: Fill) -> Filling:
    return Filling(nodes, fills or (Fill("Goal", FACTS, (PROMPT,)),))


@pytest.mark.parametrize(
    "written", ["Goal", "goal", "1. Goal", "3) GOAL:", "**Goal**", "  Goal ?", "\U0001f3af Goal", "12 goal"]
)
def test_a_heading_is_known_by_its_words(written: str) -> None:
    filling = filled([heading(written)])
    assert (filling.written, filling.left, filling.changed) == (["Goal"], [], True)
    assert filling.nodes[1:] == to_adf(FACTS)


@pytest.mark.parametrize("written", ["Goals", "The goal", "", "2026", "Non-goal", "Go al"])
def test_another_heading_is_another(written: str) -> None:
    assert filled([heading(written), *to_adf(PROMPT)]).left == ["Goal"]


def test_a_heading_of_a_number_and_a_name_is_not_taken_for_its_number_alone() -> None:
    assert filled([heading("2026")], Fill("2026", FACTS)).written == ["2026"]


def test_a_section_ends_at_a_heading_of_its_level_or_above_or_of_ours() -> None:
    after = [heading("Data", 3), *to_adf("theirs"), heading("Done means", 3), *to_adf("- x")]
    fills = (Fill("Goal", FACTS, (PROMPT,)), Fill("Data", FACTS))
    filling = filled([heading("Goal"), *to_adf(PROMPT), *after], *fills)
    assert (filling.written, filling.left) == (["Goal"], ["Data"])
    assert filling.nodes == [heading("Goal"), *to_adf(FACTS), *after]
    below = [heading("Goal"), *to_adf(PROMPT), heading("Mine", 3)]
    assert filled(below).left == ["Goal"]
    assert filled([heading("Goal"), *to_adf(PROMPT), heading("Mine", 1)]).written == ["Goal"]


def test_a_body_that_is_to_be_empty_takes_the_prompt_away() -> None:
    filling = filled([heading("Goal"), *to_adf(PROMPT)], Fill("Goal", "", (PROMPT,)))
    assert (filling.nodes, filling.changed) == ([heading("Goal")], True)


TEXTS = st.sampled_from([PROMPT, FACTS, "Planned 12.", "A person's.", "What for? Because.", "", "What for"])
NODES = st.one_of(
    st.builds(heading, st.sampled_from(["Goal", "Data", "Done means", "Other"]), st.integers(1, 4)),
    TEXTS.map(lambda text: {"type": "paragraph", "content": [{"type": "text", "text": text}] if text else []}),
    st.just({"type": "rule"}),
    st.just({"type": "mediaSingle", "content": [{"type": "media", "attrs": {"id": "4"}}]}),
)


@given(st.lists(NODES, max_size=12))
def test_whatever_the_text_is_nothing_but_prompts_and_facts_of_ours_goes(nodes: list[Json]) -> None:
    fills = (Fill("Goal", FACTS, (PROMPT,)), Fill("Data", "None."))
    filling = filled(nodes, *fills)
    assert sorted(filling.written + filling.left) == ["Data", "Goal"]
    kept = [id(one) for one in filling.nodes]
    gone = [one for one in nodes if id(one) not in kept]
    assert all(words(one) in ([], words(*to_adf(PROMPT)), words(*to_adf(FACTS))) for one in gone)
    assert [id(one) for one in nodes if id(one) in kept] == [one for one in kept if one in {id(node) for node in nodes}]
    again = filled(filling.nodes, *fills)
    assert (again.changed, again.written, again.left) == (False, filling.written, filling.left)


def test_a_long_heading_takes_time_in_proportion() -> None:
    began = time.process_time()
    filled([heading("!" * 200_000 + "a" + "?" * 200_000), heading("1" * 200_000)])
    assert time.process_time() - began < 2
