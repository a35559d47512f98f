"""Rank values that sort as text, in the manner of the vendor's lexorank: ``0|i00007:``, ``0|i00007:i``."""

from __future__ import annotations

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE = len(DIGITS)
_STEP = 8
_WIDTH = 6


def last_rank(number: int) -> str:
    """The rank of the n-th issue ever made: after all earlier ones, with room between neighbours."""
    value = number * _STEP
    digits = ""
    for _ in range(_WIDTH - 1):
        value, rest = divmod(value, _BASE)
        digits = DIGITS[rest] + digits
    return f"0|i{digits}:"


def between(before: str | None, after: str | None) -> str:
    """A rank that sorts after ``before`` and in front of ``after``; none stands for the end of the list."""
    low = _number(before)
    high = _number(after) if after is not None else ""
    digits = _middle(low, high)
    return f"0|{digits[:_WIDTH].ljust(_WIDTH, '0')}:{digits[_WIDTH:]}"


def _number(rank: str | None) -> str:
    return "" if rank is None else rank.removeprefix("0|").replace(":", "")


def _middle(low: str, high: str) -> str:
    """A fraction in base 36 strictly between two others; an empty ``high`` is one."""
    digits = ""
    place = 0
    bounded = bool(high)
    while True:
        floor = DIGITS.index(low[place]) if place < len(low) else 0
        ceiling = _BASE
        if bounded:
            ceiling = DIGITS.index(high[place]) if place < len(high) else 0
        middle = (floor + ceiling) // 2
        if middle > floor:
            return digits + DIGITS[middle]
        digits += DIGITS[floor]
        if ceiling > floor:
            bounded = False
        place += 1
