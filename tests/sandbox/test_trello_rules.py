"""What the Trello sandbox does and refuses: credentials, ids, values, positions, copies, limits of boards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.testing import SandboxServer
from sandbox.trello.seed import member_id
from sandbox.trello.state import Token
from tests import plain
from tests.sandbox.conftest import TrelloApi

NOBODY = "0" * 24


def names(cards: Any) -> list[str]:
    return [card["name"] for card in cards]


# -- credentials -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "token", "said"),
    [
        ("wrong", "sandbox-token", "invalid key"),
        (None, "sandbox-token", "invalid key"),
        ("sandbox-key", "wrong", "invalid token"),
        ("sandbox-key", "expired-token", "expired token"),
        ("sandbox-key", None, '{"message":"missing scopes"}'),
    ],
)
def test_wrong_credentials_are_named_in_plain_text(
    sandbox: SandboxServer, key: str | None, token: str | None, said: str
) -> None:
    sent = {name: value for name, value in (("key", key), ("token", token)) if value}
    response = plain.get(f"{sandbox.url}/1/members/me", params=sent)
    assert (response.status_code, response.text) == (401, said)


def test_credentials_are_taken_from_the_query_the_body_and_the_header(sandbox: SandboxServer) -> None:
    login = {"key": "sandbox-key", "token": "sandbox-token"}
    url = f"{sandbox.url}/1/boards/"
    header = (
        'OAuth oauth_consumer_key="sandbox-key", oauth_token="sandbox-token", oauth_nonce="1", '
        'oauth_signature_method="HMAC-SHA1", oauth_signature="bm90IGxvb2tlZCBhdA%3D%3D"'
    )
    made = [
        plain.post(url, params={"name": "query", **login}),
        plain.post(url, json={"name": "body", **login}),
        plain.post(url, data={"name": "form", **login}),
        plain.post(url, json={"name": "header"}, headers={"Authorization": header}),
    ]
    assert [one.json()["name"] for one in made] == ["query", "body", "form", "header"]


def test_an_impossible_id_is_refused_before_the_credentials_are_looked_at(sandbox: SandboxServer) -> None:
    response = plain.get(f"{sandbox.url}/1/cards/not-an-id", params={"key": "wrong"})
    assert (response.status_code, response.text) == (400, "invalid id")


def test_a_read_only_token_reads_and_writes_nothing(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    login = {"key": "sandbox-key", "token": "readonly-token"}
    assert plain.get(f"{sandbox.url}/1/boards/{board}", params=login).status_code == 200
    for path, sent in (("/cards", {"idList": lists[0]}), ("/boards/", {"name": "No"})):
        response = plain.post(f"{sandbox.url}/1{path}", params={**login, **sent})
        assert (response.status_code, response.text) == (401, "unauthorized permission requested")
    assert trello.ok("GET", f"/boards/{board}/cards") == []


def test_a_private_board_is_not_shown_to_others(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "Secret"})
    login = {"key": "sandbox-key", "token": "member-token"}
    for path, what in ((f"/boards/{board}", "board"), (f"/cards/{card['id']}", "card"), (f"/lists/{lists[0]}", "list")):
        response = plain.get(f"{sandbox.url}/1{path}", params=login)
        assert (response.status_code, response.text) == (401, f"unauthorized {what} permission requested")
    trello.ok("PUT", f"/boards/{board}", {"prefs/permissionLevel": "public"})
    assert plain.get(f"{sandbox.url}/1/boards/{board}", params={"key": "sandbox-key"}).status_code == 200


def test_an_observer_looks_and_changes_nothing(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    trello.ok("PUT", f"/boards/{board}/members", email="member@example.com", type="observer")
    login = {"key": "sandbox-key", "token": "member-token"}
    assert plain.get(f"{sandbox.url}/1/boards/{board}", params=login).status_code == 200
    response = plain.post(f"{sandbox.url}/1/cards", params={**login, "idList": lists[0]})
    assert (response.status_code, response.text) == (401, "unauthorized list permission requested")


def test_what_is_not_there_is_404_in_plain_text(trello: TrelloApi) -> None:
    assert trello.refused("GET", f"/boards/{NOBODY}") == (404, "The requested resource was not found.")
    assert trello.refused("GET", "/nothing/here") == (404, "Cannot GET /1/nothing/here")


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"idList": "nonsense"}, "invalid value for idList"),
        ({"idList": None}, "invalid value for idList"),
        ({"name": "n" * 16385}, "invalid value for name"),
        ({"desc": "d" * 16385}, "invalid value for desc"),
        ({"due": "next week"}, "invalid value for due"),
        ({"pos": "middle"}, "invalid value for pos"),
        ({"pos": -1}, "invalid value for pos"),
        ({"idMembers": [NOBODY]}, "invalid value for idMembers"),
        ({"idLabels": NOBODY}, "invalid value for idLabels"),
        ({"urlSource": "ftp://example.com"}, "invalid value for urlSource"),
        ({"dueComplete": "perhaps"}, "invalid value for dueComplete"),
        ({"keepFromSource": "everything"}, "invalid value for keepFromSource"),
    ],
)
def test_a_bad_value_is_named_and_makes_no_card(trello: TrelloApi, sent: dict[str, Any], said: str) -> None:
    board, lists = trello.board("A")
    assert trello.refused("POST", "/cards", {"idList": lists[0], "name": "One", **sent}) == (400, said)
    assert trello.ok("GET", f"/boards/{board}/cards", filter="all") == []


def test_the_longest_description_is_kept_whole(trello: TrelloApi) -> None:
    _, lists = trello.board("A")
    card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "Long", "desc": "d" * 16384})
    assert len(trello.ok("GET", f"/cards/{card['id']}/desc")["_value"]) == 16384


def test_a_short_link_is_for_paths_only(trello: TrelloApi) -> None:
    _, lists = trello.board("A")
    card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})
    assert len(card["shortLink"]) == 8
    assert trello.ok("GET", f"/cards/{card['shortLink']}")["id"] == card["id"]
    sent = {"idCard": card["shortLink"], "name": "List"}
    assert trello.refused("POST", "/checklists", sent) == (400, "invalid value for idCard")


def test_an_id_carries_the_second_it_was_made_in(trello: TrelloApi) -> None:
    _, lists = trello.board("A")
    card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})
    made = datetime.fromtimestamp(int(card["id"][:8], 16), UTC)
    assert abs((datetime.now(UTC) - made).total_seconds()) < 60
    assert card["id"] < trello.ok("POST", "/cards", {"idList": lists[0], "name": "Two"})["id"]


def test_fields_cut_an_answer_to_what_is_asked_for(trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})
    assert [set(one) for one in trello.ok("GET", f"/boards/{board}/cards", fields="name,due")] == [
        {"id", "name", "due"}
    ]
    assert set(trello.ok("GET", f"/boards/{board}", fields="name")) == {"id", "name"}
    assert set(trello.ok("GET", "/members/me", fields="username")) == {"id", "username"}


def test_a_closed_board_takes_no_cards_and_is_shown(trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    trello.ok("PUT", f"/boards/{board}", {"closed": True})
    status, _ = trello.refused("POST", "/cards", {"idList": lists[0], "name": "One"})
    assert status == 400
    assert trello.ok("GET", f"/boards/{board}")["closed"] is True
    trello.ok("PUT", f"/boards/{board}/closed", value="false")
    trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})


# -- positions ---------------------------------------------------------------------------------------------------------


def test_cards_go_to_the_bottom_top_or_where_a_number_says(trello: TrelloApi) -> None:
    _, lists = trello.board("A")

    def add(name: str, **more: Any) -> float:
        return float(trello.ok("POST", "/cards", {"idList": lists[0], "name": name, **more})["pos"])

    first, last = add("first"), add("last")
    top, between = add("top", pos="top"), add("between", pos=(first + last) / 2)
    assert top < first < between < last
    assert names(trello.ok("GET", f"/lists/{lists[0]}/cards")) == ["top", "first", "between", "last"]


def test_a_list_goes_to_the_left_unless_told_otherwise(trello: TrelloApi) -> None:
    board, _ = trello.board("A", "B")
    trello.ok("POST", f"/boards/{board}/lists", name="New")
    assert names(trello.ok("GET", f"/boards/{board}/lists")) == ["New", "A", "B"]


def test_a_hundred_cards_on_top_stay_in_order(trello: TrelloApi) -> None:
    _, lists = trello.board("A")
    for number in range(100):
        trello.ok("POST", "/cards", {"idList": lists[0], "name": str(number), "pos": "top"})
    cards = trello.ok("GET", f"/lists/{lists[0]}/cards")
    assert names(cards) == [str(number) for number in reversed(range(100))]
    assert len({card["pos"] for card in cards}) == 100


# -- cards -------------------------------------------------------------------------------------------------------------


def test_one_call_makes_a_card_with_everything(trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    person = trello.ok("PUT", f"/boards/{board}/members", email="ml-1@example.com")["members"][-1]["id"]
    label = trello.ok("POST", "/labels", {"name": "Epic", "color": "purple", "idBoard": board})["id"]
    epic = trello.ok("POST", "/cards", {"idList": lists[0], "name": "Epic"})
    sent = {
        "idList": lists[0],
        "name": "Train",
        "desc": "the model",
        "pos": "top",
        "due": "2026-12-04T17:00:00Z",
        "start": "2026-11-23",
        "idMembers": [person],
        "idLabels": [label],
        "urlSource": epic["shortUrl"],
    }
    card = trello.ok("POST", "/cards", sent)
    assert (card["due"], card["start"]) == ("2026-12-04T17:00:00.000Z", "2026-11-23T00:00:00.000Z")
    assert (card["idMembers"], card["idLabels"], card["labels"][0]["name"]) == ([person], [label], "Epic")
    assert card["badges"]["attachmentsByType"]["trello"] == {"board": 0, "card": 1}
    assert names(trello.ok("GET", f"/cards/{card['id']}/attachments")) == [epic["shortUrl"]]


def test_only_members_of_the_board_are_put_on_a_card(trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})["id"]
    stranger = trello.ok("GET", "/members/ml1")["id"]
    assert trello.refused("POST", f"/cards/{card}/idMembers", {"value": stranger})[0] == 400
    trello.ok("PUT", f"/boards/{board}/members/{stranger}", type="normal")
    assert [m["id"] for m in trello.ok("POST", f"/cards/{card}/idMembers", {"value": stranger})] == [stranger]
    assert trello.refused("POST", f"/cards/{card}/idMembers", {"value": stranger}) == (
        400,
        "member is already on the card",
    )


def test_a_copied_card_keeps_what_it_is_told_to_keep(trello: TrelloApi) -> None:
    _, lists = trello.board("A")
    source = trello.ok("POST", "/cards", {"idList": lists[0], "name": "Template", "desc": "text", "due": "2026-12-01"})
    checklist = trello.ok("POST", "/checklists", {"idCard": source["id"], "name": "Done means"})["id"]
    for name in ("tested", "reviewed"):
        trello.ok("POST", f"/checklists/{checklist}/checkItems", {"name": name})
    sent = {"idList": lists[0], "idCardSource": source["id"]}
    all_of_it = trello.ok("POST", "/cards", sent)
    some = trello.ok("POST", "/cards", {**sent, "keepFromSource": "checklists", "name": "Copy"})
    assert (all_of_it["name"], all_of_it["desc"], all_of_it["due"]) == ("Template", "text", source["due"])
    assert (some["name"], some["desc"], some["due"]) == ("Copy", "text", None)
    items = trello.ok("GET", f"/cards/{some['id']}/checklists")[0]["checkItems"]
    assert names(items) == ["tested", "reviewed"]


def test_a_copied_checklist_brings_all_its_items_in_one_call(trello: TrelloApi) -> None:
    _, lists = trello.board("A")
    first, second = (trello.ok("POST", "/cards", {"idList": lists[0], "name": n})["id"] for n in ("One", "Two"))
    source = trello.ok("POST", "/checklists", {"idCard": first, "name": "Done means"})["id"]
    for name in ("a", "b", "c"):
        trello.ok("POST", f"/checklists/{source}/checkItems", {"name": name})
    copy = trello.ok("POST", f"/cards/{second}/checklists", {"idChecklistSource": source})
    assert (copy["name"], names(copy["checkItems"])) == ("Done means", ["a", "b", "c"])
    assert trello.ok("GET", f"/cards/{second}")["badges"]["checkItems"] == 3


def test_a_board_is_copied_with_and_without_its_cards(trello: TrelloApi) -> None:
    board, lists = trello.board("A", "B")
    trello.ok("POST", "/cards", {"idList": lists[1], "name": "One"})
    without = trello.ok("POST", "/boards/", {"name": "Copy", "idBoardSource": board})["id"]
    with_cards = trello.ok("POST", "/boards/", {"name": "Copy", "idBoardSource": board, "keepFromSource": "cards"})[
        "id"
    ]
    assert names(trello.ok("GET", f"/boards/{without}/lists")) == ["A", "B"]
    assert trello.ok("GET", f"/boards/{without}/cards") == []
    assert names(trello.ok("GET", f"/boards/{with_cards}/cards")) == ["One"]


def test_a_card_takes_its_labels_to_another_board(trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    other, targets = trello.board("B")
    label = trello.ok("POST", "/labels", {"name": "Risk", "color": "red", "idBoard": board})["id"]
    card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "One", "idLabels": label})["id"]
    moved = trello.ok("PUT", f"/cards/{card}", {"idBoard": other, "idList": targets[0]})
    assert (moved["idBoard"], moved["labels"][0]["name"]) == (other, "Risk")
    assert moved["labels"][0]["id"] != label


def test_the_history_says_what_changed_from_what_to_what(trello: TrelloApi) -> None:
    board, lists = trello.board("A", "B")
    card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})["id"]
    trello.ok("PUT", f"/cards/{card}", {"idList": lists[1], "name": "Two"})
    trello.ok("PUT", f"/cards/{card}/closed", {"value": True})
    told = trello.ok("GET", f"/boards/{board}/actions", filter="updateCard,createCard")
    assert [(one["type"], one["data"].get("old")) for one in told] == [
        ("updateCard", {"closed": False}),
        ("updateCard", {"name": "One"}),
        ("updateCard", {"idList": lists[0]}),
        ("createCard", None),
    ]
    move = trello.ok("GET", f"/cards/{card}/actions")[0]
    assert (move["data"]["listBefore"]["name"], move["data"]["listAfter"]["name"]) == ("A", "B")
    assert "list" not in move["data"]
    assert trello.ok("GET", f"/boards/{board}/actions", filter="updateCard:closed", fields="type") == [
        {"id": told[0]["id"], "type": "updateCard", "memberCreator": told[0]["memberCreator"]}
    ]


def test_a_batch_of_eleven_is_refused_and_each_of_ten_is_answered(trello: TrelloApi) -> None:
    board, _ = trello.board("A")
    assert trello.refused("GET", "/batch", urls=",".join([f"/boards/{board}"] * 11))[0] == 400
    answers = trello.ok("GET", "/batch", urls=",".join([f"/boards/{board}", f"/cards/{NOBODY}"] * 5))
    assert [one.get("statusCode", 200) for one in answers] == [200, 404] * 5


# -- limits ------------------------------------------------------------------------------------------------------------


def test_a_full_label_list_is_data_and_a_refusal(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, _ = trello.board("A")
    held = len(trello.ok("GET", f"/boards/{board}/labels"))
    plain.post(f"{sandbox.url}/sandbox/trello-limits", json={"labels.perBoard": held + 1}).raise_for_status()
    trello.ok("POST", "/labels", {"name": "Last", "color": None, "idBoard": board})
    limit = trello.ok("GET", f"/boards/{board}", fields="limits")["limits"]["labels"]["perBoard"]
    assert (limit["status"], limit["count"], limit["disableAt"]) == ("disabled", held + 1, held + 1)
    assert trello.refused("POST", "/labels", {"name": "More", "color": None, "idBoard": board})[0] == 403
    plain.delete(f"{sandbox.url}/sandbox/trello-limits").raise_for_status()
    trello.ok("POST", "/labels", {"name": "More", "color": None, "idBoard": board})


def test_a_free_workspace_has_ten_open_boards_and_ten_people(trello: TrelloApi) -> None:
    free = trello.ok("GET", "/organizations/freeworkspace")["id"]
    boards = [trello.ok("POST", "/boards/", {"name": str(n), "idOrganization": free})["id"] for n in range(10)]
    assert trello.refused("POST", "/boards/", {"name": "11", "idOrganization": free})[0] == 403
    trello.ok("PUT", f"/boards/{boards[0]}", {"closed": True})
    trello.ok("POST", "/boards/", {"name": "11", "idOrganization": free})
    for number in range(9):
        trello.ok("PUT", f"/boards/{boards[1]}/members", email=f"guest-{number}@example.com")
    assert trello.refused("PUT", f"/boards/{boards[2]}/members", email="guest-10@example.com")[0] == 403
    trello.ok("PUT", f"/boards/{boards[2]}/members", email="guest-1@example.com")


def test_an_invited_stranger_is_unconfirmed(trello: TrelloApi) -> None:
    board, _ = trello.board("A")
    people = trello.ok("PUT", f"/boards/{board}/members", {"fullName": "New Person"}, email="new@example.com")
    assert people["members"][-1]["fullName"] == "New Person"
    assert people["memberships"][-1]["unconfirmed"] is True
    assert trello.refused("PUT", f"/boards/{board}/members", email="no address") == (400, "invalid value for email")


def test_the_last_admin_of_a_board_stays(trello: TrelloApi) -> None:
    board, _ = trello.board("A")
    me = trello.ok("GET", "/members/me")["id"]
    assert trello.refused("DELETE", f"/boards/{board}/members/{me}")[0] == 400
    assert trello.refused("PUT", f"/boards/{board}/members/{me}", type="normal")[0] == 400


# -- evidence ----------------------------------------------------------------------------------------------------------


def test_who_may_comment_is_a_setting_of_the_board(trello: TrelloApi, sandbox: SandboxServer) -> None:
    board, [todo] = trello.board("To do")
    card = trello.ok("POST", "/cards", {"idList": todo, "name": "A card"})["id"]
    viewer, member = member_id("viewer@example.com"), member_id("member@example.com")
    trello.ok("PUT", f"/boards/{board}/members/{viewer}", {"type": "observer"})
    trello.ok("PUT", f"/boards/{board}/members/{member}", {"type": "normal"})
    tokens = sandbox.trello.data.tokens
    tokens["viewer-token"] = Token("f" * 24, "viewer-token", viewer, sandbox.trello.clock.now())

    def allowed() -> list[bool]:
        answers = []
        for token in ("viewer-token", "member-token", "sandbox-token"):
            header = {"Authorization": f'OAuth oauth_consumer_key="sandbox-key", oauth_token="{token}"'}
            answers.append(trello.post(f"/cards/{card}/actions/comments", json={"text": "Hm"}, headers=header))
        refusals = {one.text for one in answers if one.status_code == 401}
        assert refusals <= {"unauthorized card permission requested"}
        return [one.status_code == 200 for one in answers]

    assert allowed() == [False, True, True]
    trello.ok("PUT", f"/boards/{board}", **{"prefs/comments": "observers"})
    assert allowed() == [True, True, True]
    trello.ok("PUT", f"/boards/{board}", **{"prefs/comments": "disabled"})
    assert allowed() == [False, False, False]
    assert trello.ok("GET", f"/cards/{card}")["badges"]["comments"] == 5


def test_a_change_of_the_text_tells_the_old_one_and_the_new_one_and_who(trello: TrelloApi) -> None:
    _, [todo] = trello.board("To do")
    card = trello.ok("POST", "/cards", {"idList": todo, "name": "A card", "desc": "Old"})["id"]
    for text in ("New", "Newer"):
        trello.ok("PUT", f"/cards/{card}", {"desc": text})
    told = trello.ok("GET", f"/cards/{card}/actions", filter="updateCard:desc")
    assert [(one["data"]["old"]["desc"], one["data"]["card"]["desc"]) for one in told] == [
        ("New", "Newer"),
        ("Old", "New"),
    ]
    assert {one["memberCreator"]["fullName"] for one in told} == {"Demo Admin"}


def test_the_comments_of_a_card_come_in_pages_before_an_action(trello: TrelloApi) -> None:
    _, [todo] = trello.board("To do")
    card = trello.ok("POST", "/cards", {"idList": todo, "name": "A card"})["id"]
    for number in range(7):
        trello.ok("POST", f"/cards/{card}/actions/comments", {"text": f"No. {number}"})
    path = f"/cards/{card}/actions"
    first = trello.ok("GET", path, filter="commentCard", limit=4)
    second = trello.ok("GET", path, filter="commentCard", limit=4, before=first[-1]["id"])
    assert [one["data"]["text"] for one in first + second] == [f"No. {number}" for number in range(6, -1, -1)]


def test_a_changed_comment_says_when_and_a_deleted_one_is_told_no_more(trello: TrelloApi) -> None:
    _, [todo] = trello.board("To do")
    card = trello.ok("POST", "/cards", {"idList": todo, "name": "A card"})["id"]
    said = trello.ok("POST", f"/cards/{card}/actions/comments", {"text": "No"})["id"]
    trello.ok("PUT", f"/cards/{card}/actions/{said}/comments", {"text": "Yes"})
    [told] = trello.ok("GET", f"/cards/{card}/actions", filter="commentCard")
    assert (told["data"]["text"], told["data"]["dateLastEdited"] >= told["date"]) == ("Yes", True)
    trello.ok("DELETE", f"/cards/{card}/actions/{said}/comments")
    left = trello.ok("GET", f"/cards/{card}/actions", filter="all")
    assert [one["type"] for one in left] == ["createCard"]
