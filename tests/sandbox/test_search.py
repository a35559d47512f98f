"""Searching over HTTP: pages by token, bounds, fields, lag, and who sees what."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests import plain
from tests.sandbox.conftest import Client

SEARCH = "/rest/api/3/search/jql"


def search(client: httpx.Client, jql: str = "project = SCRUM ORDER BY key ASC", **body: Any) -> dict[str, Any]:
    response = client.post(SEARCH, json={"jql": jql, **body})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.fixture
def five(admin: Client) -> list[str]:
    return [admin.issue(f"Ticket {number}") for number in range(5)]


def test_pages_follow_by_token_until_is_last(admin: Client, five: list[str]) -> None:
    seen: list[str] = []
    token: dict[str, Any] = {}
    while True:
        page = search(admin, maxResults=2, fields=["summary"], **token)
        assert "total" not in page
        seen += [issue["key"] for issue in page["issues"]]
        if page["isLast"]:
            assert "nextPageToken" not in page
            break
        token = {"nextPageToken": page["nextPageToken"]}
    assert seen == five


def test_only_ids_come_unless_fields_are_asked_for(admin: Client, five: list[str]) -> None:
    assert set(search(admin)["issues"][0]) == {"id"}
    found = search(admin, fields=["summary", "-status"])["issues"][0]
    assert found["key"] == five[0]
    assert set(found["fields"]) == {"summary"}


def test_a_token_of_another_query_or_an_old_one_is_refused(admin: Client, five: list[str]) -> None:
    token = search(admin, maxResults=2)["nextPageToken"]
    message = {"errorMessages": ["The provided next page token is invalid or expired."], "errors": {}}
    other = admin.post(SEARCH, json={"jql": "project = SCRUM", "nextPageToken": token})
    assert (other.status_code, other.json()) == (400, message)
    assert admin.post(SEARCH, json={"jql": "project = SCRUM", "nextPageToken": "x"}).json() == message
    admin.control("clock", {"advanceSeconds": 8 * 24 * 3600})
    body = {"jql": "project = SCRUM ORDER BY key ASC", "nextPageToken": token}
    assert admin.post(SEARCH, json=body).json() == message


@pytest.mark.parametrize("jql", ["", "ORDER BY created", None])
def test_an_unbounded_query_is_refused(admin: Client, jql: str | None) -> None:
    refused = admin.post(SEARCH, json={"jql": jql} if jql is not None else {})
    assert refused.status_code == 400
    assert refused.json()["errorMessages"][0].startswith("Unbounded JQL queries are not allowed here.")


@pytest.mark.parametrize("size", [0, 5001, -1])
def test_page_sizes_out_of_bounds_are_refused(admin: Client, size: int) -> None:
    refused = admin.post(SEARCH, json={"jql": "project = SCRUM", "maxResults": size})
    assert refused.json()["errorMessages"] == ["The max results parameter has to be between 1 and 5,000."]
    assert admin.get(SEARCH, params={"jql": "project = SCRUM", "maxResults": size}).status_code == 400


@pytest.mark.parametrize(
    "extra", [{"startAt": 0}, {"expand": ["names"]}, {"fields": "summary"}, {"reconcileIssues": ["1"]}]
)
def test_a_body_of_another_shape_is_refused(admin: Client, extra: dict[str, Any]) -> None:
    refused = admin.post(SEARCH, json={"jql": "project = SCRUM", **extra})
    assert refused.status_code == 400
    assert refused.json()["errorMessages"] == [
        "Invalid request payload. Refer to the REST API documentation and try again."
    ]


def test_a_hundred_full_issues_is_the_most_a_page_holds(admin: Client) -> None:
    update = {"fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "s"}}
    for _ in range(3):
        admin.post("/rest/api/3/issue/bulk", json={"issueUpdates": [update] * 50})
    assert len(search(admin, maxResults=5000)["issues"]) == 150
    page = search(admin, maxResults=5000, fields=["summary"])
    assert (len(page["issues"]), page["isLast"]) == (100, False)


def test_new_issues_lag_unless_they_are_reconciled(admin: Client, five: list[str]) -> None:
    admin.control("clock", {"frozen": True})
    admin.control("search", {"lagSeconds": 5})
    admin.control("clock", {"advanceSeconds": 60})
    fresh = admin.issue("fresh")
    number = int(admin.get(f"/rest/api/3/issue/{fresh}", params={"fields": "summary"}).json()["id"])
    assert len(search(admin)["issues"]) == 5
    assert admin.post("/rest/api/3/search/approximate-count", json={"jql": "project = SCRUM"}).json() == {"count": 5}
    assert len(search(admin, reconcileIssues=[number])["issues"]) == 6
    admin.control("clock", {"advanceSeconds": 5})
    assert len(search(admin)["issues"]) == 6


def test_properties_come_with_the_search(admin: Client) -> None:
    body = {
        "fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "s"},
        "properties": [{"key": "marker", "value": {"item": "a"}}],
    }
    admin.post("/rest/api/3/issue", json=body)
    assert search(admin, properties=["marker"])["issues"][0]["properties"] == {"marker": {"item": "a"}}
    assert admin.post(SEARCH, json={"jql": "project = SCRUM", "properties": list("abcdef")}).status_code == 400


def test_the_removed_search_answers_410(admin: Client) -> None:
    for response in (
        admin.get("/rest/api/2/search"),
        admin.post("/rest/api/3/search", json={"jql": "project = SCRUM"}),
    ):
        assert response.status_code == 410
        assert "/rest/api/3/search/jql" in response.json()["errorMessages"][0]


def test_an_unknown_value_is_refused_for_people_and_finds_nothing_for_nobody(admin: Client, sandbox: Any) -> None:
    query = {"jql": "project = NOPE"}
    assert admin.get(SEARCH, params=query).status_code == 400
    nobody = plain.get(f"{sandbox.url}{SEARCH}", params=query)
    assert (nobody.status_code, nobody.json()) == (200, {"issues": [], "isLast": True})


def test_version_two_reads_text_as_wiki_and_version_three_as_a_document(admin: Client) -> None:
    body = {
        "fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "s", "description": "*b*"}
    }
    assert admin.post("/rest/api/2/issue", json=body).status_code == 201
    query = {"jql": "project = SCRUM", "fields": "description"}
    assert admin.get("/rest/api/2/search/jql", params=query).json()["issues"][0]["fields"]["description"] == "*b*"
    document = admin.get(SEARCH, params=query).json()["issues"][0]["fields"]["description"]
    assert document["content"][0]["content"] == [{"type": "text", "text": "b", "marks": [{"type": "strong"}]}]


def test_matching_tells_bad_syntax_from_what_matches_nothing(admin: Client, five: list[str]) -> None:
    number = int(admin.get(f"/rest/api/3/issue/{five[0]}").json()["id"])
    body = {"issueIds": [number], "jqls": ["project = SCRUM", "project = NOSUCH", "project ="]}
    matches = admin.post("/rest/api/3/jql/match", json=body).json()["matches"]
    assert [match["matchedIssues"] for match in matches] == [[number], [], []]
    assert [len(match["errors"]) for match in matches] == [0, 0, 1]


@pytest.mark.parametrize(
    ("field", "typed", "value", "shown"),
    [
        ("project", "scr", "SCRUM", "<b>Scr</b>um project (SCRUM)"),
        ("status", "prog", '"In Progress"', "In <b>Prog</b>ress"),
        ("labels", "a", "a-label", "<b>a</b>-label"),
        ("nothing", "a", None, None),
    ],
)
def test_values_are_suggested_while_somebody_types(
    admin: Client, field: str, typed: str, value: str | None, shown: str | None
) -> None:
    admin.issue(labels=["a-label", "other"])
    asked = {"fieldName": field, "fieldValue": typed}
    results = admin.get("/rest/api/3/jql/autocompletedata/suggestions", params=asked).json()["results"]
    assert results == ([{"value": value, "displayName": shown}] if value else [])


def test_people_and_groups_are_picked_together(admin: Client) -> None:
    found = admin.get("/rest/api/3/groupuserpicker", params={"query": "dem"}).json()
    assert [user["displayName"] for user in found["users"]["users"]] == ["Demo Admin"]
    found = admin.get("/rest/api/3/groupuserpicker", params={"query": "jira"}).json()
    assert {group["name"] for group in found["groups"]["groups"]} == {"jira-administrators", "jira-software-users"}
