"""The states of a run, by the words that are stored and shown."""

from __future__ import annotations

QUEUED = "queued"
RUNNING = "running"
WAITING = "waiting"
HELD = "held"
"""It cannot continue until somebody fixes what its findings name; the clock has it look again. It has not ended, and
the engine knows nothing of it meanwhile."""
COMPLETED = "completed"
INCOMPLETE = "incomplete"
FAILED = "failed"
CANCELLED = "cancelled"

ENDED = frozenset({COMPLETED, INCOMPLETE, FAILED, CANCELLED})
"""States that a run does not leave."""

PARKED = frozenset({QUEUED, WAITING, HELD})
"""States in which nothing is under way: a run that is cancelled in one of them is over at once."""
