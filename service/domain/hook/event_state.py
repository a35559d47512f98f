"""The states of an event that arrived by webhook, by the words that are stored and shown."""

from __future__ import annotations

ACCEPTED = "accepted"
"""To be handled now or, after a failure that may pass, again later."""
DONE = "done"
FAILED = "failed"

STATES = (ACCEPTED, DONE, FAILED)
