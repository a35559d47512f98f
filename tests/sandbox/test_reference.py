"""The page on the sandbox is in step with it: what is there, what is not, and every control it shows."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from sandbox.app import ROUTE_TABLES
from sandbox.control_routes import control_names
from sandbox.http import PathTable
from sandbox.trello.app import TABLES as TRELLO_TABLES
from tests.sandbox import trello_documents
from tests.sandbox import vendor_documents as vendor
from tests.sandbox.conftest import Client

PAGE = (Path(__file__).parents[2] / "docs/reference/sandbox.md").read_text()
EXAMPLES = re.findall(r"(?m)^    (GET|POST|DELETE) (/sandbox\S*)(?: (\{.*\}))?$", PAGE)

# The page says that every operation of the documents at hand is answered (the whole ones are longer: these hold what is
# about epics, sprints and tickets). One that is not belongs here, and on the page.
NOT_THERE: set[str] = set()

# What the vendor's whole documents list, as of June 2026 (Jira) and March 2026 (Trello).
WHOLE = {"Jira Cloud platform": 619, "Jira Software": 105, "Trello": 256}


def answered() -> dict[str, int]:
    """How many operations each part of the sandbox answers: methods on paths, whatever the parameters are called."""
    found: dict[str, set[tuple[str, str]]] = {name: set() for name in WHOLE}
    for table in ROUTE_TABLES:
        for prefix in table.prefixes:
            part = {"/rest/api/3": "Jira Cloud platform", "/rest/agile/1.0": "Jira Software"}.get(prefix)
            part = "Jira Software" if prefix.startswith("/rest/software") else part
            found[part or "Trello"] |= {
                (method, re.sub(r"\{[^}]+\}", "{}", prefix + path)) for method, path, _ in table.entries if part
            }
    for table_ in TRELLO_TABLES:
        entries = table_.entries
        found["Trello"] |= {(one[0], re.sub(r"\{[^}]+\}", "{}", one[1]).rstrip("/")) for one in entries}
    return {name: len(operations) for name, operations in found.items()}


def counts_on_the_page() -> dict[str, tuple[int, int, int]]:
    """The page's table: operations in the document, held against it, answered in all."""
    rows = re.findall(r"(?m)^\| ([A-Z][\w ]+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE)
    return {name: (int(whole), int(held), int(all_)) for name, whole, held, all_ in rows}


def test_the_page_counts_what_is_answered() -> None:
    page = counts_on_the_page()
    assert {name: numbers[0] for name, numbers in page.items()} == WHOLE
    assert {name: numbers[2] for name, numbers in page.items()} == answered()


@pytest.mark.skipif(vendor.ABSENT or trello_documents.ABSENT, reason="the vendor's documents are not at hand")
def test_the_page_counts_what_is_held_against_the_documents() -> None:
    names = {"jira-platform.json": "Jira Cloud platform", "jira-software.json": "Jira Software"}
    held = Counter(names[operation.document] for operation in vendor.operations())
    held["Trello"] = len(trello_documents.operations())
    assert {name: numbers[1] for name, numbers in counts_on_the_page().items()} == held


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
