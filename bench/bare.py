"""A plan carried out by the connector alone: the calls of a run, with nothing recorded and nothing durable."""

from __future__ import annotations

import time

from connectors.port import Tracker
from connectors.values import Creation, Done, ItemKey, ItemKind, Link, Place, RemoteRef
from service.domain.plan.batches import Batch, Op, batches
from service.domain.plan.desired import ranks
from service.domain.plan.plan import Plan


def bare(tracker: Tracker, plan: Plan) -> float:
    """Build a plan for a new project, and say how many seconds the calls took."""
    started = time.monotonic()
    work = _Bare(tracker, plan, tracker.create_project(plan.spec))
    for batch in batches(plan.changes, plan.items, work.place.capabilities):
        work.do(batch)
    return time.monotonic() - started


class _Bare:
    def __init__(self, tracker: Tracker, plan: Plan, place: Place) -> None:
        self.place = place
        self._tracker = tracker
        self._items = {item.key: item for item in plan.items}
        self._ranks = ranks(plan.items)
        self._refs: dict[ItemKey, RemoteRef] = {}
        self._linked: set[ItemKey] = set()
        self._later: set[ItemKey] = set()

    def do(self, batch: Batch) -> None:
        """Make the calls of a batch."""
        match batch.op:
            case Op.CREATE:
                self._create(batch)
            case Op.FINISH:
                left = [(self._items[key], self._refs[key]) for key in batch.keys if key in self._later]
                if left:
                    self._tracker.finish(self.place, left)
            case Op.MARK:
                for key in batch.keys:
                    self._tracker.mark(self.place, key, self._refs[key])
            case Op.MOVE:
                moving = [(key, self._refs[key]) for key in batch.keys]
                self._tracker.move(self.place, moving, self._refs[batch.target] if batch.target else None)
            case Op.READ_BACK:
                self._tracker.find(self.place, self._refs, only=batch.keys)
            case Op.LINK:
                for key in batch.keys:
                    self._link(key)
            case _:
                return

    def _create(self, batch: Batch) -> None:
        creations = [self._creation(batch, key) for key in batch.keys]
        for outcome in self._tracker.create(self.place, creations):
            assert isinstance(outcome, Done), outcome
            self._refs[outcome.key] = outcome.ref
            self._linked.update(outcome.linked)
            self._later.update([outcome.key] if outcome.later else [])

    def _creation(self, batch: Batch, key: ItemKey) -> Creation:
        item = self._items[key]
        rides = [
            (link, self._refs[target])
            for link in batch.rides
            if self._items[link].source == key and (target := self._items[link].target) in self._refs and target
        ]
        placed = item.iteration if self.place.capabilities.places_in_create else None
        return Creation(
            item,
            self._refs[item.epic] if item.epic else None,
            self._refs[placed] if placed else None,
            tuple(rides),
            rank=self._ranks[key],
        )

    def _link(self, key: ItemKey) -> None:
        item = self._items[key]
        assert item.kind is ItemKind.LINK
        assert item.source
        assert item.target
        if key not in self._linked:
            self._tracker.link(self.place, Link(key, self._refs[item.source], self._refs[item.target]))
