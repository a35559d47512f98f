"""Holds exchanges with the Trello sandbox against the vendor's OpenAPI document, where it is at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.sandbox.vendor_documents import SPECS

FILE = SPECS / "trello.json"
ABSENT = not FILE.exists()
URN = "urn:trello"
ID = "5abbe4b7ddc1b351ef961414"

# Faults of the document: operation, complaint, and why the sandbox follows the vendor's recorded answers instead.
DOCUMENT_FAULTS: tuple[tuple[str, str, str], ...] = (
    (".*", r"/labels/\d+: .* breaks type string", "labels of cards are objects, not ids"),
    (".*", r"/prefs/background: ", "a background is a name as often as an id"),
    (".*", r"/prefs/permissionLevel: 'private'", "private, which creating takes and which is the default, is missing"),
    (".*", r"/prefs/voting: 'members'", "what changing takes is missing in what is answered"),
    (".*", r"/memberships: .* breaks type string", "memberships of boards are a list of objects"),
    (".*", r"/memberships/\d+: .* breaks type string", "memberships of workspaces are objects, not ids"),
    (".*", r"/(?:powerUps|idTags): .* breaks type string", "lists, as their names say"),
    (".*", r"/pos: '[\d.]+' breaks type string", "every position is a number"),
    (".*", r"/bytes: '\d+' breaks type", "the size of a file is a number"),
    (".*", r"/dueReminder: '-?\d+' breaks type", "minutes are a number"),
    (".*", r"/permissions/\d+/modelType: ", "models are written with a capital"),
    ("GET /boards/{id}/memberships", r"/: .* breaks type object", "typed as one membership, answers a list"),
    ("GET /search", r"/: .* breaks type array", "answers an object with a list for each kind of model"),
    ("(?:POST|GET) /cards/{id}/attachments.*", r"/: .* breaks type array", "typed as a list, answers one attachment"),
)


def _adapted(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: ``nullable`` allows null, even beside a reference, which has no other neighbours."""
    if isinstance(node, list):
        return [_adapted(part) for part in node]
    if not isinstance(node, dict):
        return node
    nullable = node.get("nullable") is True
    if "$ref" in node:
        target = {"$ref": URN + node["$ref"]}
        return {"anyOf": [target, {"type": "null"}]} if nullable else target
    found = {key: _adapted(value) for key, value in node.items()}
    if nullable and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    return found


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    name: str
    pattern: re.Pattern[str]
    body: dict[str, Any]

    @property
    def parameters(self) -> set[str]:
        """The names of its query parameters."""
        return {one["name"] for one in self.body.get("parameters", []) if one.get("in") == "query"}


@cache
def document() -> dict[str, Any]:
    """The document, adapted."""
    found: dict[str, Any] = _adapted(json.loads(FILE.read_text()))
    return found


@cache
def registry() -> Registry[Any]:
    """The document as a schema resource."""
    empty: Registry[Any] = Registry()
    return empty.with_resource(URN, Resource(contents=document(), specification=DRAFT202012))


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation, literal paths before those with parameters."""
    found = []
    for template, methods in document()["paths"].items():
        pattern = re.compile("/1" + re.sub(r"\{[^}]+\}", "[^/]+", template).rstrip("/") + "/?")
        shared = methods.get("parameters", [])
        found += [
            Operation(
                f"{method.upper()} {template}",
                pattern,
                {**body, "parameters": [*body.get("parameters", []), *shared]},
            )
            for method, body in methods.items()
            if method in {"get", "put", "post", "delete"}
        ]
    return tuple(sorted(found, key=lambda operation: operation.name.count("{")))


def find(method: str, path: str) -> Operation | None:
    """The operation that a request means."""
    return next((o for o in operations() if o.name.startswith(f"{method} ") and o.pattern.fullmatch(path)), None)


def _leaves(error: ValidationError) -> Iterator[str]:
    """What is wrong, each with its place; for alternatives what is wrong with each of them."""
    if error.context:
        for part in error.context:
            yield from _leaves(part)
        return
    place = "/".join(str(part) for part in error.absolute_path)
    yield f"at /{place}: {str(error.instance)[:120]!r} breaks {error.validator} {str(error.validator_value)[:120]}"


@dataclass
class Checker:
    """An httpx event hook that notes every exchange that departs from the document."""

    faults: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    excused: set[int] = field(default_factory=set)

    def __call__(self, response: httpx.Response) -> None:
        """Check one exchange."""
        response.read()
        request = response.request
        operation = find(request.method, request.url.path)
        if operation is None:
            self.unknown.add(f"{request.method} {request.url.path}")
            return
        self.seen.add(operation.name)
        for fault in self._check(operation, response):
            excuse = self._excuse(operation, fault)
            if excuse is None:
                self.faults.append(f"{operation.name} -> {response.status_code}: {fault}")
            else:
                self.excused.add(excuse)

    def _excuse(self, operation: Operation, fault: str) -> int | None:
        return next(
            (
                number
                for number, (name, what, _) in enumerate(DOCUMENT_FAULTS)
                if re.fullmatch(name, operation.name) and re.search(what, fault)
            ),
            None,
        )

    def _check(self, operation: Operation, response: httpx.Response) -> Iterator[str]:
        if response.status_code >= 400:
            if response.status_code not in {400, 401, 403, 404, 413, 429}:
                yield f"refused with {response.status_code}: {response.text[:160]}"
            return
        if response.status_code != 200:
            yield f"success is 200, always: {response.status_code}"
            return
        schema = operation.body["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
        if schema is None or "json" not in response.headers["content-type"]:
            return
        validator = Draft202012Validator(schema, registry=registry())
        for error in validator.iter_errors(response.json()):
            yield from _leaves(error)
