"""Sorting work by what it needs, cutting it evenly, and waiting for no more than is necessary."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.loop.ordering import by_needs, cut_evenly, spread, without_implied

relaxed = settings(deadline=None)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[int], dict[int, list[int]]]:
    """Nodes in any order, each needing some smaller ones: no circles."""
    count = draw(st.integers(1, 12))
    needs = {
        node: draw(st.lists(st.integers(0, node - 1), unique=True, max_size=3)) if node else [] for node in range(count)
    }
    return draw(st.permutations(range(count))), needs


def ancestors(node: int, needs: dict[int, list[int]]) -> set[int]:
    return {need for direct in needs[node] for need in {direct} | ancestors(direct, needs)}


def test_work_without_needs_stays_in_its_order() -> None:
    assert by_needs(["c", "a", "b"], {}) == ["c", "a", "b"]


def test_work_moves_behind_what_it_needs_and_no_further() -> None:
    assert by_needs(["a", "b", "c", "d"], {"a": ["c"]}) == ["b", "c", "a", "d"]


def test_needs_outside_the_given_work_do_not_count() -> None:
    assert by_needs(["a", "b"], {"a": ["elsewhere"]}) == ["a", "b"]


def test_a_circle_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="in a circle: a, b"):
        by_needs(["a", "b", "c"], {"a": ["b"], "b": ["a"]})


@relaxed
@given(graphs())
def test_everything_comes_once_and_after_what_it_needs(graph: tuple[list[int], dict[int, list[int]]]) -> None:
    nodes, needs = graph
    ordered = by_needs(nodes, needs)
    assert sorted(ordered) == sorted(nodes)
    position = {node: index for index, node in enumerate(ordered)}
    assert all(position[need] < position[node] for node in nodes for need in needs[node])


def test_equal_weights_are_cut_into_equal_runs() -> None:
    assert cut_evenly([1, 1, 1, 1, 1, 1], 3) == [2, 4, 6]


def test_an_odd_one_goes_into_the_earlier_run() -> None:
    assert cut_evenly([5, 5, 5], 2) == [2, 3]


def test_work_without_weight_is_spread_by_count() -> None:
    assert cut_evenly([0, 0, 0, 0], 2) == [2, 4]


def test_more_runs_than_work_leaves_the_last_runs_empty() -> None:
    assert cut_evenly([3, 2], 4) == [1, 2, 2, 2]


def test_nothing_is_cut_into_empty_runs() -> None:
    assert cut_evenly([], 2) == [0, 0]


@relaxed
@given(st.lists(st.integers(0, 20), max_size=8), st.integers(1, 4))
def test_no_other_cut_is_more_even(weights: list[int], parts: int) -> None:
    def unevenness(ends: list[int]) -> int:
        return sum(sum(weights[start:end]) ** 2 for start, end in zip([0, *ends], ends, strict=False))

    found = cut_evenly(weights, parts)
    assert len(found) == parts
    assert found == sorted(found)
    assert found[-1] == len(weights)
    every = combinations_with_replacement(range(len(weights) + 1), parts - 1)
    assert unevenness(found) == min(unevenness([*cuts, len(weights)]) for cuts in every)


def squares(parts: list[list[int]], weights: dict[int, int], groups: dict[int, int]) -> int:
    """How uneven parts are: the sum of the squares of their loads, and of each group's loads in them."""
    loads = [[weights[node] for node in part] for part in parts]
    loads += [[weights[node] for node in part if groups[node] == group] for part in parts for group in range(3)]
    return sum(sum(load) ** 2 for load in loads)


def test_the_work_of_one_group_is_not_heaped_up_in_one_part() -> None:
    weights = dict.fromkeys(["deploy", "monitor", "test", "ask"], 5)
    groups = {"deploy": "ops", "monitor": "ops", "test": "qa", "ask": "qa"}
    needs = {"monitor": ["deploy"], "test": ["deploy"], "ask": ["deploy"]}
    parts = spread(list(weights), needs, weights, groups, 2)
    assert parts == [["deploy", "test"], ["monitor", "ask"]] or parts == [["deploy", "ask"], ["monitor", "test"]]


def test_two_that_need_each_other_never_change_places() -> None:
    assert spread(["a", "b"], {"b": ["a"]}, {"a": 1, "b": 9}, {"a": 0, "b": 0}, 2) == [["a"], ["b"]]


@relaxed
@given(graphs(), st.integers(1, 4), st.data())
def test_spread_work_is_complete_in_order_and_at_least_as_even_as_a_plain_cut(
    graph: tuple[list[int], dict[int, list[int]]], count: int, data: st.DataObject
) -> None:
    nodes, needs = graph
    weights = {node: data.draw(st.integers(0, 13)) for node in nodes}
    groups = {node: data.draw(st.integers(0, 2)) for node in nodes}
    parts = spread(nodes, needs, weights, groups, count)
    place = {node: number for number, part in enumerate(parts) for node in part}
    assert len(parts) == count
    assert sorted(node for part in parts for node in part) == sorted(nodes)
    assert all(place[need] <= place[node] for node in nodes for need in needs[node])
    for part in parts:
        assert all(part.index(need) < part.index(node) for node in part for need in needs[node] if need in part)
    ordered = by_needs(nodes, needs)
    ends = cut_evenly([weights[node] for node in ordered], count)
    plain = [ordered[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert squares(parts, weights, groups) <= squares(plain, weights, groups)
    assert spread(nodes, needs, weights, groups, count) == parts


def test_what_another_one_needs_anyway_is_left_out() -> None:
    needs = {"deploy": ["select"], "monitor": ["deploy"], "verify": ["deploy"]}
    assert without_implied(["deploy", "monitor", "verify"], needs) == ["monitor", "verify"]


def test_what_is_needed_by_way_of_others_is_left_out() -> None:
    assert without_implied(["a", "c"], {"c": ["b"], "b": ["a"]}) == ["c"]


@relaxed
@given(graphs())
def test_waiting_for_the_rest_is_waiting_for_all(graph: tuple[list[int], dict[int, list[int]]]) -> None:
    nodes, needs = graph
    chosen = nodes[: (len(nodes) + 1) // 2]
    kept = without_implied(chosen, needs)
    reached = set(kept).union(*(ancestors(node, needs) for node in kept))
    assert set(chosen) <= reached
    assert not any(node in ancestors(other, needs) for node in kept for other in kept)
