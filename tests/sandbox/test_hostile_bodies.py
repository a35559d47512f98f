"""Bodies of every wrong type, to every documented operation: refused in shape, never an internal error."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.testing import SandboxServer
from tests.sandbox import vendor_documents as vendor

pytestmark = pytest.mark.skipif(vendor.ABSENT, reason="the vendor's OpenAPI documents are not beside the repository")

WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 3.5, "", "x", "10000", "SCRUM-1", [], {}, [None], ["x"], [1], [[]], [{}], {"a": 1}, {"id": 1},
    {"key": "x"}, "a" * 300, {"id": "10000"}, {"name": "Task"}, {"accountId": "x"}, [{"add": 1}], [{"set": [1]}],
)  # fmt: skip
SEGMENTS = ("1", "10000", "SCRUM-1", "SCRUM", "x", "-1", "9" * 25, "TEAM", "é", "a b")
QUERY = (*SEGMENTS, "true", "summary", "project = SCRUM", "names,schema", "*all")


class Maker:
    """Makes requests for operations: partly as documented, partly of a wrong type, always the same for one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def request(self, operation: vendor.Operation) -> tuple[str, list[tuple[str, str]], Any]:
        """A path, a query and a body (none if the operation takes none)."""
        path = re.sub(r"\{[^}]+\}", lambda _: self.random.choice(SEGMENTS), operation.template)
        named = [p["name"] for p in operation.body.get("parameters", []) if p["in"] == "query"]
        query = [(name, self.random.choice(QUERY)) for name in named if self.random.random() < 0.4]
        content = operation.body.get("requestBody", {}).get("content", {}).get("application/json")
        return path, query, self.value(content["schema"], operation.document) if content else None

    def value(self, schema: Any, document: str, depth: int = 0) -> Any:
        """A value that follows a schema in part."""
        if depth > 4 or self.random.random() < 0.4:
            return self.random.choice(WRONG)
        if "$ref" in schema:
            schema = vendor.documents()[document]["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        if schema.get("type") == "array":
            return [self.value(schema.get("items", {}), document, depth + 1) for _ in range(self.random.randint(0, 3))]
        parts = schema.get("properties") or {}
        if parts:
            chosen = {name: part for name, part in parts.items() if self.random.random() < 0.6}
            return {name: self.value(part, document, depth + 1) for name, part in chosen.items()}
        return self.random.choice(schema.get("enum", WRONG))


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    auth = ("demo@example.com", "sandbox-token")
    with SandboxServer() as sandbox, httpx.Client(base_url=sandbox.url, auth=auth, timeout=10) as client:
        yield client


@pytest.mark.parametrize("seed", range(4))
def test_no_body_of_a_wrong_type_makes_an_internal_error(client: httpx.Client, seed: int) -> None:
    client.post("/sandbox/reset").raise_for_status()
    task = {"fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "One"}}
    assert client.post("/rest/api/3/issue", json=task).status_code == 201
    maker = Maker(seed)
    broken = []
    for operation in vendor.operations():
        path, query, body = maker.request(operation)
        sent = {} if body is None else {"json": body}
        response = client.request(operation.method, path, params=query, **sent)
        if response.status_code >= 500:
            broken.append(f"{operation.method} {path} {query} {body!r}: {response.text[:100]}")
    assert broken == []
