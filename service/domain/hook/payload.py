"""What stands in an event: read from bytes with care, and shown without what is secret in it."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from service.domain.template.yaml_marks import Path, readable

Payload = Mapping[str, Any]

DEEPEST = 64
"""An event is nested at most so deep."""

HIDDEN = "***"

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|(^|[_-])token$|(access|refresh|id|api|auth|bearer)_?-?token|api_?-?key|private_?-?key"
    r"|authorization|cookie|credential",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"\b(gh[pousr]_\w{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abposr]-[\w-]{10,}|phl_[\w-]{16,}|whsec_[\w+/=-]{8,}"
    r"|AKIA[0-9A-Z]{16}|ATATT[\w=-]{16,}|ATTA[0-9a-f]{20,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?i:(?<=bearer )[\w.~+/=-]{8,})"
    r"|(?i:(?<=[?&]token=)[^&\s#\"]+|(?<=_token=)[^&\s#\"]+|(?<=password=)[^&\s#\"]+|(?<=passwd=)[^&\s#\"]+"
    r"|(?<=secret=)[^&\s#\"]+|(?<=api_key=)[^&\s#\"]+|(?<=apikey=)[^&\s#\"]+)"
)

_SIGNS = (
    *("passw", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "privatekey", "private_key"),
    *("private-key", "private key", "bearer ", "authorization", "cookie", "credential"),
    *("github_pat_", "glpat-", "phl_", "whsec_", "akia"),
)
"""What stands, in small letters, in each name of a secret and in most secrets; the rest have the `_SHAPES`."""
_SHAPES = tuple(
    (begun, re.compile(begun + rest))
    for begun, rest in (
        ("gh", "[pousr]_"),
        ("xox", "[abposr]-"),
        ("ATATT", ""),
        ("ATTA", "[0-9a-f]{20}"),
        ("eyJ", r"[\w-]{10,}\."),
        ("://", r"[^/\s:@]+:[^/\s@]+@"),
    )
)
"""Each with what it begins with: to look for that first takes a tenth of the time."""


class Unreadable(Exception):
    """The body is not what it has to be; the text says how."""


def read(body: bytes, content_type: str, *, forms: bool = False) -> Payload:
    """The object that a body holds: JSON, or with `forms` also a form with the JSON in its field `payload`.

    Raises Unreadable: another type, not UTF-8, not JSON, no object, too deep; a name that stands twice in an object,
    for readers differ in which of the two counts; a number that nothing can hold, with its place.
    """
    kind = content_type.partition(";")[0].strip().lower()
    text = _text(body)
    if forms and kind == "application/x-www-form-urlencoded":
        text = _field(text)
    elif kind != "application/json" and not kind.endswith("+json"):
        raise Unreadable(f"the Content-Type has to be application/json, and is {_shown(kind) or 'missing'}")
    reading = _Reading()
    try:
        found = json.loads(
            text,
            object_pairs_hook=reading.object,
            parse_float=reading.number,
            parse_int=reading.whole_number,
            parse_constant=reading.no_number,
        )
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise Unreadable(f"it is nested more than {DEEPEST} deep") from None
    if not isinstance(found, dict):
        raise Unreadable("it has to be a JSON object")
    if _depth(found) > DEEPEST:
        raise Unreadable(f"it is nested more than {DEEPEST} deep")
    if reading.flawed:
        raise Unreadable(_flaw(found))
    return found


def written(payload: Payload) -> bytes:
    """The payload as it is kept: without secrets, as JSON in ASCII, which holds any text there is."""
    text = json.dumps(payload, separators=(",", ":"))
    if _may_hold_secrets(text):
        text = json.dumps(redacted(payload), separators=(",", ":"))
    return text.encode("ascii")


def _may_hold_secrets(text: str) -> bool:
    """Whether there can be anything in this JSON that `redacted` hides; most events hold nothing, and to look through
    all of their texts takes longer than all else that is done with them."""
    small = text.lower()
    if "\\u" in small or any(sign in small for sign in _SIGNS):
        return True
    return any(begun in text and shape.search(text) for begun, shape in _SHAPES)


def redacted(value: Any, name: str = "") -> Any:
    """The same without secrets: values whose name says that they are one, and texts that look like a credential."""
    if isinstance(value, Mapping):
        hidden = name if _SECRET_NAME.search(name) else ""  # all texts of an object that is called a secret are
        return {key: redacted(inner, hidden or str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner, name) for inner in value]
    if isinstance(value, str):
        return HIDDEN if value and _SECRET_NAME.search(name) else _SECRET_TEXT.sub(HIDDEN, value)
    return value


def at(payload: Payload, *path: str) -> str:
    """The text or number at this path, as text; empty where there is none."""
    value: Any = payload
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def one_line(text: str, most: int = 200) -> str:
    """The text cut to what a column holds, without characters that nobody sees."""
    return "".join(one for one in text[:most] if one.isprintable())


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8: see byte {error.start}") from None


def _field(text: str) -> str:
    try:
        return parse_qs(text, strict_parsing=True, max_num_fields=20)["payload"][0]
    except (ValueError, KeyError):
        raise Unreadable("it is a form without a field `payload`; choose application/json at the sender") from None


class _Twice(dict[str, Any]):
    """An object in which a name stands twice."""

    name = ""


@dataclass(frozen=True, slots=True)
class _NoNumber:
    """What stands where a number has to, and why it is none."""

    why: str


class _Reading:
    """What is wrong with JSON that parses: left in what was read, so that its place is found where there is something
    to be found, and nothing is looked for where there is not."""

    def __init__(self) -> None:
        self.flawed = False

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        self.flawed = True
        twice = _Twice(found)
        counts = Counter(name for name, _value in pairs)
        twice.name = next(name for name, count in counts.items() if count > 1)
        return twice

    def number(self, text: str) -> float | _NoNumber:
        value = float(text)
        return value if math.isfinite(value) else self._too_large(text)

    def whole_number(self, text: str) -> int | _NoNumber:
        try:
            return int(text)
        except ValueError:  # more digits than Python turns into a number
            return self._too_large(text)

    def no_number(self, text: str) -> _NoNumber:
        self.flawed = True
        return _NoNumber(f"{text}, which is no number of JSON")

    def _too_large(self, text: str) -> _NoNumber:
        self.flawed = True
        return _NoNumber(f"a number too large to be kept: {text if len(text) <= 20 else text[:20] + '…'}")


def _flaw(found: dict[str, Any]) -> str:
    """The first thing that is wrong, with its place. It keeps no more than the way to where it is."""
    path: list[str | int] = []
    within: list[Iterator[tuple[str | int, Any]]] = [iter([("", found)])]
    while True:
        entry = next(within[-1], None)
        if entry is None:
            within.pop()
            path.pop()
            continue
        name, value = entry
        here = (*path[1:], name) if path else ()
        if isinstance(value, _Twice):
            where = f" in `{_place(here)}`" if here else ""
            return f"the name `{one_line(value.name)}` stands twice{where}"
        if isinstance(value, _NoNumber):
            return f"`{_place(here)}` is {value.why}"
        if isinstance(value, dict | list):
            path.append(name)
            within.append(iter(value.items()) if isinstance(value, dict) else enumerate(value))


def _place(path: Path) -> str:
    return one_line(readable(path))


def _depth(value: Any) -> int:
    """How deep it is nested, without recursion."""
    deepest, coming = 0, [(value, 1)]
    while coming:
        one, depth = coming.pop()
        deepest = max(deepest, depth)
        if deepest > DEEPEST:
            break
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        coming += [(each, depth + 1) for each in inner if isinstance(each, dict | list)]
    return deepest


def _shown(kind: str) -> str:
    return one_line(kind, 60)
