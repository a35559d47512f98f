"""The page on the sandbox is in step with it: what is there, what is not, and every control it shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sandbox.app import ROUTE_TABLES
from sandbox.control_routes import control_names
from sandbox.http import PathTable
from tests.sandbox import vendor_documents as vendor
from tests.sandbox.conftest import Client

PAGE = (Path(__file__).parents[2] / "docs/reference/sandbox.md").read_text()
EXAMPLES = re.findall(r"(?m)^    (GET|POST|DELETE) (/sandbox\S*)(?: (\{.*\}))?$", PAGE)

# The page says that every operation of the documents is answered. One that is not belongs here, and on the page.
NOT_THERE: set[str] = set()


@pytest.mark.skipif(vendor.ABSENT, reason="the vendor's documents are not at hand")
def test_the_page_knows_which_operations_are_not_there() -> None:
    table = PathTable(ROUTE_TABLES)
    paths = ((operation, re.sub(r"\{[^}]+\}", "1", operation.template)) for operation in vendor.operations())
    missing = {operation.name for operation, path in paths if table.find(operation.method, path) is None}
    assert missing == NOT_THERE
    assert all(name in PAGE for name in NOT_THERE)


@pytest.mark.parametrize("path", ["/jql/sanitize", "/expression/eval", "/auditing/record", "/fieldconfiguration"])
def test_what_the_page_calls_missing_is_an_unknown_path(admin: Client, path: str) -> None:
    answer = admin.get(f"/rest/api/3{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_every_control_is_on_the_page() -> None:
    assert [name for name in control_names() if f"/sandbox/{name}" not in PAGE] == []


@pytest.mark.parametrize(("method", "path", "body"), EXAMPLES)
def test_every_control_that_the_page_shows_works(admin: Client, method: str, path: str, body: str) -> None:
    answer = admin.request(method, path, json=json.loads(body) if body else None)
    assert answer.status_code == 200, answer.text
