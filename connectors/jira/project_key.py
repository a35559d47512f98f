"""What the key of a Jira project can be."""

from __future__ import annotations

import re

_KEY = re.compile(r"[A-Z][A-Z0-9]{1,9}")


def wrong_key(key: str) -> tuple[str, str] | None:
    """What is wrong with a key, and what would be right; None where nothing is."""
    if _KEY.fullmatch(key):
        return None
    fix = "Use 2 to 10 capital letters and digits, beginning with a letter, like ML or MLOPS2."
    return f"{key!r} cannot be the key of a Jira project.", fix
