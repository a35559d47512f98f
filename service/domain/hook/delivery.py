"""A request that brings an event, before anybody has looked into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

TOLERANCE = 300.0
"""Seconds that the time in a signature may differ from ours, before or after."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrived: its body as bytes, its headers by name in small letters, and when it did. `address` is the one that
    was registered with the sender, which some sign; the request's own may be that of a proxy."""

    headers: Mapping[str, str]
    body: bytes
    at: datetime
    address: str = ""

    def header(self, name: str) -> str:
        """A header's value, empty where there is none."""
        return self.headers.get(name.lower(), "").strip()
