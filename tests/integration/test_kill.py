"""A killed process: its run continues at the next start, and each item exists once."""

from __future__ import annotations

import signal
from collections import Counter

import pytest
from jira import JIRA

from sandbox.testing import SandboxServer
from tests.integration.conftest import TEAM_FILE, Controls, Installation
from tests.waiting import eventually

NEW = ("plan", "SCRUM", "--team", TEAM_FILE, "--set", "start_date=2027-01-04", "--json")


def everything(jira: JIRA, sandbox: SandboxServer) -> tuple[Counter[str], Counter[str], int]:
    """Issues by summary, sprints by name, number of links; straight from the tracker."""
    issues = jira.search_issues("project = SCRUM", maxResults=False)
    sprints = jira.sprints(jira.boards(projectKeyOrID="SCRUM")[0].id)
    links = {link.id for issue in issues for link in issue.fields.issuelinks}
    return Counter(i.fields.summary for i in issues), Counter(s.name for s in sprints), len(links)


def test_a_run_killed_after_a_create_but_before_its_answer_makes_nothing_twice(
    connected: Installation, controls: Controls, jira: JIRA, sandbox: SandboxServer
) -> None:
    plan = connected.ok(*NEW, code=2).json
    # The second bulk create is done by Jira and its answer never comes; that is when the process is killed.
    controls.set("faults", action="hang", done=True, method="POST", path="/issue/bulk$", skip=1)
    with connected.process("apply", plan["id"]) as process:
        eventually(lambda: struck(controls) == 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    controls.clear("faults")

    run = connected.ok("apply", plan["id"], "--json").json

    assert run["state"] == "completed"
    issues, sprints, links = everything(jira, sandbox)
    wanted = Counter(change["title"] for change in plan["changes"] if change["kind"] in ("epic", "ticket"))
    assert issues == wanted
    assert set(sprints.values()) == {1}
    assert links == sum(1 for change in plan["changes"] if change["kind"] == "link")
    assert connected.ok("plan", "SCRUM", "--json").json["summary"]["create"] == 0


@pytest.mark.parametrize("path", ["/rest/agile/1.0/sprint$", "/sprint/\\d+/issue$", "/issue/bulk$"])
def test_a_lost_answer_makes_nothing_twice(
    connected: Installation, controls: Controls, jira: JIRA, sandbox: SandboxServer, path: str
) -> None:
    plan = connected.ok(*NEW, code=2).json
    controls.set("faults", action="lose", method="POST", path=path, skip=1)

    run = connected.ok("apply", plan["id"], "--json").json

    assert run["state"] == "completed"
    issues, sprints, _links = everything(jira, sandbox)
    assert set(issues.values()) == {1}
    assert len(issues) == 16 + 51
    assert set(sprints.values()) == {1}


def struck(controls: Controls) -> int:
    """How often the first scripted fault has struck."""
    faults = controls.get("faults")
    rules = faults if isinstance(faults, list) else faults.get("faults", [])
    return int(rules[0]["struck"])
