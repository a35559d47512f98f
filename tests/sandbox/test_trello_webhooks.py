"""Trello's webhooks: the HEAD check, what is sent and how it is signed, repeats, and when a webhook ends."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from sandbox.testing import SandboxServer
from tests import plain
from tests.sandbox.conftest import TrelloApi
from tests.sandbox.trello_listener import Listener
from tests.waiting import eventually


def advance(sandbox: SandboxServer, seconds: float) -> None:
    plain.post(f"{sandbox.url}/sandbox/clock", json={"advanceSeconds": seconds}).raise_for_status()


def hook(trello: TrelloApi, listener: Listener, model: str) -> Any:
    return trello.ok("POST", "/webhooks/", {"callbackURL": listener.url, "idModel": model, "description": "team"})


def deliveries(sandbox: SandboxServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plain.get(f"{sandbox.url}/sandbox/trello-deliveries").json()["deliveries"]
    return found


@pytest.mark.parametrize("status", [301, 403, 404, 500])
def test_an_address_must_answer_200_to_head(trello: TrelloApi, status: int) -> None:
    board, _ = trello.board()
    with Listener(head=status) as listener:
        refused = trello.post("/webhooks/", json={"callbackURL": listener.url, "idModel": board})
    assert refused.status_code == 400
    said = f"URL ({listener.url}) did not return 200 status code, got {status}"
    assert refused.json() == {"message": said, "error": "ERROR"}
    assert trello.ok("GET", "/tokens/sandbox-token/webhooks") == []


def test_an_address_that_nobody_answers_is_refused(trello: TrelloApi) -> None:
    board, _ = trello.board()
    with Listener() as listener:
        gone = listener.url
    assert trello.refused("POST", "/webhooks/", {"callbackURL": gone, "idModel": board})[0] == 400
    assert trello.refused("POST", "/webhooks/", {"callbackURL": "mailto:a@example.com", "idModel": board}) == (
        400,
        "invalid value for callbackURL",
    )


def test_the_same_address_and_model_are_registered_once(trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    with Listener() as listener:
        hook(trello, listener, board)
        status, text = trello.refused("POST", "/webhooks/", {"callbackURL": listener.url, "idModel": board})
        assert (status, text) == (400, "A webhook with that callback, model, and token already exists")
        hook(trello, listener, lists[0])
    assert len(trello.ok("GET", "/tokens/sandbox-token/webhooks")) == 2


def test_a_delivery_is_signed_over_body_and_address(trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    with Listener() as listener:
        made = hook(trello, listener, board)
        card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "Größe"})
        headers, body, sent = listener.next()
    expected = hmac.new(b"sandbox-secret", body + listener.url.encode(), hashlib.sha1).digest()
    assert headers["x-trello-webhook"] == base64.b64encode(expected).decode()
    assert (sent["action"]["type"], sent["action"]["data"]["card"]["id"]) == ("createCard", card["id"])
    assert (sent["model"]["id"], sent["webhook"]["id"]) == (board, made["id"])
    assert sent["action"]["memberCreator"]["username"] == "demo"
    assert sent["action"]["display"]["translationKey"] == "action_create_card"


def test_a_move_tells_both_lists_and_the_old_one(trello: TrelloApi) -> None:
    board, lists = trello.board("A", "B")
    card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})["id"]
    with Listener() as listener:
        hook(trello, listener, board)
        trello.ok("PUT", f"/cards/{card}", {"idList": lists[1]})
        trello.ok("POST", f"/cards/{card}/actions/comments", {"text": "hello"})
        heard = {sent["action"]["type"]: sent["action"]["data"] for _, _, sent in (listener.next(), listener.next())}
    moved = heard["updateCard"]
    assert (moved["listBefore"]["name"], moved["listAfter"]["name"], moved["old"]) == ("A", "B", {"idList": lists[0]})
    assert heard["commentCard"]["text"] == "hello"


def test_labels_and_check_items_are_told_and_not_listed(trello: TrelloApi) -> None:
    _, lists = trello.board("A")
    card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})["id"]
    checklist = trello.ok("POST", "/checklists", {"idCard": card, "name": "Done means"})["id"]
    with Listener() as listener:
        hook(trello, listener, card)
        item = trello.ok("POST", f"/checklists/{checklist}/checkItems", {"name": "tested"})["id"]
        trello.ok("PUT", f"/cards/{card}/checkItem/{item}", {"state": "complete"})
        trello.ok("POST", f"/cards/{card}/labels", {"name": "Risk", "color": "red"})
        heard = {listener.next()[2]["action"]["type"] for _ in range(3)}
    assert heard == {"createCheckItem", "updateCheckItemStateOnCard", "addLabelToCard"}
    listed = {one["type"] for one in trello.ok("GET", f"/cards/{card}/actions", filter="all")}
    assert listed == {"createCard", "addChecklistToCard", "updateCheckItemStateOnCard"}


def test_a_webhook_that_is_off_or_gone_hears_nothing(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    with Listener() as listener:
        made = hook(trello, listener, board)
        trello.ok("PUT", f"/webhooks/{made['id']}", {"active": False})
        trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})
        trello.ok("PUT", f"/webhooks/{made['id']}", {"active": True})
        trello.ok("DELETE", f"/webhooks/{made['id']}")
        trello.ok("POST", "/cards", {"idList": lists[0], "name": "Two"})
    assert deliveries(sandbox) == []


def test_a_failed_delivery_is_repeated_after_30_60_and_120_seconds(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    plain.post(f"{sandbox.url}/sandbox/clock", json={"frozen": True}).raise_for_status()
    with Listener() as listener:
        made = hook(trello, listener, board)
        listener.statuses = [500, 404, 302, 500]
        trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})
        bodies = {listener.next()[1]}
        for seconds in (30, 60, 120):
            eventually(lambda: deliveries(sandbox)[0]["nextAt"] is not None)
            tried = len(deliveries(sandbox)[0]["attempts"])
            advance(sandbox, seconds - 1)
            assert len(deliveries(sandbox)[0]["attempts"]) == tried
            advance(sandbox, 1)
            bodies.add(listener.next()[1])
        eventually(lambda: deliveries(sandbox)[0]["state"] == "failed")
    assert len(bodies) == 1
    found = trello.ok("GET", f"/webhooks/{made['id']}")
    assert (found["consecutiveFailures"], found["firstConsecutiveFailDate"] is not None) == (4, True)


def test_an_answer_of_410_ends_the_webhook(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    with Listener() as listener:
        made = hook(trello, listener, board)
        listener.statuses = [410]
        trello.ok("POST", "/cards", {"idList": lists[0], "name": "One"})
        listener.next()
        eventually(lambda: deliveries(sandbox)[0]["state"] == "failed")
    assert trello.refused("GET", f"/webhooks/{made['id']}")[0] == 404


def test_a_webhook_ends_with_its_token(sandbox: SandboxServer, trello: TrelloApi) -> None:
    member = {"Authorization": 'OAuth oauth_consumer_key="sandbox-key", oauth_token="member-token"'}
    board = next(one["id"] for one in trello.ok("GET", "/members/me/boards") if one["name"] == "Demo board")
    with Listener() as listener:
        sent = {"callbackURL": listener.url, "idModel": board}
        assert trello.post("/webhooks/", json=sent, headers=member).status_code == 200
        assert trello.delete("/tokens/member-token", headers=member).status_code == 200
    assert sandbox.trello.data.webhooks == {}
    assert trello.get("/members/me", headers=member).text == "invalid token"
