"""A scripted session over the agile, software and search routes, each answer held against the vendor's documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.testing import SandboxServer
from tests.sandbox import vendor_documents as vendor

pytestmark = pytest.mark.skipif(vendor.ABSENT, reason="the vendor's OpenAPI documents are not beside the repository")

AGILE, SOFTWARE, API = "/rest/agile/1.0", "/rest/software/1.0", "/rest/api/3"


class Session:
    """A client whose every exchange is checked; ``do`` also asserts the status."""

    def __init__(self, url: str) -> None:
        self.checker = vendor.Checker()
        self.client = httpx.Client(
            base_url=url,
            auth=("demo@example.com", "sandbox-token"),
            event_hooks={"response": [self.checker]},
            timeout=10,
        )

    def do(self, method: str, path: str, status: int = 200, body: Any = None, **params: Any) -> Any:
        """Send, assert the status, and give the JSON body if there is one."""
        options: dict[str, Any] = {"params": params} if params else {}
        response = (
            self.client.request(method, path, json=body, **options)
            if body is not None
            else (self.client.request(method, path, **options))
        )
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text[:300]}"
        return response.json() if response.content and "json" in response.headers.get("content-type", "") else None


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with SandboxServer() as sandbox:
        session = Session(sandbox.url)
        with session.client:
            yield session
        assert not session.checker.faults, "\n".join(session.checker.faults)


def issues(session: Session, count: int, project: str = "SCRUM", **fields: Any) -> list[str]:
    """New issues; their keys."""
    base = {"project": {"key": project}, "issuetype": {"name": "Task"}, **fields}
    body = {"issueUpdates": [{"fields": {**base, "summary": f"Ticket {number}"}} for number in range(count)]}
    return [str(issue["key"]) for issue in session.do("POST", f"{API}/issue/bulk", 201, body)["issues"]]


def sprint(session: Session, name: str = "Sprint", board: int = 1) -> int:
    """A new sprint with dates; its id."""
    body = {
        "name": name,
        "originBoardId": board,
        "startDate": "2026-11-23T09:00:00.000+01:00",
        "endDate": "2026-12-04T17:00:00.000+01:00",
        "goal": "Ship",
    }
    return int(session.do("POST", f"{AGILE}/sprint", 201, body)["id"])


def test_boards_answer_as_documented(session: Session) -> None:
    boards = session.do("GET", f"{AGILE}/board", expand="admins,permissions,favourite")["values"]
    assert [board["type"] for board in boards] == ["scrum", "simple", "kanban"]
    assert (
        session.do("GET", f"{AGILE}/board", projectKeyOrId="TEAM", type="simple", name="team", maxResults=1)["total"]
        == 1
    )
    saved = session.do("POST", f"{API}/filter", 200, {"name": "Mine", "jql": "project = SCRUM ORDER BY Rank"})
    new = {"name": "Second", "type": "kanban", "filterId": int(saved["id"])}
    made = session.do(
        "POST", f"{AGILE}/board", 201, {**new, "location": {"type": "project", "projectKeyOrId": "SCRUM"}}
    )
    assert session.do("GET", f"{AGILE}/board/filter/{saved['id']}")["values"][0]["id"] == made["id"]
    session.do("GET", f"{AGILE}/board/{made['id']}/configuration")
    session.do("DELETE", f"{AGILE}/board/{made['id']}", 204)
    session.do("GET", f"{AGILE}/board/{made['id']}", 404)
    session.do("POST", f"{AGILE}/board", 400, {"name": "", "type": "scrum", "filterId": 1})
    for number in (1, 2, 3):
        assert session.do("GET", f"{AGILE}/board/{number}")["id"] == number
        session.do("GET", f"{AGILE}/board/{number}/configuration")
        for part in ("epic", "project", "project/full", "version", "quickfilter", "reports", "features", "properties"):
            session.do("GET", f"{AGILE}/board/{number}/{part}")
    session.do("GET", f"{AGILE}/board/1/quickfilter/1", 404)
    switched = {"boardId": 2, "feature": "ESTIMATION", "enabling": False}
    features = session.do("PUT", f"{AGILE}/board/2/features", 200, switched)["features"]
    assert {f["boardFeature"]: f["state"] for f in features}["ESTIMATION"] == "DISABLED"


def test_properties_of_boards_and_sprints_answer_as_documented(session: Session) -> None:
    number = sprint(session)
    for base in (f"{AGILE}/board/1/properties", f"{AGILE}/sprint/{number}/properties"):
        session.do("PUT", f"{base}/phaseloop", 201, {"iteration": 7})
        session.do("PUT", f"{base}/phaseloop", 200, {"iteration": 8})
        assert session.do("GET", f"{base}/phaseloop")["value"] == {"iteration": 8}
        assert [key["key"] for key in session.do("GET", base)["keys"]] == ["phaseloop"]
        session.do("DELETE", f"{base}/phaseloop", 204)
        session.do("GET", f"{base}/phaseloop", 404)


def test_sprints_and_moves_answer_as_documented(session: Session) -> None:
    keys = issues(session, 6)
    first, second = sprint(session, "First"), sprint(session, "Second")
    session.do("POST", f"{AGILE}/sprint/{first}/issue", 204, {"issues": keys[:3], "rankAfterIssue": keys[5]})
    session.do("POST", f"{AGILE}/sprint/{first}", 200, {"state": "active"})
    session.do("POST", f"{AGILE}/sprint/{second}", 400, {"state": "active"})
    assert session.do("GET", f"{AGILE}/sprint/{first}")["state"] == "active"
    states = session.do("GET", f"{AGILE}/board/1/sprint", state="active,future")["values"]
    assert {s["state"] for s in states} == {"active", "future"}
    session.do("POST", f"{AGILE}/backlog/issue", 204, {"issues": keys[:1]})
    session.do("POST", f"{AGILE}/backlog/1/issue", 204, {"issues": keys[1:2], "rankBeforeIssue": keys[3]})
    session.do("POST", f"{AGILE}/backlog/1/issue", 207, {"issues": [keys[1], "SCRUM-9999"]})
    session.do("POST", f"{AGILE}/board/1/issue", 204, {"issues": keys[1:2]})
    session.do("PUT", f"{AGILE}/issue/rank", 204, {"issues": keys[4:6], "rankBeforeIssue": keys[0]})
    session.do("PUT", f"{AGILE}/issue/rank", 207, {"issues": [keys[4], "SCRUM-9999"], "rankAfterIssue": keys[0]})
    session.do("PUT", f"{AGILE}/issue/rank", 400, {"issues": keys[4:5]})
    session.do("POST", f"{AGILE}/sprint/{first}/swap", 204, {"sprintToSwapWith": second})
    full = {"name": "First", "state": "closed", "startDate": "2026-11-23T09:00:00Z", "endDate": "2026-12-04T09:00:00Z"}
    assert "completeDate" in session.do("PUT", f"{AGILE}/sprint/{first}", 200, full)
    session.do("POST", f"{AGILE}/sprint/{first}/issue", 400, {"issues": keys[:1]})
    session.do("DELETE", f"{AGILE}/sprint/{second}", 204)
    session.do("GET", f"{AGILE}/sprint/{second}", 404)
    session.do("GET", f"{AGILE}/board/3/sprint", 400)


def test_lists_of_issues_answer_as_documented(session: Session) -> None:
    epic = issues(session, 1, issuetype={"name": "Epic"})[0]
    keys = issues(session, 3, parent={"key": epic})
    epic_id = session.do("GET", f"{AGILE}/epic/{epic}")["id"]
    number = sprint(session, "Listed")
    session.do("POST", f"{AGILE}/sprint/{number}/issue", 204, {"issues": keys[:1]})
    lists = (
        "board/1/issue",
        "board/1/backlog",
        "board/1/epic/none/issue",
        f"board/1/epic/{epic_id}/issue",
        f"board/1/sprint/{number}/issue",
        f"sprint/{number}/issue",
        "epic/none/issue",
        f"epic/{epic}/issue",
    )
    for path in lists:
        numbered = session.do("GET", f"{AGILE}/{path}", maxResults=2, expand="names,schema,changelog")
        by_token = session.do("GET", f"{SOFTWARE}/{path}", maxResults=2, fields="summary,sprint,epic")
        assert [i["key"] for i in numbered["issues"]] == [i["key"] for i in by_token["issues"]], path
        if not by_token["isLast"]:
            more = session.do("GET", f"{SOFTWARE}/{path}", maxResults=2, nextPageToken=by_token["nextPageToken"])
            assert not {i["id"] for i in more["issues"]} & {i["id"] for i in by_token["issues"]}
    for path in ("board/1/issue", "board/1/backlog"):
        assert session.do("GET", f"{SOFTWARE}/{path}/approximate-count", jql=f"key = {keys[1]}")["count"] == 1
    session.do("GET", f"{SOFTWARE}/board/1/issue", 400, jql="colour = red")
    session.do("GET", f"{SOFTWARE}/board/1/issue", 400, nextPageToken="broken")


def test_epics_and_estimation_answer_as_documented(session: Session) -> None:
    epic, other = issues(session, 2, issuetype={"name": "Epic"})
    keys = issues(session, 2)
    session.do("POST", f"{AGILE}/epic/{epic}/issue", 204, {"issues": keys})
    session.do("POST", f"{AGILE}/epic/none/issue", 204, {"issues": keys[:1]})
    body = {"name": "Data", "summary": "Data work", "color": {"key": "color_4"}, "done": True}
    assert session.do("POST", f"{AGILE}/epic/{epic}", 200, body)["done"] is True
    found = session.do("GET", f"{AGILE}/epic/{epic}")
    assert (found["name"], found["summary"], found["color"]) == ("Data", "Data work", {"key": "color_4"})
    session.do("PUT", f"{AGILE}/epic/{epic}/rank", 204, {"rankAfterEpic": other})
    session.do("GET", f"{AGILE}/epic/{keys[0]}", 404)
    session.do("PUT", f"{AGILE}/issue/{keys[0]}/estimation?boardId=1", 200, {"value": "8.0"})
    assert session.do("GET", f"{AGILE}/issue/{keys[0]}/estimation", boardId=1)["value"] == 8.0
    assert session.do("GET", f"{AGILE}/issue/{keys[0]}")["fields"]["customfield_10024"] == 8.0
    team = issues(session, 1, "TEAM", issuetype={"name": "Epic"})[0]
    session.do("POST", f"{AGILE}/epic/{team}/issue", 400, {"issues": keys})


def test_searches_answer_as_documented(session: Session) -> None:
    issues(session, 3)
    expand = "names,schema,renderedFields,changelog,transitions,operations,editmeta,versionedRepresentations"
    asked = {"jql": "project = SCRUM", "fields": ["*all"], "expand": expand, "maxResults": 2, "properties": ["p"]}
    page = session.do("POST", f"{API}/search/jql", 200, asked)
    assert len(page["issues"]) == 2
    session.do("POST", f"{API}/search/jql", 200, {**asked, "nextPageToken": page["nextPageToken"]})
    session.do(
        "GET", f"{API}/search/jql", jql="project = SCRUM", fields="summary,status", reconcileIssues=[10000, 10001]
    )
    session.do("POST", f"{API}/search/approximate-count", 200, {"jql": "project = SCRUM"})
    session.do("POST", f"{API}/search/jql", 400, {"jql": "order by created"})
    session.do("GET", f"{API}/search/jql", 400, jql="project = NOPE")
    queries = {"queries": ["project = SCRUM AND labels in (a, b) ORDER BY rank", "colour = red", "a ="]}
    parsed = session.do("POST", f"{API}/jql/parse", 200, queries)["queries"]
    assert ["errors" in query for query in parsed] == [False, True, True]
    match = {"issueIds": [10000, 10001], "jqls": ["project = SCRUM", "colour = red"]}
    assert session.do("POST", f"{API}/jql/match", 200, match)["matches"][0]["matchedIssues"] == [10000, 10001]
    session.do("GET", f"{API}/jql/autocompletedata")
    session.do("POST", f"{API}/jql/autocompletedata", 200, {"projectIds": [10000]})
    session.do("GET", f"{API}/issue/picker", query="ticket", currentJQL="project = SCRUM")


def test_dynamic_webhooks_are_refused_as_documented(session: Session) -> None:
    body = {
        "url": "https://example.com/hook",
        "webhooks": [{"events": ["jira:issue_created"], "jqlFilter": "project = X"}],
    }
    session.do("POST", f"{API}/webhook", 403, body)
    for path in ("webhook", "webhook/failed"):
        session.do("GET", f"{API}/{path}", 403)


def test_the_session_met_every_operation_of_the_software_document(session: Session) -> None:
    every = {operation.name for operation in vendor.operations() if operation.document == "jira-software.json"}
    assert every - session.checker.seen == set()
