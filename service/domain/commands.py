"""Commands that a text proposes: whatever is put into one can be pasted into a shell."""

from __future__ import annotations

import shlex


def typed(word: object) -> str:
    """A name as a shell takes it as one word: as it is where that does, between quotation marks otherwise."""
    return shlex.quote(str(word))
