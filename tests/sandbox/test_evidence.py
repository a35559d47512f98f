"""What an issue tells of the people who worked on it: its history, its comments, its web links."""

from __future__ import annotations

from typing import Any

import httpx

from tests.sandbox.conftest import Client

V2, V3 = "/rest/api/2", "/rest/api/3"


def changes(client: Client, key: str) -> list[dict[str, Any]]:
    body = {"issueIdsOrKeys": [key]}
    logs = client.post(f"{V3}/changelog/bulkfetch", json=body).json()["issueChangeLogs"]
    return [item for log in logs for history in log["changeHistories"] for item in history["items"]]


def fetched(client: httpx.Client, key: str) -> dict[str, Any]:
    body = {"issueIdsOrKeys": [key], "fields": ["comment"]}
    page: dict[str, Any] = client.post(f"{V2}/issue/bulkfetch", json=body).json()["issues"][0]["fields"]["comment"]
    return page


def test_the_history_tells_of_web_links_that_come_and_go(admin: Client) -> None:
    key = admin.issue()
    path = f"{V3}/issue/{key}/remotelink"
    plain = admin.post(path, json={"object": {"url": "https://example.com/1", "title": "Run 4"}}).json()
    wiki = {"application": {"name": "Wiki"}, "object": {"url": "https://example.com/2", "title": "Page"}}
    admin.post(path, json={"globalId": "page", **wiki})
    admin.post(path, json={"globalId": "page", **wiki})
    admin.delete(f"{path}/{plain['id']}")
    assert [(item["field"], item["from"], item["to"], item["toString"]) for item in changes(admin, key)] == [
        ("RemoteWorkItemLink", "", str(plain["id"]), 'This work item links to "Run 4 (Web Link)"'),
        ("RemoteWorkItemLink", "", str(plain["id"] + 1), 'This work item links to "Page (Wiki)"'),
        ("RemoteWorkItemLink", str(plain["id"]), "", ""),
    ]
    assert all("fieldId" not in item for item in changes(admin, key))


def test_the_history_keeps_a_comment_that_was_deleted_and_none_that_was_edited(admin: Client) -> None:
    key = admin.issue()
    comment = admin.post(f"{V2}/issue/{key}/comment", json={"body": "/approve"}).json()["id"]
    admin.put(f"{V2}/issue/{key}/comment/{comment}", json={"body": "/approve it"})
    assert changes(admin, key) == []
    admin.delete(f"{V2}/issue/{key}/comment/{comment}")
    [item] = changes(admin, key)
    assert (item["field"], item["from"], item["fromString"]) == ("Comment", comment, "/approve it")


def test_the_history_of_a_description_has_both_texts_in_wiki_markup(admin: Client) -> None:
    key = admin.issue(description=None)
    admin.put(f"{V2}/issue/{key}", json={"fields": {"description": "h2. Goal"}})
    bold = {"type": "text", "text": "ours", "marks": [{"type": "strong"}]}
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [bold]}]}
    admin.put(f"{V3}/issue/{key}", json={"fields": {"description": document}})
    told = [(item["fieldId"], item["fromString"], item["toString"]) for item in changes(admin, key)]
    assert told == [("description", "", "h2. Goal"), ("description", "h2. Goal", "*ours*")]


def test_twenty_comments_come_with_an_issue_among_many_and_all_with_one_alone(admin: Client) -> None:
    key = admin.issue()
    for number in range(23):
        admin.post(f"{V2}/issue/{key}/comment", json={"body": f"Comment {number}"})
    page = fetched(admin, key)
    assert (len(page["comments"]), page["maxResults"], page["total"]) == (20, 20, 23)
    body = {"jql": f"key = {key}", "fields": ["comment"]}
    [found] = admin.post(f"{V2}/search/jql", json=body).json()["issues"]
    assert len(found["fields"]["comment"]["comments"]) == 20
    alone = admin.get(f"{V2}/issue/{key}?fields=comment").json()["fields"]["comment"]
    assert [one["body"] for one in alone["comments"]] == [f"Comment {number}" for number in range(23)]


def test_a_comment_for_some_is_not_shown_to_others_on_the_issue_either(admin: Client, viewer: Client) -> None:
    key = admin.issue()
    admin.post(f"{V2}/issue/{key}/comment", json={"body": "For all"})
    secret = {"body": "For us", "visibility": {"type": "role", "value": "Administrators"}}
    assert admin.post(f"{V2}/issue/{key}/comment", json=secret).status_code == 201
    assert [one["body"] for one in fetched(admin, key)["comments"]] == ["For all", "For us"]
    seen = fetched(viewer, key)
    assert ([one["body"] for one in seen["comments"]], seen["total"]) == (["For all"], 1)
