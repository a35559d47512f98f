"""Items become Jira's JSON, and Jira's JSON becomes items, without a call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from connectors.errors import FieldProblem
from connectors.jira.layout import CreateField, IssueType, Layout, LinkType
from connectors.jira.mapping import (
    Created,
    UnclearAnswer,
    account,
    bulk_results,
    create_element,
    current_sprint,
    in_our_words,
    marker_of,
    observed_issue,
    observed_sprint,
    same_sprint,
    sprint_body,
    update_body,
)
from connectors.values import Creation, Item, ItemKey, ItemKind, Priority, RemoteRef, kind_of

SPRINT_FIELD, POINTS, EPIC_NAME = "customfield_10020", "customfield_10024", "customfield_10011"


def screen(*ids: str) -> tuple[CreateField, ...]:
    return tuple(CreateField(id=one, name=one.title(), required=False, filled=False) for one in ids)


ALL = screen("summary", "description", "labels", "assignee", "priority", "issuelinks", POINTS)
LAYOUT = Layout(
    uid="uid-1",
    label="phaseloop-ml",
    project_id="10001",
    project_key="ML",
    site="https://acme.atlassian.net",
    board_id=7,
    sprints=True,
    epic=IssueType(id="10000", name="Epic", fields=ALL),
    ticket=IssueType(id="10002", name="Task", fields=ALL),
    sprint_field=SPRINT_FIELD,
    points_field=POINTS,
    priorities={Priority.HIGH: "2"},
    link_type=LinkType(id="10000", name="Blocks"),
)
EPIC = RemoteRef("501", "ML-1", "")
TICKET = Item(
    key=ItemKey("ticket:tune"),
    kind=ItemKind.TICKET,
    title="Tune the model",
    text="Use **grid** search.",
    checklist=("Scores are logged",),
    labels=("modelling",),
    assignee="acc-1",
    points=3,
    priority=Priority.HIGH,
    epic=ItemKey("epic:modelling"),
    iteration=ItemKey("iteration:1"),
)


def element(item: Item = TICKET, layout: Layout = LAYOUT, **more: Any) -> dict[str, Any]:
    return create_element(layout, Creation(item, **more))


def test_a_ticket_is_one_element_with_everything_in_it() -> None:
    blocker = RemoteRef("502", "ML-2", "")
    assert element(epic=EPIC, links=((ItemKey("link:tune>data"), blocker),)) == {
        "fields": {
            "project": {"id": "10001"},
            "issuetype": {"id": "10002"},
            "summary": "Tune the model",
            "description": "Use *grid* search.\n\nh3. Done means\n\n* Scores are logged",
            "labels": ["modelling", "phaseloop-ml"],
            "assignee": {"accountId": "acc-1"},
            "customfield_10024": 3,
            "priority": {"id": "2"},
            "parent": {"id": "501"},
        },
        "properties": [{"key": "phaseloop", "value": {"project": "uid-1", "key": "ticket:tune"}}],
        # The new issue "is blocked by" its inward issue.
        "update": {"issuelinks": [{"add": {"type": {"name": "Blocks"}, "inwardIssue": {"key": "ML-2"}}}]},
    }


def test_what_the_screen_lacks_is_left_out_but_the_parent_is_not() -> None:
    bare = LAYOUT.model_copy(update={"ticket": IssueType(id="10002", name="Task", fields=screen("summary"))})
    assert set(element(layout=bare, epic=EPIC)["fields"]) == {"project", "issuetype", "summary", "parent"}


def test_an_empty_field_and_an_unmatched_priority_are_not_sent() -> None:
    lone = Item(key=ItemKey("ticket:a"), kind=ItemKind.TICKET, title="A", priority=Priority.LOW)
    assert set(element(lone)["fields"]) == {"project", "issuetype", "summary", "labels"}


def test_an_epic_has_no_people_and_gets_its_own_name_only_where_it_is_demanded() -> None:
    epic = Item(key=ItemKey("epic:data"), kind=ItemKind.EPIC, title="Data", assignee="acc-1", points=5)
    assert set(element(epic)["fields"]) == {"project", "issuetype", "summary", "labels"}
    named = CreateField(
        id=EPIC_NAME,
        name="Epic Name",
        required=True,
        filled=False,
        custom="com.pyxis.greenhopper.jira:gh-epic-label",
    )
    demanding = LAYOUT.model_copy(update={"epic": IssueType(id="10000", name="Epic", fields=(*ALL, named))})
    assert element(epic, demanding)["fields"][EPIC_NAME] == "Data"


def test_only_the_changed_fields_are_written() -> None:
    assert update_body(LAYOUT, TICKET, ["title"], None) == {"fields": {"summary": "Tune the model"}}
    assert set(update_body(LAYOUT, TICKET, ["checklist"], None)["fields"]) == {"description"}
    assert update_body(LAYOUT, TICKET, ["labels"], None) == {"update": {"labels": [{"add": "modelling"}]}}
    assert update_body(LAYOUT, TICKET, ["labels"], None, ["modelling"]) == {}
    assert update_body(LAYOUT, TICKET, ["iteration"], None) == {}


def test_labels_are_put_on_and_taken_off_one_by_one_and_the_one_that_finds_the_ticket_stays() -> None:
    there = ["old", "phaseloop-ml"]

    assert update_body(LAYOUT, TICKET, ["labels"], None, there) == {
        "update": {"labels": [{"add": "modelling"}, {"remove": "old"}]}
    }


def test_emptied_fields_are_written_as_nothing() -> None:
    bare = Item(key=TICKET.key, kind=ItemKind.TICKET, title="T")
    assert update_body(LAYOUT, bare, ["assignee", "points", "text"], None) == {
        "fields": {"assignee": None, POINTS: None, "description": ""}
    }


def test_an_epic_is_set_by_id_and_removed_in_the_documented_way() -> None:
    assert update_body(LAYOUT, TICKET, ["epic"], EPIC) == {"fields": {"parent": {"id": "501"}}}
    assert update_body(LAYOUT, TICKET, ["epic"], None) == {"update": {"parent": [{"set": {"none": True}}]}}


BERLIN = timezone(timedelta(hours=1))
ITERATION = Item(
    key=ItemKey("iteration:1"),
    kind=ItemKind.ITERATION,
    title=" Iteration 1 ",
    goal="A baseline",
    starts=datetime(2026, 11, 23, 9, tzinfo=BERLIN),
    ends=datetime(2026, 12, 4, 17, tzinfo=BERLIN),
)


def test_a_sprint_has_a_trimmed_name_and_dates_with_offset() -> None:
    assert sprint_body(ITERATION) == {
        "name": "Iteration 1",
        "goal": "A baseline",
        "startDate": "2026-11-23T09:00:00.000+01:00",
        "endDate": "2026-12-04T17:00:00.000+01:00",
    }
    assert sprint_body(ITERATION, ["goal"]) == {"goal": "A baseline"}


def test_a_date_without_time_zone_is_refused() -> None:
    naive = Item(key=ITERATION.key, kind=ItemKind.ITERATION, title="I", starts=datetime(2026, 11, 23))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        sprint_body(naive)


def failed(number: int | None, *, messages: list[str] | None = None, **fields: str) -> dict[str, Any]:
    numbered = {} if number is None else {"failedElementNumber": number}
    return {"status": 400, "elementErrors": {"errorMessages": messages or [], "errors": fields}, **numbered}


def made(number: int) -> dict[str, Any]:
    return {"id": str(500 + number), "key": f"ML-{number}", "self": "https://elsewhere.example/x"}


def test_successes_are_the_elements_that_did_not_fail() -> None:
    body = {
        "issues": [made(1), made(2)],
        "errors": [failed(1, summary="Too long."), failed(3, messages=["Epic Link is mandatory"])],
    }
    assert bulk_results(4, body) == [
        Created("501", "ML-1"),
        (FieldProblem("summary", "Too long."),),
        Created("502", "ML-2"),
        (FieldProblem(None, "Epic Link is mandatory"),),
    ]


def test_both_kinds_of_reason_are_kept_and_none_is_said_to_be_none() -> None:
    both, empty = bulk_results(
        2, {"issues": [], "errors": [failed(0, messages=["General."], labels="Bad."), failed(1)]}
    )
    assert both == (FieldProblem(None, "General."), FieldProblem("labels", "Bad."))
    assert empty == (FieldProblem(None, "Jira gave no reason (status 400)"),)


def test_when_all_failed_the_order_numbers_them() -> None:
    results = bulk_results(2, {"issues": [], "errors": [failed(None, a="1"), failed(None, b="2")]})
    assert results == [(FieldProblem("a", "1"),), (FieldProblem("b", "2"),)]


def test_a_body_refused_as_a_whole_refuses_every_element() -> None:
    results = bulk_results(2, {"errorMessages": ["Invalid request payload."], "errors": {}})
    assert results == [(FieldProblem(None, "Invalid request payload."),)] * 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"issues": [made(1)], "errors": []},
        {"issues": [made(1), made(2), made(3)], "errors": []},
        {"issues": [made(1)], "errors": [failed(None)]},
        {"issues": [made(1)], "errors": [failed(2)]},
        {"issues": [], "errors": [failed(0), failed(0)]},
        {"issues": [{"id": "501"}, made(2)], "errors": []},
        ["nonsense"],
    ],
)
def test_an_answer_that_does_not_add_up_is_not_guessed_at(body: Any) -> None:
    with pytest.raises(UnclearAnswer):
        bulk_results(2, body)


def test_problems_speak_of_our_fields_and_the_screens_names() -> None:
    problems = [FieldProblem(one, "x") for one in ("summary", POINTS, "parent", "customfield_9", "labels", None)]
    layout = LAYOUT.model_copy(
        update={"ticket": IssueType(id="3", name="Task", fields=(*ALL, *screen("customfield_9")))}
    )
    assert [problem.field for problem in in_our_words(layout, problems)] == [
        "title",
        "points",
        "epic",
        "Customfield_9 (customfield_9)",
        "labels",
        None,
    ]


def issue(**fields: Any) -> dict[str, Any]:
    return {"id": "503", "key": "ML-3", "self": "https://elsewhere.example/x", "fields": fields}


def test_an_issue_is_read_back_in_the_words_of_the_port() -> None:
    seen = observed_issue(
        LAYOUT,
        ItemKey("ticket:tune"),
        issue(
            summary="Tune",
            description="Text\r\n\r\n* x  \r\n",
            labels=["b", "phaseloop-ml", "a"],
            assignee={"accountId": "acc-1"},
            priority={"id": "2", "name": "Dringend"},
            parent={"id": "501", "key": "ML-1"},
            status={"statusCategory": {"key": "indeterminate"}},
            customfield_10020=[{"id": 31, "state": "closed"}, {"id": 32, "state": "active"}],
            customfield_10024=3.0,
            issuelinks=[
                {"type": {"id": "10000"}, "inwardIssue": {"id": "502"}},
                {"type": {"id": "10000"}, "outwardIssue": {"id": "504"}},
                {"type": {"id": "10003"}, "outwardIssue": {"id": "505"}},
            ],
        ),
        {"501": ItemKey("epic:modelling")},
        {"32": ItemKey("iteration:2")},
    )
    assert seen.ref == RemoteRef("503", "ML-3", "https://acme.atlassian.net/browse/ML-3")
    assert seen.status == "doing"
    assert seen.links == (("503", "502"), ("504", "503"))
    assert seen.fields == {
        "title": "Tune",
        "text": "Text\n\n* x",
        "labels": ["a", "b"],
        "assignee": "acc-1",
        "points": 3.0,
        "priority": "high",
        "epic": "epic:modelling",
        "iteration": "iteration:2",
    }


def test_absent_fields_and_unknown_references_are_tolerated() -> None:
    bare = LAYOUT.model_copy(update={"points_field": None, "sprint_field": None, "link_type": None})
    seen = observed_issue(
        bare, ItemKey("ticket:a"), {"id": "9", "fields": {"parent": {"id": "8", "key": "ML-8"}}}, {}, {}
    )
    assert seen.fields == {
        "title": "",
        "text": "",
        "labels": [],
        "assignee": None,
        "priority": None,
        "epic": "ML-8",
    }
    assert (seen.status, seen.links) == ("todo", ())


def test_an_epic_is_read_without_the_fields_of_a_ticket() -> None:
    seen = observed_issue(LAYOUT, ItemKey("epic:data"), issue(summary="Data"), {}, {})
    assert seen.kind is ItemKind.EPIC
    assert set(seen.fields) == {"title", "text", "labels"}


CLOSED, FUTURE, ACTIVE = {"id": 1, "state": "closed"}, {"id": 4, "state": "future"}, {"id": 3, "state": "active"}


@pytest.mark.parametrize(
    ("value", "status", "expected"),
    [
        (None, "todo", None),
        ([], "todo", None),
        ("com.atlassian.greenhopper.service.sprint.Sprint@1[id=1]", "todo", None),
        ([CLOSED, FUTURE], "todo", FUTURE),
        ([FUTURE, ACTIVE], "todo", ACTIVE),
        ([CLOSED, {"id": 2, "state": "closed"}], "done", {"id": 2, "state": "closed"}),
        ([CLOSED], "todo", None),
    ],
)
def test_the_current_sprint_is_told_from_the_past_ones(value: Any, status: str, expected: Any) -> None:
    assert current_sprint(value, status) == expected


def test_a_sprint_is_read_back_with_its_moments_in_utc() -> None:
    seen = observed_sprint(
        LAYOUT,
        ItemKey("iteration:1"),
        {"id": 31, "name": "Iteration 1", "state": "future", "startDate": "2026-11-23T08:00:00.000Z"},
    )
    assert seen.ref == RemoteRef("31", "Iteration 1", "https://acme.atlassian.net/jira/software/c/projects/ML/boards/7")
    assert seen.status == "future"
    assert seen.fields == {
        "title": "Iteration 1",
        "goal": "",
        "starts": datetime(2026, 11, 23, 8, tzinfo=UTC).isoformat(),
        "ends": None,
    }


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"startDate": "2026-11-23T09:00:00.000+0100"}, True),
        ({"name": "Iteration 2"}, False),
        ({"endDate": "2026-12-05T16:00:00.000Z"}, False),
        ({"startDate": None}, False),
    ],
)
def test_an_unmarked_sprint_is_ours_by_name_and_dates(change: dict[str, Any], same: bool) -> None:
    sprint = {
        "id": 31,
        "name": "Iteration 1",
        "startDate": "2026-11-23T08:00:00.000Z",
        "endDate": "2026-12-04T16:00:00.000Z",
        **change,
    }
    assert same_sprint(ITERATION, sprint) is same


@pytest.mark.parametrize(
    ("issue_", "key"),
    [
        ({"properties": {"phaseloop": {"project": "uid-1", "key": "epic:a"}}}, "epic:a"),
        ({"properties": {"phaseloop": {"project": "other", "key": "epic:a"}}}, None),
        ({"properties": {"phaseloop": "text"}}, None),
        ({"properties": {}}, None),
        ({}, None),
    ],
)
def test_a_marker_counts_only_for_its_own_project(issue_: Any, key: str | None) -> None:
    assert marker_of(issue_, "uid-1") == key


def test_the_kind_is_told_by_the_key() -> None:
    keys = ("epic:a", "iteration:1", "ticket:a", "record:1", "link:a>b", "project")
    assert [kind_of(ItemKey(key)).value for key in keys] == ["epic", "iteration", "ticket", "ticket", "link", "project"]


def test_a_person_without_address_is_still_a_person() -> None:
    found = account({"accountId": "acc-1", "displayName": "ML 1"})
    assert found is not None
    assert (found.id, found.name, found.email, found.active) == ("acc-1", "ML 1", None, True)
    assert account({"name": "old"}) is None
