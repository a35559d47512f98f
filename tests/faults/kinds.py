"""The ways in which a call can go wrong, each by the name that the matrix, the command line and the tests use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.process import Moment

EVERY_CALL = "^/(?:rest|1|_edge)/"
"""Whatever is sent to a tracker: a call is named by its place among all of them."""
BULK = "/issue/bulk$"


@dataclass(frozen=True)
class Kind:
    """One way for a call to fail.

    Either the sandbox is told to misbehave (`fault`, as `POST /sandbox/faults` takes it), and the process may be killed
    when it does (`killed`); or the process kills itself at the call (`death`).
    """

    name: str
    words: str
    fault: Mapping[str, Any] | None = None
    killed: bool = False
    death: Moment | None = None
    path: str = EVERY_CALL
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def kills(self) -> bool:
        """Whether the process ends by it."""
        return self.killed or self.death is not None

    @property
    def bulk(self) -> bool:
        """Whether it is about Jira's bulk calls only."""
        return self.path == BULK


def _statuses() -> list[Kind]:
    found = []
    for status in (500, 503):
        for done in (False, True):
            for after in (False, True):
                fault: dict[str, Any] = {"action": "status", "status": status, "done": done}
                if after:
                    fault["headers"] = {"Retry-After": "1"}
                name = f"{status}{'-done' if done else ''}{'-retry-after' if after else ''}"
                words = f"{status} {'after the work was done' if done else 'instead of the work'}"
                found.append(Kind(name, words + (", with Retry-After" if after else ""), fault))
    return found


def _pages() -> list[Kind]:
    return [
        Kind(
            f"html-{status}{'-done' if done else ''}",
            f"an HTML page with {status} {'after the work was done' if done else 'instead of the work'}",
            {"action": "status", "status": status, "body": "html", "done": done},
        )
        for status in (200, 502)
        for done in (False, True)
    ]


KINDS: tuple[Kind, ...] = (
    Kind("kill-before", "killed before the call", death="before"),
    Kind("kill-lost", "killed after the work, before the answer", {"action": "hang", "done": True}, killed=True),
    Kind("kill-answered", "killed with the answer, before it is recorded", death="answered"),
    Kind("reset", "connection reset before the work", {"action": "reset"}),
    Kind("lost", "connection dropped after the work", {"action": "lose"}),
    Kind(
        "timeout",
        "no answer in time, after the work",
        {"action": "hang", "done": True},
        settings={"PHASELOOP_TRACKER_TIMEOUT": "1.5"},
    ),
    Kind("429-seconds", "429, Retry-After in seconds", {"action": "limit", "retryAfter": 1}),
    Kind("429-date", "429, Retry-After as a date", {"action": "limit", "retryAfter": 1, "asDate": True}),
    Kind("429-silent", "429 without Retry-After", {"action": "limit", "retryAfter": None}),
    *_statuses(),
    *_pages(),
    Kind("partial", "part of a bulk call refused", {"action": "partial", "elements": [0, 3]}, path=BULK),
)

BY_NAME = {kind.name: kind for kind in KINDS}
