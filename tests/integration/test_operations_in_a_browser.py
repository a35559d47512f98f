"""The pages of operations in a real browser: what their forms do with a script, and how they look on a phone.

Needs Chromium, and skips where there is none (`tests/browser.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.usecases.hook import secret
from service.usecases.setup import connections
from tests.browser import Browser, needs_chromium
from tests.integration.test_pages_in_a_browser import WIDER, pressed, refused, said
from tests.operations_shots import add_trigger, deliver
from tests.pages_desk import Desk, served_desk

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with served_desk(tmp_path_factory.mktemp("desk") / "home") as found:
        found.connect()
        yield found


@pytest.fixture(scope="module")
def browser(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser") / "profile")
    desk.sign_in(opened)
    yield opened
    opened.close()


def test_a_webhook_is_registered_and_its_new_secret_read_from_the_page(desk: Desk, browser: Browser) -> None:
    number = connections.get(desk.context, "work").id
    browser.visit(f"{desk.url}/connections/{number}")
    pressed(browser, "form[action$='hook/register'] button", f"^/connections/{number}$")
    browser.until("document.body.innerText.includes('Registered')")
    browser.click("#rotate summary")
    browser.click("#rotate form button")
    browser.until("document.body.innerText.includes('shown this once')")
    assert len(str(browser.value("document.querySelector('section.note code').innerText"))) > 40
    assert len(secret.present(desk.context, number)) == 2
    assert refused(browser) == []


def test_a_choice_of_events_is_sent_at_once_and_is_in_the_address(desk: Desk, browser: Browser) -> None:
    deliver(desk, add_trigger(desk, project="NOWHERE"), {"type": "model.promoted"})
    browser.visit(f"{desk.url}/events")
    assert "1 event failed." in said(browser)
    browser.click("[name=state][value=done]")
    browser.until("location.search.includes('state=done') && document.body.innerText.includes('No event fits.')")


@pytest.mark.parametrize(
    "path", ["/events", "/triggers", "/triggers/test", "/connections", "/connections/new", "/teams"]
)
def test_nothing_is_wider_than_a_phone(desk: Desk, browser: Browser, path: str) -> None:
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.do("Emulation.setDeviceMetricsOverride", **size)
    browser.visit(desk.url + path)
    assert browser.value(WIDER) == []
    assert refused(browser) == []
