"""Work in the order of what it needs: sorting, spreading over iterations, and leaving out what follows anyway."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import accumulate
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def by_needs(nodes: Sequence[Node], needs: Mapping[Node, Collection[Node]]) -> list[Node]:
    """The nodes, each after what it needs, otherwise as near to their given order as can be.

    Needs that are not among the nodes do not count. Raises ValueError when needs go round in a circle.
    """
    position = {node: index for index, node in enumerate(nodes)}
    waiting = {node: {need for need in needs.get(node, ()) if need in position} for node in nodes}
    followers: dict[Node, list[Node]] = {}
    for node, missing in waiting.items():
        for need in missing:
            followers.setdefault(need, []).append(node)
    ready = [position[node] for node in nodes if not waiting[node]]
    heapify(ready)
    result: list[Node] = []
    while ready:
        node = nodes[heappop(ready)]
        result.append(node)
        for follower in followers.get(node, ()):
            waiting[follower].discard(node)
            if not waiting[follower]:
                heappush(ready, position[follower])
    if len(result) != len(nodes):
        stuck = sorted(str(node) for node in nodes if waiting[node])
        raise ValueError(f"these need each other in a circle: {', '.join(stuck)}")
    return result


def cut_evenly(weights: Sequence[int], parts: int) -> list[int]:
    """Where to cut a sequence into `parts` runs so that their weights are as even as can be.

    Gives the exclusive end of each run. Least squares, first of the weights and then of the counts; among equals the
    earlier runs get more. O(parts * n^2).
    """
    sums = [0, *accumulate(weights)]
    end = len(weights)
    best: list[tuple[tuple[int, int], list[int]]] = [((sums[n] ** 2, n**2), [n]) for n in range(end + 1)]
    for _ in range(parts - 1):
        best = [_best_cut(best, sums, n) for n in range(end + 1)]
    return best[end][1]


def _best_cut(
    best: Sequence[tuple[tuple[int, int], list[int]]], sums: Sequence[int], end: int
) -> tuple[tuple[int, int], list[int]]:
    def cost(start: int) -> tuple[int, int]:
        weight, count = best[start][0]
        return weight + (sums[end] - sums[start]) ** 2, count + (end - start) ** 2

    start = min(range(end, -1, -1), key=cost)
    return cost(start), [*best[start][1], end]


def without_implied(nodes: Iterable[Node], needs: Mapping[Node, Collection[Node]]) -> list[Node]:
    """The nodes that none of the others needs, directly or by way of anything: to wait for these is to wait for all."""
    kept = list(dict.fromkeys(nodes))
    implied: set[Node] = set()
    left = [need for node in kept for need in needs.get(node, ())]
    while left:
        node = left.pop()
        if node not in implied:
            implied.add(node)
            left.extend(needs.get(node, ()))
    return [node for node in kept if node not in implied]
