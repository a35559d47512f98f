"""From an empty home to a project that was built, in a real browser: with a script, watched as it happens, and without.

Needs Chromium, and skips where there is none (`tests/browser.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from service.usecases.run import run_views
from tests.browser import Browser, needs_chromium
from tests.pages_desk import PEOPLE, Desk, served_desk

pytestmark = needs_chromium

WIDER = """
[...document.querySelectorAll('body *')]
  .filter(one => !one.closest('.scroll, .hide, .skip, textarea, dialog, svg, .side'))
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))
"""

COMPLETE = "document.readyState === 'complete'"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with served_desk(tmp_path_factory.mktemp("desk") / "home") as found:
        yield found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser") / "profile")
    yield opened
    opened.close()


def enter(browser: Browser, **entered: str) -> None:
    for name, value in entered.items():
        field = f"document.getElementById({json.dumps(name)})"
        browser.value(
            f"{field}.value = {json.dumps(value)}; {field}.dispatchEvent(new Event('input', {{bubbles: true}}))"
        )


def pressed(browser: Browser, selector: str, leads_to: str) -> None:
    """Press a button, and wait for the page that it leads to."""
    browser.click(selector)
    browser.until(f"location.pathname.match({json.dumps(leads_to)}) && {COMPLETE} && !!document.querySelector('h1')")


def said(browser: Browser) -> str:
    return str(browser.value("document.body.innerText"))


def refused(browser: Browser) -> list[str]:
    return [one for one in browser.said if "Content Security Policy" in one or "exceptionDetails" in one]


def test_from_an_empty_home_to_a_project_that_is_watched_while_it_is_built(desk: Desk, browser: Browser) -> None:
    desk.sign_in(browser)
    assert "No project yet" in said(browser)
    pressed(browser, "main a.btn.main", "^/projects/new$")
    enter(browser, c_jira_url=desk.sandbox.url, c_jira_email=DEMO_EMAIL, c_jira_secret=DEMO_TOKEN, c_name="work")
    enter(browser, name="Support triage", key="SUP", zone="Europe/Berlin", people=PEOPLE)
    browser.click("[value=connect]")
    browser.until(f"document.body.innerText.includes('The connection “work” was added.') && {COMPLETE}")
    assert "Signed in as" in said(browser)
    assert browser.value("document.getElementById('name').value") == "Support triage"

    pressed(browser, "[value=plan]", "^/plans/")
    assert "Create the project with 135 items in Jira" in said(browser)
    pressed(browser, "main form button.main", "^/runs/")
    browser.value("window.before = 'the same document'")
    browser.until("document.getElementById('now').innerText.includes('Completed')")
    assert browser.value("window.before") == "the same document", "the page followed the run without being loaded anew"
    assert "135 of 135 items made" in said(browser)
    browser.until("!document.querySelector('[data-events]') || !!document.querySelector('#actions form[action$=undo]')")
    assert browser.value("document.querySelectorAll('#steps details[open]').length") == 0, "what is done is folded"
    assert refused(browser) == []


def test_what_was_typed_is_back_after_a_sign_in_came_between_is_said_and_is_discarded_by_one_press(
    desk: Desk, browser: Browser
) -> None:
    desk.sign_in(browser)
    browser.visit(f"{desk.url}/projects/new")
    enter(browser, name="Half a form", c_jira_secret="s3cr3t")
    browser.do("Network.clearBrowserCookies")
    pressed(browser, "[value=plan]", "^/sign-in$")
    assert "s3cr3t" not in browser.value("JSON.stringify({...sessionStorage})")
    desk.sign_in(browser)
    browser.visit(f"{desk.url}/projects/new")

    assert browser.value("document.getElementById('name').value") == "Half a form"
    assert browser.value("document.getElementById('c_jira_secret').value") == ""
    assert "What you entered earlier is back." in said(browser)
    browser.value("[...document.querySelectorAll('button')].find(one => one.innerText === 'Discard it').click(), true")
    assert browser.value("document.getElementById('name').value") == ""
    assert "earlier is back" not in said(browser)
    browser.visit(f"{desk.url}/projects/new")
    assert browser.value("document.getElementById('name').value") == ""


def test_what_was_typed_and_left_or_sent_is_not_shown_as_if_it_were_stored(desk: Desk, browser: Browser) -> None:
    project = f"{desk.url}/projects/{run_views.listed(desk.context)[-1].project_id}"
    browser.visit(f"{project}/settings")
    enter(browser, name="Never sent")
    browser.value(
        "[...document.querySelectorAll('main a')].find(one => one.innerText.includes('Leave it')).click(), true"
    )
    browser.until(f"!location.pathname.endsWith('settings') && {COMPLETE}")
    browser.visit(f"{project}/settings")
    assert browser.value("document.getElementById('name').value") == "Support triage"

    browser.visit(f"{desk.url}/projects/new")
    enter(browser, name="Sent", key="SENT", zone="Europe/Berlin", people=PEOPLE)
    pressed(browser, "[value=plan]", "^/plans/")
    browser.visit(f"{desk.url}/projects/new")
    assert browser.value("document.getElementById('name').value") == ""
    assert browser.value("Object.keys(sessionStorage).length") == 0


def test_what_was_sent_while_nobody_answered_is_back_and_said(desk: Desk, browser: Browser) -> None:
    browser.visit(f"{desk.url}/projects/new")
    enter(browser, name="Into the void")
    browser.do("Network.enable")
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.do("Network.emulateNetworkConditions", offline=True, **offline)
    browser.click("[value=plan]")
    browser.until("location.protocol === 'chrome-error:'")
    browser.do("Network.emulateNetworkConditions", offline=False, **offline)
    browser.visit(f"{desk.url}/projects/new")

    assert browser.value("document.getElementById('name').value") == "Into the void"
    assert "What you entered earlier is back." in said(browser)
    browser.value("sessionStorage.clear(), true")


def test_keys_lead_where_the_list_of_keys_says(desk: Desk, browser: Browser) -> None:
    browser.visit(f"{desk.url}/")
    key = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: KEY, bubbles: true}))"
    browser.value(key.replace("KEY", "'/'"))
    assert browser.value("document.activeElement.id") == "q"
    browser.value("document.activeElement.blur(), true")
    browser.value(key.replace("KEY", "'j'"))
    assert browser.value("document.activeElement.innerText") == "Support triage"
    browser.value(key.replace("KEY", "'?'"))
    assert browser.value("document.getElementById('keys').open")
    browser.value("document.getElementById('keys').close(), true")
    browser.value(f"{key.replace('KEY', repr('g'))}; {key.replace('KEY', repr('r'))}")
    browser.until(f"location.pathname === '/runs' && {COMPLETE}")


def test_no_page_is_wider_than_a_phone(desk: Desk, browser: Browser) -> None:
    run = run_views.listed(desk.context)[-1]
    project = f"/projects/{run.project_id}"
    pages = [
        "/",
        "/runs",
        f"/runs/{run.id}?step=1",
        f"/plans/{run.plan_id}",
        project,
        "/projects/new",
        "/account",
        "/x",
    ]
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.do("Emulation.setDeviceMetricsOverride", **size)
    for path in [*pages, f"{project}/advance"]:
        browser.visit(desk.url + path)
        assert browser.value(WIDER) == [], path
        assert browser.value("document.documentElement.scrollWidth") == 390, path
    browser.do("Emulation.clearDeviceMetricsOverride")
    assert refused(browser) == []


def test_without_a_script_the_same_path_leads_there(desk: Desk, browser: Browser) -> None:
    browser.do("Emulation.setScriptExecutionDisabled", value=True)
    browser.visit(f"{desk.url}/")
    pressed(browser, "main a.btn.main", "^/projects/new$")
    enter(browser, name="Fraud scoring", key="FRD", zone="Europe/Berlin", team="own", people=PEOPLE)
    pressed(browser, "[value=plan]", "^/plans/")
    pressed(browser, "main form button.main", "^/runs/")
    browser.until("document.getElementById('now')?.innerText.includes('Completed')")
    pressed(browser, "#actions form[action$=undo] button", "^/plans/")
    assert "Take back 136 items in Jira" in said(browser)
    browser.do("Emulation.setScriptExecutionDisabled", value=False)
    assert refused(browser) == []
