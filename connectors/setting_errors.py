"""What is wrong with a value that was refused, in words: one table for settings of connections and of the service, and
for what is sent over REST. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ADDRESS = "must be a web address, such as https://example.com"

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field here",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "path_type": "must be the name of a file or folder",
    "string_unicode": "holds half a character",
    "url_type": _ADDRESS,
    "url_parsing": _ADDRESS,
    "url_scheme": _ADDRESS,
    "url_syntax_violation": _ADDRESS,
    "url_too_long": _ADDRESS,
}

_BOUNDS = {
    "greater_than": ("must be more than {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be less than {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
}


def in_words(problem: Mapping[str, Any]) -> str:
    """What is wrong with a value, from a problem as pydantic gives it: `must be a number`. The value itself is never
    repeated: it may be a secret."""
    kind, context = str(problem["type"]), problem.get("ctx") or {}
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        return words.format(_number(context.get(name)))
    match kind:
        case "string_too_short" | "too_short":
            least, things = context.get("min_length"), "characters" if kind.startswith("string") else "entries"
            return "must not be empty" if least == 1 else f"needs {least} {things}"
        case "string_too_long" | "too_long":
            things = "characters" if kind.startswith("string") else "entries"
            return f"may have at most {context.get('max_length')} {things}"
        case "string_pattern_mismatch":
            return "holds a character that cannot stand here"
        case "enum" | "literal_error":
            return f"must be {context.get('expected')}".replace("'", "")
        case _:
            return str(problem["msg"]).removeprefix("Value error, ")


def _number(bound: Any) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)
