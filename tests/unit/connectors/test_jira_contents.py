"""What the history of an issue's status says about its times, and odd answers on the way there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import NotATracker, NotVisible, TrackerRefused
from connectors.jira.contents import moments
from connectors.jira.location import place_of
from connectors.jira.mapping import instant, last_sprint
from connectors.values import ItemKey, RemoteRef
from tests.unit.connectors.loopback import Say
from tests.unit.connectors.test_jira_tracker import FETCH, LAYOUT, SEARCH, SPRINTS, Routes, tracker_on

CREATED = datetime(2026, 11, 23, 9, tzinfo=UTC)
CATEGORIES = {"1": "todo", "2": "todo", "3": "doing", "4": "doing", "5": "done", "6": "done"}
NATIVE = {"todo": "new", "doing": "indeterminate", "done": "done"}


def issue(status: str, **fields: Any) -> dict[str, Any]:
    """An issue whose status is of this category."""
    values = {"created": CREATED.isoformat(), "status": {"id": "9", "statusCategory": {"key": NATIVE[status]}}}
    return {"id": "1", "key": "ML-1", "fields": {**values, **fields}}


def walk(*statuses: str) -> list[dict[str, Any]]:
    """The changes of an issue that went through these statuses, an hour apart."""
    steps = enumerate(pairwise(statuses), 1)
    return [{"from": a, "to": b, "created": CREATED + timedelta(hours=n)} for n, (a, b) in steps]


def hours(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - CREATED) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("statuses", "began", "done"),
    [
        ("1", None, None),
        ("12", None, None),
        ("13", 1, None),
        ("135", 1, 2),
        ("15", 1, 1),
        ("1353", 1, None),
        ("13135", 1, 4),
        ("13535", 1, 4),
        ("1356", 1, 2),
        ("134", 1, None),
        ("3", 0, None),
        ("5", 0, 0),
        ("35", 0, 1),
    ],
)
def test_work_began_when_it_first_left_todo_and_was_done_when_it_last_came_to_done(
    statuses: str, began: int | None, done: int | None
) -> None:
    found = moments(issue(CATEGORIES[statuses[-1]]), walk(*statuses), CATEGORIES)
    assert tuple(map(hours, found)) == (began, done)


@given(st.lists(st.sampled_from("123456"), min_size=1, max_size=12))
def test_an_issue_is_done_after_it_began_and_only_while_it_is_done(statuses: list[str]) -> None:
    changes = [one for one in walk(*statuses) if one["from"] != one["to"]]
    began, done = moments(issue(CATEGORIES[statuses[-1]]), changes, CATEGORIES)
    assert (done is not None) is (CATEGORIES[statuses[-1]] == "done")
    assert (began is not None) is any(CATEGORIES[one] != "todo" for one in statuses)
    if done is not None:
        assert began is not None
        assert began <= done


def test_what_the_history_does_not_tell_is_not_made_up() -> None:
    """A status that was deleted meanwhile has no category."""
    assert moments(issue("doing"), walk("1", "77"), CATEGORIES) == (None, None)
    began, done = moments(issue("done"), walk("1", "77", "5"), CATEGORIES)
    assert (hours(began), hours(done)) == (2, 2)


def test_a_status_that_is_ahead_of_its_history_is_told_by_its_own_date() -> None:
    late = (CREATED + timedelta(hours=8)).isoformat()
    found = moments(issue("done", statuscategorychangedate=late), walk("1", "3"), CATEGORIES)
    assert tuple(map(hours, found)) == (1, 8)
    assert moments(issue("done", statuscategorychangedate=None), walk("1", "3"), CATEGORIES)[1] is None


@pytest.mark.parametrize(
    "written",
    ["2026-11-23T10:00:00.000+0100", "2026-11-23T09:00:00.000Z", "2026-11-23T09:00:00", 1795424400, 1795424400000],
)
def test_a_moment_is_read_in_every_form_that_jira_writes(written: Any) -> None:
    assert instant(written) == CREATED


@pytest.mark.parametrize("written", [None, "", "soon", [], True])
def test_what_is_no_moment_is_none(written: Any) -> None:
    assert instant(written) is None


def test_the_last_sprint_is_the_open_one_else_the_last_that_was_closed() -> None:
    closed, later, future, active = (
        {"id": number, "state": state} for number, state in ((1, "closed"), (2, "closed"), (3, "future"), (4, "active"))
    )
    assert last_sprint([later, closed]) == later
    assert last_sprint([later, future]) == future
    assert last_sprint([active, closed, future]) == active
    assert last_sprint([]) is last_sprint(None) is last_sprint("x") is None


# --- answers ---

PLACE = place_of(LAYOUT.model_copy(update={"sprint_field": "customfield_10020"}))
TURN, A = ItemKey("iteration:1"), ItemKey("ticket:a")
LOGS = ("POST", "/rest/api/2/changelog/bulkfetch")
STATUSES = ("GET", "/rest/api/2/project/10001/statuses")


def inside(**fields: Any) -> dict[str, Any]:
    """An issue in the sprint 8."""
    return issue("doing", summary="A", customfield_10020=[{"id": 8, "state": "active"}], **fields)


def routes(**more: Say | list[Say]) -> Routes:
    """A project with one sprint and one ticket in it; `logs` is what Jira says of its history."""
    kind = {"statuses": [{"id": "1", "statusCategory": {"key": "new"}}, "odd"]}
    return {
        SPRINTS: Say(200, {"values": [{"id": 8, "name": "One", "state": "active"}], "isLast": True}),
        FETCH: Say(200, {"issues": [inside()]}),
        SEARCH: Say(200, {"issues": [{"id": "1"}], "isLast": True}),
        STATUSES: Say(200, [kind, "odd"]),
        LOGS: more.get("logs", Say(200, {"issueChangeLogs": []})),
    }


def log(created: Any, before: str, after: str) -> dict[str, Any]:
    items = [
        {"field": "summary", "fieldId": "summary", "from": "", "to": ""},
        {"field": "status", "fieldId": "status", "from": before, "to": after},
        "odd",
    ]
    return {"issueId": "1", "changeHistories": [{"created": created, "items": items}, "odd", {"created": "soon"}]}


def test_a_history_that_comes_in_pieces_and_in_any_order_is_put_together() -> None:
    later, earlier = CREATED + timedelta(hours=3), CREATED + timedelta(hours=1)
    logs = [
        Say(200, {"issueChangeLogs": [log(later.timestamp(), "9", "9")], "nextPageToken": "more"}),
        Say(200, {"issueChangeLogs": [log(earlier.isoformat(), "1", "9"), "odd"], "nextPageToken": None}),
    ]
    with tracker_on(routes(logs=logs)) as (tracker, server):
        [found] = tracker.contents(PLACE, {A: RemoteRef("1", "ML-1", "")}, {TURN: RemoteRef("8", "One", "")}, {})[TURN]
    assert (found.key, found.status, found.started_at, found.done_at) == (A, "doing", earlier, None)
    asked = [one.body for one in server.asked if one.path.endswith("changelog/bulkfetch")]
    assert asked == [
        {"issueIdsOrKeys": ["1"], "fieldIds": ["status"]},
        {"issueIdsOrKeys": ["1"], "fieldIds": ["status"], "nextPageToken": "more"},
    ]


def test_a_history_that_never_ends_is_not_jiras() -> None:
    logs = Say(200, {"issueChangeLogs": [], "nextPageToken": "same"})
    with tracker_on(routes(logs=logs)) as (tracker, _), pytest.raises(NotATracker, match="come to an end"):
        tracker.contents(PLACE, {A: RemoteRef("1", "ML-1", "")}, {TURN: RemoteRef("8", "One", "")}, {})


def test_tickets_that_are_not_answered_are_gone_only_while_the_project_is_shown() -> None:
    script = routes() | {FETCH: Say(200, {"issues": []}), SEARCH: Say(200, {"issues": [], "isLast": True})}
    hidden = Say(404, {"errorMessages": ["No project could be found with key '10001'."], "errors": {}})
    known, turns = {A: RemoteRef("1", "ML-1", "")}, {TURN: RemoteRef("8", "One", "")}
    project = ("GET", "/rest/api/2/project/10001")
    with tracker_on(script | {project: Say(200, {"id": "10001"})}) as (tracker, _):
        assert tracker.contents(PLACE, known, turns, {}) == {TURN: []}
    with tracker_on(script | {project: hidden}) as (tracker, _), pytest.raises(NotVisible):
        tracker.contents(PLACE, known, turns, {})


def test_without_a_sprint_field_nothing_is_taken_for_empty() -> None:
    with tracker_on(routes()) as (tracker, server), pytest.raises(TrackerRefused, match="Sprint field") as caught:
        tracker.contents(place_of(LAYOUT), {A: RemoteRef("1", "ML-1", "")}, {TURN: RemoteRef("8", "One", "")}, {})
    assert "administrator" in caught.value.fix
    assert server.asked == []
