"""Starting and completing sprints where Jira is odd or somebody was faster: at the wire, with scripted answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import NotVisible, OutcomeUnknown, PermissionMissing, TrackerRefused, TrackerUnavailable
from connectors.values import Item, ItemKey, ItemKind, RemoteRef
from tests.unit.connectors.loopback import Say
from tests.unit.connectors.test_jira_tracker import PLACE, SPRINTS, Routes, tracker_on

TURN = Item(
    key=ItemKey("iteration:2"),
    kind=ItemKind.ITERATION,
    title="Iteration 2",
    starts=datetime(2026, 11, 23, 9, tzinfo=UTC),
    ends=datetime(2026, 12, 4, 17, tzinfo=UTC),
)
REF = RemoteRef("8", "Iteration 2", "")
READ, WRITE = ("GET", "/rest/agile/1.0/sprint/8"), ("POST", "/rest/agile/1.0/sprint/8")
REFUSED = Say(400, {"errorMessages": ["Not now."], "errors": {}})


def sprint(state: str, number: int = 8, name: str = "Iteration 2") -> dict[str, Any]:
    return {"id": number, "name": name, "state": state}


def listed(*sprints: dict[str, Any]) -> Say:
    return Say(200, {"values": list(sprints), "isLast": True})


def test_a_start_sends_the_state_and_the_dates_and_nothing_else() -> None:
    with tracker_on({READ: Say(200, sprint("future")), WRITE: Say(200, sprint("active"))}) as (tracker, server):
        tracker.start_iteration(PLACE, TURN, REF)
        assert [(one.method, one.body) for one in server.asked] == [
            ("GET", None),
            (
                "POST",
                {
                    "state": "active",
                    "startDate": "2026-11-23T09:00:00.000+00:00",
                    "endDate": "2026-12-04T17:00:00.000+00:00",
                },
            ),
        ]


def test_a_completion_sends_the_state_alone() -> None:
    with tracker_on({READ: Say(200, sprint("active")), WRITE: Say(200, sprint("closed"))}) as (tracker, server):
        tracker.close_iteration(PLACE, TURN, REF)
        assert server.asked[-1].body == {"state": "closed"}


def test_whoever_was_faster_has_done_it() -> None:
    script: Routes = {READ: Say(200, sprint("future")), WRITE: REFUSED, SPRINTS: listed(sprint("active"))}
    with tracker_on(script) as (tracker, _):
        tracker.start_iteration(PLACE, TURN, REF)
    with tracker_on({READ: [Say(200, sprint("active")), Say(200, sprint("closed"))], WRITE: REFUSED}) as (tracker, _):
        tracker.close_iteration(PLACE, TURN, REF)


def test_every_other_active_sprint_is_named() -> None:
    others = listed(sprint("active", 3, "Theirs"), sprint("active", 4, "Another"))
    with (
        tracker_on({READ: Say(200, sprint("future")), WRITE: REFUSED, SPRINTS: others}) as (tracker, _),
        pytest.raises(TrackerRefused, match='"Theirs" and "Another" are active'),
    ):
        tracker.start_iteration(PLACE, TURN, REF)


def test_a_refused_completion_is_told_in_jiras_words() -> None:
    with (
        tracker_on({READ: Say(200, sprint("active")), WRITE: REFUSED}) as (tracker, _),
        pytest.raises(TrackerRefused, match='did not complete the sprint "Iteration 2": Not now') as caught,
    ):
        tracker.close_iteration(PLACE, TURN, REF)
    assert type(caught.value) is TrackerRefused
    assert '"Manage sprints"' in caught.value.fix


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Say(403, {"errorMessages": ["No."], "errors": {}}), PermissionMissing),
        (Say(404, {"errorMessages": ["Gone."], "errors": {}}), NotVisible),
        (Say(404, ""), NotVisible),
        (Say(409, {"errorMessages": ["Busy."], "errors": {}}), TrackerUnavailable),
        (Say(429, "", {"Retry-After": "600"}), TrackerUnavailable),
        (Say(503, ""), OutcomeUnknown),
        (Say(act="reset"), OutcomeUnknown),
    ],
)
def test_what_goes_wrong_with_a_write_says_who_can_act(answer: Say, error: type[Exception]) -> None:
    for state, call in (("future", "start_iteration"), ("active", "close_iteration")):
        with (
            tracker_on({READ: Say(200, sprint(state)), WRITE: answer}) as (tracker, _),
            pytest.raises(error) as caught,
        ):
            getattr(tracker, call)(PLACE, TURN, REF)
        if error in (PermissionMissing, NotVisible):
            assert "Iteration 2" in str(caught.value)


def test_a_sprint_that_is_not_there_is_gone_whatever_the_body_says() -> None:
    for answer in (Say(404, ""), Say(404, {"errorMessages": ["No."], "errors": {}})):
        for call in ("start_iteration", "close_iteration"):
            with tracker_on({READ: answer}) as (tracker, server), pytest.raises(NotVisible, match='"Iteration 2"'):
                getattr(tracker, call)(PLACE, TURN, REF)
            assert [one.method for one in server.asked] == ["GET"]
