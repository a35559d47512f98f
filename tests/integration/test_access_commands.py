"""Tokens and the log of changes on the command line, each command a process of its own."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.conftest import TEAM_FILE, Installation


@pytest.fixture
def home(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "home")


def past_the_log(home: Installation, *statements: str) -> None:
    """Change the log as only somebody with the file and the will can."""
    with closing(sqlite3.connect(home.home / "phaseloop.db")) as store, store:
        store.execute("DROP TRIGGER changes_no_update")
        store.execute("DROP TRIGGER changes_no_delete")
        for statement in statements:
            assert store.execute(statement).rowcount > 0


def test_a_token_is_printed_once_and_listed_with_what_it_may_and_never_again(home: Installation) -> None:
    made = home.ok("tokens", "create", "ci", "--role", "operator", "--days", "30")
    token = made.out.strip()

    assert token.startswith("phl_")
    assert "operator in all projects" in made.err
    (listed,) = home.ok("tokens", "list", "--json").json
    assert (listed["name"], listed["state"], listed["last_used_at"]) == ("ci", "active", None)
    assert listed["grants"] == [
        {"role": "operator", "project": None, "expires_at": None, "origin": "hand", "period": None}
    ]
    ends = datetime.fromisoformat(listed["expires_at"])
    assert 29 <= (ends - datetime.now(UTC)).days <= 30
    assert token not in home.ok("tokens", "list").out
    for file in home.home.iterdir():
        assert token.encode() not in file.read_bytes(), file


def test_a_revoked_token_is_listed_as_such_by_its_name_or_id(home: Installation) -> None:
    for name in ("one", "two"):
        home.ok("tokens", "create", name)
    one, two = home.ok("tokens", "list", "--json").json

    home.ok("tokens", "revoke", "one")
    home.ok("tokens", "revoke", two["id"])

    assert [found["state"] for found in home.ok("tokens", "list", "--json").json] == ["revoked", "revoked"]
    assert home.run("tokens", "revoke", "three").code == 1
    assert one["revoked_at"] is None


def test_two_tokens_of_one_name_are_told_apart_by_id(home: Installation) -> None:
    for _ in range(2):
        home.ok("tokens", "create", "ci")

    refused = home.run("tokens", "revoke", "ci")

    assert refused.code == 1
    assert "tok_" in refused.err


@pytest.mark.parametrize(
    "arguments", [["", "--role", "viewer"], ["x", "--role", "king"], ["x", "--days", "0"], ["x", "--project", "NONE"]]
)
def test_a_token_that_cannot_be_is_refused_in_words_and_none_is_made(home: Installation, arguments: list[str]) -> None:
    refused = home.run("tokens", "create", *arguments)

    assert refused.code in (1, 64)
    assert "Traceback" not in refused.err
    assert refused.out == ""
    assert home.ok("tokens", "list", "--json").json == []


def test_the_log_says_who_changed_what_at_this_machine(home: Installation) -> None:
    home.ok("teams", "import", TEAM_FILE)
    home.ok("tokens", "create", "ci")

    changes = home.ok("log", "list", "--json").json
    assert [one["thing"] for one in changes] == ["grant", "token", "team"]
    assert {one["by"]["kind"] for one in changes} == {"local"}
    assert all("as local administrator" in one["from"] for one in changes)
    assert [one["thing"] for one in home.ok("log", "list", "--thing", "token", "--json").json] == ["token"]
    assert home.ok("log", "list", "--by", "somebody else", "--json").json == []
    assert home.ok("log", "list", "--until", "2020-01-01", "--json").json == []
    assert "token ci created by" in home.ok("log", "list").out
    wrong = home.run("log", "list", "--since", "yesterday")
    assert wrong.code == 1
    assert "no day" in wrong.err


def test_the_log_is_exported_whole_as_json_and_as_a_table(home: Installation) -> None:
    home.ok("tokens", "create", "=cmd|x")

    found = home.ok("log", "export").json
    rows = list(csv.DictReader(home.ok("log", "export", "--csv").out.splitlines()))

    assert [one["seq"] for one in found] == [2, 1]
    assert [row["seq"] for row in rows] == ["2", "1"]
    assert [row["digest"] for row in rows] == [one["digest"] for one in found]
    assert rows[1]["name"] == "'=cmd|x", "no cell is a formula"


def test_a_log_that_nobody_touched_holds(home: Installation) -> None:
    assert home.ok("log", "verify", "--json").json == {"entries": 0, "head": "", "holds": True, "breaks": []}
    home.ok("tokens", "create", "ci")

    found = home.ok("log", "verify", "--json").json

    assert (found["entries"], found["holds"]) == (2, True)
    assert found["head"] == home.ok("log", "list", "--json").json[0]["digest"]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            """UPDATE changes SET body = replace(body, 'admin', 'viewer') WHERE seq = 2""",
            "entry 2 is not what was sealed",
        ),
        ("DELETE FROM changes WHERE seq = 2", "entry 2 is missing"),
        ("DELETE FROM changes WHERE seq = 1", "entry 1 is missing"),
        ("UPDATE changes SET \"by\" = 'somebody' WHERE seq = 3", "entry 3 is looked up by other words"),
        ("UPDATE changes SET at = '2020-01-01 00:00:00.000000' WHERE seq = 1", "entry 1 is not what was sealed"),
    ],
)
def test_a_log_that_was_changed_past_us_shows_it(home: Installation, statement: str, said: str) -> None:
    for name in ("one", "two"):
        home.ok("tokens", "create", name)
    past_the_log(home, statement)

    found = home.run("log", "verify")

    assert found.code == 3
    assert said in found.out
    assert "does not hold" in found.out
