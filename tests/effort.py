"""How much of a test is run that could go on for ever: a little with every change, much with `make test-all`."""

from __future__ import annotations

import os

LONG = bool(os.environ.get("PHASELOOP_LONG_TESTS"))
"""Set by `make test-all`: many examples of each property, others each time, and simulations as long as a project is. So
`make test` answers the same for the same code, and `make test-all` goes on looking."""


def examples(most: int) -> int:
    """How many examples of a property to try: as many as given when there is time, a fifth of them otherwise."""
    return most if LONG else max(10, most // 5)
