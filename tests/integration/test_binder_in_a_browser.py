"""A binder's page as a browser shows it: whole on a narrow screen and on paper, and hostile text runs nothing.

Needs Chromium, and skips where there is none (`tests/browser.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Browser, needs_chromium
from tests.unit.domain.audit import binders
from tests.unit.domain.audit.test_binder import HOSTILE, hostile

pytestmark = needs_chromium

WIDER = """
[...document.querySelectorAll('body *')].filter(one => !one.closest('.wide, .text, script, .skip')
  && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))
"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    opened = Browser(tmp_path / "profile")
    yield opened
    opened.close()


@pytest.fixture
def a_page(tmp_path: Path) -> Path:
    path = tmp_path / "binder.html"
    subjects = [binders.subject(number) for number in (1, 2, 3)]
    path.write_bytes(binders.as_html(binders.content(binders.evidence(*subjects))))
    return path


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_is_wider_than_the_screen(browser: Browser, a_page: Path, width: int) -> None:
    browser.open(a_page, width)

    assert browser.value(WIDER) == []
    assert browser.value("document.documentElement.scrollWidth") == width
    assert browser.said == []


def test_on_paper_everything_is_there(browser: Browser, a_page: Path) -> None:
    browser.open(a_page, 700)
    browser.do("Emulation.setEmulatedMedia", media="print")

    assert browser.value("document.documentElement.scrollWidth") == 700
    assert browser.value(
        "[...document.querySelectorAll('.text, .wide')].every(one => one.scrollHeight <= one.clientHeight + 1)"
    )


def test_light_and_dark_are_of_the_reader_s_choosing(browser: Browser, a_page: Path) -> None:
    browser.open(a_page, 1200)
    seen = []
    for scheme in ("light", "dark"):
        browser.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        seen.append(browser.value("getComputedStyle(document.body).backgroundColor"))

    assert seen == ["rgb(255, 255, 255)", "rgb(20, 23, 26)"]


def test_hostile_text_runs_nothing_and_loads_nothing(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_bytes(hostile())

    browser.open(path, 390)

    assert browser.said == []
    assert browser.value("performance.getEntriesByType('resource').length") == 0
    assert browser.value("[...document.scripts].map(one => one.type)") == ["application/json"]
    assert browser.value("document.images.length") == 0
    assert HOSTILE[:25] in browser.value("document.body.innerText")
