"""The control panel: what the sandbox does when it is told to misbehave, and what it counts."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from tests import plain
from tests.sandbox.conftest import Client
from tests.waiting import eventually

ISSUE = {"fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "One"}}
CREATE = "/rest/api/3/issue"


def count(client: Client) -> int:
    found = client.post("/rest/api/3/search/approximate-count", json={"jql": "project = SCRUM"}).json()
    return int(found["count"])


def test_a_lost_answer_leaves_the_issue_behind(admin: Client) -> None:
    admin.control("faults", {"action": "lose", "method": "POST", "path": "/issue$"})
    with pytest.raises(httpx.TransportError):
        admin.post(CREATE, json=ISSUE)
    assert count(admin) == 1
    assert admin.post(CREATE, json=ISSUE).status_code == 201


def test_a_reset_comes_before_anything_is_done(admin: Client) -> None:
    admin.control("faults", {"action": "reset", "method": "POST", "path": "/issue$"})
    with pytest.raises(httpx.TransportError):
        admin.post(CREATE, json=ISSUE)
    assert count(admin) == 0


@pytest.mark.parametrize(("done", "issues"), [(True, 1), (False, 0)])
def test_a_hanging_answer_makes_the_client_give_up(admin: Client, done: bool, issues: int) -> None:
    admin.control("faults", {"action": "hang", "path": "/issue$", "done": done})
    with pytest.raises(httpx.ReadTimeout):
        admin.post(CREATE, json=ISSUE, timeout=0.2)
    assert count(admin) == issues


def test_a_status_can_hide_work_that_was_done(admin: Client) -> None:
    admin.control("faults", {"action": "status", "status": 502, "body": "html", "done": True, "path": "/issue$"})
    answer = admin.post(CREATE, json=ISSUE)
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert count(admin) == 1


def test_a_rule_skips_and_then_strikes_as_often_as_it_says(admin: Client) -> None:
    admin.control(
        "faults", {"action": "status", "status": 503, "path": "/myself$", "skip": 1, "times": 2, "body": "empty"}
    )
    assert [admin.get("/rest/api/3/myself").status_code for _ in range(4)] == [200, 503, 503, 200]
    assert admin.get("/sandbox/faults").json()[0]["struck"] == 2
    assert admin.delete("/sandbox/faults").json() == []


def test_a_scripted_limit_tells_seconds_or_a_date_or_nothing(admin: Client) -> None:
    admin.control("clock", {"now": "2026-11-23T09:00:00Z"})
    rules: list[dict[str, Any]] = [
        {"action": "limit", "path": "/myself$", "retryAfter": 5},
        {"action": "limit", "path": "/myself$", "retryAfter": 90, "asDate": True, "reason": "jira-quota-tenant-based"},
        {"action": "limit", "path": "/myself$", "retryAfter": None},
    ]
    admin.control("faults", rules)
    first, second, third = (admin.get("/rest/api/3/myself") for _ in rules)
    assert {first.status_code, second.status_code, third.status_code} == {429}
    assert (first.headers["Retry-After"], first.headers["RateLimit-Reason"]) == ("5", "jira-burst-based")
    assert parsedate_to_datetime(second.headers["Retry-After"]) == datetime(2026, 11, 23, 9, 1, 30, tzinfo=UTC)
    assert second.headers["RateLimit-Reason"] == "jira-quota-tenant-based"
    assert "Retry-After" not in third.headers


def test_a_redirect_leads_to_a_page_that_is_no_answer(admin: Client) -> None:
    admin.control("faults", {"action": "redirect", "path": "/myself$"})
    answer = admin.get("/rest/api/3/myself", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_chosen_elements_of_a_bulk_create_fail_and_the_others_are_made(admin: Client) -> None:
    admin.control("faults", {"action": "partial", "elements": [0, 2, 9], "errors": {"summary": "Not today."}})
    updates = [{"fields": {**ISSUE["fields"], "summary": f"B{number}"}} for number in range(4)]
    updates[3]["fields"]["nonsense"] = 1
    answer = admin.post("/rest/api/3/issue/bulk", json={"issueUpdates": updates})
    assert answer.status_code == 201
    body = answer.json()
    assert [error["failedElementNumber"] for error in body["errors"]] == [0, 2, 3]
    assert body["errors"][0]["elementErrors"]["errors"] == {"summary": "Not today."}
    assert "nonsense" in body["errors"][2]["elementErrors"]["errors"]
    (made,) = body["issues"]
    assert admin.get(f"{CREATE}/{made['key']}").json()["fields"]["summary"] == "B1"


def test_a_bulk_create_whose_elements_all_fail_is_refused(admin: Client) -> None:
    admin.control("faults", {"action": "partial", "elements": [0, 1]})
    answer = admin.post("/rest/api/3/issue/bulk", json={"issueUpdates": [ISSUE, ISSUE]})
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 2
    assert count(admin) == 0


def test_latency_makes_fitting_requests_wait(admin: Client) -> None:
    admin.control("latency", {"milliseconds": 400, "path": "/myself$"})
    with pytest.raises(httpx.ReadTimeout):
        admin.get("/rest/api/3/myself", timeout=0.1)
    assert admin.get("/rest/api/3/serverInfo", timeout=0.3).status_code == 200
    # The request continues without its client; other tests shall not meet it.
    assert eventually(lambda: admin.get("/sandbox/requests", params={"path": "/myself$"}).json()["matching"]) == 1


def test_the_burst_limit_refuses_the_hundred_and_first_and_recovers(admin: Client) -> None:
    admin.control("clock", {"frozen": True})
    admin.control("limits", {"enabled": True, "scale": 0.05})
    answers = [admin.get("/rest/api/3/myself") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["X-RateLimit-Limit"] == "5"
    refused = answers[5].headers
    assert (refused["RateLimit-Reason"], refused["Retry-After"]) == ("jira-burst-based", "1")
    assert refused["X-RateLimit-Remaining"] == "0"
    assert admin.get("/rest/api/3/serverInfo").status_code == 200
    admin.control("clock", {"advanceSeconds": 1})
    assert admin.get("/rest/api/3/myself").status_code == 200


def test_writes_to_one_issue_are_limited_whatever_the_route(admin: Client) -> None:
    key, other = admin.issue(), admin.issue()
    number = admin.get(f"{CREATE}/{key}").json()["id"]
    admin.control("clock", {"frozen": True})
    admin.control("limits", {"enabled": True, "scale": 0.2})
    put = admin.put(f"{CREATE}/{key}/properties/a", json=1)
    comment = admin.post(f"/rest/api/2/issue/{number}/comment", json={"body": "c"})
    link = admin.post(
        "/rest/api/3/issueLink",
        json={"type": {"name": "Blocks"}, "inwardIssue": {"key": key}, "outwardIssue": {"key": other}},
    )
    edit = admin.put(f"{CREATE}/{key}", json={"fields": {"summary": "Two"}})
    refused = admin.put(f"{CREATE}/{key}/properties/b", json=1)
    assert [r.status_code for r in (put, comment, link, edit, refused)] == [201, 201, 201, 204, 429]
    assert refused.headers["RateLimit-Reason"] == "jira-per-issue-on-write"
    assert admin.get(f"{CREATE}/{key}").status_code == 200
    assert admin.put(f"{CREATE}/{other}/properties/b", json=1).status_code == 201
    admin.control("clock", {"advanceSeconds": 2})
    assert admin.put(f"{CREATE}/{key}/properties/b", json=1).status_code == 201


def test_the_log_counts_reads_and_writes_at_the_wire(admin: Client) -> None:
    admin.delete("/sandbox/requests")
    admin.get("/rest/api/3/myself")
    admin.post("/rest/api/3/search/jql", json={"jql": "project = SCRUM"})
    admin.post(CREATE, json=ISSUE)
    log = admin.get("/sandbox/requests").json()
    assert log["counts"] == {"total": 3, "reads": 2, "writes": 1, "byStatus": {"200": 2, "201": 1}}
    assert [entry["path"] for entry in log["requests"]] == ["/rest/api/3/myself", "/rest/api/3/search/jql", CREATE]
    only = admin.get("/sandbox/requests", params={"method": "post", "path": "/issue$"}).json()
    assert [entry["kind"] for entry in only["requests"]] == ["write"]


def test_the_clock_stands_moves_and_returns(admin: Client) -> None:
    shown = admin.control("clock", {"now": "2030-01-01T00:00:00Z", "advanceSeconds": 90})
    assert (shown["now"], shown["frozen"]) == ("2030-01-01T00:01:30.000+00:00", True)
    created = admin.get(f"{CREATE}/{admin.issue()}").json()["fields"]["created"]
    assert created == "2030-01-01T00:01:30.000+0000"
    assert admin.delete("/sandbox/clock").json()["frozen"] is False


def test_a_permission_taken_away_hides_the_project(admin: Client) -> None:
    key = admin.issue()
    taken = {"user": "demo@example.com", "permission": "BROWSE_PROJECTS", "project": "SCRUM"}
    admin.control("permissions", taken)
    assert admin.get(f"{CREATE}/{key}").status_code == 404
    assert admin.get("/rest/agile/1.0/board/1").status_code == 404
    admin.delete("/sandbox/permissions")
    assert admin.get(f"{CREATE}/{key}").status_code == 200


def test_a_field_can_be_required_or_taken_off_the_screen(admin: Client) -> None:
    admin.control("required-fields", {"project": "SCRUM", "issueType": "Task", "field": "labels"})
    assert "labels" in admin.post(CREATE, json=ISSUE).json()["errors"]
    admin.delete("/sandbox/required-fields")
    admin.control("screens", {"project": "SCRUM", "field": "Labels"})
    labelled = {"fields": {**ISSUE["fields"], "labels": ["a"]}}
    refused = admin.post(CREATE, json=labelled)
    expected = "Field 'labels' cannot be set. It is not on the appropriate screen, or unknown."
    assert refused.json()["errors"] == {"labels": expected}
    admin.delete("/sandbox/screens")
    assert admin.post(CREATE, json=labelled).status_code == 201


def test_a_person_can_be_deactivated(admin: Client) -> None:
    admin.control("users", {"user": "member@example.com", "active": False})
    auth = ("member@example.com", "member-token")
    assert plain.get(f"{admin.base_url}/rest/api/3/myself", auth=auth).status_code == 401
    assert admin.delete("/sandbox/users").json()["member@example.com"] is True


def test_a_person_can_be_given_a_token_for_both_trackers(admin: Client) -> None:
    jira, auth = f"{admin.base_url}/rest/api/3/myself", ("ml-1@example.com", "made-up-token")
    trello = f"{admin.base_url}/1/members/me?key=sandbox-key&token=made-up-token"
    assert plain.get(jira, auth=auth).status_code == 401

    admin.control("tokens", {"user": "ml-1@example.com", "token": "made-up-token"})

    assert plain.get(jira, auth=auth).json()["emailAddress"] == "ml-1@example.com"
    assert plain.get(trello).json()["username"] == "ml1"
    again = admin.post("/sandbox/tokens", json={"user": "ml-2@example.com", "token": "made-up-token"})
    assert again.status_code == 400
    admin.delete("/sandbox/tokens")
    assert plain.get(jira, auth=auth).status_code == 401
    assert plain.get(trello).status_code == 401


def test_a_site_can_pass_as_server(admin: Client) -> None:
    admin.control("deployment", {"deployment": "Server"})
    assert admin.get("/rest/api/2/serverInfo").json()["deploymentType"] == "Server"


def test_reset_starts_over(admin: Client) -> None:
    admin.issue()
    admin.control("faults", {"action": "reset", "path": "nowhere"})
    admin.control("reset", {"keep": ["controls"]})
    assert count(admin) == 0
    assert len(admin.get("/sandbox/faults").json()) == 1
    admin.control("reset", {})
    assert admin.get("/sandbox/faults").json() == []


@pytest.mark.parametrize(
    ("name", "body", "place"),
    [
        ("faults", {"action": "explode"}, "action"),
        ("faults", {"action": "lose", "path": "("}, "path"),
        ("latency", {"milliseconds": -1}, "milliseconds"),
        ("latency", {"milliseconds": 1, "path": "("}, "path"),
        ("permissions", {"user": "nobody@example.com", "permission": "BROWSE_PROJECTS"}, "nobody@example.com"),
        ("permissions", {"user": "demo@example.com", "permission": "FLY"}, "FLY"),
        ("screens", {"project": "SCRUM", "field": "mood"}, "mood"),
        ("clock", {"now": "2030-01-01T00:00:00"}, "offset"),
        ("limits", {"enabled": True, "speed": 1}, "speed"),
    ],
)
def test_a_control_that_cannot_be_carried_out_names_the_place(admin: Client, name: str, body: Any, place: str) -> None:
    refused = admin.post(f"/sandbox/{name}", json=body)
    assert refused.status_code == 400
    assert place in " ".join(refused.json()["problems"])


def test_an_unknown_control_lists_those_there_are(admin: Client) -> None:
    refused = admin.get("/sandbox/nonsense")
    assert refused.status_code == 404
    assert "latency" in refused.json()["problems"][0]
    assert admin.post("/sandbox/requests", json={}).status_code == 400
