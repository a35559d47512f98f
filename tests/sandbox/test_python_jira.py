"""The python client ``jira`` against a sandbox, as its users would use it, and each exchange as documented."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jira import JIRA, JIRAError

from sandbox.testing import SandboxServer
from tests.sandbox import vendor_documents as vendor
from tests.sandbox.validating_proxy import ValidatingProxy

DATES = {"startDate": "2026-11-23T09:00:00.000Z", "endDate": "2026-12-04T17:00:00.000Z"}


@pytest.fixture
def address(sandbox: SandboxServer) -> Iterator[str]:
    """The sandbox behind a proxy that holds every exchange against the vendor's documents, where these are at hand."""
    if vendor.ABSENT:
        yield sandbox.url
        return
    with ValidatingProxy(sandbox.url) as proxy:
        yield proxy.url
    assert proxy.checker.faults == []


@pytest.fixture(params=["2", "3"])
def client(address: str, request: pytest.FixtureRequest) -> Iterator[JIRA]:
    """A client with its own defaults: it retries, and waits as long as it takes."""
    options = {"rest_api_version": request.param}
    client = JIRA(address, basic_auth=("demo@example.com", "sandbox-token"), options=options, validate=True)
    yield client
    client.close()


def rich(client: JIRA, words: str) -> Any:
    """Text in the form that the client's API version takes."""
    if client._options["rest_api_version"] == "2":
        return words
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": words}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


def test_it_creates_finds_changes_and_deletes_issues(client: JIRA) -> None:
    made = client.create_issue(project="SCRUM", summary="One", issuetype="Task", description=rich(client, "text"))
    made.update(summary="Two", labels=[{"add": "a"}])
    made.add_field_value("labels", "b")
    client.add_comment(made, rich(client, "hello"))
    client.assign_issue(made, client.current_user())
    client.transition_issue(made, "Done")
    found = client.issue(made.key, expand="changelog")
    assert (found.fields.summary, found.fields.labels, found.fields.status.name) == ("Two", ["a", "b"], "Done")
    assert found.fields.assignee.accountId == client.myself()["accountId"]
    assert len(client.comments(made.key)) == 1
    fields = {item.field for history in found.changelog.histories for item in history.items}
    assert fields == {"summary", "labels", "assignee", "status", "resolution"}
    found.delete()
    with pytest.raises(JIRAError, match="Issue does not exist"):
        client.issue(made.key)


def test_it_creates_many_and_hears_which_one_failed(client: JIRA) -> None:
    good = {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "x"}
    results = client.create_issues([good, {**good, "labels": ["a b"]}, dict(good)])
    assert [result["status"] for result in results] == ["Success", "Error", "Success"]
    assert results[1]["error"] == {"labels": "The label 'a b' contains spaces which is invalid."}


def test_it_searches_page_by_page(client: JIRA) -> None:
    for number in range(120):
        client._session.post(
            client._get_url("issue"),
            json={"fields": {"project": {"key": "KANBAN"}, "issuetype": {"name": "Task"}, "summary": f"{number}"}},
        )
    assert len(client.search_issues("project = KANBAN", maxResults=False)) == 120
    assert client.approximate_issue_count("project = KANBAN") == 120


def test_it_runs_a_sprint_from_start_to_close(client: JIRA) -> None:
    board = client.boards(projectKeyOrID="SCRUM")[0]
    key = client.create_issue(project="SCRUM", summary="x", issuetype="Story").key
    sprint = client.create_sprint("Iteration 1", board.id, goal="a model", **DATES)
    client.add_issues_to_sprint(sprint.id, [key])
    client.update_sprint(sprint.id, name="Iteration 1", state="active", **DATES)
    assert [entry.name for entry in client.sprints(board.id, state="active")] == ["Iteration 1"]
    client.update_sprint(sprint.id, name="Iteration 1", state="closed", **DATES)
    assert client.sprint(sprint.id).state == "closed"
    assert client.issue(key).fields.customfield_10020[0].state == "closed"


def test_it_creates_a_project_with_its_board(client: JIRA) -> None:
    key = f"NEW{client._options['rest_api_version']}"
    made = client.create_project(
        key, f"New {key}", template_name="com.pyxis.greenhopper.jira:gh-simplified-scrum-classic"
    )
    assert made["key"] == key
    assert [board.type for board in client.boards(projectKeyOrID=key)] == ["scrum"]
    assert client.delete_project(key)


def test_it_creates_a_team_managed_project_and_one_from_its_own_default(client: JIRA) -> None:
    key = f"OWN{client._options['rest_api_version']}"
    assert client.create_project(key)["key"] == key
    team = client.create_project(
        f"{key}T", f"{key} T", template_name="com.pyxis.greenhopper.jira:gh-simplified-agility-scrum"
    )
    assert client.project(team["key"]).style == "next-gen"
    assert [board.type for board in client.boards(projectKeyOrID=team["key"])] == ["simple"]


def test_it_keeps_versions_components_filters_and_boards(client: JIRA) -> None:
    version = client.create_version("1.0", "SCRUM", releaseDate="2026-12-01")
    version.update(name="1.1", released=True)
    component = client.create_component("Model", "SCRUM", description="d")
    made = client.create_issue(
        project="SCRUM", summary="x", issuetype="Task", fixVersions=[{"name": "1.1"}], components=[{"name": "Model"}]
    )
    assert client.version_count_related_issues(version.id)["issuesFixedCount"] == 1
    assert client.component_count_related_issues(component.id) == 1
    saved = client.create_filter("Models", jql="component = Model ORDER BY Rank", favourite=True)
    board = client.create_board("Models", saved.id, location_type="project", location_id="SCRUM")
    assert [issue.key for issue in client.search_issues(saved.jql, maxResults=False)] == [made.key]
    board.delete()
    version.delete()
    assert client.issue(made.key).fields.fixVersions == []


def test_it_changes_comments_properties_worklogs_and_remote_links(client: JIRA) -> None:
    made = client.create_issue(project="SCRUM", summary="x", issuetype="Task")
    comment = client.add_comment(made, rich(client, "first"))
    comment.update(body=rich(client, "second"))
    client.add_issue_property(made, "own", {"a": 1})
    worklog = client.add_worklog(made, timeSpent="1h")
    worklog.update(timeSpent="2h")
    link = client.add_simple_link(made, {"url": "https://example.com", "title": "One"})
    link.update({"url": "https://example.com", "title": "Two"})
    found = client.issue(made.key, expand="renderedFields,transitions")
    assert "second" in found.renderedFields.comment.comments[0].body
    assert (client.issue_property(made, "own").value.a, found.fields.timespent) == (1, 7200)
    assert client.remote_link(made, link.id).object.title == "Two"
    client.issue_property(made, "own").delete()
    worklog.delete()
    comment.delete()
    link.delete()
    assert client.issue_properties(made) + client.worklogs(made) + client.comments(made) == []
    assert client.remote_links(made) == []


def test_it_reads_what_a_project_offers(client: JIRA) -> None:
    made = client.createmeta("SCRUM", expand="projects.issuetypes.fields")
    assert "summary" in made["projects"][0]["issuetypes"][0]["fields"]
    assert {kind.name for kind in client.issue_types_for_project(client.project("SCRUM").id)} >= {"Epic", "Task"}
    assert "ML 1" in {
        user.displayName for user in client.search_assignable_users_for_issues("", project="SCRUM", query="ml")
    }
    assert client.my_permissions("SCRUM", permissions="CREATE_ISSUES")["permissions"]["CREATE_ISSUES"]["havePermission"]
    assert {field["id"] for field in client.fields()} >= {"summary", "customfield_10020"}
    for listed in (client.priorities(), client.resolutions(), client.statuses(), client.issue_link_types()):
        assert listed


def test_it_moves_issues_between_sprint_backlog_and_epic(client: JIRA) -> None:
    board = client.boards(projectKeyOrID="SCRUM")[0]
    epic = client.create_issue(project="SCRUM", summary="epic", issuetype="Epic")
    one, two = (client.create_issue(project="SCRUM", summary=name, issuetype="Story") for name in ("one", "two"))
    sprint = client.create_sprint("Next", board.id)
    client.add_issues_to_sprint(sprint.id, [one.key, two.key])
    client.move_to_backlog([two.key])
    client.rank(two.key, next_issue=one.key)
    client.add_issues_to_epic(epic.id, [two.key])
    assert [issue.key for issue in client.search_issues(f"sprint = {sprint.id}")] == [one.key]
    assert [issue.key for issue in client.search_issues(f"parent = {epic.key}")] == [two.key]
    ranked = client.search_issues(f"key in ({one.key}, {two.key}) ORDER BY Rank", fields="summary")
    assert [issue.key for issue in ranked] == [two.key, one.key]
    sprint.delete()
    assert client.issue(one.key).fields.customfield_10020 is None


def test_it_attaches_links_watches_and_logs_work(client: JIRA) -> None:
    one = client.create_issue(project="SCRUM", summary="one", issuetype="Task")
    two = client.create_issue(project="SCRUM", summary="two", issuetype="Epic")
    client.add_attachment(one, io.BytesIO(b"content"), "card.md")
    client.create_issue_link("Blocks", one.key, two.key)
    client.add_remote_link(one.key, {"url": "https://example.com", "title": "Card"}, globalId="card")
    client.add_watcher(one.key, client.myself()["accountId"])
    client.add_worklog(one, timeSpent="1h 30m")
    found = client.issue(one.key)
    assert found.fields.attachment[0].get() == b"content"
    assert found.fields.issuelinks[0].outwardIssue.key == two.key
    assert found.fields.watches.watchCount == 1
    assert found.fields.timespent == 5400
    assert [link.globalId for link in client.remote_links(one.key)] == ["card"]


def test_wrong_credentials_are_refused(sandbox: SandboxServer) -> None:
    with pytest.raises(JIRAError) as caught:
        JIRA(sandbox.url, basic_auth=("demo@example.com", "wrong"), max_retries=0, timeout=10)
    assert caught.value.status_code == 401


@pytest.mark.skipif(vendor.ABSENT, reason="the vendor's OpenAPI documents are not beside the repository")
def test_the_proxy_tells_answers_and_requests_that_are_not_documented(sandbox: SandboxServer) -> None:
    with ValidatingProxy(sandbox.url) as proxy, httpx.Client(base_url=proxy.url) as plain:
        plain.auth = ("demo@example.com", "sandbox-token")
        plain.post("/sandbox/faults", json={"action": "status", "status": 418, "path": "/myself$"})
        plain.post("/sandbox/faults", json={"action": "status", "status": 200, "body": {"id": 1}, "path": "/status/3$"})
        plain.post("/sandbox/faults", json={"action": "status", "status": 200, "body": "html", "path": "/serverInfo$"})
        plain.get("/rest/api/2/myself")
        plain.get("/rest/api/3/status/3")
        plain.get("/rest/api/3/serverInfo")
        plain.get("/rest/api/3/priority/1")
    assert [fault.split(" ")[0] for fault in proxy.checker.faults] == ["getCurrentUser", "getStatus", "getServerInfo"]
    assert proxy.checker.seen == {"getCurrentUser", "getStatus", "getServerInfo", "getPriority"}
