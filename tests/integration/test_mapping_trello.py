"""On a board that a team made, its own lists are used, in whatever language they are, and none are put between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.testing import SandboxServer
from tests.integration.conftest import SMALL, TEAM_FILE, Installation
from tests.integration.desks import TrelloDesk


class Board:
    """The team's board, as its members see it."""

    def __init__(self, url: str) -> None:
        self.desk = TrelloDesk(url)

    def make(self, *lists: str) -> str:
        board = self.desk.send("POST", "boards/", json={"name": "Equipe", "defaultLists": "false"})
        for name in lists:
            self.desk.send("POST", "lists", json={"idBoard": board["id"], "name": name, "pos": "bottom"})
        return str(board["id"])

    @property
    def id(self) -> str:
        boards = self.desk.send("GET", "members/me/boards", params={"fields": "name"})
        return str(next(one["id"] for one in boards if one["name"] == "Equipe"))

    def lists(self) -> dict[str, str]:
        return {one["name"]: one["id"] for one in self.desk.send("GET", f"boards/{self.id}/lists")}

    def cards(self) -> dict[str, str]:
        """The list in which each card stands, by the card's name."""
        names = {identity: name for name, identity in self.lists().items()}
        found = self.desk.send("GET", f"boards/{self.id}/cards", params={"filter": "open"})
        return {one["name"]: names[one["idList"]] for one in found}

    def moves(self, title: str, to: str) -> None:
        card = next(c for c in self.desk.send("GET", f"boards/{self.id}/cards") if c["name"] == title)
        self.desk.send("PUT", f"cards/{card['id']}", json={"idList": self.lists()[to]})

    def renames(self, old: str, new: str) -> None:
        self.desk.send("PUT", f"lists/{self.lists()[old]}", json={"name": new})

    def archives(self, name: str) -> None:
        self.desk.send("PUT", f"lists/{self.lists()[name]}", json={"closed": "true"})


@pytest.fixture
def board(sandbox: SandboxServer) -> Board:
    return Board(sandbox.url)


@pytest.fixture
def here(installation: Installation, board: Board) -> Installation:
    board.desk.connect(installation)
    return installation


def plan(here: Installation, code: int = 2, *more: str) -> dict[str, Any]:
    given = ("--template", SMALL, "--team", TEAM_FILE, "--set", "start_date=2027-01-04", "--connection", "trello")
    found: dict[str, Any] = here.ok("plan", "Equipe", *given, *more, "--json", code=code).json
    return found


def mapped(here: Installation, *more: str, code: int = 0) -> dict[str, Any]:
    answer = here.ok("connections", "map", "trello", "--project", "Equipe", *more, "--json", code=code)
    return {one["role"]: one for one in answer.json["roles"]}


def codes(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = [(one["severity"], one["code"], one["subject"]) for one in document["findings"]]
    return [one for one in found if one[1].startswith("mapping")]


@pytest.mark.parametrize(
    "lists",
    [
        ("Offen", "In Arbeit", "Fertig"),
        ("À faire…", "En cours", "Terminé ✅"),
        ("待办", "进行中", "完成"),
        ("1. To do", "2. Doing", "3. Done"),
    ],
)
def test_the_lists_of_a_team_are_used_and_none_are_made(
    here: Installation, board: Board, lists: tuple[str, str, str]
) -> None:
    board.make(*lists)
    assert codes(plan(here)) == []
    here.ok("apply", "Equipe")
    planned, doing, done = lists
    assert list(board.lists()) == list(lists)
    cards = board.cards()
    # What is begun stands with what people work on; all the rest waits with what is planned.
    assert cards.pop("Small 1") in (planned, doing)
    assert set(cards.values()) == {planned}
    board.moves("Set the goals", done)
    [status] = here.ok("status", "Equipe", "--json").json
    assert status["drift"] == []


def test_beside_a_backlog_what_is_to_do_is_this_iterations(here: Installation, board: Board) -> None:
    board.make("Backlog", "To do", "Doing", "Done")
    found = mapped(here)
    assert (found["backlog-list"]["name"], found["iteration-list"]["name"]) == ("Backlog", "To do")


def test_three_lists_of_unknown_names_are_told_by_their_places_and_that_is_said(
    here: Installation, board: Board
) -> None:
    board.make("Eins", "Zwei", "Drei")
    found = plan(here)
    assert {one[1] for one in codes(found)} == {"mapping-guessed"}
    here.ok("apply", "Equipe")
    assert list(board.lists()) == ["Eins", "Zwei", "Drei"]
    assert board.cards()["Set the goals"] == "Eins"


def test_lists_that_nothing_tells_apart_are_asked_for(here: Installation, board: Board) -> None:
    board.make("Nord", "Ost", "Sued", "West")
    found = plan(here, 1)
    assert ("error", "mapping-unclear", "done-list") in codes(found)
    assert ("error", "mapping-unclear", "backlog-list") in codes(found)
    here.ok("apply", "Equipe", code=1)
    assert board.cards() == {}

    said = ("backlog-list=Nord", "in-progress-list=Ost", "done-list=West")
    mapped(here, *(word for one in said for word in ("--set", one)))
    plan(here)
    here.ok("apply", "Equipe")

    assert list(board.lists()) == ["Nord", "Ost", "Sued", "West"]
    assert board.cards()["Set the goals"] == "Nord"


def test_two_lists_that_both_mean_done_are_asked_for(here: Installation, board: Board) -> None:
    board.make("To do", "Doing", "Fertig", "Erledigt")
    assert codes(plan(here, 1)) == [("error", "mapping-unclear", "done-list")]


def test_lists_of_our_own_are_made_if_somebody_asks_for_them(here: Installation, board: Board) -> None:
    board.make("Offen", "In Arbeit", "Fertig")
    mapped(here, "--set", "epics-list=new", "--set", "iteration-list=new")
    plan(here)
    here.ok("apply", "Equipe")
    assert list(board.lists()) == ["Offen", "In Arbeit", "Fertig", "Epics", "Iteration"]
    assert board.cards()["Data"] == "Epics"
    kept = mapped(here)["epics-list"]
    assert kept["id"] == board.lists()["Epics"]


def test_a_list_that_is_renamed_stays_what_it_was(here: Installation, board: Board) -> None:
    board.make("Offen", "In Arbeit", "Fertig")
    plan(here)
    here.ok("apply", "Equipe")
    board.renames("Fertig", "Kühlschrank")
    board.renames("Offen", "Fertig")  # and another one takes its name
    found = mapped(here)
    assert (found["done-list"]["name"], found["backlog-list"]["name"]) == ("Kühlschrank", "Fertig")
    board.moves("Set the goals", "Kühlschrank")
    assert here.ok("status", "Equipe", "--json").json[0]["drift"] == []


def test_a_list_that_is_archived_is_named_and_nothing_takes_its_place(here: Installation, board: Board) -> None:
    board.make("Offen", "In Arbeit", "Fertig")
    plan(here)
    here.ok("apply", "Equipe")
    board.archives("Fertig")
    found = here.ok("plan", "Equipe", "--set", "meetings=true", "--json", code=1).json
    assert codes(found) == [("error", "mapping-gone", "done-list")]
    assert "'Fertig'" in next(one["message"] for one in found["findings"] if one["subject"] == "done-list")
    assert list(board.lists()) == ["Offen", "In Arbeit"]


def test_a_board_of_ours_that_is_renamed_is_kept_by_its_lists_ids(
    here: Installation, board: Board, tmp_path: Path
) -> None:
    given = ("--template", SMALL, "--team", TEAM_FILE, "--set", "start_date=2027-01-04", "--connection", "trello")
    here.ok("plan", "Equipe", "--create", *given, code=2)
    here.ok("apply", "Equipe")
    assert list(board.lists()) == ["Epics", "Backlog", "Iteration", "In progress", "Review", "Done"]
    board.renames("Done", "Kühlschrank")
    here.ok("plan", "Equipe", "--set", "meetings=true", code=2)
    here.ok("apply", "Equipe")
    assert list(board.lists()) == ["Epics", "Backlog", "Iteration", "In progress", "Review", "Kühlschrank"]
    assert mapped(here)["done-list"]["name"] == "Kühlschrank"
