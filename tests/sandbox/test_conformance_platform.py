"""A scripted session over the platform routes, each answer held against the vendor's document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.testing import SandboxServer
from tests.sandbox import vendor_documents as vendor

pytestmark = pytest.mark.skipif(vendor.ABSENT, reason="the vendor's OpenAPI documents are not beside the repository")


class Session:
    """A client whose every exchange is checked; ``do`` also asserts the status."""

    def __init__(self, url: str) -> None:
        self.checker = vendor.Checker()
        self.client = httpx.Client(
            base_url=f"{url}/rest/api/3",
            auth=("demo@example.com", "sandbox-token"),
            event_hooks={"response": [self.checker]},
            timeout=10,
        )

    def do(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """Send, assert the status, and give the JSON body if there is one."""
        response = self.client.request(method, path, **options)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text[:300]}"
        return response.json() if response.content and "json" in response.headers.get("content-type", "") else None

    def get(self, path: str, **options: Any) -> Any:
        """GET with 200."""
        return self.do("GET", path, **options)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        """POST a JSON body."""
        return self.do("POST", path, status, json=body)

    def put(self, path: str, body: Any = None, status: int = 200) -> Any:
        """PUT a JSON body."""
        return self.do("PUT", path, status, json=body)

    def delete(self, path: str, status: int = 204, **options: Any) -> Any:
        """DELETE."""
        return self.do("DELETE", path, status, **options)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with SandboxServer() as sandbox:
        session = Session(sandbox.url)
        with session.client:
            yield session
        assert not session.checker.faults, "\n".join(session.checker.faults)


def text(words: str) -> dict[str, Any]:
    """A document of one paragraph."""
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": words}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


def issue(session: Session, **fields: Any) -> str:
    """A new task in the scrum project; its key."""
    base = {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "One"}
    return str(session.post("/issue", {"fields": {**base, **fields}})["key"])


def me(session: Session) -> str:
    """The caller's account id."""
    return str(session.get("/myself")["accountId"])


def test_issues_are_created_read_edited_and_deleted_as_documented(session: Session) -> None:
    account = me(session)
    key = issue(session, description=text("hello"), labels=["a"], assignee={"accountId": account}, duedate="2026-12-24")
    expand = "renderedFields,names,schema,transitions,operations,editmeta,changelog,versionedRepresentations"
    found = session.get(f"/issue/{key}", params={"expand": expand})
    assert found["fields"]["description"] == text("hello")
    assert found["renderedFields"]["description"] == "<p>hello</p>"
    session.put(f"/issue/{key}", {"fields": {"summary": "Two"}}, 204)
    answer = session.put(f"/issue/{key}?returnIssue=true", {"update": {"labels": [{"add": "b"}]}})
    assert answer["fields"]["labels"] == ["a", "b"]
    session.put(f"/issue/{key}/assignee", {"accountId": None}, 204)
    bulk = {
        "issueUpdates": [
            {
                "fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": f"Bulk {number}"},
                "properties": [{"key": "phaseloop", "value": {"number": number}}],
            }
            for number in range(3)
        ]
    }
    bulk["issueUpdates"][1]["fields"]["nonsense"] = 1
    made = session.post("/issue/bulk", bulk)
    assert [entry["failedElementNumber"] for entry in made["errors"]] == [1]
    keys = [entry["key"] for entry in made["issues"]]
    body = {"issueIdsOrKeys": [*keys, "SCRUM-999"], "properties": ["phaseloop"], "expand": ["names"]}
    fetched = session.post("/issue/bulkfetch", body, 200)
    assert [entry["properties"]["phaseloop"]["number"] for entry in fetched["issues"]] == [0, 2]
    assert fetched["issueErrors"] == []
    session.post(f"/issue/{key}/notify", {"subject": "s", "textBody": "t", "to": {"reporter": True}}, 204)
    session.get("/issue/limit/report")
    session.delete(f"/issue/{key}")
    session.do("GET", f"/issue/{key}", 404)
    bulk["issueUpdates"] = [{"fields": {"project": {"key": "NOPE"}}}]
    session.post("/issue/bulk", bulk, 400)
    session.post("/issue", {"fields": {}}, 400)


def test_metadata_and_transitions_answer_as_documented(session: Session) -> None:
    key = issue(session)
    session.get("/issue/createmeta?expand=projects.issuetypes.fields")
    types = session.get("/issue/createmeta/SCRUM/issuetypes")["issueTypes"]
    fields = session.get(f"/issue/createmeta/SCRUM/issuetypes/{types[0]['id']}")["fields"]
    assert {"summary", "project", "issuetype"} <= {f["fieldId"] for f in fields if f["required"]}
    session.get(f"/issue/{key}/editmeta")
    offered = session.get(f"/issue/{key}/transitions?expand=transitions.fields")["transitions"]
    done = next(t["id"] for t in offered if t["to"]["statusCategory"]["key"] == "done")
    session.post(f"/issue/{key}/transitions", {"transition": {"id": done}}, 204)
    session.post(f"/issue/{key}/transitions", {}, 400)
    log = session.get(f"/issue/{key}/changelog")["values"]
    assert {item["field"] for entry in log for item in entry["items"]} == {"status", "resolution"}
    session.post(f"/issue/{key}/changelog/list", {"changelogIds": [int(log[0]["id"])]}, 200)
    logs = session.post("/changelog/bulkfetch", {"issueIdsOrKeys": [key], "fieldIds": ["status"]}, 200)
    assert len(logs["issueChangeLogs"]) == 1


def test_comments_and_worklogs_answer_as_documented(session: Session) -> None:
    key = issue(session, timetracking={"originalEstimate": "2d"})
    comment = session.post(f"/issue/{key}/comment?expand=renderedBody", {"body": text("first")})
    path = f"/issue/{key}/comment/{comment['id']}"
    session.get(f"/issue/{key}/comment?orderBy=-created&expand=properties")
    session.get(path)
    visibility = {"type": "role", "value": "Administrators"}
    session.put(path, {"body": text("second"), "visibility": visibility})
    listed = session.post("/comment/list", {"ids": [int(comment["id"])]}, 200)
    assert listed["total"] == 1
    properties(session, f"/comment/{comment['id']}/properties")
    session.post(f"/issue/{key}/comment", {"body": "plain"}, 400)
    session.delete(path)
    log = session.post(f"/issue/{key}/worklog", {"timeSpentSeconds": 3600, "comment": text("w")})
    path = f"/issue/{key}/worklog/{log['id']}"
    assert session.get(f"/issue/{key}?fields=timetracking")["fields"]["timetracking"]["remainingEstimate"] == "1d 7h"
    session.get(f"/issue/{key}/worklog?expand=properties")
    session.get(path)
    session.put(path, {"timeSpent": "2h"})
    session.post("/worklog/list", {"ids": [int(log["id"])]}, 200)
    session.get("/worklog/updated")
    session.delete(path)
    other = session.post(f"/issue/{key}/worklog", {"timeSpent": "1h"})
    session.delete(f"/issue/{key}/worklog", json={"ids": [int(other["id"])]})
    assert len(session.get("/worklog/deleted")["values"]) == 2


def properties(session: Session, base: str) -> None:
    """The four property operations below a path."""
    mark = "&" if "?" in base else ""
    path, _, query = base.partition("?")
    suffix = f"?{query}" if mark else ""
    session.put(f"{path}/k{suffix}", {"a": 1}, 201)
    session.put(f"{path}/k{suffix}", {"a": 2}, 200)
    assert session.get(f"{path}/k{suffix}")["value"] == {"a": 2}
    assert "k" in [entry["key"] for entry in session.get(base)["keys"]]
    session.delete(f"{path}/k{suffix}")
    session.do("GET", f"{path}/k{suffix}", 404)


def test_properties_answer_as_documented(session: Session) -> None:
    key = issue(session)
    number = int(session.get(f"/issue/{key}")["id"])
    types = session.get("/issuetype")
    for base in (
        f"/issue/{key}/properties",
        "/project/SCRUM/properties",
        f"/user/properties?accountId={me(session)}",
        f"/issuetype/{types[0]['id']}/properties",
    ):
        properties(session, base)
    session.post("/issue/properties", {"entitiesIds": [number], "properties": {"p": 1}}, 303)
    session.post("/issue/properties/multi", {"issues": [{"issueID": number, "properties": {"q": 2}}]}, 303)
    session.put("/issue/properties/r", {"value": 3, "filter": {"entityIds": [number]}}, 303)
    keys = [entry["key"] for entry in session.get(f"/issue/{key}/properties")["keys"]]
    assert keys == ["p", "q", "r"]
    session.do("DELETE", "/issue/properties/r", 303, json={"entityIds": [number]})


def test_links_and_remote_links_answer_as_documented(session: Session) -> None:
    one, two = issue(session), issue(session)
    body = {"type": {"name": "Blocks"}, "inwardIssue": {"key": one}, "outwardIssue": {"key": two}}
    session.post("/issueLink", {**body, "comment": {"body": text("why")}})
    link = session.get(f"/issue/{one}")["fields"]["issuelinks"][0]
    assert link["outwardIssue"]["key"] == two
    assert session.get(f"/issueLink/{link['id']}")["inwardIssue"]["key"] == one
    session.delete(f"/issueLink/{link['id']}")
    kind = session.post("/issueLinkType", {"name": "Tests", "inward": "is tested by", "outward": "tests"})
    session.get("/issueLinkType")
    session.get(f"/issueLinkType/{kind['id']}")
    session.put(f"/issueLinkType/{kind['id']}", {"outward": "checks"})
    session.delete(f"/issueLinkType/{kind['id']}")
    base = f"/issue/{one}/remotelink"
    remote = {"globalId": "doc-1", "object": {"url": "https://example.com/1", "title": "Card"}}
    made = session.post(base, remote)
    again = session.post(base, remote, 200)
    assert made["id"] == again["id"]
    assert len(session.get(base)) == 1
    session.get(f"{base}/{made['id']}")
    session.put(f"{base}/{made['id']}", remote, 204)
    session.delete(f"{base}?globalId=doc-1")
    made = session.post(base, {"object": remote["object"]})
    session.delete(f"{base}/{made['id']}")
    session.post(base, {"object": {}}, 400)


def test_attachments_answer_as_documented(session: Session) -> None:
    key = issue(session)
    files = {"file": ("notes.txt", b"0123456789", "text/plain")}
    path = f"/issue/{key}/attachments"
    session.do("POST", path, 403, files=files)
    added = session.do("POST", path, files=files, headers={"X-Atlassian-Token": "no-check"})
    number = added[0]["id"]
    assert session.get(f"/attachment/{number}")["size"] == 10
    session.get("/attachment/meta")
    answer = session.client.get(f"/attachment/content/{number}?redirect=false", headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer.content) == (206, b"234")
    assert session.client.get(f"/attachment/content/{number}").status_code == 303
    session.do("GET", f"/attachment/thumbnail/{number}", 303)
    session.delete(f"/attachment/{number}")
    session.do("GET", f"/attachment/{number}", 404)


def test_people_and_groups_answer_as_documented(session: Session) -> None:
    account, key = me(session), issue(session)
    session.get("/myself?expand=groups,applicationRoles")
    session.get(f"/user?accountId={account}&expand=groups")
    session.get("/user/search?query=ml")
    session.get("/users/search")
    session.get(f"/user/bulk?accountId={account}")
    session.get("/user/picker?query=ml&showAvatar=true")
    session.get("/user/assignable/search?project=SCRUM")
    session.get(f"/user/assignable/search?issueKey={key}&query=ml")
    session.get("/user/assignable/multiProjectSearch?projectKeys=SCRUM,TEAM")
    session.get("/user/viewissue/search?projectKey=SCRUM&query=ml")
    session.do("GET", "/user/assignable/search", 400)
    session.get("/group/member?groupname=everyone&includeInactiveUsers=true")
    made = session.post("/user", {"emailAddress": "new-1@example.com", "products": ["jira-software"]})
    session.delete(f"/user?accountId={made['accountId']}")
    session.do("POST", f"/issue/{key}/watchers", 204, json=account)
    assert session.get(f"/issue/{key}/watchers")["watchCount"] == 1
    session.post("/issue/watching", {"issueIds": ["10000"]}, 200)
    session.delete(f"/issue/{key}/watchers?accountId={account}")


def test_projects_answer_as_documented(session: Session) -> None:
    body = {
        "key": "NEWP",
        "name": "New project",
        "leadAccountId": me(session),
        "projectTypeKey": "software",
        "projectTemplateKey": "com.pyxis.greenhopper.jira:gh-simplified-agility-scrum",
    }
    made = session.post("/project", body)
    session.post("/project", body, 400)
    for path in (
        "/project",
        "/project/search?expand=description,lead,issueTypes,url,insight,permissions&orderBy=-key",
        "/project/recent",
        "/project/NEWP",
        "/project/NEWP/statuses",
        f"/project/{made['id']}/hierarchy",
        "/project/NEWP/features",
        "/project/type",
        "/project/type/software",
        "/project/type/accessible",
        "/project/type/software/accessible",
        "/projectvalidate/key?key=NEWP",
        "/projectvalidate/validProjectKey?key=NEWP",
        "/projectvalidate/validProjectName?name=New",
        "/issue/createmeta/NEWP/issuetypes",
    ):
        session.get(path)
    session.put("/project/NEWP/features/jsw.agility.sprints", {"state": "DISABLED"})
    session.put("/project/NEWP", {"name": "Renamed", "description": "d", "assigneeType": "PROJECT_LEAD"})
    session.post("/project/NEWP/archive", None, 204)
    session.post("/project/NEWP/restore", None, 200)
    session.delete("/project/NEWP")
    session.do("GET", "/project/NEWP", 404)
    assert [p["key"] for p in session.get("/project/search?status=deleted")["values"]] == ["NEWP"]
    session.post("/project/NEWP/restore", None, 200)
    task = session.post("/project/NEWP/delete", None, 303)
    session.get(f"/task/{task['id']}")
    session.post(f"/task/{task['id']}/cancel", None, 400)
    session.post("/project-template", {}, 400)


def test_components_and_versions_answer_as_documented(session: Session) -> None:
    component = session.post("/component", {"project": "SCRUM", "name": "Core", "leadAccountId": me(session)})
    version = session.post("/version", {"projectId": 10000, "name": "1.0", "releaseDate": "2026-11-01"})
    other = session.post("/version", {"projectId": 10000, "name": "2.0", "startDate": "2026-12-01"})
    key = issue(session, components=[{"name": "Core"}], fixVersions=[{"name": "1.0"}], versions=[{"name": "2.0"}])
    number, identifier = component["id"], version["id"]
    for path in (
        "/component?projectIdsOrKeys=SCRUM",
        f"/component/{number}",
        f"/component/{number}/relatedIssueCounts",
        "/project/SCRUM/component",
        "/project/SCRUM/components",
        f"/version/{identifier}?expand=operations,issuesstatus",
        f"/version/{identifier}/relatedIssueCounts",
        f"/version/{identifier}/unresolvedIssueCount",
        "/project/SCRUM/version?orderBy=name&status=unreleased",
        "/project/SCRUM/versions",
        f"/issue/{key}",
        "/project/SCRUM",
    ):
        session.get(path)
    session.put(f"/component/{number}", {"description": "d", "assigneeType": "COMPONENT_LEAD"})
    session.put(f"/version/{identifier}", {"released": True})
    session.post(f"/version/{identifier}/move", {"position": "Last"}, 200)
    work = session.post(f"/version/{identifier}/relatedwork", {"category": "Design", "url": "https://example.com"})
    session.get(f"/version/{identifier}/relatedwork")
    changed = {"category": "Design", "relatedWorkId": work["relatedWorkId"], "title": "t"}
    session.put(f"/version/{identifier}/relatedwork", changed)
    session.delete(f"/version/{identifier}/relatedwork/{work['relatedWorkId']}")
    session.put(f"/version/{identifier}/mergeto/{other['id']}", None, 204)
    assert [v["name"] for v in session.get(f"/issue/{key}")["fields"]["fixVersions"]] == ["2.0"]
    session.post(f"/version/{other['id']}/removeAndSwap", {}, 204)
    last = session.post("/version", {"project": "SCRUM", "name": "3.0"})
    session.delete(f"/version/{last['id']}")
    session.delete(f"/component/{number}")


def test_roles_and_categories_answer_as_documented(session: Session) -> None:
    account = me(session)
    role = session.post("/role", {"name": "Reviewers", "description": "d"}, 200)
    number = role["id"]
    session.get("/role")
    session.get(f"/role/{number}")
    session.get(f"/role/{number}/actors")
    session.post(f"/role/{number}", {"name": "Readers"}, 200)
    session.put(f"/role/{number}", {"name": "Readers", "description": "x"})
    session.post(f"/role/{number}/actors", {"user": [account]}, 200)
    session.do("DELETE", f"/role/{number}/actors?user={account}")
    session.get("/project/SCRUM/role")
    session.get("/project/SCRUM/roledetails")
    base = f"/project/SCRUM/role/{number}"
    session.post(base, {"user": [account]}, 200)
    assert session.get(base)["actors"][0]["actorUser"]["accountId"] == account
    session.delete(f"{base}?user={account}")
    session.put(base, {"categorisedActors": {"atlassian-group-role-actor": ["everyone"]}})
    session.delete(f"/role/{number}")
    category = session.post("/projectCategory", {"name": "Research", "description": "d"})
    session.get("/projectCategory")
    session.get(f"/projectCategory/{category['id']}")
    session.put(f"/projectCategory/{category['id']}", {"description": "e"})
    session.put("/project/SCRUM", {"categoryId": int(category["id"])})
    session.get("/project/SCRUM")
    session.delete(f"/projectCategory/{category['id']}")


def test_the_words_of_the_site_answer_as_documented(session: Session) -> None:
    for path in (
        "/priority",
        "/priority/1",
        "/priority/search",
        "/resolution",
        "/resolution/search",
        "/status",
        "/status/3",
        "/statuscategory",
        "/statuscategory/new",
        "/statuses?id=3",
        "/statuses/byNames?name=Done",
        "/statuses/search",
        "/statuses/3/projectUsages",
        "/statuses/3/project/10000/issueTypeUsages",
        "/statuses/3/workflowUsages",
        "/issuetype",
        "/issuetype/10001",
        "/issuetype/project?projectId=10001",
        "/label",
        "/workflow/search?expand=transitions,statuses",
        "/field",
        "/field/search?expand=searcherKey,screensCount,contextsCount",
        "/field/customfield_10016/contexts",
    ):
        session.get(path)
    made = session.post("/issuetype", {"name": "Spike", "type": "standard"})
    session.put(f"/issuetype/{made['id']}", {"description": "d"})
    session.delete(f"/issuetype/{made['id']}")
    made = session.post("/priority", {"name": "Urgent", "statusColor": "#ff0000"})
    session.put(f"/priority/{made['id']}", {"name": "Very urgent"}, 204)
    session.delete(f"/priority/{made['id']}", 303)
    session.post("/resolution", {"name": "Obsolete"})
    scope = {"type": "GLOBAL"}
    status = {"name": "Review", "statusCategory": "IN_PROGRESS"}
    made = session.post("/statuses", {"scope": scope, "statuses": [status]}, 200)[0]
    session.put("/statuses", {"statuses": [{**status, "id": made["id"], "name": "In review"}]}, 204)
    session.delete(f"/statuses?id={made['id']}")


def test_screens_and_custom_fields_answer_as_documented(session: Session) -> None:
    field = session.post(
        "/field", {"name": "Model card", "type": "com.atlassian.jira.plugin.system.customfieldtypes:url"}
    )
    for path in ("/screens", "/screens/1/tabs", "/screens/1/tabs/10000/fields", "/screens/1/availableFields"):
        session.get(path)
    base = "/screens/1/tabs/10000/fields"
    session.post(base, {"fieldId": field["id"]}, 200)
    key = issue(session, **{field["id"]: "https://example.com/card"})
    assert session.get(f"/issue/{key}")["fields"][field["id"]] == "https://example.com/card"
    session.post(f"{base}/{field['id']}/move", {"position": "First"}, 204)
    session.delete(f"{base}/{field['id']}")
    session.put(f"/issue/{key}", {"fields": {field["id"]: "https://example.com/2"}}, 400)
    screen = session.post("/screens", {"name": "Short", "description": "d"})
    session.put(f"/screens/{screen['id']}", {"name": "Shorter"})
    tab = session.post(f"/screens/{screen['id']}/tabs", {"name": "More"}, 200)
    session.put(f"/screens/{screen['id']}/tabs/{tab['id']}", {"name": "Most"})
    session.post(f"/screens/{screen['id']}/tabs/{tab['id']}/move/0", None, 204)
    session.delete(f"/screens/{screen['id']}/tabs/{tab['id']}")
    session.delete(f"/screens/{screen['id']}")


def test_permissions_and_settings_answer_as_documented(session: Session) -> None:
    session.get("/permissions")
    session.get("/mypermissions?permissions=BROWSE_PROJECTS,ADMINISTER&projectKey=SCRUM")
    session.do("GET", "/mypermissions", 400)
    check = {
        "globalPermissions": ["ADMINISTER"],
        "projectPermissions": [{"permissions": ["EDIT_ISSUES"], "projects": [10000]}],
    }
    granted = session.post("/permissions/check", check, 200)
    assert granted["projectPermissions"][0]["projects"] == [10000]
    session.post("/permissions/project", {"permissions": ["EDIT_ISSUES"]}, 200)
    for path in ("/serverInfo", "/configuration", "/events"):
        session.get(path)


def test_filters_answer_as_documented(session: Session) -> None:
    made = session.post(
        "/filter",
        {"name": "Open", "jql": "project = SCRUM ORDER BY Rank", "sharePermissions": [{"type": "loggedin"}]},
        200,
    )
    session.get(f"/filter/{made['id']}")
    session.get("/filter/search?expand=description,owner,jql,viewUrl,searchUrl,favourite,sharePermissions")
    session.put(f"/filter/{made['id']}", {"name": "Open ones", "favourite": True})
    session.delete(f"/filter/{made['id']}")
    session.do("GET", f"/filter/{made['id']}", 400)


def test_bulk_operations_answer_as_documented(session: Session) -> None:
    keys = [issue(session) for _ in range(3)]
    named = ",".join(keys)

    def wait(task: dict[str, Any]) -> dict[str, Any]:
        progress: dict[str, Any] = session.get(f"/bulk/queue/{task['taskId']}")
        assert progress["status"] == "COMPLETE"
        return progress

    session.get(f"/bulk/issues/transition?issueIdsOrKeys={named}")
    session.get(f"/bulk/issues/fields?issueIdsOrKeys={named}")
    inputs = [{"selectedIssueIdsOrKeys": keys, "transitionId": "31"}]
    wait(session.post("/bulk/issues/transition", {"bulkTransitionInputs": inputs}))
    assert session.get(f"/issue/{keys[0]}")["fields"]["status"]["name"] == "Done"
    edit = {
        "selectedActions": ["labels", "priority"],
        "selectedIssueIdsOrKeys": keys,
        "editedFieldsInput": {
            "labelsFields": [
                {"fieldId": "labels", "labels": [{"name": "bulk"}], "bulkEditMultiSelectFieldOption": "ADD"}
            ],
            "priority": {"priorityId": "1"},
        },
    }
    wait(session.post("/bulk/issues/fields", edit))
    assert session.get(f"/issue/{keys[1]}")["fields"]["labels"] == ["bulk"]
    target = {
        "issueIdsOrKeys": keys[:1],
        "inferFieldDefaults": True,
        "inferStatusDefaults": True,
        "inferSubtaskTypeDefault": True,
        "inferClassificationDefaults": True,
    }
    types = session.get("/issue/createmeta/TEAM/issuetypes")["issueTypes"]
    task_type = next(entry["id"] for entry in types if entry["name"] == "Task")
    wait(session.post("/bulk/issues/move", {"targetToSourcesMapping": {f"TEAM,{task_type}": target}}))
    assert session.get(f"/issue/{keys[0]}")["fields"]["project"]["key"] == "TEAM"
    wait(session.post("/bulk/issues/watch", {"selectedIssueIdsOrKeys": keys}))
    wait(session.post("/bulk/issues/unwatch", {"selectedIssueIdsOrKeys": keys}))
    progress = wait(session.post("/bulk/issues/delete", {"selectedIssueIdsOrKeys": [*keys, "SCRUM-9999"]}))
    assert progress["invalidOrInaccessibleIssueCount"] == 1
    session.do("GET", f"/issue/{keys[1]}", 404)


def test_searches_answer_as_documented(session: Session) -> None:
    for _ in range(3):
        issue(session, labels=["searched"])
    jql = "labels = searched ORDER BY created"
    page = session.post("/search/jql", {"jql": jql, "maxResults": 2, "fields": ["*all"], "expand": "names,schema"}, 200)
    rest = session.get("/search/jql", params={"jql": jql, "maxResults": 2, "nextPageToken": page["nextPageToken"]})
    assert (len(page["issues"]), len(rest["issues"]), rest["isLast"]) == (2, 1, True)
    assert session.post("/search/approximate-count", {"jql": jql}, 200) == {"count": 3}
    session.do("GET", "/search/jql", 400, params={"jql": ""})
    session.post("/jql/parse?validation=strict", {"queries": [jql]}, 200)
    session.get("/jql/autocompletedata")
    session.get("/issue/picker?query=One")


def test_strangers_and_readers_are_refused_with_documented_statuses(session: Session) -> None:
    key = issue(session)
    url = str(session.client.base_url)
    for auth, status in ((("demo@example.com", "wrong"), 401), (("viewer@example.com", "viewer-token"), 403)):
        with httpx.Client(base_url=url, auth=auth, event_hooks={"response": [session.checker]}) as client:
            assert client.put(f"/issue/{key}", json={"fields": {"summary": "x"}}).status_code == status
            assert client.delete(f"/issue/{key}").status_code == status
            body = {"fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "x"}}
            assert client.post("/issue", json=body).status_code == status
            assert client.post("/project", json={"key": "NO", "name": "No"}).status_code == status
    with httpx.Client(base_url=url, event_hooks={"response": [session.checker]}) as client:
        assert client.get("/myself").status_code == 401
        assert client.get(f"/issue/{key}").status_code == 404
        assert client.get("/project/search").json()["total"] == 0
        assert client.get("/no/such/path").headers["content-type"] == "application/problem+json"
