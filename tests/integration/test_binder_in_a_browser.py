"""A binder's page as a browser shows it: whole on a narrow screen and on paper, and hostile text runs nothing.

Needs Chromium (`PHASELOOP_TEST_CHROMIUM`, or on the path), and skips where there is none.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.domain.audit import binders
from tests.unit.domain.audit.test_binder import HOSTILE, hostile

CHROMIUM = os.environ.get("PHASELOOP_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; PHASELOOP_TEST_CHROMIUM names one")

_OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe")

_START = """
import os, sys
ends = [os.dup(int(one)) for one in sys.argv[1:3]]
for end, place in zip(ends, (3, 4)):
    os.dup2(end, place)
    os.set_inheritable(place, True)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Starts a browser with its pipe as descriptors 3 and 4, where it looks for it, whatever ours are."""

WIDER = """
[...document.querySelectorAll('body *')].filter(one => !one.closest('.wide, .text, script, .skip')
  && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))
"""


class Browser:
    """A browser spoken to over its debugging pipe; `said` is what pages logged (refusals by their policy included)."""

    def __init__(self, profile: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        given = [str(to_read), str(to_write), str(CHROMIUM), *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *given],
            pass_fds=(to_read, to_write),
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(profile)},
        )
        os.close(to_read)
        os.close(to_write)
        self._left, self._number, self._session = b"", 0, ""
        self.said: list[str] = []
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in ("Page", "Log", "Runtime"):
            self.do(f"{part}.enable")

    def do(self, method: str, **given: Any) -> dict[str, Any]:
        """What the browser answers to a command."""
        self._number += 1
        told = {"id": self._number, "method": method, "params": given}
        whole = {**told, "sessionId": self._session} if self._session else told
        os.write(self._write, json.dumps(whole).encode() + b"\0")
        return self._next(lambda one: one.get("id") == self._number)["result"]  # type: ignore[no-any-return]

    def open(self, path: Path, width: int) -> None:
        """Show a file on a screen of this width, and wait until it is there."""
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self.do("Emulation.setDeviceMetricsOverride", **size)
        self.do("Page.navigate", url=path.as_uri())
        self._next(lambda one: one.get("method") == "Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """What an expression comes to in the page."""
        return self.do("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def _next(self, wanted: Any) -> dict[str, Any]:
        while True:
            while b"\0" not in self._left:
                more = os.read(self._read, 1 << 20)
                assert more, "the browser ended"
                self._left += more
            one, _, self._left = self._left.partition(b"\0")
            message: dict[str, Any] = json.loads(one)
            if message.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                self.said.append(json.dumps(message["params"]))
            if wanted(message):
                return message


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
