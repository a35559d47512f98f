"""People at work on the records of the project ML, each with an account of their own, past phaseloop, by plain HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.testing import SandboxServer
from sandbox.trello.seed import KEY, member_id
from sandbox.trello.state import Token
from tests import plain

ML, DATA, PM = "ml-1@example.com", "data-1@example.com", "pm-1@example.com"
BOSS = "demo@example.com"
"""Who administers the tracker, and whose credential phaseloop has."""


class RecordDesk(Protocol):
    """What people do with the tickets of a tracker's project; tickets are named by their titles."""

    def account(self, person: str) -> str:
        """The account id of the person with that address."""

    def key(self, title: str) -> str:
        """What people call the ticket."""

    def writes(self, person: str, title: str, text: str) -> None:
        """Replace the ticket's text, which is plain paragraphs and `## ` headings."""

    def says(self, person: str, title: str, text: str) -> None:
        """Write a comment."""

    def finishes(self, person: str, *titles: str) -> None:
        """Move tickets to done."""

    def begins(self, person: str, title: str) -> None:
        """Take a ticket up."""

    def gives(self, person: str, title: str, to: str) -> None:
        """Give a ticket to somebody, and to nobody else."""

    def links(self, person: str, title: str, url: str, name: str) -> None:
        """Put an address on a ticket."""

    def deletes(self, title: str) -> None:
        """Delete a ticket."""

    def adds(self, person: str, title: str, iteration: str) -> str:
        """Make a ticket in an iteration; what people call it."""


@dataclass
class JiraRecords:
    """At work in Jira."""

    sandbox: SandboxServer
    known: dict[str, str] = field(default_factory=dict)

    def account(self, person: str) -> str:
        return next(one.account_id for one in self.sandbox.site.data.users.values() if one.email == person)

    def send(self, person: str, method: str, path: str, **more: Any) -> Any:
        user = self.sandbox.site.data.users[self.account(person)]
        user.token = user.token or f"token of {person}"
        answer = plain.request(method, f"{self.sandbox.url}/rest/{path}", auth=(person, user.token), timeout=30, **more)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def key(self, title: str) -> str:
        if title not in self.known:
            body = {"jql": "project = ML", "fields": ["summary"], "maxResults": 100}
            found = self.send(BOSS, "POST", "api/2/search/jql", json=body)["issues"]
            self.known.update({one["fields"]["summary"]: str(one["key"]) for one in found})
        return self.known[title]

    def writes(self, person: str, title: str, text: str) -> None:
        wiki = "\n".join(f"h2. {line[3:]}" if line.startswith("## ") else line for line in text.splitlines())
        self.send(person, "PUT", f"api/2/issue/{self.key(title)}", json={"fields": {"description": wiki}})

    def says(self, person: str, title: str, text: str) -> None:
        self.send(person, "POST", f"api/2/issue/{self.key(title)}/comment", json={"body": text})

    def finishes(self, person: str, *titles: str) -> None:
        for title in titles:
            self._moves(person, title, "done")

    def begins(self, person: str, title: str) -> None:
        self._moves(person, title, "indeterminate")

    def gives(self, person: str, title: str, to: str) -> None:
        path = f"api/2/issue/{self.key(title)}/assignee"
        self.send(person, "PUT", path, json={"accountId": self.account(to)})

    def _moves(self, person: str, title: str, category: str) -> None:
        path = f"api/2/issue/{self.key(title)}/transitions"
        ways = self.send(person, "GET", path)["transitions"]
        way = next(one for one in ways if one["to"]["statusCategory"]["key"] == category)
        self.send(person, "POST", path, json={"transition": {"id": way["id"]}})

    def links(self, person: str, title: str, url: str, name: str) -> None:
        body = {"object": {"url": url, "title": name}}
        self.send(person, "POST", f"api/2/issue/{self.key(title)}/remotelink", json=body)

    def deletes(self, title: str) -> None:
        self.send(BOSS, "DELETE", f"api/2/issue/{self.key(title)}")

    def adds(self, person: str, title: str, iteration: str) -> str:
        board = self.send(BOSS, "GET", "agile/1.0/board", params={"projectKeyOrId": "ML"})["values"][0]["id"]
        sprints = self.send(BOSS, "GET", f"agile/1.0/board/{board}/sprint")["values"]
        sprint = next(one["id"] for one in sprints if one["name"] == iteration)
        fields = {"project": {"key": "ML"}, "issuetype": {"name": "Task"}, "summary": title}
        key = str(self.send(person, "POST", "api/2/issue", json={"fields": fields})["key"])
        self.send(BOSS, "POST", f"agile/1.0/sprint/{sprint}/issue", json={"issues": [key]})
        return key


@dataclass
class TrelloRecords:
    """At work in Trello."""

    sandbox: SandboxServer

    def account(self, person: str) -> str:
        return member_id(person)

    def send(self, person: str, method: str, path: str, **more: Any) -> Any:
        tokens, member = self.sandbox.trello.data.tokens, member_id(person)
        token = next((one.value for one in tokens.values() if one.member_id == member and "write" in one.scopes), None)
        if token is None:
            token = f"token-of-{member}"
            tokens[token] = Token(member[::-1], token, member, self.sandbox.trello.clock.now())
        header = {"Authorization": f'OAuth oauth_consumer_key="{KEY}", oauth_token="{token}"'}
        answer = plain.request(method, f"{self.sandbox.url}/1/{path}", headers=header, timeout=30, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def board(self) -> str:
        boards = self.send(BOSS, "GET", "members/me/boards", params={"fields": "name,closed"})
        return str(next(one["id"] for one in boards if one["name"] == "ML" and not one["closed"]))

    def card(self, title: str) -> dict[str, Any]:
        cards = self.send(BOSS, "GET", f"boards/{self.board()}/cards", params={"filter": "all"})
        return next(dict(one) for one in cards if one["name"] == title)

    def key(self, title: str) -> str:
        return str(self.card(title)["shortLink"])

    def writes(self, person: str, title: str, text: str) -> None:
        card = self.card(title)
        before, mark, rest = card["desc"].rpartition("(phaseloop ")
        marker = f"{before.splitlines()[-1] if before else ''}{mark}{rest}"
        self.send(person, "PUT", f"cards/{card['id']}", json={"desc": f"{text}\n\n{marker}"})

    def says(self, person: str, title: str, text: str) -> None:
        self.send(person, "POST", f"cards/{self.card(title)['id']}/actions/comments", json={"text": text})

    def finishes(self, person: str, *titles: str) -> None:
        for title in titles:
            self._moves(person, title, "Done")

    def begins(self, person: str, title: str) -> None:
        self._moves(person, title, "In progress")

    def gives(self, person: str, title: str, to: str) -> None:
        self.send(person, "PUT", f"cards/{self.card(title)['id']}", json={"idMembers": self.account(to)})

    def _moves(self, person: str, title: str, to: str) -> None:
        lists = self.send(BOSS, "GET", f"boards/{self.board()}/lists")
        place = next(one["id"] for one in lists if one["name"] == to)
        self.send(person, "PUT", f"cards/{self.card(title)['id']}", json={"idList": place})

    def links(self, person: str, title: str, url: str, name: str) -> None:
        body = {"url": url, "name": name}
        self.send(person, "POST", f"cards/{self.card(title)['id']}/attachments", json=body)

    def deletes(self, title: str) -> None:
        self.send(BOSS, "DELETE", f"cards/{self.card(title)['id']}")

    def adds(self, person: str, title: str, iteration: str) -> str:
        lists = self.send(BOSS, "GET", f"boards/{self.board()}/lists")
        labels = self.send(BOSS, "GET", f"boards/{self.board()}/labels", params={"limit": 1000})
        label = next(one["id"] for one in labels if one["name"] == iteration)
        body = {"idList": lists[1]["id"], "name": title, "idLabels": label}
        return str(self.send(person, "POST", "cards", json=body)["shortLink"])


def record_desk(sandbox: SandboxServer, tracker: str) -> RecordDesk:
    """The desk of this tracker."""
    return JiraRecords(sandbox) if tracker == "jira" else TrelloRecords(sandbox)
