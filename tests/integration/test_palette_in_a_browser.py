"""Going somewhere by keyboard alone, in a real browser: opened, searched, moved through, closed, announced.

Needs Chromium, and skips where there is none (`tests/browser.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.browser import Browser, needs_chromium
from tests.integration.test_pages_in_a_browser import COMPLETE, enter, refused, said
from tests.pages_desk import Desk, served_desk

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with served_desk(tmp_path_factory.mktemp("desk") / "home") as found:
        yield found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, desk: Desk) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser") / "profile")
    size = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    opened.do("Emulation.setDeviceMetricsOverride", **size)
    desk.sign_in(opened)
    yield opened
    opened.close()


CODES = {"Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, "k": 75}


def key(browser: Browser, name: str, modifiers: int = 0) -> None:
    """Press a key as a keyboard does; 2 is Control."""
    told = {"key": name, "code": name, "modifiers": modifiers, "windowsVirtualKeyCode": CODES[name]}
    browser.do("Input.dispatchKeyEvent", type="rawKeyDown", **told)
    browser.do("Input.dispatchKeyEvent", type="keyUp", **told)


def type_(browser: Browser, text: str) -> None:
    browser.do("Input.insertText", text=text)


def focused(browser: Browser) -> str:
    return str(browser.value("document.activeElement.id || document.activeElement.getAttribute('href')"))


def found(browser: Browser) -> list[str]:
    hrefs = "[...document.querySelectorAll('#palette-found a')].map(one => one.getAttribute('href'))"
    return json.loads(browser.value(f"JSON.stringify({hrefs})"))


def test_by_keyboard_alone_it_opens_finds_announces_leads_and_gives_the_focus_back(
    desk: Desk, browser: Browser
) -> None:
    browser.visit(f"{desk.url}/runs")
    browser.value("document.querySelector('.side a[href=\"/audit\"]').focus(), true")
    key(browser, "k", 2)
    browser.until("document.querySelectorAll('#palette-found a').length > 5")
    assert focused(browser) == "palette-q"
    assert "results." in browser.value("document.getElementById('palette-said').textContent")
    type_(browser, "make a tok")
    browser.until("document.querySelectorAll('#palette-found a').length == 1")
    assert browser.value("document.getElementById('palette-said').textContent") == "1 result."
    key(browser, "ArrowDown")
    assert focused(browser) == "/access/tokens#add"
    key(browser, "ArrowDown")
    assert focused(browser) == "palette-q"
    key(browser, "Escape")
    browser.until("!document.getElementById('palette').open")
    assert focused(browser) == "/audit"
    key(browser, "k", 2)
    type_(browser, "change log")
    browser.until("document.querySelectorAll('#palette-found a').length == 2")
    key(browser, "Enter")
    browser.until(f"location.pathname === '/changes' && {COMPLETE}")
    assert refused(browser) == []


def test_nothing_is_found_in_words_and_a_session_that_ended_leads_to_the_form(desk: Desk, browser: Browser) -> None:
    browser.visit(f"{desk.url}/runs")
    key(browser, "k", 2)
    type_(browser, "nothing of the kind")
    browser.until("document.getElementById('palette-said').textContent === 'Nothing fits.'")
    assert found(browser) == []
    cookies = browser.do("Network.getCookies", urls=[desk.url])["cookies"]
    browser.do("Network.clearBrowserCookies")
    type_(browser, "x")
    browser.until(f"location.pathname === '/sign-in' && {COMPLETE}")
    for one in cookies:
        browser.do("Network.setCookie", name=one["name"], value=one["value"], url=desk.url, httpOnly=True)


def test_without_a_script_the_link_leads_to_a_page_that_searches(desk: Desk, browser: Browser) -> None:
    browser.do("Emulation.setScriptExecutionDisabled", value=True)
    browser.visit(f"{desk.url}/")
    browser.click("#find")
    browser.until(f"location.pathname === '/go' && {COMPLETE}")
    assert "Your account" in said(browser)
    browser.value("document.getElementById('go-q').value = 'templates'")
    browser.click("main form button")
    browser.until(f"location.search === '?q=templates' && {COMPLETE}")
    assert "Your account" not in said(browser).partition("Search")[2]
    browser.do("Emulation.setScriptExecutionDisabled", value=False)
    assert refused(browser) == []


def test_a_token_is_copied_at_a_press(desk: Desk, browser: Browser) -> None:
    browser.visit(f"{desk.url}/access/tokens")
    browser.value("document.getElementById('name').value = 'from a browser'")
    browser.click("form[action='/access/tokens'] button")
    browser.until(f"!!document.getElementById('secret-value') && {COMPLETE}")
    assert focused(browser) == "secret"
    assert browser.value("document.querySelector('[data-copies]').hidden") is False
    browser.click("[data-copies]")
    assert browser.value("document.activeElement.id + getSelection()").startswith("secret-value")
    assert refused(browser) == []


def test_a_session_that_ends_in_the_middle_of_a_form_costs_nothing_that_was_entered(
    desk: Desk, browser: Browser
) -> None:
    browser.visit(f"{desk.url}/projects/new")
    enter(browser, name="Half a form", people="person,email")
    browser.do("Network.clearBrowserCookies")
    browser.click("[value=plan]")
    browser.until(f"location.pathname === '/sign-in' && {COMPLETE}")
    enter(browser, code=desk.link().partition("code=")[2])
    browser.click("form button")
    browser.until(f"location.pathname === '/projects/new' && {COMPLETE}")

    assert browser.value("document.getElementById('name').value") == "Half a form"
    assert browser.value("document.getElementById('people').value") == "person,email"
