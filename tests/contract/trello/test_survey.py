"""Boards that phaseloop never saw are read whole: what is an iteration on them, and what it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from connectors.records import Part, Survey
from connectors.trello.tracker import TrelloTracker
from connectors.values import ProjectSpec
from sandbox.testing import SandboxServer
from sandbox.trello.card_making import comment
from sandbox.trello.seed import READ_ONLY_TOKEN
from tests import plain
from tests.contract.losing_proxy import LosingProxy
from tests.contract.trello.desk import HEADER, connected, spec
from tests.contract.trello.record_desk import US, laid


@dataclass
class Board:
    """A board that a team made for itself."""

    sandbox: SandboxServer
    id: str
    url: str

    def send(self, method: str, path: str, **body: object) -> dict[str, Any]:
        url = f"{self.sandbox.url}/1/{path}"
        answer: dict[str, Any] = plain.request(method, url, json=body, headers=HEADER).raise_for_status().json()
        return answer

    def makes(self, what: str, name: str, **body: object) -> str:
        return str(self.send("POST", what, idBoard=self.id, name=name, **body)["id"])

    def card(self, name: str, on: str, **body: object) -> str:
        return str(self.send("POST", "cards", name=name, idList=on, **body)["id"])

    def survey(self, key: str = "") -> Survey:
        with connected(self.sandbox.url, token=READ_ONLY_TOKEN) as tracker:
            found = tracker.survey(ProjectSpec(uid="", key=key or self.url, name=""))
        assert found is not None
        return found


@pytest.fixture
def board(sandbox: SandboxServer) -> Iterator[Board]:
    with standing_still(sandbox):
        body = {"name": "Churn", "defaultLists": False, "defaultLabels": False}
        made = plain.post(f"{sandbox.url}/1/boards/", json=body, headers=HEADER).raise_for_status().json()
        yield Board(sandbox, made["id"], made["url"])


@contextmanager
def standing_still(sandbox: SandboxServer) -> Iterator[None]:
    sandbox.trello.clock.freeze(sandbox.trello.clock.now())
    yield
    sandbox.trello.clock.reset()


def titles(survey: Survey) -> list[tuple[str, str, list[str]]]:
    return [(one.title, one.status, [each.title for each in one.documents]) for one in survey.iterations]


def test_a_list_for_each_sprint_is_an_iteration_each(board: Board) -> None:
    backlog, first, second = (board.makes("lists", name) for name in ("Backlog", "Sprint 1", "Sprint 2"))
    board.card("An idea", backlog)
    board.card("Sprint 1 report", first, desc="## Goal\n\nBetter than B.")
    ticked = board.card("Tune it", second)
    board.card("Ship it", second)
    board.send("PUT", f"cards/{ticked}", dueComplete=True)
    board.send("PUT", f"lists/{first}/closed", value=True)
    found = board.survey()
    assert titles(found) == [
        ("Sprint 1", "closed", ["Sprint 1 report"]),
        ("Sprint 2", "active", ["Tune it", "Ship it"]),
    ]
    assert [one.title for one in found.loose] == ["An idea"]
    report = found.iterations[0].documents[0]
    assert (report.text, report.created_by, report.unread) == ("## Goal\n\nBetter than B.", US, ())
    assert [one.status for one in found.iterations[1].documents[0].steps] == ["done"]
    assert found.title == "Churn"


def test_archived_cards_are_in_their_iteration_too(board: Board) -> None:
    doing = board.makes("lists", "Doing")
    label = board.makes("labels", "Iteration 4", color="blue")
    board.card("Done long ago", doing, idLabels=label)
    kept = board.card("Kept", doing, idLabels=label)
    board.send("PUT", f"cards/{kept}", closed=True)
    assert titles(board.survey()) == [("Iteration 4", "active", ["Done long ago", "Kept"])]


def test_without_anything_called_an_iteration_two_weeks_are_one(board: Board) -> None:
    doing, done = board.makes("lists", "Doing"), board.makes("lists", "Done")
    epics = board.makes("lists", "Epics")
    board.card("Everything about data", epics)
    early = board.card("Early", doing)
    board.sandbox.trello.clock.advance(timedelta(days=60))
    late = board.card("Late", doing)
    board.send("PUT", f"cards/{early}", idList=done)
    board.sandbox.trello.clock.advance(timedelta(days=30))
    board.card("Open", doing)
    found = board.survey()
    first, second = found.iterations
    assert [one.ref.id for one in first.documents] == [early, late]
    assert [one.title for one in second.documents] == ["Open"]
    assert found.loose == ()
    assert first.starts is not None
    assert first.ends is not None
    assert first.ends - first.starts == timedelta(days=14)


def test_a_board_of_ours_is_surveyed_like_any_other_and_knows_its_items(sandbox: SandboxServer) -> None:
    with laid(sandbox) as desk, connected(sandbox.url) as tracker:
        found = tracker.survey(ProjectSpec(uid="", key="Churn", name=""))
    assert found is not None
    [turn] = found.iterations
    assert {one.key for one in turn.documents} == {"record:1", "ticket:b"}
    assert all(one.links == () for one in turn.documents)  # the way to the epic is no link
    assert turn.ref.id == desk.known["iteration:1"].id  # type: ignore[index]


def test_a_board_of_which_the_account_is_no_member_is_found_by_its_address(board: Board) -> None:
    board.card("A card", board.makes("lists", "Doing"))
    board.send("PUT", f"boards/{board.id}", **{"prefs/permissionLevel": "public"})
    with connected(board.sandbox.url, token="member-token") as stranger:
        found = stranger.survey(ProjectSpec(uid="", key=board.url, name=""))
        assert found is not None
        assert stranger.usage.reads == 5
        assert stranger.survey(ProjectSpec(uid="", key="Churn", name="")) is None
    board.send("PUT", f"boards/{board.id}", **{"prefs/permissionLevel": "private"})
    with connected(board.sandbox.url, token="member-token") as stranger:
        assert stranger.survey(ProjectSpec(uid="", key=board.url, name="")) is None


def test_a_board_whose_history_is_hidden_says_so_of_every_ticket(board: Board) -> None:
    board.card("A card", board.makes("lists", "Sprint 1"))
    with LosingProxy(board.sandbox.url) as proxy, connected(proxy.url) as tracker:
        proxy.orders.fake.append((lambda one: "/actions?" in one.path, 401, b"unauthorized permission requested"))
        found = tracker.survey(ProjectSpec(uid="", key=board.url, name=""))
    assert found is not None
    [card] = found.iterations[0].documents
    assert card.unread == (Part.COMMENTS, Part.HISTORY)


def test_a_survey_takes_four_requests_and_one_for_each_thousand_more(board: Board) -> None:
    doing = board.makes("lists", "Sprint 1")
    first = board.card("A card", doing)
    trello = board.sandbox.trello

    def reads() -> int:
        with connected(board.sandbox.url) as tracker:
            assert tracker.survey(spec(board.id)) is not None
            assert tracker.usage.writes == 0
            return tracker.usage.reads

    assert reads() == 4
    for number in range(1500):
        comment(trello, trello.data.members[US], trello.data.cards[first], f"No. {number}")
    assert reads() == 5


def test_the_tracker_is_read_by_an_account_that_can_do_nothing_else(tracker: TrelloTracker, board: Board) -> None:
    board.card("A card", board.makes("lists", "Sprint 1"))
    assert board.survey() == tracker.survey(ProjectSpec(uid="", key=board.id, name=""))
