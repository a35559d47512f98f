"""A measure as a picture that reads without eyes, and as a table."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.audit import plot
from service.domain.audit.metrics import Point, Series

SVG = "{http://www.w3.org/2000/svg}"


def series(*values: float, name: str = "F1", unit: str = "", target: float | None = None) -> Series:
    points = tuple(Point(number, f"iteration {number}", value, target) for number, value in enumerate(values, 1))
    return Series(name, unit, points)


def drawn(what: Series) -> ET.Element:
    return ET.fromstring(plot.svg(what))


def places(line: ET.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (one.split(",") for one in line.attrib["points"].split())]


def test_a_greater_value_is_drawn_higher_and_a_later_iteration_further_right() -> None:
    (line,) = drawn(series(0.7, 0.8, 0.75)).findall(f"{SVG}polyline")

    (first, second, third) = places(line)
    assert first[0] < second[0] < third[0]
    assert first[1] > third[1] > second[1]


def test_targets_are_a_dashed_line_at_their_height() -> None:
    target, values = drawn(series(0.7, 0.9, target=0.8)).findall(f"{SVG}polyline")

    assert "stroke-dasharray" in target.attrib
    assert "stroke-dasharray" not in values.attrib
    assert places(values)[1][1] < places(target)[0][1] < places(values)[0][1]


def test_the_picture_is_told_in_words() -> None:
    picture = drawn(series(91.5, 80, 93, unit="%"))
    title, desc = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")

    assert title is not None
    assert title.text == "F1 by iteration, in %"
    assert desc is not None
    assert desc.text == (
        "From 91.5% in iteration 1 to 93% in iteration 3; least 80% in iteration 2, most 93% in iteration 3. "
        "All values are in the table."
    )
    assert picture.attrib["role"] == "img"
    assert picture.attrib["aria-labelledby"].split() == [title.attrib["id"], desc.attrib["id"]]


@pytest.mark.parametrize("what", [series(), series(math.nan, math.inf)], ids=["none", "no numbers"])
def test_without_values_it_says_so(what: Series) -> None:
    assert "No values." in plot.svg(what)


def test_hostile_names_are_text() -> None:
    picture = drawn(series(1, name="</title><script>alert(1)</script>\u202e\x00"))

    assert picture.find(f".//{SVG}script") is None
    title = picture.find(f"{SVG}title")
    assert title is not None
    assert title.text == "</title><script>alert(1)</script>[U+202E][U+0000] by iteration"


def test_the_table_has_every_value_with_its_unit() -> None:
    what = Series("Latency", "ms", (Point(3, "c", 118.25), Point(1, "a", 120, 100)))

    assert plot.rows(what) == [(1, "120 ms", "100 ms"), (3, "118.25 ms", "")]


@given(
    st.lists(
        st.tuples(st.integers(1, 10_000), st.floats(), st.none() | st.floats()),
        max_size=30,
        unique_by=lambda one: one[0],
    ),
    st.text(),
)
def test_whatever_the_values_the_picture_is_whole_and_inside_its_frame(
    values: list[tuple[int, float, float | None]], name: str
) -> None:
    picture = drawn(Series(name, "", tuple(Point(number, "", value, target) for number, value, target in values)))

    circles = picture.findall(f"{SVG}circle")
    assert len(circles) == sum(math.isfinite(value) for _, value, _ in values)
    inside = [place for line in picture.findall(f"{SVG}polyline") for place in places(line)]
    assert all(0 <= x <= plot.WIDTH and 0 <= y <= plot.HEIGHT for x, y in inside)
