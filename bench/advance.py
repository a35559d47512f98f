"""What one advance costs: requests counted at the wire, beside the lower bound on writes and one call for each thing.

Nothing of the first iteration is done, so all of it is carried over. The project has all iterations prepared from the
start, or only the one that begins, whose tickets the advance makes then. The lower bound is what the trackers' limits
allow: fifty issues in a call of Jira that carries or creates, but one call for each sprint that is closed, begun or
made, for each link (though links that ride take none) and each other change; in Trello one call for each card that is
carried, put up or made, for each label and each line of a checklist.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from math import ceil
from typing import Any

import httpx

from bench.common import counted, sandbox, start_counting, template
from bench.turning import BEFORE, Floor, floor
from connectors.values import Item, ItemKind
from service.domain.loop.turnover import STATE, iteration_key
from service.domain.plan.plan import Action, Change, Plan, Reason
from service.domain.plan.plan_json import plan_from_json
from service.store.tables import PlanRow

SIZES = (44, 200)
AHEAD: tuple[int | str, ...] = ("all", 1)
BULK = 50
MONDAY = BEFORE.replace(hour=9) + timedelta(days=3)


@dataclass(frozen=True)
class Advanced:
    """One advance. `carried` tickets were not done, `made` is how many were seeded; `bound` is the lower bound on
    writes, `apart` what one call for each thing takes."""

    tracker: str
    tickets: int
    ahead: int | str
    carried: int
    made: int
    writes: int
    bound: int
    apart: int
    reads: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def measure(tracker: str, size: int) -> list[Advanced]:
    """Advance a project of that many tickets, with all iterations prepared and with one."""
    found = []
    with sandbox() as url:
        for number, ahead in enumerate(AHEAD):
            httpx.post(f"{url}/sandbox/reset", json={}).raise_for_status()
            if tracker == "trello":  # its answers say that much is allowed; else the client keeps to the usual pace
                httpx.post(f"{url}/sandbox/limits", json={"enabled": True, "scale": 100}).raise_for_status()
            with floor(url) as made:
                found.append(_advanced(made, tracker, size, ahead, f"A{number}"))
    return found


def _advanced(made: Floor, tracker: str, size: int, ahead: int | str, key: str) -> Advanced:
    connection = made.connect("tracker", tracker)
    project = made.project(key, connection, template(size), turning={"ahead": ahead})
    made.reach(0, [project])
    made.set(MONDAY)
    made.reach(1, [project])
    made.run(1, project)
    start_counting(made.url, 0)
    began = time.monotonic()
    made.set(MONDAY + timedelta(days=14))
    made.reach(2, [project])
    run = made.run(2, project)
    seconds = time.monotonic() - began
    counts = counted(made.url)
    with made.context.database.session() as session:
        plan = plan_from_json(session.get_one(PlanRow, run.plan_id).body)
    things = _Things.of(plan)
    return Advanced(
        tracker=tracker,
        tickets=size,
        ahead=ahead,
        carried=len(things.carried),
        made=len(things.tickets),
        writes=counts["writes"],
        bound=things.bound_in_jira() if tracker == "jira" else things.bound_in_trello(),
        apart=things.apart_in_jira() if tracker == "jira" else things.apart_in_trello(),
        reads=counts["reads"],
        seconds=round(seconds, 2),
    )


@dataclass(frozen=True)
class _Things:
    """What a plan does, by how it is written. `up` are the tickets that stand in the iteration that begins, without
    those that are carried into it."""

    carried: Sequence[Change]
    tickets: Sequence[Item]
    others: Counter[ItemKind]
    states: int
    updates: int
    up: int

    @classmethod
    def of(cls, plan: Plan) -> _Things:
        assert plan.turnover is not None
        items = {item.key: item for item in plan.items}
        made = [items[change.key] for change in plan.changes if change.action is Action.CREATE]
        carried = [change for change in plan.changes if _is_carried(change)]
        into = iteration_key(plan.turnover.begins)
        there = {item.key for item in plan.items if item.kind is ItemKind.TICKET and item.iteration == into}
        return cls(
            carried,
            [item for item in made if item.kind is ItemKind.TICKET],
            Counter(item.kind for item in made if item.kind is not ItemKind.TICKET),
            sum(STATE in (change.after or {}) for change in plan.changes),
            sum(_is_written(change) for change in plan.changes),
            len(there - {change.key for change in carried} - {item.key for item in made}),
        )

    def bound_in_jira(self) -> int:
        """The lower bound on writes where fifty issues go in a call."""
        into = Counter(item.iteration for item in self.tickets)
        return (
            self.states
            + ceil(len(self.carried) / BULK)
            + ceil(len(self.tickets) / BULK)
            + ceil(self.others[ItemKind.EPIC] / BULK)
            + sum(ceil(count / BULK) for count in into.values())
            + self.others[ItemKind.ITERATION]
            + self.others[ItemKind.LINK]
            + self.updates
        )

    def bound_in_trello(self) -> int:
        """The lower bound on writes where each card is a call."""
        cards = len(self.tickets) + self.others[ItemKind.EPIC] + 2 * self.others[ItemKind.ITERATION]  # and its label
        lines = sum(1 + len(item.checklist) for item in self.tickets if item.checklist)
        return self.states + len(self.carried) + self.up + cards + lines + self.updates

    def apart_in_jira(self) -> int:
        """One call for each thing: each ticket that is carried, made, put into its iteration, linked, changed."""
        others = self.others[ItemKind.EPIC] + self.others[ItemKind.ITERATION] + self.others[ItemKind.LINK]
        return self.states + len(self.carried) + 2 * len(self.tickets) + others + self.updates

    def apart_in_trello(self) -> int:
        """One call for each thing: of a card that is carried, a label taken off and one put on; of one that is made,
        each label, its person, and each line of its checklist."""
        lines = sum(1 + len(item.checklist) for item in self.tickets if item.checklist)
        about = sum(1 + len(item.labels) + (item.assignee is not None) for item in self.tickets)
        others = self.others[ItemKind.EPIC] + 2 * self.others[ItemKind.ITERATION]
        return self.states + 2 * len(self.carried) + self.up + about + lines + others + self.updates


def _is_carried(change: Change) -> bool:
    return change.reason is Reason.CARRIED and "iteration" in change.changed


def _is_written(change: Change) -> bool:
    """Whether an update writes something besides what carrying, beginning and closing write."""
    return change.action is Action.UPDATE and bool(set(change.changed) - {"iteration", STATE})
