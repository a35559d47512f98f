"""Slips that people make in conditions written in CEL, and what to write instead. Pure."""

from __future__ import annotations

import re

from service.domain.template.shape import nearest

VARIABLES = ("payload", "event", "source")
FUNCTIONS = ("startsWith", "endsWith", "contains", "matches", "size", "has", "all", "exists", "filter", "map", "int")

_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_SINGLE = re.compile(r"(?<![=!<>])=(?!=)")
_UNKNOWN = re.compile(r"undeclared reference to '([^']*)'")
_WORDS = {"and": "&&", "or": "||", "not": "!"}
_OTHERWISE = {"None": "null", "True": "true", "False": "false", "len": "size", "length": "size", "in_": "in"}
_USUAL = "write it in CEL, of payload, event and source"


def fix_of(expression: str, said: str) -> str:
    """What to write instead, by the expression and what was said of it."""
    bare = _QUOTED.sub('""', expression)
    unknown = _UNKNOWN.search(said)
    if unknown is not None:
        return _of_name(unknown[1], bare)
    if "Syntax error" in said:
        if _SINGLE.search(bare):
            return "write `==` to compare, not `=`"
        found = [(word, sign) for word, sign in _WORDS.items() if re.search(rf"\b{word}\b", bare, re.IGNORECASE)]
        if found:
            return "; ".join(f"write `{sign}` for `{word}`" for word, sign in found)
        if "'<EOF>' expecting" in said:
            return "something is missing at its end"
    if "no matching overload" in said:
        return "compare values of one kind, texts in quotes and numbers without"
    return _USUAL


def _of_name(name: str, bare: str) -> str:
    first, _, rest = name.partition(".")
    if name in _OTHERWISE:
        return f"write `{_OTHERWISE[name]}`"
    if re.search(rf"\b{re.escape(name)}\s*\(", bare):
        near = nearest(name, FUNCTIONS)
        return f"write `{near}`" if near is not None else f"CEL has no such function: there are {', '.join(FUNCTIONS)}"
    if (near := nearest(first, VARIABLES)) is not None:
        return f"write `{near}{'.' if rest else ''}{rest}`"
    return f"write `payload.{name}`, if that is what the sender sends; there are payload, event and source"
