"""The streams that commands write to, whatever encoding a terminal or a pipe has."""

from __future__ import annotations

import io
from typing import TextIO


def writable(stream: TextIO) -> None:
    """Have a stream take any text: what its encoding does not have is written as an escape, not as a failure."""
    if not takes_all(stream) and isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def takes_all(stream: TextIO) -> bool:
    """Whether a stream takes any text as it is."""
    return (stream.encoding or "").lower().replace("_", "-").startswith(("utf-8", "utf8", "utf-16"))
