"""Trello as it is on first start: the demo team, two workspaces and a board."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.jira.seed import DEMO_EMAIL, TEAM
from sandbox.trello.making import DEFAULT_LABELS, DEFAULT_LISTS
from sandbox.trello.positions import WIDE_STEP
from sandbox.trello.state import (
    Board,
    Card,
    Label,
    Member,
    Membership,
    Organization,
    Token,
    TrelloData,
    TrelloList,
    made_id,
    short_link,
)

KEY, SECRET = "sandbox-key", "sandbox-secret"
TOKEN, READ_ONLY_TOKEN, EXPIRED_TOKEN, MEMBER_TOKEN = "sandbox-token", "readonly-token", "expired-token", "member-token"
MEMBER_EMAIL, OBSERVER_EMAIL, LEFT_EMAIL = "member@example.com", "viewer@example.com", "left-1@example.com"
Numbers = Callable[[], str]
_CARDS = (("To Do", "Drag me to Doing"), ("To Do", "Read the board over the API"), ("Done", "Start the sandbox"))


def member_id(email: str) -> str:
    """The id of a seeded member, always the same; all joined in January 2024."""
    return "65a0" + hashlib.sha256(email.encode()).hexdigest()[:20]


def seed(now: datetime) -> TrelloData:
    """A fresh Trello as of the given moment."""
    data = TrelloData(KEY, SECRET)

    def number() -> str:
        data.counter += 1
        return made_id(now, data.counter)

    def join(model: Board | Organization, email: str, kind: str = "normal", *, deactivated: bool = False) -> None:
        model.memberships.append(Membership(number(), member_id(email), kind, deactivated=deactivated))

    people = ((DEMO_EMAIL, "Demo Admin"), (MEMBER_EMAIL, "Member"), (OBSERVER_EMAIL, "Viewer"), *TEAM)
    for email, name in (*people, (LEFT_EMAIL, "Left 1")):
        username = "".join(letter for letter in email.split("@")[0] if letter.isalnum())
        data.members[member_id(email)] = Member(member_id(email), username, name, email, active=email != LEFT_EMAIL)
    demo = member_id(DEMO_EMAIL)
    work = Organization(number(), "demoworkspace", "Demo workspace", demo, last_activity=now)
    free = Organization(number(), "freeworkspace", "Free workspace", demo, free=True, last_activity=now)
    data.organizations = {work.id: work, free.id: free}
    join(free, DEMO_EMAIL, "admin")
    for email, _ in people:
        join(work, email, "admin" if email == DEMO_EMAIL else "normal")
    join(work, LEFT_EMAIL, deactivated=True)
    _tokens(data, now, number)
    board = _board(data, now, number, work)
    for email, _ in people:
        join(board, email, {DEMO_EMAIL: "admin", OBSERVER_EMAIL: "observer"}.get(email, "normal"))
    return data


def _tokens(data: TrelloData, now: datetime, number: Numbers) -> None:
    demo = member_id(DEMO_EMAIL)
    long_ago = now - timedelta(days=60)
    for token in (
        Token(number(), TOKEN, demo, now, scopes=["read", "write", "account"]),
        Token(number(), READ_ONLY_TOKEN, demo, now, scopes=["read"]),
        Token(number(), EXPIRED_TOKEN, demo, long_ago, long_ago + timedelta(days=30)),
        Token(number(), MEMBER_TOKEN, member_id(MEMBER_EMAIL), now),
    ):
        data.tokens[token.value] = token


def _board(data: TrelloData, now: datetime, number: Numbers, work: Organization) -> Board:
    key = number()
    board = Board(key, short_link(key), "Demo board", member_id(DEMO_EMAIL), organization_id=work.id, last_activity=now)
    board.prefs = {"permissionLevel": "org"}
    data.boards[key] = board
    for color in DEFAULT_LABELS:
        label = Label(number(), board.id, "", color)
        data.labels[label.id] = label
    lists = {}
    for place, name in enumerate(DEFAULT_LISTS, 1):
        found = TrelloList(number(), board.id, name, place * WIDE_STEP)
        data.lists[found.id] = lists[name] = found
    for place, (where, name) in enumerate(_CARDS, 1):
        key = number()
        card = Card(key, short_link(key), place, board.id, lists[where].id, name, place * WIDE_STEP, now, board.creator)
        data.cards[key] = card
    board.cards_made = len(_CARDS)
    return board
