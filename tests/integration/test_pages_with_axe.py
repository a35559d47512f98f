"""Every page held against the rules of axe, in both colour schemes, on a phone and on a desk, under the pages' policy.

Needs Chromium (`tests/browser.py`) and axe-core, which is no part of this repository: `npm install axe-core` anywhere
outside of it, and name its `axe.min.js` in PHASELOOP_TEST_AXE.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain.access.roles import Role
from service.usecases.access import people, role_rules, tokens
from service.usecases.run import run_views
from service.usecases.setup import projects
from tests.browser import Browser, needs_chromium
from tests.integration.test_pages_in_a_browser import refused
from tests.pages_desk import Desk, served_desk
from tests.waiting import eventually

AXE = os.environ.get("PHASELOOP_TEST_AXE", "")

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(not AXE, reason="no axe-core here; PHASELOOP_TEST_AXE names its axe.min.js"),
]

RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"

WRONG = f"""
axe.run(document, {RULES}).then(found => JSON.stringify(found.violations.map(
  one => [one.id, one.nodes.map(node => node.html.slice(0, 160) + ' ' + node.any.map(each => each.message)).slice(0, 4)]
)))
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with served_desk(tmp_path_factory.mktemp("desk") / "home") as found:
        found.connect()
        yield found


@pytest.fixture(scope="module")
def pages(desk: Desk) -> list[str]:
    """Pages with something on them."""
    visitor = desk.visitor()
    plan = visitor.press("/projects/new", "/projects/new", **desk.entries("Support triage", "SUP"))
    run = visitor.press(plan, f"{plan}/apply")
    desk.wait_for_end(run.rpartition("/")[2])
    project = f"/projects/{projects.get(desk.context, 'SUP').id}"
    eventually(lambda: run_views.listed(desk.context))
    people.put(desk.context, "ml-1@example.com", Role.OPERATOR, ["SUP"])
    tokens.create(desk.context, "ci", role=Role.VIEWER)
    role_rules.add(desk.context, "ml-leads", Role.LEAD, project="SUP")
    person = f"/access/people/{people.get(desk.context, 'ml-1@example.com').row.id}"
    made = ["/", "/runs", f"{run}?step=1", plan, project, f"{project}/audit", f"{project}/settings"]
    given = ["/projects/new", "/audit", "/templates", "/templates/iterative-ml", "/account", "/go", "/go?q=sup"]
    access = ["/access", person, "/access/tokens", "/access/sessions", "/access/groups"]
    entered = {"kind": "slack", "r_slack_secret": "xoxb-sandbox-token", "channel": "C0000000002"}
    receiver = visitor.press("/receivers/new", "/receivers/new", **entered)
    preview = f"/receivers/preview?project={project.rpartition('/')[2]}&kind=finding"
    told = ["/receivers", "/receivers/new", receiver, "/deliveries", preview]
    template = ["/templates/iterative-ml?epic=verify", "/templates/iterative-ml/difference"]
    given += [*told, *template, f"{project}/drift"]
    return [*made, *given, *access, "/changes?verify=yes", "/changes?since=someday", "/settings", "/projects/nothing"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, desk: Desk) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser") / "profile")
    desk.sign_in(opened)
    yield opened
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_breaks_a_rule(desk: Desk, browser: Browser, pages: list[str], width: int, scheme: str) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.do("Emulation.setDeviceMetricsOverride", **size)
    browser.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    rules = Path(AXE).read_text(encoding="utf-8")
    wrong = {}
    for path in pages:
        browser.visit(desk.url + path)
        browser.value(f"{rules}; true")
        answer = browser.do("Runtime.evaluate", expression=WRONG, awaitPromise=True, returnByValue=True)
        if found := json.loads(answer["result"]["value"]):
            wrong[path] = found
    assert wrong == {}, json.dumps(wrong, indent=1)
    assert refused(browser) == []
