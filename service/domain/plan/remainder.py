"""What a run that stopped leaves to do, and how long what is left will take."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from connectors.values import ItemKey
from service.domain.plan.batches import Batch, Op

_MAKES = frozenset({Op.CREATE, Op.LINK})
"""Batches after which each of their items exists, unless it was refused."""

PRIOR_CALLS = 5
"""How many calls at the pace that the plan expected count beside those that the run has made."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a run came. `done` are the numbers of the batches that ended (they count from 1), `made` the items that
    exist, `unread` those of them that were never read back, `recorded` all items there is a record of, `failed` the
    subjects of the run's errors."""

    done: Collection[int]
    made: Collection[ItemKey]
    unread: Collection[ItemKey]
    recorded: Collection[ItemKey]
    failed: Collection[str]


def left_to_do(batches: Sequence[Batch], reached: Reached) -> list[Batch]:
    """The batches that are to be done (again): those not done, and of those done each that has something refused.

    What was written is not written again, and what was read back is not read again: people may have changed it since,
    and it is theirs then.
    """
    left = []
    for number, batch in enumerate(batches, start=1):
        if batch.op is Op.READ_BACK:
            unread = tuple(key for key in batch.keys if key not in reached.made or key in reached.unread)
            if unread:
                left.append(replace(batch, keys=unread))
        elif number not in reached.done or _open(batch, reached):
            left.append(batch)
    return left


def _open(batch: Batch, reached: Reached) -> bool:
    """Whether something that this batch, which has ended, is about was refused or failed."""
    keys = (*batch.keys, batch.target) if batch.target is not None else batch.keys
    refused = any(key in reached.recorded and key not in reached.made for key in keys)
    missing = batch.op in _MAKES and any(key not in reached.made for key in keys)
    return refused or missing or any(key in reached.failed for key in keys)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a run is: what its plan expected it to take, and what it took so far (waits left out)."""

    expected_calls: int
    expected_seconds: float
    calls: int
    seconds: float


def seconds_left(pace: Pace, batches_left: int) -> float:
    """Seconds of work that are left: the calls still expected, at least one a batch, at a pace between the plan's and
    the run's own, which counts the more the longer it lasts."""
    calls_left = max(pace.expected_calls - pace.calls, batches_left)
    usual = pace.expected_seconds / pace.expected_calls if pace.expected_calls else 0.0
    return calls_left * (usual * PRIOR_CALLS + pace.seconds) / (PRIOR_CALLS + pace.calls)
