"""Removing, and people's traces, against answers of Jira that the sandbox does not give."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import (
    CredentialsRefused,
    NotVisible,
    OutcomeUnknown,
    PermissionMissing,
    TrackerUnavailable,
)
from connectors.jira.traces import issue_traces
from connectors.values import Done, ItemKey, ItemKind, Link, Rejected, RemoteRef, Traces
from tests.unit.connectors.loopback import Say
from tests.unit.connectors.test_jira_tracker import FETCH, LAYOUT, ML2, ML3, PLACE, STILL_THERE, Routes, tracker_on

A, B = ItemKey("ticket:a"), ItemKey("ticket:b")
BOTH = [(A, ML2), (B, ML3)]
FIRST, SECOND = ("DELETE", "/rest/api/2/issue/502"), ("DELETE", "/rest/api/2/issue/503")
PROJECT = ("DELETE", "/rest/api/2/project/10001")
GONE = Say(404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."]})
DELETED = Say(204, "")


@pytest.mark.parametrize(
    "second", [Say(429, "", {"Retry-After": "600"}), Say(503, ""), Say(401, {}), Say(409, {}), Say(act="reset")]
)
def test_a_batch_that_broke_off_is_in_doubt_as_a_whole(second: Say) -> None:
    with tracker_on({FIRST: DELETED, SECOND: second}) as (tracker, _), pytest.raises(OutcomeUnknown):
        tracker.delete(PLACE, ItemKind.TICKET, BOTH)


def test_a_first_call_that_certainly_did_nothing_is_no_doubt() -> None:
    limited = Say(429, "", {"Retry-After": "600"})
    with tracker_on({FIRST: limited}) as (tracker, server), pytest.raises(TrackerUnavailable) as caught:
        tracker.delete(PLACE, ItemKind.TICKET, BOTH)
    assert caught.value.retry_after == 600
    assert len(server.asked) == 1


def test_the_refusal_of_one_does_not_keep_the_others() -> None:
    refusal = Say(403, {"errorMessages": ["You do not have permission to delete issues in this project."]})
    with tracker_on({FIRST: refusal, SECOND: DELETED}) as (tracker, _):
        refused, done = tracker.delete(PLACE, ItemKind.TICKET, BOTH)
    assert isinstance(refused, Rejected)
    assert done == Done(B, ML3)


@pytest.mark.parametrize("gone", [GONE, Say(404, "")])
def test_what_was_gone_is_success_only_while_the_project_is_in_sight(gone: Say) -> None:
    with tracker_on({FIRST: gone, SECOND: DELETED, **STILL_THERE}) as (tracker, server):
        assert tracker.delete(PLACE, ItemKind.TICKET, BOTH) == [Done(A, ML2), Done(B, ML3)]
        assert len(server.asked) == 3
    with tracker_on({FIRST: gone, SECOND: gone}) as (tracker, _), pytest.raises(NotVisible):
        tracker.delete(PLACE, ItemKind.TICKET, BOTH)


@pytest.mark.parametrize("refusal", [Say(401, {"errorMessages": ["No."]}), Say(403, {}), GONE])
def test_a_project_that_is_still_seen_after_a_refusal_was_not_removed(refusal: Say) -> None:
    with tracker_on({PROJECT: refusal, **STILL_THERE}) as (tracker, _), pytest.raises(PermissionMissing):
        tracker.delete(PLACE, ItemKind.PROJECT, [(ItemKey("project:1"), PLACE.ref)])


def test_a_project_that_nobody_may_look_at_is_not_taken_for_removed() -> None:
    routes: Routes = {PROJECT: GONE, ("GET", "/rest/api/2/myself"): Say(401, {})}
    with tracker_on(routes) as (tracker, _), pytest.raises(CredentialsRefused):
        tracker.delete(PLACE, ItemKind.PROJECT, [(ItemKey("project:1"), PLACE.ref)])


def linked(*links: dict[str, Any]) -> Say:
    return Say(200, {"issues": [{"id": "502", "key": "ML-2", "fields": {"issuelinks": list(links)}}]})


def blocked_by(link: str, other: str) -> dict[str, Any]:
    return {"id": link, "type": {"id": "10000", "name": "Blocks"}, "inwardIssue": {"id": other}}


@pytest.mark.parametrize("answer", [DELETED, GONE, Say(404, "")])
def test_only_the_link_that_is_meant_is_taken_back(answer: Say) -> None:
    others = {"id": "3", "type": {"id": "10001", "name": "Relates"}, "inwardIssue": {"id": "503"}}
    routes: Routes = {
        FETCH: linked(blocked_by("1", "503"), blocked_by("2", "504"), others),
        ("DELETE", "/rest/api/2/issueLink/1"): answer,
    }
    with tracker_on(routes) as (tracker, server):
        tracker.unlink(PLACE, Link(ItemKey("link:a>b"), ML2, ML3))
        assert [one.path for one in server.asked if one.method == "DELETE"] == ["/rest/api/2/issueLink/1"]


def test_a_link_between_issues_that_are_out_of_sight_is_not_taken_for_gone() -> None:
    with tracker_on({FETCH: Say(200, {"issues": []})}) as (tracker, _), pytest.raises(NotVisible):
        tracker.unlink(PLACE, Link(ItemKey("link:a>b"), ML2, ML3))


# --- traces ---


def test_traces_mean_nothing_once_the_project_is_out_of_sight() -> None:
    with tracker_on({FETCH: Say(200, {"issues": []})}) as (tracker, _), pytest.raises(NotVisible):
        tracker.traces(PLACE, {A: ML2}, [A])


UNTOLD = "changes that Jira does not tell"
MORE = "more changes than Jira tells at once"


def change(field: str, field_id: str | None = None) -> dict[str, Any]:
    return {"id": "1", "items": [{"field": field, **({"fieldId": field_id} if field_id else {})}]}


@pytest.mark.parametrize(
    ("fields", "changelog", "expected"),
    [
        (None, {"histories": []}, Traces()),
        ({}, None, Traces((UNTOLD,))),
        ({}, {"histories": None}, Traces((UNTOLD,))),
        ({"comment": None, "worklog": "x", "attachment": {}, "subtasks": None}, {"histories": []}, Traces()),
        ({"comment": {"comments": [{}, {}]}}, {"histories": []}, Traces(("2 comments",))),
        ({"comment": {"total": 7, "comments": [{}]}}, {"histories": []}, Traces(("7 comments",))),
        ({}, {"histories": [change("Story Points", "customfield_10016")]}, Traces((), frozenset({"points"}))),
        ({}, {"histories": [change("Sprint", "customfield_10020")]}, Traces((), frozenset({"iteration"}))),
        ({}, {"histories": [change("IssueParentAssociation")]}, Traces((), frozenset({"epic"}))),
        ({}, {"histories": [change("Epic Link", "customfield_10014")]}, Traces((), frozenset({"epic"}))),
        ({}, {"histories": [change("Rank"), change("Link"), change("resolution")]}, Traces()),
        ({}, {"histories": [change("Flagged", "customfield_10021")]}, Traces(("Flagged changed",))),
        ({"status": {"name": "In Review"}}, {"histories": [change("status")]}, Traces(("moved to In Review",))),
        ({}, {"total": 3, "histories": [change("summary")]}, Traces((MORE,), frozenset({"title"}))),
        ({}, {"histories": [change("summary")] * 40}, Traces((MORE,), frozenset({"title"}))),
        ({}, {"histories": ["odd", {"items": ["odd"]}]}, Traces()),
    ],
)
def test_an_issue_is_read_for_traces_whatever_the_answer_holds(fields: Any, changelog: Any, expected: Traces) -> None:
    issue = {"id": "502", "key": "ML-2", "fields": fields, "changelog": changelog}
    assert issue_traces(LAYOUT.model_copy(update={"points_field": "customfield_10016"}), issue, {"502"}) == expected


def test_a_reference_of_a_link_is_the_services_own_and_bears_no_traces() -> None:
    link = ItemKey("link:a>b")
    with tracker_on({}) as (tracker, server):
        assert tracker.traces(PLACE, {link: RemoteRef("502>503", "", "")}, [link]) == {link: Traces()}
        assert server.asked == []
