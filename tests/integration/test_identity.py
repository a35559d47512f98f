"""A project of a tracker is set up once, however it is named; and stays itself, however it is renamed. By the command
line, in both trackers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from sandbox.testing import SandboxServer
from service.store.database import Database
from service.store.tables import ProjectRow
from tests.integration.conftest import SMALL, TEAM_FILE, Installation
from tests.integration.desks import JiraDesk, TrelloDesk

SET_UP = ("--template", SMALL, "--team", TEAM_FILE, "--set", "start_date=2027-01-04")


@dataclass
class Case:
    """One tracker, with a home folder of ours and the connection `first` to it."""

    name: str
    installation: Installation
    desk: Any
    key: str
    """The key of a project that is there."""

    @property
    def spellings(self) -> list[str]:
        if self.name == "jira":
            url = self.desk.url
            return [
                "scrum",
                " SCRUM ",
                "10000",
                f"{url}/browse/SCRUM",
                f"{url}/jira/software/c/projects/SCRUM/boards/1",
            ]
        board = self.board()
        return ["demo board", "DEMO  BOARD", board["shortLink"], board["id"], board["url"]]

    def board(self) -> dict[str, Any]:
        boards = self.desk.send("GET", "members/me/boards", params={"fields": "name,shortLink,url,closed"})
        return next(one for one in boards if not one["closed"] and one["name"].startswith("Demo board"))

    def titles(self, key: str = "") -> list[str]:
        """The titles of everything that stands in the project."""
        if self.name == "jira":
            body = {"jql": f"project = {key or self.key}", "fields": ["summary"], "maxResults": 100}
            found = self.desk.send("POST", "api/2/search/jql", json=body)["issues"]
            return sorted(one["fields"]["summary"] for one in found)
        cards = self.desk.send("GET", f"boards/{self.board()['id']}/cards", params={"filter": "all"})
        return sorted(one["name"] for one in cards)

    def projects(self, name: str) -> int:
        """How many projects of that key, or boards of that name, there are."""
        if self.name == "jira":
            found = self.desk.send("GET", "api/2/project/search")["values"]
            return sum(one["key"] == name for one in found)
        boards = self.desk.send("GET", "members/me/boards", params={"fields": "name,closed"})
        return sum(one["name"].casefold() == name.casefold() and not one["closed"] for one in boards)

    def rename(self, now: str, to: str) -> str:
        """Give the project another key, or the board another name."""
        if self.name == "jira":
            return str(self.desk.send("PUT", f"api/2/project/{now}", json={"key": to})["key"])
        board = self.board()["id"]
        return str(self.desk.send("PUT", f"boards/{board}", json={"name": f"Demo board {to}"})["name"])

    def replace(self) -> None:
        """Delete the project for good, and make another one of the same key."""
        if self.name == "jira":
            self.desk.send("DELETE", "api/2/project/SCRUM", params={"enableUndo": "false"})
            lead = self.desk.send("GET", "api/2/myself")["accountId"]
            body = {"key": "SCRUM", "name": "Another", "projectTypeKey": "software", "leadAccountId": lead}
            template = "com.pyxis.greenhopper.jira:gh-simplified-scrum-classic"
            self.desk.send("POST", "api/2/project", json={**body, "projectTemplateKey": template})
        else:
            self.desk.send("DELETE", f"boards/{self.board()['id']}")
            self.desk.send("POST", "boards", json={"name": "Demo board"})

    def plan(self, key: str, *more: object, code: int = 2) -> dict[str, Any]:
        found: dict[str, Any] = self.installation.ok("plan", key, *more, "--json", code=code).json
        return found

    def store(self, change: Callable[[], Any]) -> None:
        database = Database(f"sqlite:///{self.installation.home / 'phaseloop.db'}")
        with database.session() as session:
            session.execute(change())
        database.dispose()


def _connect(installation: Installation, name: str, tracker: str, url: str, *, other: bool) -> None:
    if tracker == "jira":
        email, token = ("member@example.com", "member-token") if other else ("demo@example.com", "sandbox-token")
        add: tuple[object, ...] = ("connections", "add", name, "--kind", "jira", "--url", url, "--email", email)
    else:
        token = "member-token" if other else "sandbox-token"
        add = ("connections", "add", name, "--kind", "trello", "--url", url, "--key", "sandbox-key", "--invite")
    installation.furnish()
    installation.ok(*add, stdin=token)


@pytest.fixture(params=["jira", "trello"])
def case(request: pytest.FixtureRequest, tmp_path: Path, sandbox: SandboxServer) -> Case:
    installation = Installation(tmp_path / "home")
    _connect(installation, "first", request.param, sandbox.url, other=False)
    desk = (JiraDesk if request.param == "jira" else TrelloDesk)(sandbox.url)
    return Case(request.param, installation, desk, "SCRUM" if request.param == "jira" else "Demo board")


@pytest.fixture
def built(case: Case) -> Case:
    """The same with the project built in."""
    case.plan(case.key, *SET_UP)
    case.installation.ok("apply", case.key)
    return case


def test_every_spelling_opens_the_project_that_is_there_and_nothing_is_made_twice(built: Case) -> None:
    before = built.titles()
    (known,) = built.installation.ok("status", "--json").json

    for spelling in built.spellings:
        plan = built.plan(spelling, code=0)
        again = built.plan(spelling, *SET_UP, "--connection", "first", code=0)
        assert (plan["project"], again["project"]) == (known["id"], known["id"]), spelling
        assert (plan["tracker_project"], plan["summary"]["create"]) == (built.key, 0)
    assert [one["id"] for one in built.installation.ok("status", "--json").json] == [known["id"]]
    assert built.titles() == before


def test_the_same_project_over_another_connection_is_refused_and_named(built: Case, sandbox: SandboxServer) -> None:
    _connect(built.installation, "second", built.name, sandbox.url, other=True)
    (known,) = built.installation.ok("status", "--json").json
    before = built.titles()

    for spelling in (built.key, *built.spellings):
        refused = built.installation.run("plan", spelling, *SET_UP, "--connection", "second")
        assert refused.code == 1, refused.out
        assert f"is set up already as {built.key} ({known['id']}, on the connection 'first')" in refused.err
        assert f"phaseloop plan {known['id']}" in refused.err
    assert built.titles() == before


def test_a_project_that_is_to_be_made_is_set_up_once(case: Case, sandbox: SandboxServer) -> None:
    _connect(case.installation, "second", case.name, sandbox.url, other=False)
    case.installation.ok("apply", case.plan("ML", "--create", *SET_UP, "--connection", "first")["id"])

    refused = case.installation.run("plan", "ml", "--create", *SET_UP, "--connection", "second")

    assert (refused.code, "is set up already as ML (" in refused.err) == (1, True), refused.err
    assert case.projects("ML") == 1


def test_of_two_plans_that_were_made_before_the_project_was_one_makes_it(case: Case, sandbox: SandboxServer) -> None:
    _connect(case.installation, "second", case.name, sandbox.url, other=False)
    first = case.plan("ML", "--create", *SET_UP, "--connection", "first")
    # As if the tracker had not been there when the first was set up.
    case.store(lambda: update(ProjectRow).values(site=None, remote_id=None))
    second = case.plan("ML", "--create", *SET_UP, "--connection", "second", "--name", "Another ML")
    assert second["project"] != first["project"]

    case.installation.ok("apply", first["id"])
    refused = case.installation.run("apply", second["id"], "--json")

    assert refused.code == 1
    assert [one["code"] for one in refused.json["findings"]] == ["project-exists"]
    assert first["project"] in refused.json["findings"][0]["message"]
    assert (case.projects("ML"), case.projects("Another ML")) == (1, 0)


def test_a_renamed_project_is_the_same_one_and_is_called_by_its_new_name(built: Case) -> None:
    (known,) = built.installation.ok("status", "--json").json
    before = built.titles()
    new = built.rename(built.key, "CRUMBS")

    plan = built.plan(built.key, code=0)

    assert (plan["project"], plan["tracker_project"]) == (known["id"], new)
    assert plan["drift"] == []
    (told,) = [one for one in plan["findings"] if one["code"] == "project-renamed"]
    assert told["severity"] == "info"
    assert f"The project {built.key} was renamed in the tracker: it is called {new} now." in told["message"]
    assert [one for one in built.plan(new, code=0)["findings"] if one["code"] == "project-renamed"] == []
    (seen,) = built.installation.ok("status", "--json").json
    assert (seen["id"], seen["key"]) == (known["id"], new)
    assert built.plan(new, code=0)["project"] == known["id"]
    assert built.plan(new, *SET_UP, code=0)["project"] == known["id"]
    assert built.titles(new) == before


def test_every_command_knows_a_renamed_project_by_its_old_names_and_its_new_one(built: Case) -> None:
    (known,) = built.installation.ok("status", "--json").json
    names = [built.key]
    commands: list[tuple[tuple[object, ...], tuple[object, ...], bool]] = [
        (("status",), (), True),
        (("projects", "show"), (), False),
        (("projects", "set"), ("--name", "Another name"), False),
        (("audit", "report"), (), False),
        (("projects", "remove"), ("--undo", "--plan"), True),
    ]
    for number, (command, more, tells) in enumerate(commands):
        before = names[-1]
        names.append(built.rename(before, f"NEW{number}"))
        for name in (names[-1], before, names[0]):  # the first is how phaseloop hears of the new name
            answer = built.installation.run(*command, name, *more, "--json")
            assert answer.code in (0, 2), answer.err
            assert known["id"] in answer.out, (command, name)
            assert names[-1] in answer.out, (command, name)
            if tells and name == names[-1]:
                assert "project-renamed" in answer.out, command

    (seen,) = built.installation.ok("status", names[0], "--json").json
    assert seen["key"] == names[-1]
    assert [one["id"] for one in built.installation.ok("projects", "list", "--json").json] == [known["id"]]


def test_another_project_of_the_same_key_is_told_apart_from_the_one_that_was_deleted(built: Case) -> None:
    (known,) = built.installation.ok("status", "--json").json
    built.replace()
    before = built.titles()

    plan = built.plan(built.key, code=1)

    assert plan["blocked"]
    shown = built.installation.ok("plan", built.key, code=1).out
    assert ("Nothing can be done" in shown, "as planned" in shown) == (True, False)
    assert [one["code"] for one in plan["findings"] if one["severity"] == "error"] == ["project-replaced"]
    assert built.plan(built.key, "--restore", "deleted", code=1)["blocked"]
    assert built.titles() == before
    built.installation.ok("projects", "remove", built.key, "--yes")
    fresh = built.plan(built.key, *SET_UP)
    assert fresh["project"] != known["id"]
    built.installation.ok("apply", built.key)
    assert sum(one == "Load the data" for one in built.titles()) == 1


def test_a_project_that_an_earlier_version_set_up_is_known_at_the_next_look(
    built: Case, sandbox: SandboxServer
) -> None:
    (known,) = built.installation.ok("status", "--json").json
    built.store(lambda: update(ProjectRow).values(site=None, memory={}))
    _connect(built.installation, "second", built.name, sandbox.url, other=True)

    refused = built.installation.run("plan", built.spellings[0], *SET_UP, "--connection", "second")

    assert (refused.code, known["id"] in refused.err) == (1, True), refused.out
    assert built.plan(built.key, code=0)["summary"]["create"] == 0


def test_a_connection_that_leads_to_another_site_changes_nothing_there(built: Case) -> None:
    with SandboxServer() as other:
        installation = built.installation
        if built.name == "jira":
            add: tuple[object, ...] = ("connections", "add", "first", "--url", other.url, "--email", "demo@example.com")
        else:
            add = ("connections", "add", "first", "--kind", "trello", "--url", other.url, "--key", "sandbox-key")
        installation.ok(*add, "--replace", stdin="sandbox-token")

        plan = built.plan(built.key, code=1)

    codes = {one["code"] for one in plan["findings"] if one["severity"] == "error"}
    assert codes & {"site-differs", "project-deleted", "project-replaced"}
    assert plan["changes"] == []
