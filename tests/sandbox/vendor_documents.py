"""Holds exchanges with the sandbox against the vendor's OpenAPI documents, where these are at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SPECS = Path(__file__).resolve().parents[2].parent / "shared" / "specs"
FILES = ("jira-platform.json", "jira-software.json")
ABSENT = not all((SPECS / name).exists() for name in FILES)

# Faults of the documents themselves: operation and a pattern of the complaint. Each says why it is not ours.
DOCUMENT_FAULTS: tuple[tuple[str, str, str], ...] = (
    (".*", r"status 401 is not documented", "28 operations omit the 401 that every one of them can answer"),
    (".*", r"status 415 is not documented", "no operation documents 415"),
    ("createProjectWithCustomTemplate", r"status 40\d is not documented", "documents its success only"),
    ("assignIssue", r"/accountId: None is not", "its words offer null to unassign, its schema has no null"),
    ("bulkSetIssues?Propert.*", r"is not of type 'object'", "any JSON is a property value, JsonNode is an object"),
    (
        "submitBulkMove",
        r"issueIdOrKeys|targetToMultipleSourceMapping",
        "requires members under names it does not define",
    ),
    ("parseJqlQueries", r"at /queries/\d+/structure/", "a clause is typed as an empty closed object"),
    ("getConfiguration", r"at /location: Additional", "its schema refuses what its own example, and the vendor, sends"),
    ("searchForIssuesUsingJql(Post)?", r"status 410 is not documented", "removed by the vendor, still in the document"),
    ("getUser", r"status 400 is not documented", "the vendor's known answer to user names"),
)

# What clients send beside the documents and the vendor's typed bodies take all the same.
LIBERTIES = (
    r": None is not of type",  # a member that is null counts as absent
    r": '(-?\d+|true|false)' is not of type '(integer|boolean)'",
    r": -?\d+ is not of type 'string'",
)


@dataclass
class Operation:
    """One operation of a document."""

    document: str
    method: str
    template: str
    body: dict[str, Any]
    pattern: re.Pattern[str]

    @property
    def name(self) -> str:
        """Its operationId."""
        return str(self.body["operationId"])


def _nullable(node: Any) -> Any:
    """OpenAPI 3.0 says ``nullable: true`` where JSON Schema lists the type null."""
    if isinstance(node, list):
        return [_nullable(part) for part in node]
    if not isinstance(node, dict):
        return node
    found = {key: _nullable(value) for key, value in node.items()}
    if found.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    return found


@cache
def documents() -> dict[str, Any]:
    """Both documents by file name."""
    return {name: _nullable(json.loads((SPECS / name).read_text())) for name in FILES}


@cache
def registry() -> Registry[Any]:
    """Both documents as schema resources."""
    found: Registry[Any] = Registry()
    for name, content in documents().items():
        found = found.with_resource(f"urn:{name}", Resource(contents=content, specification=DRAFT202012))
    return found


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation, literal paths before those with parameters."""
    found = []
    for name, content in documents().items():
        for template, methods in content["paths"].items():
            found += [
                Operation(name, method.upper(), template, body, _pattern(template, body))
                for method, body in methods.items()
                if method in {"get", "put", "post", "delete"}
            ]
    return tuple(sorted(found, key=lambda operation: operation.template.count("{")))


def _pattern(template: str, body: dict[str, Any]) -> re.Pattern[str]:
    """What paths of an operation look like; numbers where its parameters are numbers."""
    numbers = {p["name"] for p in body.get("parameters", ()) if p.get("schema", {}).get("type") == "integer"}
    text = template.replace(".", r"\.")
    return re.compile(re.sub(r"\{([^}]+)\}", lambda match: r"\d+" if match[1] in numbers else "[^/]+", text))


def find(method: str, path: str) -> Operation | None:
    """The operation a request means; paths of version 2 count as those of version 3."""
    path = re.sub(r"^/rest/api/(2|latest)/", "/rest/api/3/", path).rstrip("/")
    return next((o for o in operations() if o.method == method and o.pattern.fullmatch(path)), None)


def complaints(schema: Any, document: str, value: Any) -> Iterator[str]:
    """What a value breaks of a schema of a document, each with its place."""
    absolute = json.loads(json.dumps(schema).replace('"#/', f'"urn:{document}#/'))
    validator = Draft202012Validator(absolute, registry=registry())
    for error in validator.iter_errors(value):
        place = "/".join(str(part) for part in error.absolute_path)
        yield f"at /{place}: {error.message[:200]}"


@dataclass
class Checker:
    """An httpx event hook that notes every exchange that departs from the documents."""

    faults: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def __call__(self, response: httpx.Response) -> None:
        """Check one exchange."""
        response.read()
        request = response.request
        operation = find(request.method, request.url.path)
        if operation is None:
            self.unknown.add(f"{request.method} {request.url.path}")
            return
        self.seen.add(operation.name)
        for fault in (*self._check_request(operation, response), *self._check(operation, response)):
            line = f"{operation.name} {request.method} {request.url.path} -> {response.status_code}: {fault}"
            if not any(
                re.fullmatch(name, operation.name) and re.search(what, fault) for name, what, _ in DOCUMENT_FAULTS
            ):
                self.faults.append(line)

    def _check_request(self, operation: Operation, response: httpx.Response) -> Iterator[str]:
        """A request that was accepted must be one that the document allows."""
        content = operation.body.get("requestBody", {}).get("content", {}).get("application/json", {})
        request = response.request
        if response.status_code >= 400 or "schema" not in content or not request.content:
            return
        for complaint in complaints(content["schema"], operation.document, json.loads(request.content)):
            if any(re.search(liberty, complaint) for liberty in LIBERTIES):
                continue
            yield f"accepted a body that the document refuses: {complaint}"

    def _check(self, operation: Operation, response: httpx.Response) -> Iterator[str]:
        documented = operation.body["responses"].get(str(response.status_code))
        if documented is None:
            yield f"status {response.status_code} is not documented ({response.text[:160]})"
            return
        contents = documented.get("content", {})
        kind = response.headers.get("content-type", "").split(";")[0]
        if contents and response.content and not {kind, "*/*"} & set(contents):
            yield f"content type {kind or 'none'} is not documented, there are {', '.join(contents)}"
        content = contents.get("application/json", {})
        if content.get("schema") and not response.content and response.status_code != 204:  # 204 never has a body
            yield "the documented body is missing"
        elif "schema" in content and "json" in kind:
            yield from complaints(content["schema"], operation.document, response.json())
