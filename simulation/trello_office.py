"""The simulated team's Trello."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simulation.office import Desk, Ticket, token_of

BACKLOG, ITERATION, DOING, DONE = "Backlog", "Iteration", "In progress", "Done"
_STATUS = {DOING: "doing", "Review": "doing", DONE: "done"}


class TrelloOffice:
    """One board in Trello. An iteration is a card and a label of the same name; by its list the card tells how far the
    iteration is.

    Raises httpx.HTTPStatusError where the sandbox refuses something: that is a mistake of this simulation.
    """

    def __init__(self, url: str, board: str, key: str, token: str, emails: Iterable[str]) -> None:
        self._url, self._key = url, key
        self._desk = self._opened(token)
        self._desks: dict[str, Desk] = {}
        self._emails = {_username(email): email for email in emails}
        self._board = board
        self._moved_aside = ""

    def close(self) -> None:
        """Release connections."""
        for desk in (self._desk, *self._desks.values()):
            desk.close()

    def at_work(self, number: int) -> list[Ticket]:
        """The cards with the label of the iteration whose card stands in Iteration."""
        return self._tickets(_Board.read(self._desk, self._board), ITERATION)

    def coming(self, number: int) -> list[Ticket]:
        """The cards with the label of the first iteration whose card stands in Backlog."""
        return self._tickets(_Board.read(self._desk, self._board), BACKLOG)

    def take(self, ticket: Ticket, email: str) -> None:
        """Drag it to In progress; one that nobody has is joined."""
        board = _Board.read(self._desk, self._board)
        if ticket.email is None:
            member = next(key for key, name in board.members.items() if self._emails.get(name) == email)
            self._desk.send("POST", f"/1/cards/{ticket.id}/idMembers", json={"value": member})
        self._edit(ticket, idList=board.list_of(DOING))

    def finish(self, ticket: Ticket, email: str | None = None) -> None:
        """Drag it to Done."""
        done = _Board.read(self._desk, self._board).list_of(DONE)
        self._of(email).send("PUT", f"/1/cards/{ticket.id}", json={"idList": done})

    def text(self, ticket: Ticket) -> str:
        """The description."""
        return str(self._desk.send("GET", f"/1/cards/{ticket.id}", params={"fields": "desc"})["desc"])

    def write(self, ticket: Ticket, text: str, email: str) -> None:
        """Replace the description."""
        self._of(email).send("PUT", f"/1/cards/{ticket.id}", json={"desc": text})

    def say(self, ticket: Ticket, text: str, email: str) -> None:
        """Write a comment."""
        self._of(email).send("POST", f"/1/cards/{ticket.id}/actions/comments", json={"text": text})

    def add(self, title: str, email: str, number: int) -> Ticket:
        """Make a card in Iteration, with the iteration's label."""
        board = _Board.read(self._desk, self._board)
        turn = board.turn(ITERATION)
        member = [key for key, name in board.members.items() if self._emails.get(name) == email]
        body = {
            "idList": board.list_of(ITERATION),
            "name": title,
            "idMembers": ",".join(member),
            "idLabels": board.label_of(turn) if turn else "",
        }
        made = self._desk.send("POST", "/1/cards", json=body)
        return Ticket(made["id"], "", title, "todo", email)

    def put_off(self, ticket: Ticket, number: int) -> bool:
        """Give it the label of the next iteration instead."""
        return self._exchange(ticket, ITERATION, BACKLOG)

    def pull_in(self, ticket: Ticket, number: int) -> None:
        """Give it the label of the current iteration instead, and drag it there."""
        if self._exchange(ticket, BACKLOG, ITERATION):
            self._edit(ticket, idList=_Board.read(self._desk, self._board).list_of(ITERATION))

    def drop(self, ticket: Ticket, number: int) -> None:
        """Take the label off and drag it to Backlog."""
        board = _Board.read(self._desk, self._board)
        if (turn := board.turn(ITERATION)) is not None:
            self._desk.send("DELETE", f"/1/cards/{ticket.id}/idLabels/{board.label_of(turn)}")
        self._edit(ticket, idList=board.list_of(BACKLOG))

    def backlog(self) -> list[Ticket]:
        """The cards in Backlog without an iteration's label."""
        board = _Board.read(self._desk, self._board)
        turns = {board.label_of(card) for card in board.cards if _is_turn(card)}
        waiting = board.list_of(BACKLOG)
        cards = [card for card in board.cards if card["idList"] == waiting and not turns & set(card["idLabels"])]
        return [self._ticket(card, board) for card in cards]

    def bring(self, ticket: Ticket, number: int) -> None:
        """Give it the iteration's label, and drag it to Iteration."""
        board = _Board.read(self._desk, self._board)
        if (turn := board.turn(ITERATION)) is not None:
            self._desk.send("POST", f"/1/cards/{ticket.id}/idLabels", json={"value": board.label_of(turn)})
            self._edit(ticket, idList=board.list_of(ITERATION))

    def close_by_hand(self) -> bool:
        """Drag the iteration's card to Done."""
        board = _Board.read(self._desk, self._board)
        turn = board.turn(ITERATION)
        if turn is not None:
            self._desk.send("PUT", f"/1/cards/{turn['id']}", json={"idList": board.list_of(DONE)})
        return turn is not None

    def get_in_the_way(self) -> str:
        """Drag the next iteration's card to Done: what is over cannot begin."""
        board = _Board.read(self._desk, self._board)
        turn = board.turn(BACKLOG)
        if turn is None:
            return ""
        self._moved_aside = str(turn["id"])
        self._desk.send("PUT", f"/1/cards/{self._moved_aside}", json={"idList": board.list_of(DONE)})
        return f'somebody drags the card "{turn["name"]}" to {DONE} before it has begun'

    def fix(self) -> str:
        """Drag it back."""
        body = {"idList": _Board.read(self._desk, self._board).list_of(BACKLOG)}
        self._desk.send("PUT", f"/1/cards/{self._moved_aside}", json=body)
        return f"it is dragged back to {BACKLOG}"

    def _opened(self, token: str) -> Desk:
        header = f'OAuth oauth_consumer_key="{self._key}", oauth_token="{token}"'
        return Desk(self._url, headers={"Authorization": header})

    def _of(self, email: str | None) -> Desk:
        """Where this person sits."""
        if email is None:
            return self._desk
        if email not in self._desks:
            self._desks[email] = self._opened(token_of(email))
        return self._desks[email]

    def _edit(self, ticket: Ticket, **body: Any) -> None:
        self._desk.send("PUT", f"/1/cards/{ticket.id}", json=body)

    def _exchange(self, ticket: Ticket, was: str, now: str) -> bool:
        """Give a card the label of the iteration that stands in the list `now`, in place of the one in `was`."""
        board = _Board.read(self._desk, self._board)
        before, after = board.turn(was), board.turn(now)
        if before is None or after is None:
            return False
        self._desk.send("DELETE", f"/1/cards/{ticket.id}/idLabels/{board.label_of(before)}")
        self._desk.send("POST", f"/1/cards/{ticket.id}/idLabels", json={"value": board.label_of(after)})
        return True

    def _tickets(self, board: _Board, where: str) -> list[Ticket]:
        turn = board.turn(where)
        if turn is None:
            return []
        label = board.label_of(turn)
        return [self._ticket(card, board) for card in board.cards if label in card["idLabels"] and card is not turn]

    def _ticket(self, card: dict[str, Any], board: _Board) -> Ticket:
        labels = frozenset(label["name"] for label in card["labels"])
        members = (self._emails.get(board.members.get(member, "")) for member in card["idMembers"])
        return Ticket(
            id=card["id"],
            name="",
            title=card["name"],
            status=_STATUS.get(board.lists[card["idList"]], "todo"),
            email=next((email for email in members if email is not None), None),
            labels=labels,
            points=max((float(name[7:]) for name in labels if name.startswith("points:")), default=0.0),
            url=str(card["shortUrl"]),
        )


class _Board:
    """A board as it is now."""

    def __init__(self, lists: list[dict[str, Any]], cards: list[dict[str, Any]], members: list[dict[str, Any]]) -> None:
        self.lists = {one["id"]: str(one["name"]) for one in lists}
        self.cards = sorted(cards, key=lambda card: (card["pos"], card["id"]))
        self.members = {one["id"]: str(one["username"]) for one in members}

    @classmethod
    def read(cls, desk: Desk, board: str) -> _Board:
        """Read a board by its id."""
        path = f"/1/boards/{board}"
        return cls(
            desk.send("GET", f"{path}/lists"),
            desk.send("GET", f"{path}/cards", params={"fields": "all"}),
            desk.send("GET", f"{path}/members", params={"fields": "username"}),
        )

    def list_of(self, name: str) -> str:
        """The id of a list."""
        return next(str(key) for key, known in self.lists.items() if known == name)

    def turn(self, where: str) -> dict[str, Any] | None:
        """The first iteration whose card stands in that list."""
        there = (card for card in self.cards if self.lists[card["idList"]] == where and _is_turn(card))
        return min(there, key=lambda card: card["due"] or "9", default=None)

    def label_of(self, turn: dict[str, Any]) -> str:
        """The id of an iteration's label."""
        return next(str(label["id"]) for label in turn["labels"] if label["name"] == turn["name"])


def _is_turn(card: dict[str, Any]) -> bool:
    return any(label["name"] == card["name"] for label in card["labels"])


def _username(email: str) -> str:
    """What the sandbox calls somebody with this address."""
    return "".join(letter for letter in email.split("@", maxsplit=1)[0] if letter.isalnum())
