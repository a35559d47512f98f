"""What the vendor accepts of an issue, and what it says to the rest."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.testing import SandboxServer
from tests.sandbox.conftest import Client

V2, V3 = "/rest/api/2", "/rest/api/3"


def document(words: str) -> dict[str, Any]:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": words}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


def fields(**more: Any) -> dict[str, Any]:
    return {"fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "One", **more}}


def refusal(client: Client, api: str = V3, **more: Any) -> dict[str, str]:
    response = client.post(f"{api}/issue", json=fields(**more))
    assert response.status_code == 400, response.text
    errors: dict[str, str] = response.json()["errors"]
    return errors


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("summary", "", "You must specify a summary of the issue."),
        ("summary", "two\nlines", "The summary is invalid because it contains newline characters."),
        ("summary", "x" * 256, "Summary can't exceed 255 characters."),
        ("labels", ["x y"], "The label 'x y' contains spaces which is invalid."),
        ("description", "plain", "Operation value must be an Atlassian Document (see the Atlassian Document Format)"),
        ("duedate", "2026-13-01", "Error parsing date string: 2026-13-01"),
        ("priority", {"name": "Frantic"}, "The priority selected is invalid."),
        ("components", [{"name": "Nope"}], "Component name 'Nope' is not valid"),
        ("assignee", {"accountId": "nobody"}, "User 'nobody' does not exist."),
        ("customfield_10020", {"id": 1}, "Number value expected as the Sprint id."),
        ("customfield_10020", "1", "Number value expected as the Sprint id."),
        ("customfield_10024", "five", "Operation value must be a number"),
        (
            "customfield_99999",
            1,
            "Field 'customfield_99999' cannot be set. It is not on the appropriate screen, or unknown.",
        ),
        ("status", {"name": "Done"}, "Field 'status' cannot be set. It is not on the appropriate screen, or unknown."),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_the_vendors_words(
    admin: Client, field: str, value: object, words: str
) -> None:
    assert refusal(admin, **{field: value}) == {field: words}


def test_every_refused_field_is_named_at_once(admin: Client) -> None:
    assert set(refusal(admin, labels=["a b"], duedate="soon", nonsense=1)) == {"labels", "duedate", "nonsense"}


def test_version_2_takes_wiki_markup_and_refuses_documents(admin: Client) -> None:
    assert refusal(admin, V2, description=document("x")) == {"description": "Operation value must be a string"}
    key = admin.post(f"{V2}/issue", json=fields(description="*bold*")).json()["key"]
    assert admin.get(f"{V2}/issue/{key}").json()["fields"]["description"] == "*bold*"
    text = admin.get(f"{V3}/issue/{key}").json()["fields"]["description"]["content"][0]["content"][0]
    assert text == {"type": "text", "text": "bold", "marks": [{"type": "strong"}]}


def test_an_inactive_person_and_a_reader_cannot_be_assigned(admin: Client) -> None:
    people = {user["displayName"]: user["accountId"] for user in admin.get(f"{V3}/users/search").json()}
    for name in ("Left 1", "Viewer"):
        words = refusal(admin, assignee={"accountId": people[name]})["assignee"]
        assert words == f"User '{people[name]}' cannot be assigned issues."
    offered = admin.get(f"{V3}/user/assignable/search?project=SCRUM").json()
    assert {"Left 1", "Viewer"}.isdisjoint(user["displayName"] for user in offered)
    assert "ML 1" in {user["displayName"] for user in offered}


def test_a_team_managed_project_has_types_of_its_own_and_no_priority(admin: Client) -> None:
    shared = {t["id"] for t in admin.get(f"{V3}/issue/createmeta/SCRUM/issuetypes").json()["issueTypes"]}
    own = {t["id"] for t in admin.get(f"{V3}/issue/createmeta/TEAM/issuetypes").json()["issueTypes"]}
    assert shared.isdisjoint(own)
    body = {
        "fields": {"project": {"key": "TEAM"}, "issuetype": {"name": "Task"}, "summary": "x", "priority": {"id": "1"}}
    }
    assert list(admin.post(f"{V3}/issue", json=body).json()["errors"]) == ["priority"]


def test_the_hierarchy_decides_who_may_be_whose_parent(admin: Client) -> None:
    epic, task = admin.issue(kind="Epic"), admin.issue()
    child = admin.issue(parent={"key": epic})
    assert admin.get(f"{V3}/issue/{child}").json()["fields"]["parent"]["key"] == epic
    assert refusal(admin, parent={"key": task}) == {
        "parentId": "Given parent work item does not belong to appropriate hierarchy."
    }
    assert "parentId" in refusal(admin, issuetype={"name": "Sub-task"})
    subtask = admin.issue(kind="Sub-task", parent={"key": child})
    refused = admin.delete(f"{V3}/issue/{child}")
    assert refused.status_code == 400
    assert "has subtasks" in refused.json()["errorMessages"][0]
    assert admin.delete(f"{V3}/issue/{child}?deleteSubtasks=true").status_code == 204
    assert admin.get(f"{V3}/issue/{subtask}").status_code == 404


def test_a_bulk_of_51_is_refused_whole(admin: Client, sandbox: SandboxServer) -> None:
    refused = admin.post(f"{V3}/issue/bulk", json={"issueUpdates": [fields() for _ in range(51)]})
    assert refused.status_code == 400
    assert not sandbox.site.data.issues
    assert admin.post(f"{V3}/issue/bulk", json={"issueUpdates": [fields() for _ in range(50)]}).status_code == 201
    assert len(sandbox.site.data.issues) == 50


def test_a_bulk_in_which_all_fail_is_400_with_the_same_shape(admin: Client) -> None:
    body = {"issueUpdates": [fields(labels=["a b"]), fields(nonsense=1)]}
    refused = admin.post(f"{V3}/issue/bulk", json=body)
    assert refused.status_code == 400
    assert refused.json()["issues"] == []
    assert [entry["failedElementNumber"] for entry in refused.json()["errors"]] == [0, 1]


def test_links_properties_and_a_transition_come_with_a_created_issue(admin: Client) -> None:
    other = admin.issue()
    body = fields() | {
        "update": {"issuelinks": [{"add": {"type": {"name": "Blocks"}, "outwardIssue": {"key": other}}}]},
        "properties": [{"key": "marker", "value": {"n": 1}}],
        "transition": {"id": "21"},
    }
    missing = fields() | {
        "update": {"issuelinks": [{"add": {"type": {"name": "Blocks"}, "outwardIssue": {"key": "SCRUM-99"}}}]}
    }
    made = admin.post(f"{V3}/issue/bulk", json={"issueUpdates": [body, missing]})
    assert made.status_code == 201
    assert list(made.json()["errors"][0]["elementErrors"]["errors"]) == ["issuelinks"]
    key = made.json()["issues"][0]["key"]
    found = admin.get(f"{V3}/issue/{key}?properties=marker").json()
    assert found["properties"] == {"marker": {"n": 1}}
    assert found["fields"]["status"]["name"] == "In Progress"
    assert found["fields"]["issuelinks"][0]["outwardIssue"]["key"] == other
    assert admin.get(f"{V3}/issue/{other}").json()["fields"]["issuelinks"][0]["inwardIssue"]["key"] == key


def test_a_property_holds_32768_characters_and_no_more(admin: Client) -> None:
    path = f"{V3}/issue/{admin.issue()}/properties/big"
    assert admin.put(path, json="x" * 32_766).status_code == 201  # two more are the quotes
    assert admin.put(path, json="x" * 32_767).status_code == 400
    assert len(admin.get(path).json()["value"]) == 32_766


def test_every_change_is_written_to_the_changelog_in_order(admin: Client) -> None:
    key = admin.issue()
    admin.put(f"{V3}/issue/{key}", json={"fields": {"summary": "Two", "duedate": "2026-12-24"}})
    admin.put(f"{V3}/issue/{key}", json={"update": {"labels": [{"add": "a"}, {"add": "b"}, {"remove": "a"}]}})
    admin.post(f"{V3}/issue/{key}/transitions", json={"transition": {"id": "31"}})
    log = admin.get(f"{V3}/issue/{key}/changelog").json()["values"]
    assert [[item["field"] for item in entry["items"]] for entry in log] == [
        ["summary", "duedate"],
        ["labels"],
        ["status", "resolution"],
    ]
    assert log[0]["items"][0] | {"from": "", "to": ""} == {
        "field": "summary",
        "fieldtype": "jira",
        "fieldId": "summary",
        "from": "",
        "fromString": "One",
        "to": "",
        "toString": "Two",
    }


def test_an_edit_that_changes_nothing_leaves_no_history(admin: Client) -> None:
    key = admin.issue(labels=["a"])
    assert admin.put(f"{V3}/issue/{key}", json={"fields": {"summary": "One", "labels": ["a"]}}).status_code == 204
    assert admin.get(f"{V3}/issue/{key}/changelog").json()["total"] == 0


def test_a_transition_that_is_not_offered_or_not_named_is_refused(admin: Client) -> None:
    path = f"{V3}/issue/{admin.issue()}/transitions"
    refused = admin.post(path, json={})
    assert (refused.status_code, refused.json()["errorMessages"]) == (400, ["Missing 'transition' identifier"])
    assert admin.post(path, json={"transition": {"id": "999"}}).status_code == 400


def test_an_unknown_member_of_a_closed_body_is_refused(admin: Client) -> None:
    refused = admin.post(f"{V3}/issue/bulkfetch", json={"issueIdsOrKeys": ["SCRUM-1"], "keys": []})
    assert refused.status_code == 400
    assert refused.json() == {
        "errorMessages": ["Invalid request payload. Refer to the REST API documentation and try again."]
    }


def test_a_body_that_is_no_json_is_refused(admin: Client) -> None:
    headers = {"Content-Type": "application/json"}
    refused = admin.post(f"{V3}/issue", content=b"{", headers=headers)
    assert refused.status_code == 400
    assert refused.json()["errorMessages"] == [
        "There was an error parsing JSON. Check that your request body is valid."
    ]
    assert admin.post(f"{V3}/issue", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415


def test_a_member_creates_but_does_not_administer_and_a_reader_only_reads(
    admin: Client, member: Client, viewer: Client
) -> None:
    key = member.issue()
    assert member.put(f"{V3}/issue/{key}", json={"fields": {"summary": "x"}}).status_code == 204
    assert member.delete(f"{V3}/issue/{key}").status_code == 403
    assert member.post(f"{V3}/project", json={}).status_code == 403
    assert viewer.get(f"{V3}/issue/{key}").status_code == 200
    assert viewer.post(f"{V3}/issue", json=fields()).status_code == 403
    assert viewer.get(f"{V3}/issue/{key}/transitions").json()["transitions"] == []
    assert viewer.post(f"{V3}/issue/{key}/comment", json={"body": document("x")}).status_code == 403


def test_a_deleted_project_hides_its_issues_and_keeps_its_key(admin: Client) -> None:
    key = admin.issue()
    assert admin.delete(f"{V3}/project/SCRUM").status_code == 204
    assert admin.get(f"{V3}/issue/{key}").status_code == 404
    problem = admin.get(f"{V3}/projectvalidate/key?key=SCRUM").json()["errors"]
    assert problem == {"projectKey": "Project 'Scrum project' uses this project key."}
    assert admin.post(f"{V3}/project/SCRUM/restore").status_code == 200
    assert admin.get(f"{V3}/issue/{key}").status_code == 200


def test_links_in_answers_follow_the_host_that_was_asked(admin: Client) -> None:
    key = admin.issue()
    found = admin.get(f"{V3}/issue/{key}", headers={"Host": "jira.example.com"}).json()
    assert found["self"].startswith("http://jira.example.com/rest/api/3/issue/")
    page = admin.get(f"{V3}/users/search?maxResults=2", headers={"Host": "jira.example.com"}).json()
    assert page[0]["self"].startswith("http://jira.example.com/")


def test_a_renamed_key_leads_from_the_old_one(admin: Client) -> None:
    key = admin.issue()
    assert admin.put(f"{V3}/project/SCRUM", json={"key": "RENAMED"}).status_code == 200
    assert admin.get(f"{V3}/issue/{key}").json()["key"] == key.replace("SCRUM", "RENAMED")


def test_remote_links_with_one_global_id_are_one_link(admin: Client) -> None:
    path = f"{V3}/issue/{admin.issue()}/remotelink"
    first = {"globalId": "card", "relationship": "documented by", "object": {"url": "https://e.com/1", "title": "A"}}
    assert admin.post(path, json=first).status_code == 201
    again = admin.post(path, json={"globalId": "card", "object": {"url": "https://e.com/2", "title": "B"}})
    assert again.status_code == 200
    found = admin.get(path).json()
    assert [(link["object"]["title"], link.get("relationship")) for link in found] == [("B", None)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{V3}/user?username=demo"),
        ("GET", f"{V3}/user?key=demo"),
        ("GET", f"{V3}/user/search?username=demo"),
        ("GET", f"{V3}/user/assignable/search?project=SCRUM&username=demo"),
        ("DELETE", f"{V3}/issue/KEY/watchers?username=demo"),
        ("DELETE", f"{V3}/group/user?groupname=jira-administrators&username=demo"),
    ],
)
def test_people_are_never_named_by_user_name(admin: Client, method: str, path: str) -> None:
    response = admin.request(method, path.replace("KEY", admin.issue()))
    assert response.status_code == 400
    assert "GDPR strict mode" in response.json()["errorMessages"][0]


@pytest.mark.parametrize("default", ["-1", -1])
def test_minus_one_assigns_the_default_person_of_the_project(admin: Client, default: str | int) -> None:
    me = admin.get(f"{V3}/myself").json()["accountId"]
    key = admin.issue(assignee={"accountId": me})
    assert admin.put(f"{V3}/issue/{key}/assignee", json={"accountId": default}).status_code == 204
    assert admin.get(f"{V3}/issue/{key}").json()["fields"]["assignee"] is None  # the project's default is nobody


def test_nobody_is_assigned_by_user_name(admin: Client) -> None:
    key = admin.issue()
    refused = admin.put(f"{V2}/issue/{key}/assignee", json={"name": "demo"})
    assert (refused.status_code, "GDPR strict mode" in refused.text) == (400, True)
    assert admin.get(f"{V2}/issue/{key}").json()["fields"]["assignee"] is None


def test_issues_are_fetched_once_each_in_order_of_their_ids_without_those_that_are_not_there(admin: Client) -> None:
    first, second = admin.issue("first"), admin.issue("second")
    asked = [second, first.lower(), "SCRUM-999", second]
    fetched = admin.post(f"{V3}/issue/bulkfetch", json={"issueIdsOrKeys": asked, "fields": ["summary"]}).json()
    assert [issue["fields"] for issue in fetched["issues"]] == [{"summary": "first"}, {"summary": "second"}]
    assert fetched["issueErrors"] == []


def test_a_fetch_tells_the_last_forty_changes_of_an_issue_and_how_many_there_are(admin: Client) -> None:
    key = admin.issue("changed often")
    for number in range(42):
        assert admin.put(f"{V3}/issue/{key}", json={"fields": {"summary": f"title {number}"}}).status_code == 204
    body = {"issueIdsOrKeys": [key], "fields": ["summary"], "expand": ["changelog"]}
    log = admin.post(f"{V3}/issue/bulkfetch", json=body).json()["issues"][0]["changelog"]
    assert (len(log["histories"]), log["total"]) == (40, 42)
    assert log["histories"][0]["items"][0]["toString"] == "title 41"


def test_histories_of_many_issues_come_by_date_whichever_issue_they_are_of(admin: Client) -> None:
    first, second = admin.issue("first"), admin.issue("second")
    for key, status in ((second, "21"), (first, "21"), (second, "31")):
        admin.put(f"{V3}/issue/{key}", json={"fields": {"summary": f"to {status}"}})
        admin.post(f"{V3}/issue/{key}/transitions", json={"transition": {"id": status}})
    body = {"issueIdsOrKeys": [first, second], "fieldIds": ["status"], "maxResults": 1}
    told: list[tuple[str, str]] = []
    while True:
        page = admin.post(f"{V3}/changelog/bulkfetch", json=body).json()
        for log in page["issueChangeLogs"]:
            told += [(log["issueId"], one["items"][0]["toString"]) for one in log["changeHistories"]]
        if not page.get("nextPageToken"):
            break
        body["nextPageToken"] = page["nextPageToken"]
    ids = {key: admin.get(f"{V3}/issue/{key}").json()["id"] for key in (first, second)}
    assert told == [(ids[second], "In Progress"), (ids[first], "In Progress"), (ids[second], "Done")]


@pytest.mark.parametrize(
    "body",
    [
        {"issueIdsOrKeys": []},
        {"issueIdsOrKeys": [str(number) for number in range(1001)]},
        {"issueIdsOrKeys": ["1"], "fieldIds": "status"},
        {"issueIdsOrKeys": ["1"], "fieldIds": ["status", "status"]},
        {"issueIdsOrKeys": ["1"], "fieldIds": [str(number) for number in range(11)]},
        {"issueIdsOrKeys": ["1"], "maxResults": 0},
    ],
)
def test_histories_beyond_their_bounds_are_refused(admin: Client, body: dict[str, Any]) -> None:
    assert admin.post(f"{V3}/changelog/bulkfetch", json=body).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"issueIdsOrKeys": []},
        {"issueIdsOrKeys": [str(number) for number in range(101)]},
        {"issueIdsOrKeys": ["1"], "fields": "summary"},
        {"issueIdsOrKeys": ["1"], "properties": ["a", "b", "c", "d", "e", "f"]},
    ],
)
def test_a_fetch_beyond_its_bounds_is_refused(admin: Client, body: dict[str, Any]) -> None:
    assert admin.post(f"{V3}/issue/bulkfetch", json=body).status_code == 400


def test_the_old_create_metadata_takes_types_by_name_with_commas(admin: Client) -> None:
    found = admin.get(f"{V2}/issue/createmeta?projectKeys=SCRUM,TEAM&issuetypeNames=Bug,Epic").json()["projects"]
    assert [project["key"] for project in found] == ["SCRUM", "TEAM"]
    assert [[kind["name"] for kind in project["issuetypes"]] for project in found] == [["Epic", "Bug"]] * 2
