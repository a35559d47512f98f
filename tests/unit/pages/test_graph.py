"""What waits for what, laid out as a picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

import pytest

from service import templates
from service.domain.template.reader import read_template
from service.pages import template_graph
from service.pages.graph import HIGH, WIDE, Box, Node, Picture, picture


def laid(waits: Mapping[str, Sequence[str]]) -> Picture:
    keys = list(dict.fromkeys([*waits, *(one for of in waits.values() for one in of)]))
    return picture([Node(key, key, "", "") for key in keys], waits)


def boxes(found: Picture) -> dict[str, Box]:
    return {one.title: one for one in found.boxes}


def ends(path: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where the line of an arrow begins and ends."""
    numbers = [float(one) for one in re.findall(r"-?\d+", path.split("M")[1])]
    return (numbers[0], numbers[1]), (numbers[-2], numbers[-1])


def many(size: int) -> dict[str, list[str]]:
    """Much that waits for much: each for a few of those before it."""
    return {f"k{n}": [f"k{n // by}" for by in (2, 3, 7) if n and n // by < n] for n in range(size)}


CASES = {
    "a line": {"c": ["b"], "b": ["a"]},
    "a diamond": {"d": ["b", "c"], "b": ["a"], "c": ["a"]},
    "apart": {"b": ["a"], "d": ["c"], "e": []},
    "five hundred": many(500),
}


@pytest.mark.parametrize("waits", CASES.values(), ids=CASES)
def test_what_waits_stands_below_what_it_waits_for(waits: Mapping[str, Sequence[str]]) -> None:
    found = boxes(laid(waits))

    assert [(one, key) for key, of in waits.items() for one in of if found[one].y >= found[key].y] == []


@pytest.mark.parametrize("waits", CASES.values(), ids=CASES)
def test_no_box_lies_on_another_or_outside_of_the_picture(waits: Mapping[str, Sequence[str]]) -> None:
    found = laid(waits)

    level: dict[float, list[float]] = {}
    for one in found.boxes:
        level.setdefault(one.y, []).append(one.x)
    near = [pair for row in level.values() for pair in combinations(sorted(row), 2) if pair[1] - pair[0] < WIDE]
    assert near == []
    assert all(0 <= one.x <= found.width - WIDE and 0 <= one.y <= found.height - HIGH for one in found.boxes)


def test_an_arrow_leads_from_the_foot_of_one_box_to_the_head_of_the_other() -> None:
    found = laid({"b": ["a"]})
    a, b = boxes(found)["a"], boxes(found)["b"]

    [(path, up)] = found.arrows

    assert not up
    assert ends(path) == ((a.x + WIDE / 2, a.y + HIGH), (b.x + WIDE / 2, b.y))


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    assert len(laid({"c": ["a", "b"], "b": ["a"]}).arrows) == 2


def test_what_waits_for_each_other_has_one_arrow_with_two_heads() -> None:
    [(path, up)] = laid({"a": ["b"], "b": ["a"]}).arrows

    assert not up
    assert path.count("M") == 3  # the line and two heads


def test_an_arrow_that_closes_a_circle_leads_up_and_every_other_down() -> None:
    found = laid({"b": ["a"], "c": ["b"], "a": ["c"]})

    assert sorted(up for _path, up in found.arrows) == [False, False, True]


def test_a_title_that_is_too_long_is_cut_in_the_box_and_whole_for_who_asks() -> None:
    title = "a title of very many words that no box of this width can hold whatever it does"
    [box] = picture([Node("a", title, "", "")], {}).boxes

    assert box.title == title
    assert len(box.lines) == 2
    assert box.lines[-1][1].endswith("…")


def test_the_epics_of_the_built_in_template_are_folded_and_one_is_opened_at_a_time() -> None:
    text = templates.load_builtin("iterative-ml")
    template = read_template(text.text, text.source)

    whole = template_graph.graph_of(template, "", "")
    assert len(whole.rows) == sum(len(phase.epics) for phase in template.phases)
    opened = template_graph.graph_of(template, "", "verify")
    own = {one.title for phase in template.phases for one in phase.tickets if one.epic == "verify"}
    assert own <= {one.title for one in opened.rows}
    assert len(opened.picture.boxes) == len(opened.rows) < 20
    assert {one for row in opened.rows for one in row.waits} <= {one.title for one in opened.rows}
