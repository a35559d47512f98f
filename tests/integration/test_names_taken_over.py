"""A name that people gave to another project or board, a board that they renamed or closed: nobody works on the wrong
one, and nothing is made a second time. Seen in the tracker itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from sandbox.testing import SandboxServer
from service.store.database import Database
from service.store.tables import ProjectRow
from tests import plain
from tests.integration.conftest import SMALL, TEAM_FILE, Installation
from tests.integration.desks import JiraDesk, TrelloDesk

SET_UP = ("--create", "--template", SMALL, "--team", TEAM_FILE, "--set", "start_date=2027-01-04")


class Boards(TrelloDesk):
    """Somebody who renames, closes and opens boards."""

    def all(self) -> list[dict[str, Any]]:
        fields = {"fields": "name,shortLink,url,closed"}
        return list(self.send("GET", "members/me/boards", params=fields))

    def of(self, name: str) -> dict[str, Any]:
        return next(one for one in self.all() if one["name"] == name)

    def rename(self, name: str, to: str) -> None:
        self.send("PUT", f"boards/{self.of(name)['id']}", json={"name": to})

    def close(self, name: str) -> None:
        self.send("PUT", f"boards/{self.of(name)['id']}", json={"closed": True})

    def open(self, name: str) -> str:
        return str(self.send("POST", "boards", json={"name": name})["url"])


@pytest.fixture
def desk(sandbox: SandboxServer) -> Boards:
    return Boards(sandbox.url)


@pytest.fixture
def built(tmp_path: Path, desk: Boards) -> Installation:
    """Built in a board 'Churn'."""
    installation = Installation(tmp_path / "home")
    installation.furnish()
    desk.connect(installation)
    installation.ok("plan", "Churn", *SET_UP, code=2)
    installation.ok("apply", "Churn")
    return installation


def writes(url: str) -> int:
    return int(plain.get(f"{url}/sandbox/requests").raise_for_status().json()["counts"]["writes"])


def codes(answer: dict[str, Any]) -> list[str]:
    return [one["code"] for one in answer["findings"]]


COMMANDS = (
    ("plan",),
    ("plan", "--restore", "deleted"),
    ("apply",),
    ("advance", "--yes"),
    ("projects", "remove", "--undo", "--plan"),
    ("projects", "remove", "--undo", "--yes"),
)


def said(command: tuple[str, ...], name: str) -> tuple[str, ...]:
    place = 2 if command[0] == "projects" else 1
    return (*command[:place], name, *command[place:])


@pytest.mark.parametrize("looked", [False, True], ids=["at once", "after a look"])
def test_the_former_name_of_a_board_that_another_one_goes_by_means_neither_unasked(
    built: Installation, desk: Boards, *, looked: bool
) -> None:
    desk.rename("Churn", "Other")
    if looked:
        built.ok("plan", "Other")
    theirs = desk.open("Churn")
    before = writes(desk.url)

    for command in COMMANDS:
        refused = built.run(*said(command, "Churn"))

        assert refused.code == 1, command
        assert theirs in refused.err, command
        assert desk.of("Other")["url"] in refused.err, command

    assert writes(desk.url) == before
    assert desk.send("GET", f"boards/{desk.of('Churn')['id']}/cards") == []
    assert built.ok("plan", "Other", "--json").json["summary"]["create"] == 0


def test_a_key_that_leads_to_another_project_by_now_means_neither_unasked(
    tmp_path: Path, sandbox: SandboxServer
) -> None:
    installation, people = Installation(tmp_path / "home"), JiraDesk(sandbox.url)
    installation.furnish()
    people.connect(installation)
    installation.ok("plan", "ML", *SET_UP, code=2)
    installation.ok("apply", "ML")
    database = Database(f"sqlite:///{installation.home / 'phaseloop.db'}")
    with database.session() as session:  # as if SCRUM had been its key, which an administrator freed and gave away
        session.execute(update(ProjectRow).values(key="SCRUM"))
    database.dispose()
    before = writes(sandbox.url)

    for command in COMMANDS:
        refused = installation.run(*said(command, "SCRUM"))

        assert refused.code == 1, command
        assert "/browse/ML" in refused.err, command
        assert "/browse/SCRUM" in refused.err, command

    assert writes(sandbox.url) == before
    assert installation.ok("plan", "ML", "--json").json["summary"]["create"] == 0


def test_a_project_whose_key_never_was_its_boards_name_is_meant_by_it_whatever_boards_there_are(
    tmp_path: Path, desk: Boards
) -> None:
    installation = Installation(tmp_path / "home")
    installation.furnish()
    desk.connect(installation)
    installation.ok("plan", "CH", "--name", "Churn", *SET_UP, code=2)
    installation.ok("apply", "CH")
    desk.open("CH")

    assert installation.ok("plan", "CH", "--json").json["tracker_project"] == "CH"


def test_a_board_goes_by_its_new_name_from_the_first_look_on(built: Installation, desk: Boards) -> None:
    desk.rename("Churn", "Other")

    plan = built.ok("plan", "Other", "--json").json

    assert plan["tracker_project"] == "Other"
    assert [one["key"] for one in built.ok("projects", "list", "--json").json] == ["Other"]
    assert [one["key"] for one in built.ok("status", "--json").json] == ["Other"]
    assert built.ok("plan", "Churn", "--json").json["project"] == plan["project"]
    assert built.ok("plan", "Other", "--json").json["project"] == plan["project"]


@pytest.mark.parametrize("name", ["Other", "Churn", "the short link"])
def test_a_board_that_people_closed_is_to_be_opened_again_and_is_not_built_anew(
    built: Installation, desk: Boards, name: str
) -> None:
    desk.rename("Churn", "Other")
    built.ok("plan", "Other")
    board = desk.of("Other")
    desk.close("Other")

    plan = built.ok("plan", board["shortLink"] if name == "the short link" else name, "--json", code=1).json

    (closed,) = [one for one in plan["findings"] if one["severity"] == "error"]
    assert closed["code"] == "board-closed"
    assert "Open it again in Trello" in closed["fix"]
    assert "--restore" not in closed["fix"]
    assert [one["name"] for one in desk.all() if one["name"] in ("Other", "Churn")] == ["Other"]
    desk.send("PUT", f"boards/{board['id']}", json={"closed": False})
    assert built.ok("plan", "Other", "--json").json["project"] == plan["project"]


def test_a_project_that_got_another_key_and_another_name_is_told_so_once(
    tmp_path: Path, sandbox: SandboxServer
) -> None:
    installation, people = Installation(tmp_path / "home"), JiraDesk(sandbox.url)
    installation.furnish()
    people.connect(installation)
    installation.ok("plan", "ML", *SET_UP, code=2)
    installation.ok("apply", "ML")
    installation.ok("plan", "ML")  # tells its name
    people.send("PUT", "api/2/project/ML", json={"key": "LEARN", "name": "Learning"})

    plan = installation.ok("plan", "ML", "--json").json

    (told,) = [one for one in plan["findings"] if one["code"] == "project-renamed"]
    assert "it is called LEARN now" in told["message"]
    assert '"Learning"' in told["message"]
