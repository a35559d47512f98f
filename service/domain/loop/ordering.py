"""Work in the order of what it needs: sorting, spreading over iterations, and leaving out what follows anyway."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import accumulate
from typing import Generic, TypeVar

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


def spread(
    nodes: Sequence[Node],
    needs: Mapping[Node, Collection[Node]],
    weights: Mapping[Node, int],
    groups: Mapping[Node, Hashable],
    parts: int,
) -> list[list[Node]]:
    """The nodes in `parts` consecutive parts, none in an earlier part than what it needs, each part sorted by needs.

    Starts from the sorted nodes cut evenly; then moves single nodes, or exchanges two, as long as that makes the
    weights more even: of the parts, and of each group's shares in them. Deterministic.
    """
    ordered = by_needs(nodes, needs)
    ends = cut_evenly([weights[node] for node in ordered], parts)
    layout = _Layout(ordered, needs, weights, groups, ends)
    while layout.improve():
        pass
    return [[node for node in ordered if layout.place[node] == part] for part in range(parts)]


class _Layout(Generic[Node]):
    """Where nodes are while they are spread. What is made smaller is the sum of the squares of all loads."""

    def __init__(
        self,
        ordered: Sequence[Node],
        needs: Mapping[Node, Collection[Node]],
        weights: Mapping[Node, int],
        groups: Mapping[Node, Hashable],
        ends: Sequence[int],
    ) -> None:
        self._ordered, self._weights, self._groups, self._parts = ordered, weights, groups, len(ends)
        self.place = {node: bisect_right(ends, index) for index, node in enumerate(ordered)}
        self._before = {node: [need for need in needs.get(node, ()) if need in self.place] for node in ordered}
        self._after: dict[Node, list[Node]] = {node: [] for node in ordered}
        for node, before in self._before.items():
            for need in before:
                self._after[need].append(node)
        self._loads: Counter[tuple[Hashable, int]] = Counter()
        for node, part in self.place.items():
            for group in (None, (groups[node],)):
                self._loads[group, part] += weights[node]

    def improve(self) -> bool:
        """Go once over all moves and exchanges, doing each that helps; whether any did."""
        helped = False
        for index, node in enumerate(self._ordered):
            for part in range(self._parts):
                helped |= self._try((node, part))
            for other in self._ordered[index + 1 :]:
                if self.place[node] != self.place[other]:
                    helped |= self._try((node, self.place[other]), (other, self.place[node]))
        return helped

    def _try(self, *moves: tuple[Node, int]) -> bool:
        changes = self._changes(moves)
        # (load + change)^2 - load^2, summed up
        if sum(change * (2 * self._loads[side] + change) for side, change in changes.items()) >= 0:
            return False
        before = [(node, self.place[node]) for node, _ in moves]
        self.place.update(moves)
        if not all(self._fits(node) for node, _ in moves):
            self.place.update(before)
            return False
        self._loads.update(changes)
        return True

    def _changes(self, moves: Iterable[tuple[Node, int]]) -> dict[tuple[Hashable, int], int]:
        """What the moves add to each load: the first of a node is its part's, the second its group's in that part."""
        changes: dict[tuple[Hashable, int], int] = {}
        for node, part in moves:
            weight = self._weights[node]
            for group in (None, (self._groups[node],)):
                changes[group, part] = changes.get((group, part), 0) + weight
                changes[group, self.place[node]] = changes.get((group, self.place[node]), 0) - weight
        return changes

    def _fits(self, node: Node) -> bool:
        part = self.place[node]
        return all(self.place[need] <= part for need in self._before[node]) and all(
            part <= self.place[follower] for follower in self._after[node]
        )


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
