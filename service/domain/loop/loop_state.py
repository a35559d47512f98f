"""The states of a loop and the kinds of its runs, by the words that are stored and shown."""

from __future__ import annotations

TURNING = "turning"
PAUSED = "paused"
ENDED = "ended"

ADVANCE = "advance"
"""The kind of a run, and what is due: close the current iteration and begin the next one."""
PROPOSE = "propose"
"""The kind of a run, and what is due: say what is unfinished and will be carried unless somebody answers."""

AUDIT = "audit"
"""The kind of a run: look at the records of the iterations, write what is known into them, remind people of the rest.
It has a time of its own in the loop, so that it blocks no advance, and no advance blocks it."""

TURNS = frozenset({ADVANCE, PROPOSE})
"""Runs that turn the loop: where one is stopped, the loop is paused until somebody says that it shall continue."""

KINDS = TURNS | {AUDIT}
"""Runs of the loop. They make their plan themselves, and are held where they cannot continue."""
