"""A binder as a file: JSON, or a page with that JSON inside. Reading is strict: every byte means one thing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn

OPEN = '<script type="application/json" id="phaseloop-binder">'
"""What stands before the JSON in a page, and nowhere else in it: text of people is escaped."""
CLOSE = "</script>"


class NotABinder(ValueError):
    """The file is no binder, or one that was cut or edited so that it cannot be read; the words say where."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was read: the binder's JSON form, and the page around it, None where the file is JSON alone."""

    value: Any
    page: str | None


def as_json(binder: Mapping[str, Any]) -> bytes:
    """A binder as a JSON file."""
    return json.dumps(binder, ensure_ascii=True, sort_keys=True, indent=1).encode() + b"\n"


def as_page(page: str, binder: Mapping[str, Any]) -> bytes:
    """A page with the binder inside. Raises ValueError unless the page has the one place for it."""
    if page.count(OPEN + CLOSE) != 1 or page.count(OPEN) != 1:
        msg = "the page has no place for the binder, or several"
        raise ValueError(msg)
    return page.replace(OPEN + CLOSE, OPEN + _embedded(binder) + CLOSE).encode()


def page_digest(page: str) -> str:
    """The digest of a page without the binder in it: what is sealed with the binder."""
    return sha256(page.encode()).hexdigest()


def opened(data: bytes) -> Opened:
    """The binder in a file. Raises NotABinder."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        msg = f"byte {error.start + 1} of the file is not UTF-8: it was cut or changed"
        raise NotABinder(msg) from None
    if text.lstrip()[:1] in ("{", "["):
        return Opened(_value(text), None)
    if text.count(OPEN) != 1:
        msg = "it holds no binder" if OPEN not in text else "it holds more than one binder"
        raise NotABinder(msg)
    before, _, rest = text.partition(OPEN)
    inside, close, after = rest.partition(CLOSE)
    if not close:
        msg = "the page ends inside the binder: it was cut"
        raise NotABinder(msg)
    value = _value(inside)
    if not isinstance(value, dict) or _embedded(value) != inside:
        msg = "the JSON in the page is not written as binders are: it was edited"
        raise NotABinder(msg)
    return Opened(value, before + OPEN + CLOSE + after)


def _embedded(binder: Mapping[str, Any]) -> str:
    """The JSON as it stands in a page: ASCII without anything that HTML would take for markup."""
    text = json.dumps(binder, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _value(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        msg = f"line {error.lineno}, column {error.colno}: it is no JSON ({error.msg}): it was cut or edited"
        raise NotABinder(msg) from None
    except RecursionError:
        msg = "it is nested deeper than any binder"
        raise NotABinder(msg) from None
    except ValueError as error:
        raise NotABinder(str(error)) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, refused where a name is in it twice: readers would differ on which of them counts."""
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"{twice!r} is there twice in one object: it was edited"
        raise ValueError(msg)
    return value


def _no_number(name: str) -> NoReturn:
    msg = f"{name} is no number that a binder holds: it was edited"
    raise ValueError(msg)
