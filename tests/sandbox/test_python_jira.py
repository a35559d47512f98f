"""The python client ``jira`` against a sandbox, as its users would use it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from jira import JIRA, JIRAError

from sandbox.testing import SandboxServer

DATES = {"startDate": "2026-11-23T09:00:00.000Z", "endDate": "2026-12-04T17:00:00.000Z"}


@pytest.fixture(params=["2", "3"])
def client(sandbox: SandboxServer, request: pytest.FixtureRequest) -> Iterator[JIRA]:
    client = JIRA(
        sandbox.url,
        basic_auth=("demo@example.com", "sandbox-token"),
        options={"rest_api_version": request.param},
        max_retries=0,
        timeout=10,
        validate=True,
    )
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
