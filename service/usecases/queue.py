"""How a use case hands a run to the engine."""

from __future__ import annotations

from collections.abc import Callable

Enqueue = Callable[[str, str], None]
"""Start a run: (run id, partition). Repeatable."""
