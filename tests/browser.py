"""A real browser, spoken to over its debugging pipe.

It is Chromium (`PHASELOOP_TEST_CHROMIUM`, or on the path); tests that need it skip where there is none. It reaches
nothing beyond this machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import eventually

CHROMIUM = os.environ.get("PHASELOOP_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; PHASELOOP_TEST_CHROMIUM names one")

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)

_START = """
import os, sys
ends = [os.dup(int(one)) for one in sys.argv[1:3]]
for end, place in zip(ends, (3, 4)):
    os.dup2(end, place)
    os.set_inheritable(place, True)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Starts a browser with its pipe as descriptors 3 and 4, where it looks for it, whatever ours are."""


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
        self.tab()

    def tab(self) -> str:
        """Open another tab, which is spoken to from now on; what `switch` takes."""
        self._session = ""
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in ("Page", "Log", "Runtime"):
            self.do(f"{part}.enable")
        return self._session

    def switch(self, tab: str) -> None:
        """Speak to this tab from now on, and show it: of one that nobody sees, pictures are not loaded."""
        self._session = tab
        self.do("Page.bringToFront")

    def visit(self, url: str) -> None:
        """Show a page, and wait until it is there."""
        self.do("Page.navigate", url=url)
        self._next(lambda one: one.get("method") == "Page.loadEventFired")

    def click(self, selector: str) -> None:
        """Click what the selector finds in the page."""
        found = f"document.querySelector({json.dumps(selector)})"
        assert self.value(f"!!{found} && ({found}.click(), true)"), selector

    def until(self, expression: str) -> Any:
        """What an expression comes to once it is true in the page, whichever that is by then."""

        def look() -> Any:
            found = self.do("Runtime.evaluate", expression=expression, returnByValue=True)
            return found.get("result", {}).get("value")

        return eventually(look, 20)

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
