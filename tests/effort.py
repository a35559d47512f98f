"""How much of a test is run that could continue for ever: a little with every change, much with `make test-all`. The
files that `make test` leaves to `make test-long` are named in the Makefile."""

from __future__ import annotations

import os

LONG = bool(os.environ.get("PHASELOOP_LONG_TESTS"))
"""Set by `make test-all`: many examples of each property, others each time, and simulations as long as a project is. So
`make test` answers the same for the same code, and `make test-all` continues looking."""


def examples(most: int, least: int = 10) -> int:
    """How many examples of a property to try: as many as given when there is time, a fifth of them otherwise."""
    return most if LONG else max(least, most // 5)
