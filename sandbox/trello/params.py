"""What a caller sends, wherever it is sent: in the query, in a JSON body or in a form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import Request

from sandbox.trello import times
from sandbox.trello.errors import TrelloError, invalid

LONGEST = 16384
ID = re.compile(r"[0-9a-fA-F]{24}")
_NULLS = frozenset({"", "null", "undefined"})
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


@dataclass(frozen=True)
class File:
    """A file of a multipart form."""

    name: str
    mime_type: str
    content: bytes


@dataclass
class Params:
    """Named values; a name may be absent, which is not the same as null. Bad ones raise the vendor's 400."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def raw(self, name: str) -> Any:
        """The value as it was sent, none if it was not."""
        return self.values.get(name)

    def text(self, name: str, *, most: int = LONGEST, least: int = 0) -> str | None:
        """A text within bounds; none if absent or null."""
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, dict | list):
            raise invalid(name)
        found = str(value).lower() if isinstance(value, bool) else str(value)
        if not least <= len(found) <= most:
            raise invalid(name)
        return found

    def required(self, name: str, *, most: int = LONGEST) -> str:
        """A text that must be there and not be empty."""
        found = self.text(name, most=most, least=1)
        if found is None or not found.strip():
            raise invalid(name)
        return found

    def word(self, name: str, default: str = "") -> str:
        """A short text, or a default when it is absent."""
        found = self.text(name)
        return default if found is None or found == "" else found

    def one_of(self, name: str, allowed: frozenset[str] | set[str]) -> str | None:
        """One of some words; none if absent."""
        found = self.text(name)
        if found is not None and found not in allowed:
            raise invalid(name)
        return found

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        """True or false, also as text."""
        value = self.raw(name)
        if value is None or value == "":
            return default
        lowered = str(value).lower()
        if lowered in _TRUE:
            return True
        if lowered in _FALSE:
            return False
        raise invalid(name)

    def on(self, name: str) -> bool:
        """Whether a nested resource is asked for by ``true``; other words are not an error."""
        return str(self.raw(name)).lower() in _TRUE

    def number(self, name: str, default: int, *, low: int = 0, high: int = 1000) -> int:
        """A whole number within bounds."""
        value = self.raw(name)
        if value is None or value == "":
            return default
        try:
            found = int(float(value))
        except (TypeError, ValueError, OverflowError):
            raise invalid(name) from None
        if not low <= found <= high:
            raise invalid(name)
        return found

    def null(self, name: str) -> bool:
        """Whether a value is null, which in a query is written as a word or as nothing."""
        value = self.raw(name)
        return value is None or (isinstance(value, str) and value.lower() in _NULLS)

    def moment(self, name: str) -> datetime | None:
        """A date; none if null."""
        if self.null(name):
            return None
        found = times.parse(self.raw(name))
        if found is None:
            raise invalid(name)
        return found

    def id(self, name: str) -> str | None:
        """An id of 24 hex digits; none if null. Short links are refused, as they are by the vendor."""
        if self.null(name):
            return None
        value = str(self.raw(name))
        if not ID.fullmatch(value):
            raise invalid(name)
        return value.lower()

    def items(self, name: str) -> list[str]:
        """A list, sent as one or separated by commas."""
        value = self.raw(name)
        if value is None or (isinstance(value, str) and value.lower() in _NULLS):
            return []
        parts = value if isinstance(value, list) else str(value).split(",")
        return [str(part).strip() for part in parts if str(part).strip()]

    def ids(self, name: str) -> list[str]:
        """Ids without repetitions."""
        found = self.items(name)
        if any(not ID.fullmatch(item) for item in found):
            raise invalid(name)
        return list(dict.fromkeys(item.lower() for item in found))

    def fields(self, name: str = "fields", default: str = "all") -> str:
        """A list of fields, as text."""
        value = self.raw(name)
        if value is None or value == "":
            return default
        return ",".join(str(part) for part in value) if isinstance(value, list) else str(value)

    def object(self, name: str) -> dict[str, Any] | None:
        """An object, which clients write into a query as JSON; none for anything else."""
        value = self.raw(name)
        if isinstance(value, str) and value.startswith("{"):
            try:
                value = json.loads(value)
            except ValueError:
                return None
        return value if isinstance(value, dict) else None

    def below(self, prefix: str) -> dict[str, Any]:
        """The values of ``prefix/name`` and ``prefix_name``, by name."""
        return {
            key[len(prefix) + 1 :]: value
            for key, value in self.values.items()
            if key.startswith((f"{prefix}/", f"{prefix}_"))
        }


async def read(request: Request) -> Params:
    """All that a request sends; members of the body win over the query."""
    values: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        bare = name.removesuffix("[]")
        values[bare] = f"{values[bare]},{value}" if bare in values else value
    if request.method in {"GET", "HEAD"}:
        return Params(values)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _form(request, values)
    raw = await request.body()
    if raw.strip():
        values.update(_body(raw, kind))
    return Params(values)


async def _form(request: Request, values: dict[str, Any]) -> Params:
    files: dict[str, File] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                content = await value.read()
                files[name] = File(value.filename or name, value.content_type or "", content)
            else:
                values[name] = value
    return Params(values, files)


def _body(raw: bytes, kind: str) -> dict[str, Any]:
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        found = json.loads(raw)
    except ValueError:
        if kind == "application/json":
            raise TrelloError(400, "Error parsing body: invalid JSON") from None  # wording unsure
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    return found if isinstance(found, dict) else {}
