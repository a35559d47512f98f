"""A project in a tracker as anybody sees it: read by plain HTTP, told in values that are the same for both trackers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import unquote

import httpx

MARK = "phaseloop"
ADMIN = ("demo@example.com", "sandbox-token")
_HEADER = {"Authorization": 'OAuth oauth_consumer_key="sandbox-key", oauth_token="sandbox-token"'}

_FIELDS = ["summary", "status", "assignee", "labels", "issuetype", "issuelinks"]


@dataclass(frozen=True, slots=True)
class SeenIteration:
    """An iteration. `state` is future, active or closed."""

    title: str
    state: str
    starts: datetime | None
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class SeenTicket:
    """A ticket. `key` is what its marker says, empty for one of people's own. `iterations` are the titles of those that
    it is in, or was when they were closed; `waits_for` the titles of what it waits for."""

    id: str
    key: str
    title: str
    status: str
    email: str | None
    labels: frozenset[str]
    iterations: tuple[str, ...]
    waits_for: frozenset[str]
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A project at one instant."""

    iterations: tuple[SeenIteration, ...]
    tickets: tuple[SeenTicket, ...]
    by_key: Mapping[str, SeenTicket] = field(default_factory=dict)

    @classmethod
    def of(cls, iterations: Iterator[SeenIteration], tickets: Iterator[SeenTicket]) -> Seen:
        found = tuple(tickets)
        return cls(tuple(iterations), found, {one.key: one for one in found if one.key})

    def state_of(self, title: str) -> str:
        return next(one.state for one in self.iterations if one.title == title)

    def inside(self, title: str) -> list[SeenTicket]:
        return [one for one in self.tickets if title in one.iterations]


class Eye(Protocol):
    """Reads a project."""

    def look(self) -> Seen: ...


@dataclass
class JiraEye:
    """Reads the project ML of a Jira, with sprints or without."""

    http: httpx.Client

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query, auth=ADMIN)
        assert answer.is_success, answer.text
        return answer.json()

    def look(self) -> Seen:
        board = self.get("/rest/agile/1.0/board", projectKeyOrId="ML")["values"][0]
        sprints = [] if board["type"] == "kanban" else self.get(f"/rest/agile/1.0/board/{board['id']}/sprint")["values"]
        sprint_field = next(one["id"] for one in self.get("/rest/api/2/field") if one["name"] == "Sprint")
        issues = list(self._issues([*_FIELDS, sprint_field]))
        return Seen.of(
            (
                SeenIteration(one["name"], one["state"], _moment(one.get("startDate")), _moment(one.get("endDate")))
                for one in sprints
            ),
            (self._ticket(one, sprint_field) for one in issues if one["fields"]["issuetype"]["name"] != "Epic"),
        )

    def _issues(self, fields: list[str]) -> Iterator[dict[str, Any]]:
        body: dict[str, Any] = {"jql": "project = ML ORDER BY key", "fields": fields, "properties": [MARK]}
        body["maxResults"] = 500
        while True:
            answer = self.http.post("/rest/api/2/search/jql", json=body, auth=ADMIN)
            assert answer.is_success, answer.text
            page = answer.json()
            yield from page["issues"]
            if page["isLast"]:
                return
            body["nextPageToken"] = page["nextPageToken"]

    def _ticket(self, issue: dict[str, Any], sprint_field: str) -> SeenTicket:
        fields, marker = issue["fields"], issue.get("properties", {}).get(MARK)
        labels = frozenset(fields["labels"])
        blocked_by = (link["inwardIssue"] for link in fields["issuelinks"] if "inwardIssue" in link)
        return SeenTicket(
            id=issue["id"],
            key=marker["key"] if marker else "",
            title=fields["summary"],
            status={"new": "todo", "indeterminate": "doing", "done": "done"}[fields["status"]["statusCategory"]["key"]],
            email=(fields["assignee"] or {}).get("emailAddress"),
            labels=labels,
            iterations=(
                *(sprint["name"] for sprint in fields.get(sprint_field) or ()),
                *(label for label in sorted(labels) if label.startswith("iteration:")),
            ),
            waits_for=frozenset(one["fields"]["summary"] for one in blocked_by),
        )


@dataclass
class TrelloEye:
    """Reads the board ML of a Trello."""

    http: httpx.Client

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(f"/1/{path}", params=query, headers=_HEADER)
        assert answer.is_success, answer.text
        return answer.json()

    def look(self) -> Seen:
        boards = self.get("members/me/boards", fields="name,closed")
        board = next(one["id"] for one in boards if one["name"].startswith("ML") and not one["closed"])
        lists = {one["id"]: one["name"] for one in self.get(f"boards/{board}/lists")}
        people = {one["id"]: one["username"] for one in self.get(f"boards/{board}/members", fields="username")}
        cards = self.get(f"boards/{board}/cards", filter="all", fields="all")
        turns = {card["name"]: card for card in cards if _key(card).startswith("iteration:")}
        return Seen.of(
            (
                SeenIteration(
                    card["name"],
                    {"Backlog": "future", "Done": "closed"}.get(lists[card["idList"]], "active"),
                    _moment(card["start"]),
                    _moment(card["due"]),
                )
                for card in turns.values()
            ),
            (_card(card, lists, people, turns) for card in cards if not _key(card).startswith(("iteration:", "epic:"))),
        )


def _card(
    card: dict[str, Any], lists: Mapping[str, str], people: Mapping[str, str], turns: Mapping[str, Any]
) -> SeenTicket:
    labels = frozenset(label["name"] for label in card["labels"])
    needs = re.search(r"^\*\*Needs:\*\* (.*)$", card["desc"], re.MULTILINE)
    members = [people[member] for member in card["idMembers"] if member in people]
    return SeenTicket(
        id=card["id"],
        key=_key(card),
        title=card["name"],
        status={"Done": "done", "In progress": "doing", "Review": "doing"}.get(lists[card["idList"]], "todo"),
        email=members[0] if members else None,
        labels=labels - set(turns),
        iterations=tuple(sorted(labels & set(turns))),
        waits_for=frozenset(needs[1].split("; ")) if needs else frozenset(),
        due=_moment(card["due"]),
    )


def _key(card: dict[str, Any]) -> str:
    found = re.search(r"\(phaseloop \S+ ([^)\s]+)\)", card["desc"])
    return unquote(found[1]) if found else ""


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def eye(tracker: str, http: httpx.Client) -> Eye:
    """Who reads that tracker."""
    return TrelloEye(http) if tracker == "trello" else JiraEye(http)


def login(email: str, tracker: str) -> str:
    """What an eye calls somebody with that address."""
    return re.sub("[^a-z0-9]", "", email.split("@", maxsplit=1)[0]) if tracker == "trello" else email
