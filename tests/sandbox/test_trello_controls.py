"""The controls over Trello: rate limits, faults in its shape, search lag, counting, reset, the state file, pages."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from sandbox import state_file
from sandbox.app import make_world
from sandbox.server import banner
from sandbox.testing import SandboxServer
from tests import plain
from tests.sandbox.conftest import TrelloApi
from tests.sandbox.test_pages import EVIL, page


def control(sandbox: SandboxServer, name: str, body: object) -> None:
    plain.post(f"{sandbox.url}/sandbox/{name}", json=body).raise_for_status()


def statuses(trello: TrelloApi, path: str, count: int) -> list[int]:
    return [trello.get(path).status_code for _ in range(count)]


# -- rate limits -------------------------------------------------------------------------------------------------------


def test_a_token_has_a_hundred_requests_in_ten_seconds(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, _ = trello.board("A")
    control(sandbox, "clock", {"frozen": True})
    control(sandbox, "limits", {"enabled": True})
    assert statuses(trello, f"/boards/{board}", 101) == [200] * 100 + [429]
    refused = trello.get(f"/boards/{board}")
    assert refused.json() == {"error": "API_TOKEN_LIMIT_EXCEEDED", "message": "Rate limit exceeded"}
    assert "retry-after" not in refused.headers
    assert refused.headers["x-rate-limit-api-token-remaining"] == "0"
    control(sandbox, "clock", {"advanceSeconds": 9.9})
    assert trello.get(f"/boards/{board}").status_code == 429
    control(sandbox, "clock", {"advanceSeconds": 0.1})
    assert trello.get(f"/boards/{board}").status_code == 200


def test_a_key_has_three_hundred_whatever_its_tokens(sandbox: SandboxServer) -> None:
    control(sandbox, "clock", {"frozen": True})
    control(sandbox, "limits", {"enabled": True, "scale": 0.1})
    url = f"{sandbox.url}/1/batch"
    with httpx.Client() as client:
        counts = [
            sum(
                client.get(url, params={"key": "sandbox-key", "token": token, "urls": "/boards"}).status_code == 200
                for _ in range(11)
            )
            for token in ("sandbox-token", "readonly-token", "member-token")
        ]
        refused = client.get(url, params={"key": "sandbox-key", "token": "expired-token"})
    assert counts == [10, 10, 10]
    assert refused.json()["error"] == "API_KEY_LIMIT_EXCEEDED"


def test_members_have_a_window_of_their_own(sandbox: SandboxServer, trello: TrelloApi) -> None:
    control(sandbox, "clock", {"frozen": True})
    control(sandbox, "limits", {"enabled": True})
    for _ in range(10):
        assert statuses(trello, "/members/me?fields=id", 10) == [200] * 10
        control(sandbox, "clock", {"advanceSeconds": 10})
    refused = trello.get("/members/me")
    assert refused.json() == {"error": "RATE_LIMIT_EXCEEDED", "message": "Exceeded rate limit to /1/member"}
    assert trello.get("/search", params={"query": "x"}).status_code == 429
    control(sandbox, "clock", {"advanceSeconds": 800})
    assert trello.get("/members/me").status_code == 200


def test_credentials_in_a_body_are_counted_as_well(sandbox: SandboxServer) -> None:
    control(sandbox, "limits", {"enabled": True})
    login = {"key": "sandbox-key", "token": "sandbox-token"}
    answer = plain.post(f"{sandbox.url}/1/boards/", json={"name": "Body", **login})
    assert answer.headers["x-rate-limit-api-token-remaining"] == "99"


# -- faults ------------------------------------------------------------------------------------------------------------


def test_a_scripted_refusal_has_the_vendors_shape(sandbox: SandboxServer, trello: TrelloApi) -> None:
    control(sandbox, "faults", {"action": "limit", "path": "^/1/", "retryAfter": 3})
    refused = trello.get("/members/me")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    assert refused.json() == {"error": "API_TOKEN_LIMIT_EXCEEDED", "message": "Rate limit exceeded"}
    assert "ratelimit-reason" not in refused.headers
    control(sandbox, "faults", {"action": "status", "status": 503, "body": "text", "path": "^/1/"})
    assert trello.get("/members/me").headers["content-type"].startswith("text/plain")


def test_a_lost_answer_leaves_the_card(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    control(sandbox, "faults", {"action": "lose", "method": "POST", "path": "^/1/cards$"})
    with pytest.raises(httpx.HTTPError):
        trello.post("/cards", json={"idList": lists[0], "name": "Lost"})
    assert [card["name"] for card in trello.ok("GET", f"/boards/{board}/cards")] == ["Lost"]


def test_search_trails_behind_and_lists_do_not(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    control(sandbox, "search", {"lagSeconds": 60})
    trello.ok("POST", "/cards", {"idList": lists[0], "name": "Calibrate"})
    assert trello.ok("GET", "/search", query="calibrate")["cards"] == []
    assert len(trello.ok("GET", f"/boards/{board}/cards")) == 1
    control(sandbox, "clock", {"advanceSeconds": 61})
    assert len(trello.ok("GET", "/search", query="calibrate")["cards"]) == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("calibrate", ["Calibrate thresholds"]),
        ("cali", []),
        ("label:risk", ["Calibrate thresholds"]),
        ("-label:risk", ["Other"]),
        ("list:later", ["Other"]),
        ("is:archived", ["Gone"]),
        ("@demo", ["Calibrate thresholds"]),
        ("due:week", ["Calibrate thresholds"]),
        ('"thresholds of"', ["Other"]),
    ],
)
def test_search_understands_the_vendors_operators(trello: TrelloApi, query: str, found: list[str]) -> None:
    board, lists = trello.board("Now", "Later")
    label = trello.ok("POST", "/labels", {"name": "Risk", "color": "red", "idBoard": board})["id"]
    me = trello.ok("GET", "/members/me")["id"]
    soon = trello.ok("GET", f"/boards/{board}/dateLastActivity")["_value"].replace("T", "T").split("T")[0]
    sent = {"idList": lists[0], "name": "Calibrate thresholds", "idLabels": label, "idMembers": me}
    trello.ok("POST", "/cards", {**sent, "due": f"{soon}T23:59:59.999Z"})
    trello.ok("POST", "/cards", {"idList": lists[1], "name": "Other", "desc": "the thresholds of yesterday"})
    gone = trello.ok("POST", "/cards", {"idList": lists[1], "name": "Gone"})["id"]
    trello.ok("PUT", f"/cards/{gone}", {"closed": True})
    cards = trello.ok("GET", "/search", query=query, modelTypes="cards", idBoards=board)["cards"]
    assert sorted(card["name"] for card in cards) == found


# -- keeping -----------------------------------------------------------------------------------------------------------


def test_requests_are_logged_and_reset_starts_over(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, _ = trello.board("A")
    counts = plain.get(f"{sandbox.url}/sandbox/requests", params={"path": "^/1/"}).json()["counts"]
    assert (counts["reads"], counts["writes"]) == (0, 2)
    control(sandbox, "reset", {})
    assert trello.refused("GET", f"/boards/{board}")[0] == 404
    assert len(trello.ok("GET", "/members/me/boards")) == 1


def test_a_state_file_holds_trello_beside_jira(sandbox: SandboxServer, trello: TrelloApi, tmp_path: Path) -> None:
    board, lists = trello.board("A")
    card = trello.ok("POST", "/cards", {"idList": lists[0], "name": "Kept", "urlSource": "https://example.com/"})["id"]
    trello.ok("POST", f"/cards/{card}/actions/comments", {"text": "kept as well"})
    path = tmp_path / "kept.json"
    state_file.save(path, sandbox.site.data, sandbox.trello.data)
    assert state_file.load(path) == sandbox.site.data
    assert state_file.load_trello(path) == sandbox.trello.data
    again = make_world(state_file.load(path), state_file.load_trello(path)).trello.state
    found = again.board(board)
    assert found is not None
    assert [one.name for one in again.cards_of(found.id)] == ["Kept"]


def test_the_banner_names_trellos_credentials() -> None:
    text = banner("127.0.0.1", 9100, None)
    for part in ("sandbox-key", "sandbox-token", "sandbox-secret", "http://127.0.0.1:9100/1"):
        assert part in text


# -- pages -------------------------------------------------------------------------------------------------------------


def test_the_pages_show_a_board_and_a_card_and_escape_every_value(sandbox: SandboxServer, trello: TrelloApi) -> None:
    board, lists = trello.board("A")
    trello.ok("PUT", f"/boards/{board}", {"name": f"Team {EVIL}", "desc": f"about {EVIL}"})
    label = trello.ok("POST", "/labels", {"name": f"label {EVIL}", "color": "red", "idBoard": board})["id"]
    sent = {"idList": lists[0], "name": f"Card {EVIL}", "desc": f"# Focus\n\n[x](javascript:alert(1)) {EVIL}"}
    card = trello.ok("POST", "/cards", {**sent, "idLabels": label, "due": "2026-12-01", "urlSource": "https://e.com/"})
    trello.ok("POST", f"/cards/{card['id']}/actions/comments", {"text": f"*fine* {EVIL}"})
    checklist = trello.ok("POST", "/checklists", {"idCard": card["id"], "name": f"Done {EVIL}"})["id"]
    trello.ok("POST", f"/checklists/{checklist}/checkItems", {"name": f"tested {EVIL}"})
    trello.ok("PUT", f"/cards/{card['id']}", {"dueComplete": True})
    for path in (f"/b/{board}", f"/c/{card['shortLink']}", f"/c/{card['id']}/1-card", "/b"):
        found = page(sandbox.url, path)
        assert "script" not in found.tags
        assert EVIL in found.words
        assert not [one for one in found.addresses if one.startswith("javascript")]
        assert found.headings.count(1) == 1
        assert len(found.ids) == len(set(found.ids))
        assert set(found.named_by) <= set(found.ids)
    assert "0 of 1 checked" in page(sandbox.url, f"/b/{board}").words
    words = page(sandbox.url, f"/c/{card['shortLink']}").words
    for part in ("Focus", "2026-12-01", "tested", "fine", "History", "dueComplete changed from False to True"):
        assert part in words
    assert "No such card" in page(sandbox.url, "/c/nothing0", 404).words
