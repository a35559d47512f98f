"""The pages for people: what they show, that they escape it, and that they need nothing from outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from sandbox.testing import SandboxServer
from tests import plain
from tests.sandbox.conftest import Client

EVIL = '<script>alert("x")</script>'


class Outline(HTMLParser):
    """Headings, ids, references and the words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.named_by: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        values = {name: value or "" for name, value in attrs}
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in values:
            self.ids.append(values["id"])
        self.named_by += values.get("aria-labelledby", "").split()
        self.addresses += [values[name] for name in ("href", "src") if name in values]

    def handle_data(self, data: str) -> None:
        self.words += data


def page(url: str, path: str, status: int = 200) -> Outline:
    response = plain.get(f"{url}{path}")
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    assert "script-src" not in response.headers["content-security-policy"]
    return Outline(response.text)


@pytest.fixture
def busy(admin: Client) -> str:
    """A site with an epic, a sprint and a ticket that has everything; the ticket's key."""
    epic = admin.issue("Phase 1", kind="Epic")
    key = admin.issue(f"Collect {EVIL}", parent={"key": epic}, labels=["a&b"], customfield_10024=3)
    admin.put(f"/rest/api/2/issue/{key}", json={"fields": {"description": f"h1. Goal\n* [ ] open\n* [x] done\n{EVIL}"}})
    admin.post(f"/rest/api/2/issue/{key}/comment", json={"body": f"*fine* {EVIL}"})
    admin.put(f"/rest/api/3/issue/{key}/properties/record", json={"evil": EVIL})
    link = {"object": {"url": "javascript:alert(1)", "title": EVIL}, "relationship": "documented at"}
    admin.post(f"/rest/api/3/issue/{key}/remotelink", json=link)
    number = admin.sprint("Iteration 7", start=True)
    admin.post(f"/rest/agile/1.0/sprint/{number}/issue", json={"issues": [key]})
    admin.sprint("Iteration 8")
    return key


def test_the_index_says_where_the_projects_are_and_how_to_log_in(sandbox: SandboxServer, busy: str) -> None:
    found = page(sandbox.url, "/")
    for words in ("SCRUM board", "demo@example.com", "sandbox-token", sandbox.url, busy):
        assert words in found.words


def test_a_ticket_shows_what_hangs_on_it(sandbox: SandboxServer, busy: str) -> None:
    found = page(sandbox.url, f"/browse/{busy}")
    for words in ("Goal", "to do: open", "done: done", "fine", "Phase 1", "Iteration 7", "a&b", "record", "Unassigned"):
        assert words in found.words, words


def test_a_board_shows_columns_sprints_and_epics(sandbox: SandboxServer, busy: str) -> None:
    found = page(sandbox.url, "/jira/boards/1")
    for words in (
        "To Do",
        "In Progress",
        "Done",
        "Iteration 7",
        "Iteration 8",
        "2026-11-23 to 2026-12-04",
        "Phase 1",
        busy,
    ):
        assert words in found.words, words


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/browse/{key}",
        "/jira/boards/1",
        "/jira/boards/2",
        "/jira/boards/3",
        "/jira/software/c/projects/SCRUM/boards/1",
        "/jira/software/projects/TEAM/boards/2",
        "/login",
    ],
)
def test_every_page_is_safe_whole_and_ordered(sandbox: SandboxServer, busy: str, path: str) -> None:
    found = page(sandbox.url, path.format(key=busy))
    assert "script" not in found.tags
    assert "main" in found.tags
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    steps = zip(found.headings, found.headings[1:], strict=False)
    assert all(after - before <= 1 for before, after in steps), found.headings
    assert len(found.ids) == len(set(found.ids))
    assert set(found.named_by) <= set(found.ids)
    outside = [a for a in found.addresses if not a.startswith(("/", "#", "data:,"))]
    assert outside == []


def test_a_project_key_leads_to_its_board_and_nonsense_to_a_404(sandbox: SandboxServer) -> None:
    assert plain.get(f"{sandbox.url}/browse/TEAM").headers["location"] == "/jira/boards/2"
    page(sandbox.url, "/browse/NOPE-1", 404)
    page(sandbox.url, "/jira/boards/99", 404)
