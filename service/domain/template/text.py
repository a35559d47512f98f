"""Text with placeholders: what may stand in it, and filling it in.

A placeholder is a name, perhaps with a dot, perhaps turned to capitals or small letters: `{{ project.name | upper }}`.
Nothing else of Jinja2 is let through: no statements, calls, literals or arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

FILTERS = ("upper", "lower")

_OPEN = re.compile(r"\{\{[^}]*\}\}")

_BLOCKS = ("block_begin", "raw_begin")
_COMMENTS = ("comment_begin",)


class UnfilledText(ValueError):
    """A text names something that its context does not have."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A name used in a text, 0-based `line` of the text."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class BadText:
    """Something in a text that is not a placeholder, 0-based `line` of the text."""

    message: str
    fix: str
    line: int


def render(text: str, context: Mapping[str, object]) -> str:
    """Fill in the placeholders of a checked text.

    Switches read "yes" or "no", dates as 2026-01-05. Raises UnfilledText when the context lacks a name, or when the
    text was never checked and is wrong.
    """
    if "{" not in text:
        return text
    from jinja2 import TemplateSyntaxError, UndefinedError

    try:
        return _compiled(text).render(context)
    except (UndefinedError, TemplateSyntaxError) as error:
        raise UnfilledText(f'"{text[:80]}": {error}') from error


def unfilled(text: str) -> str:
    """The text on one line as it is before there is a project: what is filled in later is left open."""
    return " ".join(_OPEN.sub("…", text).split())


def placeholders(text: str) -> list[Placeholder | BadText]:
    """Every placeholder of a text and everything in it that is none, in order."""
    if "{" not in text:
        return []
    from jinja2 import TemplateSyntaxError

    found: list[Placeholder | BadText] = []
    expression: list[tuple[str, str]] = []
    begun: int | None = None
    try:
        for line, kind, value in _environment().lex(text):
            if kind in _BLOCKS:
                found.append(BadText(f"`{value.strip()}` begins a statement", _ONLY_NAMES, line - 1))
                return found
            if kind in _COMMENTS:
                found.append(BadText("`{#` begins a comment", "leave it out, or write `{ #`", line - 1))
                return found
            if kind == "variable_begin":
                expression, begun = [], line - 1
            elif kind == "variable_end":
                found.append(_placeholder(expression, line - 1))
                begun = None
            elif kind not in ("whitespace", "data"):
                expression.append((kind, value))
    except TemplateSyntaxError as error:
        found.append(BadText("a placeholder is not well formed", _ONLY_NAMES, error.lineno - 1))
    else:
        if begun is not None:
            found.append(BadText("`{{` is never closed", _ONLY_NAMES, begun))
    return found


_ONLY_NAMES = "placeholders look like `{{ project.name }}`; put a space between braces that are meant as text"


def _placeholder(expression: list[tuple[str, str]], line: int) -> Placeholder | BadText:
    """Names joined by dots, then filters: all that is let through."""
    written = "".join(value for _, value in expression)
    name, *filters = written.split("|")
    parts = name.split(".")
    shape = [kind for kind, _ in expression]
    expected = ["name", "operator"] * (len(parts) + len(filters) - 1) + ["name"]
    if shape != expected:
        return BadText(f"`{{{{ {written[:40]} }}}}` is more than a name", _ONLY_NAMES, line)
    unknown = [word for word in filters if word not in FILTERS]
    if unknown:
        return BadText(f'unknown filter "{unknown[0]}"', f"one of: {', '.join(FILTERS)}", line)
    return Placeholder(name, line)


def _finalize(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(  # the text becomes Markdown; pages escape it when they show it
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=_finalize
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    environment.tests = {}
    return environment


@lru_cache(maxsize=2048)
def _compiled(text: str) -> Template:
    return _environment().from_string(text)
