"""One example of each kind of notice, as it stands in a project's history: for previews of what did not happen yet, and
for who writes a program that is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.messages import Message
from connectors.values import ItemKey
from service.domain.loop.figures import TicketRecord
from service.domain.notice.kinds import NoticeKind
from service.domain.notice.message import About, Tickets, Told, message

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGES = "https://phaseloop.example.com"


@dataclass(frozen=True, slots=True)
class Example:
    """Something that happened: the kind of event, what it says, who did it. In `text` and `run`, `{key}` is the
    project's key."""

    event: str
    text: str
    by: str = "clock"
    run: str | None = None
    to: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


_CARRIED = {"key": "ticket:train", "title": "Train the first model", "policy": "next", "person": "Ana"}
_ADVANCE = "advance-prj_1f0c9a3b5d7e-2"
_LOOK = "audit-prj_1f0c9a3b5d7e-2026-03-02"


def _record(clock: str, text: str, *to: str) -> Example:
    return Example("record-due", text, run=_LOOK, to=to, data={"clock": clock, "record": "record:1"})


EXAMPLES: Mapping[NoticeKind, Example] = {
    NoticeKind.ITERATION_STARTED: Example(
        "began",
        'Iteration 1 of {key} began: "Ideation 1".',
        run=_ADVANCE,
        data={"phase": "ideation", "loop": 1, "of_phase": 1, "move": "begin", "lacking": []},
    ),
    NoticeKind.ITERATION_CLOSED: Example(
        "closed",
        "Iteration 1 of {key} was closed: 7 done, 1 carried over, 0 to the backlog, 0 left.",
        run=_ADVANCE,
        data={"done": 7, "next": 1, "backlog": 0, "leave": 0, "complete": 0},
    ),
    NoticeKind.CARRY_OVER: Example(
        "proposed",
        "Iteration 1 of {key} has ended: 1 ticket is not done. On Mon 2 Mar 2026 at 10:00 1 will be carried over,"
        " unless somebody answers otherwise.",
        run="propose-prj_1f0c9a3b5d7e-1",
        data={"carried": [_CARRIED], "lacking": [], "plan": "pln_1f0c9a3b5d7e"},
    ),
    NoticeKind.RECORD_DUE: _record("due", "The record of iteration 1 of {key} is due now.", "ana"),
    NoticeKind.RECORD_OVERDUE: _record("overdue", "The record of iteration 1 of {key} is late.", "ana"),
    NoticeKind.RECORD_ESCALATED: _record(
        "escalated", "The record of iteration 1 of {key} is late, and not fixed.", "ana", "ben"
    ),
    NoticeKind.PHASE_PROPOSAL: Example(
        "move-proposed", "A trigger proposes for {key}: the next phase.", by="trigger evaluation-failed"
    ),
    NoticeKind.RUN_WAITING: Example("waiting", "A run of {key} waits: the tracker did not answer.", run=_ADVANCE),
    NoticeKind.RUN_HELD: Example("held", "A run of {key} is held: an account may not create tickets.", run=_ADVANCE),
    NoticeKind.RUN_FAILED: Example("failed", "A run of {key} failed.", run=_ADVANCE),
    NoticeKind.LOOP_PAUSED: Example("paused", "{key} was paused: everybody is away.", by="ana"),
    NoticeKind.FINDING: Example(
        "finding", "Iteration 1 of {key} was closed by hand.", by="tracker", data={"severity": "warning"}
    ),
    NoticeKind.MESSAGE: Example(
        "trigger", "The champion model of {key} has a new version.", by="trigger champion", to=("ana",)
    ),
    NoticeKind.STAND_UP: Example("stand-up", 'Day 4 of 10 of "Ideation 1" in {key}.', data={"day": 4, "of": 10}),
    NoticeKind.PROJECT_ENDED: Example("ended", "{key} has ended with iteration 6."),
}
"""What each kind looks like that a project has had no notice of."""

TICKETS = (
    Tickets(
        "ML Engineer / Data Scientist",
        (
            TicketRecord(
                ItemKey("ticket:explore"),
                "Explore the data",
                remote_key="CHURN-12",
                url="https://tracker.example.com/CHURN-12",
                role="ml",
                person="Ana",
                points=3,
            ),
        ),
    ),
)
"""What an iteration may begin with."""

PROJECT = About(key="CHURN", name="Churn", zone=UTC, pages=PAGES, id="prj_1f0c9a3b5d7e")


def told(kind: NoticeKind, key: str, at: datetime, iteration: int | None = 1) -> Told:
    """The example of a kind, as if it had happened in the project with this key."""
    one = EXAMPLES[kind]
    return Told(kind, one.text.format(key=key), at, iteration, one.to, one.run, one.data)


def example(kind: NoticeKind) -> Message:
    """The message of the example of a kind."""
    tickets: Sequence[Tickets] = TICKETS if kind is NoticeKind.ITERATION_STARTED else ()
    return message(told(kind, PROJECT.key, AT), PROJECT, tickets)
