"""What goes wrong between people and Trello: told in words that say what to do, and no secret anywhere."""

from __future__ import annotations

import json
import re

import pytest

from sandbox.testing import SandboxServer
from sandbox.trello.seed import KEY, TOKEN
from tests.integration.conftest import SMALL, TEAM_FILE, Answer, Controls, Installation
from tests.trello_client import plain_trello

NEW = ("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE, "--set", "start_date=2027-01-04")


def connect(installation: Installation, url: str, key: str = KEY, token: str = TOKEN, *more: str) -> None:
    installation.furnish()
    add = ("connections", "add", "trello", "--kind", "trello", "--url", url, "--key", key, "--replace", *more)
    installation.ok(*add, stdin=token)


def said(answer: Answer) -> str:
    text = answer.out + answer.err
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize(
    ("key", "token", "word"),
    [
        ("wrong-key", TOKEN, "key"),
        (KEY, "wrong-token", "token"),
        (KEY, "expired-token", "token"),
    ],
)
def test_credentials_that_do_not_fit_are_named_and_not_shown(
    installation: Installation, sandbox: SandboxServer, key: str, token: str, word: str
) -> None:
    connect(installation, sandbox.url, key, token)

    text = said(installation.ok("connections", "check", "trello", "--project", "Demo board", code=1))

    assert word in text
    assert token not in text
    assert key not in text


def test_a_token_for_reading_only_is_found_by_the_check(installation: Installation, sandbox: SandboxServer) -> None:
    connect(installation, sandbox.url, KEY, "readonly-token")
    check = ("connections", "check", "trello", "--project", "Demo board")
    unclear = said(installation.ok(*check))  # Trello does not say which of an account's tokens is which
    sandbox.trello.data.tokens.pop(TOKEN)

    text = said(installation.ok(*check, code=1))

    assert "Only a write tells" in unclear
    assert "it is for reading only" in text


def test_a_run_with_a_token_for_reading_only_stops_and_says_why(
    installation: Installation, sandbox: SandboxServer
) -> None:
    connect(installation, sandbox.url, KEY, "readonly-token", "--invite")
    installation.run(*NEW)

    text = said(installation.run("apply", "ML"))

    assert "write" in text or "permission" in text


def test_people_who_are_not_on_the_board_are_named_and_how_they_get_there(
    installation: Installation, sandbox: SandboxServer, controls: Controls
) -> None:
    connect(installation, sandbox.url)

    text = said(installation.ok(*NEW, code=1))

    assert "not on the board" in text
    assert "invite" in text
    assert "ticket:" not in text
    assert re.search(r'\(the first is \w[\w .@-]+, with "\w[^"]+"\); only members', text)
    assert controls.writes() == 0


def test_a_board_that_is_not_there_says_how_to_have_it_made(installation: Installation, sandbox: SandboxServer) -> None:
    connect(installation, sandbox.url)

    text = said(installation.ok("plan", "No such board", "--team", TEAM_FILE, code=1))

    assert "--create" in text


def test_a_closed_board_is_named_as_closed(installation: Installation, sandbox: SandboxServer) -> None:
    client = plain_trello(sandbox.url)
    board = client.add_board("Closed one", default_lists=False)
    board.close()
    connect(installation, sandbox.url, KEY, TOKEN, "--invite")

    text = said(installation.ok("plan", board.id, "--team", TEAM_FILE, code=1))

    assert "closed" in text
    client.http_service.session.close()


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "status": 200, "body": "html"},
        {"action": "redirect"},
    ],
    ids=["html", "login page"],
)
def test_a_trello_that_does_not_answer_as_one_is_told_in_words(
    installation: Installation, sandbox: SandboxServer, controls: Controls, fault: dict[str, object]
) -> None:
    connect(installation, sandbox.url)
    controls.set("faults", times=None, path="^/1/", **fault)

    text = said(installation.ok("connections", "check", "trello", code=1))

    assert "127.0.0.1" in text
    assert TOKEN not in text


@pytest.mark.parametrize("path", ["^/1/cards$", "^/1/checklists", "^/1/labels", "^/1/boards/$"])
def test_a_lost_answer_makes_nothing_twice(
    installation: Installation, sandbox: SandboxServer, controls: Controls, path: str
) -> None:
    connect(installation, sandbox.url, KEY, TOKEN, "--invite")
    plan = installation.ok(*NEW, "--json", code=2).json
    controls.set("faults", action="lose", method="POST", path=path, skip=0 if "boards" in path else 2)

    run = installation.ok("apply", plan["id"], "--json").json

    assert run["state"] == "completed"
    client = plain_trello(sandbox.url)
    boards = [board for board in client.list_boards() if board.name == "ML"]
    assert len(boards) == 1
    names = [card.name for card in boards[0].all_cards()]
    tickets = [change["title"] for change in plan["changes"] if change["kind"] in ("epic", "ticket")]
    assert all(names.count(title) == 1 for title in tickets)
    labels = [label.name for label in boards[0].get_labels(limit=1000) if label.name]
    assert len(labels) == len(set(labels))
    assert installation.ok("plan", "ML", "--json").json["summary"]["create"] == 0
    client.http_service.session.close()


def test_no_secret_is_in_a_url_a_file_or_an_output(
    installation: Installation, sandbox: SandboxServer, controls: Controls
) -> None:
    connect(installation, sandbox.url, KEY, TOKEN, "--invite")
    outputs = said(installation.run("connections", "check", "trello", "--project", "Demo board"))
    outputs += said(installation.run(*NEW))
    controls.set("faults", action="status", status=403, path="/1/cards$", skip=3)
    outputs += said(installation.run("apply", "ML"))

    sent = json.dumps([{"p": r["path"], "q": r["query"]} for r in controls.get("requests")["requests"]])
    for secret in (TOKEN, KEY):
        assert secret not in outputs
        assert secret not in sent
    for path in installation.home.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path
