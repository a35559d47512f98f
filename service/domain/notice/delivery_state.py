"""The states of a message to people, by the words that are stored and shown."""

from __future__ import annotations

WAITING = "waiting"
"""To be sent now or, after something went wrong that may pass, again later."""
SENDING = "sending"
"""About to be sent, or sent without its answer being recorded yet: written before, so that no kill can hide it."""
IN_DOUBT = "in-doubt"
"""Sent, and nobody knows whether it arrived: it is looked for where that is possible, and else waits for a person."""
SENT = "sent"
FAILED = "failed"
"""Given up: it is sent again only when somebody says so."""
SKIPPED = "skipped"
"""Nobody is to hear of it any more."""

STATES = (WAITING, SENDING, IN_DOUBT, SENT, FAILED, SKIPPED)
OPEN = (WAITING, SENDING, IN_DOUBT)
"""What is not over."""
REPLAYED = (FAILED, IN_DOUBT, SKIPPED)
"""What a person may have sent again."""
