"""The python client ``py-trello`` against a sandbox, as its users would use it, by query and with signed requests."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from trello import TrelloClient
from trello.exceptions import ResourceUnavailable, Unauthorized

from sandbox.testing import SandboxServer
from tests.sandbox.trello_listener import Listener

VENDORS = ("https://api.trello.com", "https://trello.com")


class Here:
    """The client's HTTP service: the client knows only the vendor's address, so the host is replaced."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def _here(self, url: str) -> str:
        return next(self.url + url.removeprefix(vendor) for vendor in VENDORS if url.startswith(vendor))

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send a request to the sandbox."""
        return self.session.request(method, self._here(url), timeout=10, **options)

    def post(self, url: str, **options: Any) -> requests.Response:
        """Send a POST to the sandbox."""
        return self.request("POST", url, **options)


@pytest.fixture(params=["query", "signed"])
def client(sandbox: SandboxServer, request: pytest.FixtureRequest) -> Iterator[TrelloClient]:
    here = Here(sandbox.url)
    if request.param == "query":
        yield TrelloClient("sandbox-key", "sandbox-token", http_service=here)
    else:
        yield TrelloClient("sandbox-key", "sandbox-secret", "sandbox-token", "any", http_service=here)
    here.session.close()


@pytest.fixture
def board(client: TrelloClient) -> Any:
    return client.add_board("Team", default_lists=False)


def test_it_makes_a_board_and_finds_it(client: TrelloClient) -> None:
    made = client.add_board("Team")
    assert [one.name for one in made.open_lists()] == ["To Do", "Doing", "Done"]
    assert {label.color for label in made.get_labels()} == {"green", "yellow", "orange", "red", "purple", "blue"}
    assert made.id in {one.id for one in client.list_boards("open")}
    made.set_name("Renamed")
    made.close()
    found = client.get_board(made.id)
    assert (found.name, found.closed) == ("Renamed", True)
    made.open()
    made.delete()
    with pytest.raises(ResourceUnavailable, match="not found"):
        client.get_board(made.id)


def test_it_makes_a_card_with_everything_in_it(client: TrelloClient, board: Any) -> None:
    found = board.add_list("Backlog")
    label = board.add_label("role: ml", "green")
    board.add_member(client.get_member("ml1"))
    member = next(one for one in board.all_members() if one.username == "ml1")
    card = found.add_card(
        "Train", "the model", labels=[label], due="2026-12-01", assign=[member], url_source="https://example.com/spec"
    )
    card.fetch()
    assert (card.name, card.description, card.member_id) == ("Train", "the model", [member.id])
    assert [one.name for one in card.labels] == ["role: ml"]
    assert card.due_date == datetime(2026, 12, 1, tzinfo=UTC)
    assert [one["url"] for one in card.attachments] == ["https://example.com/spec"]
    assert abs(card.card_created_date.timestamp() - datetime.now(UTC).timestamp()) < 60


def test_it_changes_a_card_field_by_field(board: Any) -> None:
    first, second = board.add_list("A"), board.add_list("B", "bottom")
    card = first.add_card("One")
    card.set_name("Two")
    card.set_description("text")
    card.set_due(datetime(2026, 12, 1, 9, 0, tzinfo=UTC))
    card.set_start(datetime(2026, 11, 30, 9, 0, tzinfo=UTC))
    card.set_reminder(60)
    card.set_due_complete()
    card.set_pos("top")
    card.change_list(second.id)
    card.subscribe()
    card.fetch()
    assert (card.name, card.description, card.list_id) == ("Two", "text", second.id)
    assert card.due == "2026-12-01T09:00:00.000Z"
    assert card.badges["dueComplete"] is True
    card.remove_due()
    card.set_closed(True)
    assert [one.name for one in board.closed_cards()] == ["Two"]
    assert board.visible_cards() == []
    moves = card.list_movements()
    assert [(one["source"]["name"], one["destination"]["name"]) for one in moves] == [("A", "B")]
    card.delete()
    assert board.all_cards() == []


def test_it_keeps_checklists(board: Any) -> None:
    card = board.add_list("A").add_card("One")
    made = card.add_checklist("Done means", ["tested", "reviewed"], [True, False])
    made.set_checklist_item("reviewed", True)
    made.rename_checklist_item("tested", "tested twice")
    made.add_checklist_item("deployed")
    made.delete_checklist_item("deployed")
    made.rename("Definition of done")
    card.countCheckLists = 1
    found = card.fetch_checklists()
    assert [(one.name, [(item["name"], item["checked"]) for item in one.items]) for one in found] == [
        ("Definition of done", [("tested twice", True), ("reviewed", True)])
    ]
    card.fetch()
    assert (card.badges["checkItems"], card.badges["checkItemsChecked"]) == (2, 2)
    made.delete()
    assert board.get_checklists() == []


def test_it_comments_labels_and_assigns(client: TrelloClient, board: Any) -> None:
    card = board.add_list("A").add_card("One")
    me = client.get_member("me")
    assert me.status == "disconnected"
    card.assign(me.id)
    with pytest.raises(ResourceUnavailable, match="member is already on the card"):
        card.assign(me.id)
    said = card.comment("first")
    card.update_comment(said["id"], "second")
    assert [one["data"]["text"] for one in card.get_comments()] == ["second"]
    card.delete_comment(said)
    card.create_label("blocked", "red")
    card.fetch()
    assert card.badges["comments"] == 0
    assert [(one.name, one.color) for one in card.labels] == [("blocked", "red")]
    card.remove_label(card.labels[0])
    card.unassign(me.id)
    card.fetch()
    assert (card.labels, card.member_id) == ([], [])


def test_it_attaches_files_and_links(board: Any) -> None:
    card = board.add_list("A").add_card("One")
    card.attach(name="notes.txt", mimeType="text/plain", file=io.BytesIO(b"hello"))
    card.attach(name="docs", url="https://example.com/docs")
    found = card.get_attachments()
    assert [(one.name, one.is_upload, one.bytes) for one in found] == [("notes.txt", True, 5), ("docs", False, None)]
    card.remove_attachment(found[0].id)
    assert [one.name for one in card.get_attachments()] == ["docs"]


def test_it_copies_a_card(board: Any) -> None:
    found = board.add_list("A")
    source = found.add_card("Template", "how to")
    source.add_checklist("Steps", ["one", "two"])
    copy = found.add_card("Copy", source=source.id, keep_from_source="checklists")
    copy.countCheckLists = 1
    assert [item["name"] for item in copy.fetch_checklists()[0].items] == ["one", "two"]


def test_it_fills_custom_fields(board: Any) -> None:
    size = board.add_custom_field_definition("Size", "list", [{"value": {"text": "S"}}, {"value": {"text": "L"}}])
    risk = board.add_custom_field_definition("Risk", "text")
    points = board.add_custom_field_definition("Points", "number")
    assert set(size.list_options.values()) == {"S", "L"}
    card = board.add_list("A").add_card("One")
    board.customFieldDefinitions = None
    card.set_custom_field("L", size)
    card.set_custom_field("low", risk)
    card.set_custom_field("3.5", points)
    values = {one.name: one.value for one in card.fetch_custom_fields()}
    assert values == {"Size": "L", "Risk": "low", "Points": 3.5}
    card.set_custom_field("", risk)
    assert {one.name for one in card.fetch_custom_fields()} == {"Size", "Points"}


def test_it_moves_and_archives_all_cards_of_a_list(board: Any) -> None:
    first, second = board.add_list("A"), board.add_list("B")
    for number in range(3):
        first.add_card(f"Card {number}")
    first.move_all_cards(second)
    assert [card.name for card in second.list_cards()] == ["Card 0", "Card 1", "Card 2"]
    assert first.cardsCnt() == 0
    second.archive_all_cards()
    assert second.list_cards() == []
    first.close()
    assert [one.name for one in board.closed_lists()] == ["A"]


def test_it_reads_the_cards_of_a_list_in_portions(board: Any) -> None:
    found = board.add_list("A")
    for number in range(7):
        found.add_card(f"Card {number}")
    assert len(list(found.list_cards_iter(batch=3))) == 7


def test_it_stars_searches_and_lists_workspaces(client: TrelloClient, board: Any) -> None:
    star = client.add_star(board.id)
    assert [one.board_id for one in client.list_stars()] == [board.id]
    client.delete_star(star)
    board.add_list("A").add_card("Calibrate the thresholds")
    assert [one.name for one in client.search("thresholds", models=["cards"])] == ["Calibrate the thresholds"]
    workspaces = {one.name: one for one in client.list_organizations()}
    assert board.id in {one.id for one in workspaces["demoworkspace"].all_boards()}
    assert "ml1" in {one.username for one in workspaces["demoworkspace"].get_members()}


def test_it_registers_and_removes_webhooks(client: TrelloClient, board: Any) -> None:
    with Listener() as listener:
        hook = client.create_hook(listener.url, board.id, "team", token="sandbox-token")
        assert [one.callback_url for one in client.list_hooks("sandbox-token")] == [listener.url]
        assert listener.methods() == ["HEAD"]
        hook.delete()
    assert client.list_hooks("sandbox-token") == []


def test_it_hears_what_is_wrong_in_the_vendors_words(sandbox: SandboxServer, client: TrelloClient) -> None:
    stranger = TrelloClient("sandbox-key", "wrong", http_service=client.http_service)
    with pytest.raises(Unauthorized, match="invalid token"):
        stranger.list_boards()
    with pytest.raises(ResourceUnavailable, match="invalid id"):
        client.get_board("no-such-board")
