"""What a Jira site calls its things does not matter: they are known by what they are, asked for where it is not clear,
and kept by their ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from tests import plain
from tests.integration.conftest import SMALL, TEAM_FILE, Answer, Installation

NEW_TYPE = {"type": "standard"}


class Site:
    """The site, as its administrator sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = plain.request(
            method, f"{self.url}/rest/{path}", json=body, params=query, auth=(DEMO_EMAIL, DEMO_TOKEN)
        )
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    def rename_type(self, old: str, new: str) -> None:
        found = next(one for one in self.send("GET", "api/2/issuetype") if one["name"] == old and "scope" not in one)
        self.send("PUT", f"api/2/issuetype/{found['id']}", {"name": new})

    def rename_priorities(self, *names: str) -> None:
        listed = self.send("GET", "api/2/priority")
        for one, name in zip(listed, names, strict=False):
            self.send("PUT", f"api/2/priority/{one['id']}", {"name": name})
        for one in listed[len(names) :]:
            self.delete_priority(one["id"])

    def delete_priority(self, identity: str) -> None:
        answer = plain.delete(f"{self.url}/rest/api/2/priority/{identity}", auth=(DEMO_EMAIL, DEMO_TOKEN))
        assert answer.status_code == 303, answer.text

    def reword_blocks(self, name: str, inward: str, outward: str) -> str:
        kinds = self.send("GET", "api/2/issueLinkType")["issueLinkTypes"]
        found = next(one for one in kinds if one["name"] == "Blocks")
        words = {"name": name, "inward": inward, "outward": outward}
        self.send("PUT", f"api/2/issueLinkType/{found['id']}", words)
        return str(found["id"])

    def board(self, name: str, jql: str, project: str = "SCRUM") -> int:
        saved = self.send("POST", "api/2/filter", {"name": name, "jql": jql})
        location = {"type": "project", "projectKeyOrId": project}
        body = {"name": name, "type": "scrum", "filterId": int(saved["id"]), "location": location}
        return int(self.send("POST", "agile/1.0/board", body)["id"])

    def boards(self) -> dict[str, int]:
        return {one["name"]: one["id"] for one in self.send("GET", "agile/1.0/board")["values"]}

    def issues(self) -> dict[str, dict[str, Any]]:
        """What is in the project, by title."""
        body = {"jql": "project = SCRUM", "fields": ["*all"], "maxResults": 100}
        found = self.send("POST", "api/2/search/jql", body)["issues"]
        return {one["fields"]["summary"]: one["fields"] for one in found}

    def reads(self, title: str, other: str) -> str:
        """What one ticket reads of another."""
        for link in self.issues()[title]["issuelinks"]:
            for side, wording in (("inwardIssue", "inward"), ("outwardIssue", "outward")):
                if link.get(side, {}).get("fields", {}).get("summary") == other:
                    return str(link["type"][wording])
        return ""


@pytest.fixture
def site(sandbox: SandboxServer) -> Site:
    return Site(sandbox.url)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A small process in which one ticket is urgent and another can wait."""
    text = SMALL.read_text(encoding="utf-8")
    for key, priority in (("goals", "high"), ("load", "medium"), ("judge", "low")):
        text = text.replace(f"{{key: {key}, title: ", f"{{key: {key}, priority: {priority}, title: ")
    path = tmp_path / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def plan(connected: Installation, template: Path) -> Any:
    def make(code: int = 2, *more: str) -> dict[str, Any]:
        given = ("--template", template, "--team", TEAM_FILE, "--set", "start_date=2027-01-04", "--connection", "jira")
        found: dict[str, Any] = connected.ok("plan", "SCRUM", *given, *more, "--json", code=code).json
        return found

    return make


def mapped(installation: Installation, *more: str, code: int = 0) -> dict[str, Any]:
    answer = installation.ok("connections", "map", "jira", "--project", "SCRUM", *more, "--json", code=code)
    return {one["role"]: one for one in answer.json["roles"]}


def codes(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = [(one["severity"], one["code"], one["subject"]) for one in document["findings"]]
    return [one for one in found if one[1].startswith("mapping")]


def said(document: dict[str, Any], subject: str) -> str:
    return next(f"{one['message']} {one['fix']}" for one in document["findings"] if one["subject"] == subject)


# --- dependencies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "inward", "outward", "waits"),
    [
        ("Blocks", "is blocked by", "blocks", "is blocked by"),
        ("Blocks", "blocks", "is blocked by", "is blocked by"),
        ("Dependency", "is needed by", "depends on", "depends on"),
        ("Abhängigkeit", "wird benötigt von", "hängt ab von", "hängt ab von"),
        ("Abhängigkeit", "hängt ab von", "wird benötigt von", "hängt ab von"),
        ("Blocage", "est bloqué par", "bloque", "est bloqué par"),
        ("Blocage", "bloque", "est bloqué par", "est bloqué par"),
    ],
)
def test_a_ticket_that_waits_reads_so_whichever_way_round_the_link_type_is_worded(
    connected: Installation, site: Site, plan: Any, name: str, inward: str, outward: str, waits: str
) -> None:
    site.reword_blocks(name, inward, outward)
    assert codes(plan()) == []
    connected.ok("apply", "SCRUM")
    assert site.reads("Load the data", "Set the goals") == waits
    assert site.reads("Train a model", "Load the data") == waits
    again = connected.ok("plan", "SCRUM", "--json").json
    assert (again["summary"]["create"], again["drift"]) == (0, [])


def test_a_link_type_of_unknown_words_is_asked_for_and_read_as_it_was_said(
    connected: Installation, site: Site, plan: Any
) -> None:
    identity = site.reword_blocks("Folge", "Vorgänger", "Nachfolger")
    found = plan(1)
    assert codes(found) == [("error", "mapping-unclear", "link-type")]
    assert f"'Vorgänger' (id {identity}:inward" in said(found, "link-type")
    assert "phaseloop connections map jira --project SCRUM --set link-type=" in said(found, "link-type")
    connected.ok("apply", "SCRUM", code=1)
    assert site.issues() == {}

    entry = mapped(connected, "--set", "link-type=nachfolger")["link-type"]

    assert (entry["id"], entry["name"], entry["found"]) == (f"{identity}:outward", "Nachfolger", "set")
    assert entry["how"].startswith("set by ")
    assert codes(plan()) == []
    connected.ok("apply", "SCRUM")
    assert site.reads("Load the data", "Set the goals") == "Nachfolger"


def test_dependencies_are_left_out_if_somebody_says_so(connected: Installation, site: Site, plan: Any) -> None:
    site.reword_blocks("Folge", "Vorgänger", "Nachfolger")
    plan(1)
    assert mapped(connected, "--set", "link-type=none")["link-type"]["found"] == "off"
    plan()
    connected.ok("apply", "SCRUM")
    assert [one["issuelinks"] for one in site.issues().values() if one["issuelinks"]] == []


# --- issue types -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["Aufgabe", "Tâche", "タスク"])
def test_the_type_of_tickets_is_known_in_other_languages(
    connected: Installation, site: Site, plan: Any, task: str
) -> None:
    site.rename_type("Task", task)
    assert codes(plan()) == []
    connected.ok("apply", "SCRUM")
    assert site.issues()["Load the data"]["issuetype"]["name"] == task


def test_where_no_type_is_a_task_by_name_it_is_asked_for(connected: Installation, site: Site, plan: Any) -> None:
    site.rename_type("Task", "Work package")
    found = plan(1)
    assert codes(found) == [("error", "mapping-unclear", "ticket-type")]
    for name in ("Work package", "Story", "Bug"):
        assert repr(name) in said(found, "ticket-type")
    connected.ok("apply", "SCRUM", code=1)
    assert site.issues() == {}

    mapped(connected, "--set", "ticket-type=work package")
    plan()
    connected.ok("apply", "SCRUM")

    kinds = {title: one["issuetype"]["name"] for title, one in site.issues().items()}
    assert kinds["Load the data"] == "Work package"
    assert set(kinds.values()) == {"Work package", "Epic"}


def test_a_type_that_is_renamed_later_stays_the_type(connected: Installation, site: Site, plan: Any) -> None:
    plan()
    connected.ok("apply", "SCRUM")
    kept = mapped(connected)["ticket-type"]
    site.rename_type("Task", "Work package")
    now = mapped(connected)["ticket-type"]
    assert (now["id"], now["name"], now["found"]) == (kept["id"], "Work package", "convention")
    again = connected.ok("plan", "SCRUM", "--set", "meetings=true", "--json", code=2).json
    assert codes(again) == []
    connected.ok("apply", "SCRUM")
    assert {one["issuetype"]["name"] for one in site.issues().values()} == {"Work package", "Epic"}


def test_a_type_that_is_gone_is_named_and_nothing_takes_its_place(
    connected: Installation, site: Site, plan: Any
) -> None:
    plan()
    connected.ok("apply", "SCRUM")
    types = {one["name"]: one["id"] for one in site.send("GET", "api/2/issuetype") if "scope" not in one}
    site.send("DELETE", f"api/2/issuetype/{types['Task']}", alternativeIssueTypeId=types["Story"])
    found = connected.ok("plan", "SCRUM", "--set", "meetings=true", "--json", code=1).json
    assert codes(found) == [("error", "mapping-gone", "ticket-type")]
    assert "'Task'" in said(found, "ticket-type")


def test_a_new_project_stays_empty_until_it_is_said_what_tickets_become(
    connected: Installation, site: Site, template: Path
) -> None:
    site.rename_type("Task", "Work package")
    given = ("--template", template, "--team", TEAM_FILE, "--set", "start_date=2027-01-04")
    connected.ok("plan", "FRESH", "--create", *given, code=2)
    stopped = connected.ok("apply", "FRESH", code=1)
    assert "ticket-type" in stopped.out + stopped.err
    body = {"jql": "project = FRESH", "fields": ["summary"]}
    assert site.send("POST", "api/2/search/jql", body)["issues"] == []

    connected.ok("connections", "map", "jira", "--project", "FRESH", "--set", "ticket-type=Work package")
    connected.ok("plan", "FRESH", code=2)
    connected.ok("apply", "FRESH")

    found = site.send("POST", "api/2/search/jql", {**body, "fields": ["issuetype"], "maxResults": 100})["issues"]
    assert {one["fields"]["issuetype"]["name"] for one in found} == {"Work package", "Epic"}


# --- priorities ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "kept", "guessed"),
    [
        (("Höchste", "Hoch", "Mittel", "Niedrig", "Niedrigste"), ("Hoch", "Mittel", "Niedrig"), False),
        (("P0", "P1", "P2", "P3"), ("P1", "P2", "P3"), True),
        (("P0", "P1", "P2", "P3", "P4"), ("P1", "P2", "P3"), True),
    ],
)
def test_priorities_of_other_names_are_kept(
    connected: Installation, site: Site, plan: Any, names: tuple[str, ...], kept: tuple[str, ...], guessed: bool
) -> None:
    site.rename_priorities(*names)
    found = plan()
    roles = ("priority-high", "priority-medium", "priority-low")
    assert codes(found) == ([("warning", "mapping-guessed", role) for role in roles] if guessed else [])
    connected.ok("apply", "SCRUM")
    issues = site.issues()
    assert (
        tuple(issues[title]["priority"]["name"] for title in ("Set the goals", "Load the data", "Judge the model"))
        == kept
    )


def test_priorities_that_no_order_tells_are_asked_for(connected: Installation, site: Site, plan: Any) -> None:
    listed = {one["name"]: one["id"] for one in site.send("GET", "api/2/priority")}
    for name in ("High", "Low", "Lowest"):
        site.delete_priority(listed[name])
    site.rename_priorities("Sofort", "Bald")
    found = plan()
    roles = ("priority-high", "priority-medium", "priority-low")
    assert codes(found) == [("warning", "mapping-unclear", role) for role in roles]
    assert "It is left out until somebody says so" in said(found, "priority-high")
    mapped(connected, "--set", "priority-high=Sofort", "--set", "priority-medium=Bald", "--set", "priority-low=none")
    assert codes(plan()) == []
    connected.ok("apply", "SCRUM")
    assert site.issues()["Set the goals"]["priority"]["name"] == "Sofort"


# --- boards ----------------------------------------------------------------------------------------------------------


def sprints(site: Site, board: int) -> list[str]:
    return [one["name"] for one in site.send("GET", f"agile/1.0/board/{board}/sprint")["values"]]


def test_a_board_whose_filter_shows_another_project_is_not_chosen(
    connected: Installation, site: Site, plan: Any
) -> None:
    [own] = [identity for name, identity in site.boards().items() if "SCRUM" in name]
    other = site.board("Other team", "project = TEAM ORDER BY Rank")
    saved = site.send("GET", f"agile/1.0/board/{own}/configuration")["filter"]["id"]
    site.send("PUT", f"api/2/filter/{saved}", {"name": "Theirs", "jql": "project = KANBAN ORDER BY Rank"})
    right = site.board("Ours", 'project = "Scrum project" ORDER BY Rank')
    assert codes(plan()) == []
    connected.ok("apply", "SCRUM")
    assert sprints(site, right) == ["Small 1"]
    assert (sprints(site, own), sprints(site, other)) == ([], [])


def test_where_no_board_shows_the_project_it_is_asked_for(connected: Installation, site: Site, plan: Any) -> None:
    [own] = [identity for name, identity in site.boards().items() if "SCRUM" in name]
    saved = site.send("GET", f"agile/1.0/board/{own}/configuration")["filter"]["id"]
    site.send("PUT", f"api/2/filter/{saved}", {"name": "Bugs", "jql": "project = SCRUM AND issuetype = Bug"})
    found = plan(1)
    assert codes(found) == [("error", "mapping-unclear", "board")]
    assert "issuetype = Bug" in said(found, "board")
    mapped(connected, "--set", f"board={own}")
    plan()
    connected.ok("apply", "SCRUM")
    assert sprints(site, own) == ["Small 1"]


def test_of_several_boards_somebody_chooses(connected: Installation, site: Site, plan: Any) -> None:
    second = site.board("Second", "project = SCRUM ORDER BY Rank")
    found = plan(1)
    assert codes(found) == [("error", "mapping-unclear", "board")]
    assert mapped(connected, "--set", "board=Second")["board"]["id"] == str(second)
    plan()
    connected.ok("apply", "SCRUM")
    assert sprints(site, second) == ["Small 1"]


def test_a_second_board_that_comes_later_changes_nothing(connected: Installation, site: Site, plan: Any) -> None:
    plan()
    connected.ok("apply", "SCRUM")
    before = mapped(connected)["board"]
    site.board("Second", "project = SCRUM ORDER BY Rank")
    now = mapped(connected)["board"]
    assert (now["id"], now["found"]) == (before["id"], before["found"])
    assert codes(connected.ok("plan", "SCRUM", "--json").json) == []


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_mapping_is_shown_with_how_it_was_found(connected: Installation) -> None:
    shown = connected.ok("connections", "map", "jira", "--project", "SCRUM").out
    for words in ("ticket-type", "Task", "by convention", "link-type", "is blocked by", "board", "only one"):
        assert words in shown
    checked = connected.ok("connections", "check", "jira", "--project", "SCRUM").out
    assert "found by convention: ticket-type Task" in " ".join(checked.split())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("ticket-tipe=Task", "ticket-type"),
        ("ticket-type=Nonsense", "Story"),
        ("ticket-type", "ROLE=NAME_OR_ID"),
        ("board=none of these", "board"),
    ],
)
def test_a_value_that_is_not_there_is_refused_with_what_there_is(
    connected: Installation, given: str, words: str
) -> None:
    answer: Answer = connected.ok("connections", "map", "jira", "--project", "SCRUM", "--set", given, code=1)
    assert words in answer.err
    assert mapped(connected)["ticket-type"]["found"] == "convention"


def test_what_was_set_is_let_go_of(connected: Installation) -> None:
    assert mapped(connected, "--set", "ticket-type=Story")["ticket-type"]["name"] == "Story"
    assert mapped(connected)["ticket-type"]["found"] == "set"
    assert mapped(connected, "--unset", "ticket-type")["ticket-type"]["found"] == "convention"


def test_a_plan_from_before_is_stale_once_something_was_set(connected: Installation, plan: Any) -> None:
    old = plan()
    mapped(connected, "--set", "ticket-type=Story")
    assert "stale" in connected.ok("apply", old["id"], code=1).err
