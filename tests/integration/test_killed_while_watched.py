"""A run that somebody watches in a browser while the service that does it is killed: the page says so, catches up by
itself, and nothing is there twice.

Needs Chromium, and skips where there is none (`tests/browser.py`).
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.server import free_port
from sandbox.testing import SandboxServer
from tests import plain
from tests.browser import Browser, needs_chromium
from tests.integration.conftest import SMALL, TEAM_FILE, Controls, Installation
from tests.waiting import eventually

pytestmark = needs_chromium

AUTH = (DEMO_EMAIL, DEMO_TOKEN)
NOW = "document.getElementById('now').innerText"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    opened = Browser(tmp_path / "profile")
    yield opened
    opened.close()


def is_ready(url: str) -> bool:
    try:
        return plain.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def issues(sandbox: SandboxServer, project: str) -> list[dict[str, Any]]:
    query = {"jql": f"project = {project}", "fields": "summary", "maxResults": "200"}
    found = plain.get(f"{sandbox.url}/rest/api/2/search/jql", params=query, auth=AUTH).json()
    return list(found.get("issues", ()))


def test_the_page_says_that_the_service_is_gone_and_catches_up_with_the_run_that_goes_on(
    here: Installation, sandbox: SandboxServer, controls: Controls, browser: Browser
) -> None:
    port = free_port(0)
    url, serve = f"http://127.0.0.1:{port}", ("serve", "--port", port)
    new = ("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE, "--set", "start_date=2027-01-04")
    plan = here.ok(*new, "--json", code=2).json
    code = here.ok("login-link")
    with here.process(*serve) as first:
        eventually(lambda: is_ready(url))
        browser.visit(f"{url}/sign-in?{code.out.strip().partition('?')[2]}")
        browser.click("form button")
        browser.until("location.pathname === '/' && document.readyState === 'complete'")
        controls.set("latency", milliseconds=400)
        browser.visit(f"{url}/plans/{plan['id']}")
        browser.click("main form button.main")
        browser.until("location.pathname.startsWith('/runs/') && document.readyState === 'complete'")
        browser.value("window.before = 'the same document'")
        eventually(lambda: len(issues(sandbox, "ML")) > 1)
        first.send_signal(signal.SIGKILL)
        browser.until("document.getElementById('lost')?.innerText.includes('The connection is lost')")
    controls.clear("latency")
    with here.process(*serve):
        browser.until(f"{NOW}.includes('Completed')")
        assert browser.value("window.before") == "the same document"
        browser.until("!document.getElementById('lost')")
        found = Counter(one["fields"]["summary"] for one in issues(sandbox, "ML"))
        made = (one for one in plan["changes"] if one["change"]["action"] == "create")
        planned = [one for one in made if one["kind"] in ("epic", "ticket")]
        assert sum(found.values()) == len(planned)
        assert max(found.values()) == Counter(one["title"] for one in planned).most_common(1)[0][1]
