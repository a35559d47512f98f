"""Where the simulated team works: a tracker, as people see it who never heard of phaseloop. Plain REST."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import httpx

TIMEOUT = 30.0
"""Seconds to wait for the sandbox."""

SHORT = httpx.Limits(keepalive_expiry=2)
"""The sandbox closes a connection after five idle seconds; who sends just then would not be answered."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as its team sees it. `name` is what it is called (ML-12; empty in Trello), `status` is `todo`, `doing`
    or `done`, `email` is the address of who has it; `url` opens it where it has no name to be called by."""

    id: str
    name: str
    title: str
    status: str
    email: str | None = None
    labels: frozenset[str] = frozenset()
    points: float = 0.0
    url: str = ""

    def __str__(self) -> str:
        return f'{self.name} "{self.title}"'.lstrip()

    @property
    def called(self) -> str:
        """How people refer to it in a text."""
        return self.name or self.url

    @property
    def is_record(self) -> bool:
        """Whether an iteration is documented in it."""
        return "record" in self.labels

    @property
    def is_meetings(self) -> bool:
        """Whether it stands for the meetings of an iteration."""
        return "ceremonies" in self.labels


class Office(Protocol):
    """One project in a tracker. Nothing here is repeated or made sure of: people press a button once."""

    def close(self) -> None:
        """Release connections."""
        ...

    def at_work(self, number: int) -> list[Ticket]:
        """What is in the current iteration, as the board has it. `number` is used where only a label says it."""
        ...

    def coming(self, number: int) -> list[Ticket]:
        """What is in the iteration after it, whose number this is; nothing if there is none."""
        ...

    def take(self, ticket: Ticket, email: str) -> None:
        """Begin work on a ticket; one that nobody has becomes that person's."""
        ...

    def finish(self, ticket: Ticket, email: str | None = None) -> None:
        """Be done with a ticket, as this person if that matters."""
        ...

    def text(self, ticket: Ticket) -> str:
        """A ticket's description, its headings as lines that begin with `## `."""
        ...

    def write(self, ticket: Ticket, text: str, email: str) -> None:
        """Replace a ticket's description by a text with such headings, as this person."""
        ...

    def say(self, ticket: Ticket, text: str, email: str) -> None:
        """Write a comment on a ticket, as this person."""
        ...

    def add(self, title: str, email: str, number: int) -> Ticket:
        """Make a ticket of one's own in the current iteration."""
        ...

    def put_off(self, ticket: Ticket, number: int) -> bool:
        """Move a ticket by hand from the current iteration to the next, whose number this is; False if there is
        none."""
        ...

    def pull_in(self, ticket: Ticket, number: int) -> None:
        """Move a ticket by hand from the next iteration into the current one, whose number this is."""
        ...

    def drop(self, ticket: Ticket, number: int) -> None:
        """Take a ticket out of the current iteration, into the backlog."""
        ...

    def backlog(self) -> list[Ticket]:
        """What is to be done and in no iteration."""
        ...

    def bring(self, ticket: Ticket, number: int) -> None:
        """Move a ticket from the backlog into the current iteration, whose number this is."""
        ...

    def close_by_hand(self) -> bool:
        """End the current iteration as a person does; False where there is no such thing."""
        ...

    def get_in_the_way(self) -> str:
        """Do what keeps the next iteration from beginning; says in words what, empty where nothing does."""
        ...

    def fix(self) -> str:
        """Take that back; says in words how."""
        ...


def token_of(email: str) -> str:
    """The token that somebody of the team uses in the sandbox."""
    return "token-of-" + "".join(letter if letter.isalnum() else "-" for letter in email)


class Desk:
    """Requests as one person sends them."""

    def __init__(self, url: str, **auth: Any) -> None:
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT, limits=SHORT, trust_env=False, **auth)

    def send(self, method: str, path: str, **more: Any) -> Any:
        """One request; the answer's JSON, None where there is none. Raises httpx.HTTPStatusError."""
        answer = self._client.request(method, path, **more)
        if answer.is_error:
            raise httpx.HTTPStatusError(
                f"{method} {path}: {answer.status_code} {answer.text}", request=answer.request, response=answer
            )
        return answer.json() if answer.content else None

    def close(self) -> None:
        """Release its connections."""
        self._client.close()
